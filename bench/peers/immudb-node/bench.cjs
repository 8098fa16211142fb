// Measures one operation of immudb-node on a running immudb server. Prints one JSON line when done: the calls made, and
// the seconds they took. Whatever comes back wrong, or is refused, ends it with an error.
const { join } = require('node:path');
const { parseArgs } = require('node:util');

// The client talks on standard output, which is for the figure.
console.log = console.error;
const { default: ImmudbClient } = require('immudb-node');

const VALUE_BYTES = 100;
const MANY_ENTRIES = 1000;

const { values: given } = parseArgs({
  options: {
    address: { type: 'string', default: '127.0.0.1:3322' },
    database: { type: 'string', default: 'defaultdb' },
    user: { type: 'string', default: 'immudb' },
    password: { type: 'string', default: 'immudb' },
    operation: { type: 'string' },
    concurrency: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '3' },
    warmup: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    keys: { type: 'string', default: '10000' },
    run: { type: 'string', default: 'run' },
    state: { type: 'string' },
  },
});
const keys = Number(given.keys);
const keyOf = (i) => `key/${String(i).padStart(5, '0')}`;
const valueOf = (i) => `value ${i} `.padEnd(VALUE_BYTES, '.');

/** One caller: it waits for an answer before it asks again. */
class Lane {
  made = 0;
  lastTx = 0;

  constructor(client, index) {
    this.client = client;
    this.index = index;
    this.random = (Number(given.seed) + index * 7919) >>> 0;
    this.call = {
      get: () => this.read('get'),
      verifiedGet: () => this.read('verifiedGet'),
      set: () => this.write('set'),
      verifiedSet: () => this.write('verifiedSet'),
      setAll: () => this.setAll(),
    }[given.operation];
    if (!this.call) throw new Error(`no operation ${given.operation}`);
  }

  /** The order of reads that all peers share: a linear congruential generator. */
  next(below) {
    this.random = (Math.imul(this.random, 1664525) + 1013904223) >>> 0;
    return (this.random >>> 8) % below;
  }

  async read(method) {
    const i = this.next(keys);
    const entry = await this.client[method]({ key: keyOf(i) });
    if (entry?.value !== valueOf(i)) throw new Error(`${method} of key ${i}: read ${JSON.stringify(entry)}`);
  }

  writtenKey(call, entry = 0) {
    return `${given.run}/${this.index}/${call}/${entry}`;
  }

  async write(method) {
    this.wrote(await this.client[method]({ key: this.writtenKey(this.made), value: valueOf(this.made) }), 1);
  }

  async setAll() {
    const value = valueOf(this.made);
    const kvsList = Array.from({ length: MANY_ENTRIES }, (_, i) => ({
      key: this.writtenKey(this.made, i),
      value,
    }));
    this.wrote(await this.client.setAll({ kvsList }), MANY_ENTRIES);
  }

  wrote(header, entries) {
    if (!(header?.id > this.lastTx) || header.nentries !== entries) {
      throw new Error(`tx ${header?.id} of ${header?.nentries} entries after tx ${this.lastTx}`);
    }
    this.lastTx = header.id;
    this.made += 1;
  }

  /** Requires the last entry written to be there. */
  async readBack() {
    if (this.made === 0) return;
    const entry = await this.client.get({ key: this.writtenKey(this.made - 1) });
    if (entry?.value !== valueOf(this.made - 1) || entry.tx !== this.lastTx) {
      throw new Error(`read back ${JSON.stringify(entry)}`);
    }
  }

  async until(end) {
    let calls = 0;
    for (; performance.now() < end; calls++) await this.call();
    return calls;
  }
}

async function during(lanes, seconds) {
  const start = performance.now();
  const calls = await Promise.all(lanes.map((lane) => lane.until(start + seconds * 1000)));
  return { calls: calls.reduce((sum, n) => sum + n, 0), seconds: (performance.now() - start) / 1000 };
}

async function main() {
  const at = given.address.lastIndexOf(':');
  const client = new ImmudbClient({
    host: given.address.slice(0, at),
    port: given.address.slice(at + 1),
    rootPath: join(given.state, 'root'),
  });
  await client.login({ user: given.user, password: given.password });
  await client.useDatabase({ databasename: given.database });
  const lanes = Array.from({ length: Number(given.concurrency) }, (_, i) => new Lane(client, i));
  await during(lanes, Number(given.warmup));
  const figure = await during(lanes, Number(given.seconds));
  for (const lane of lanes) await lane.readBack();
  return { operation: given.operation, concurrency: lanes.length, ...figure };
}

main().then(
  (figure) => process.stdout.write(`${JSON.stringify(figure)}\n`, () => process.exit(0)),
  (error) => {
    // What it does not verify it rejects without a reason, after a line on standard error.
    console.error(error ?? 'rejected without a reason');
    process.exit(1);
  },
);
