// Measures one operation of this repository's client on a running immudb server. Prints one JSON line when done: the
// calls made, and the seconds they took. Whatever comes back wrong, or is refused, ends it with an error.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ImmuClient } from '#dist/index.js';

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
const valueOf = (i) => Buffer.from(`value ${i} `.padEnd(VALUE_BYTES, '.'));
/** What must be read, made beforehand: comparing is measured, making it is not. */
const expected = Array.from({ length: keys }, (_, i) => valueOf(i));

/** One caller: it waits for an answer before it asks again. */
class Lane {
  made = 0;
  lastTx = 0n;

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
    const entry = await this.client[method](keyOf(i));
    if (!entry || !expected[i].equals(entry.value))
      throw new Error(`${method} of key ${i}: read another value`);
  }

  writtenKey(call, entry = 0) {
    return `${given.run}/${this.index}/${call}/${entry}`;
  }

  async write(method) {
    this.wrote(await this.client[method](this.writtenKey(this.made), valueOf(this.made)));
  }

  async setAll() {
    const value = valueOf(this.made);
    this.wrote(
      await this.client.setAll(
        Array.from({ length: MANY_ENTRIES }, (_, i) => [this.writtenKey(this.made, i), value]),
      ),
    );
  }

  wrote({ tx }) {
    // Calls of several lanes may share a transaction; those of one lane, one after the other, cannot.
    if (!(tx > this.lastTx)) throw new Error(`tx ${tx} after tx ${this.lastTx}`);
    this.lastTx = tx;
    this.made += 1;
  }

  /** Requires the last entry written to be there. */
  async readBack() {
    if (this.made === 0) return;
    const entry = await this.client.get(this.writtenKey(this.made - 1));
    if (!entry || !valueOf(this.made - 1).equals(entry.value) || entry.tx !== this.lastTx) {
      throw new Error(`read back another entry than that of tx ${this.lastTx}`);
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

const client = new ImmuClient({
  address: given.address,
  store: join(given.state, 'roots.db'),
  credentials: { user: given.user, password: given.password, database: given.database },
});
try {
  const lanes = Array.from({ length: Number(given.concurrency) }, (_, i) => new Lane(client, i));
  await during(lanes, Number(given.warmup));
  const figure = await during(lanes, Number(given.seconds));
  for (const lane of lanes) await lane.readBack();
  console.log(JSON.stringify({ operation: given.operation, concurrency: lanes.length, ...figure }));
} finally {
  await client.close();
}
