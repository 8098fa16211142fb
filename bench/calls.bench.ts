// What do the other verified calls cost? Scans and histories beside the plain answer decoded by proto-loader, deletes, references and
// sorted sets beside verifiedSet, streams beside unverified ones; goals beside results. `npm run bench -- calls`.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ImmuClient, SqliteRootStore } from '#dist/index.js';
import { SINGLE_KEYS, singleKey, VALUE, writeSingle } from './support/data.js';
import { Goals } from './support/goals.js';
import { bestOf, callsPerSecond } from './support/load.js';
import { benchServer } from './support/server.js';
import { count, printTable, ratio } from './support/table.js';

const ROUNDS = 3;
const PAGE = 1000;
const VERSIONS = 1000;
const IN_FLIGHT = 256;
const WRITES = 6000;
const STREAM_BYTES = 30 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

await using server = await benchServer();
const { address, wire, database } = server;
await writeSingle(wire);
for (let version = 0; version < VERSIONS; version++)
  await wire.call('Set', { KVs: [{ key: Buffer.from('history'), value: VALUE }] });

const directory = await mkdtemp(join(tmpdir(), 'immu-ts-bench-'));
const store = await SqliteRootStore.open(join(directory, 'roots.db'));
const client = new ImmuClient({
  address,
  store,
  credentials: { user: 'immudb', password: 'immudb', database },
  timeoutMs: 60_000,
});

const lines: Record<string, string>[] = [];
const goals = new Goals();
function show(what: string, rate: number, beside: number): number {
  lines.push({ what, 'per second': count(rate), ratio: ratio(rate / beside) });
  return rate / beside;
}

async function perSecond(units: number, work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return units / ((performance.now() - start) / 1000);
}

// Scans
const rawScan = await bestOf(ROUNDS, () =>
  perSecond(SINGLE_KEYS, async () => {
    let seen = 0;
    for (let seekKey = Buffer.alloc(0); ;) {
      const { entries = [] }: { entries?: { key: Buffer }[] } = await wire.call('Scan', {
        prefix: Buffer.from('single/'),
        limit: PAGE,
        seekKey,
      });
      if (entries.length === 0) break;
      seen += entries.length;
      seekKey = entries.at(-1)!.key as typeof seekKey;
    }
    if (seen !== SINGLE_KEYS) throw new Error(`${seen} entries`);
  }),
);
show('raw Scan, pages of 1000', rawScan, rawScan);
async function all(entries: AsyncIterable<{ readonly value: Uint8Array }>, expected: number): Promise<void> {
  let seen = 0;
  for await (const { value } of entries) {
    if (value.length !== VALUE.length) throw new Error('another value came back');
    seen++;
  }
  if (seen !== expected) throw new Error(`${seen} entries instead of ${expected}`);
}
const scan = { prefix: 'single/', pageSize: PAGE };
show(
  'scan',
  await bestOf(ROUNDS, () => perSecond(SINGLE_KEYS, () => all(client.scan(scan), SINGLE_KEYS))),
  rawScan,
);
const cold = await perSecond(SINGLE_KEYS, () => all(client.verifiedScan(scan), SINGLE_KEYS));
show('verifiedScan, nothing known', cold, rawScan);
const verifiedScan = await bestOf(ROUNDS, () =>
  perSecond(SINGLE_KEYS, () => all(client.verifiedScan(scan), SINGLE_KEYS)),
);
goals.atLeast('verifiedScan : raw Scan', 0.5, show('verifiedScan', verifiedScan, rawScan));

// Histories
const rawHistory = await bestOf(ROUNDS, () =>
  callsPerSecond(1, 20, async () => {
    const { entries } = await wire.call('History', { key: Buffer.from('history'), limit: VERSIONS });
    if (entries.length !== VERSIONS) throw new Error('versions are missing');
  }),
);
show('raw History of 1000', rawHistory, rawHistory);
const verifiedHistory = await bestOf(ROUNDS, () =>
  callsPerSecond(1, 20, () => all(client.verifiedHistory('history'), VERSIONS)),
);
goals.atLeast(
  'verifiedHistory : raw History',
  0.3,
  show('verifiedHistory of 1000', verifiedHistory, rawHistory),
);

// Writes in flight
let round = 0;
const writes = (write: (name: string, i: number) => Promise<unknown>) =>
  bestOf(ROUNDS, () => {
    const name = `w${round++}`;
    return callsPerSecond(IN_FLIGHT, WRITES, (i) => write(`${name}/${i}`, i));
  });
const verifiedSet = await writes((name) => client.verifiedSet(name, VALUE));
show('verifiedSet, 256 in flight', verifiedSet, verifiedSet);
const besideSet = (what: string, rate: number) =>
  goals.atLeast(`${what} : verifiedSet`, 0.9, show(`${what}, 256 in flight`, rate, verifiedSet));
besideSet(
  'verifiedSetReference',
  await writes((name, i) => client.verifiedSetReference(name, singleKey(i % SINGLE_KEYS))),
);
besideSet(
  'verifiedZAdd',
  await writes((name, i) => client.verifiedZAdd(name, i, singleKey(i % SINGLE_KEYS))),
);
let deleted = 0;
besideSet(
  'verifiedDelete',
  await bestOf(ROUNDS, () => {
    const of = deleted++;
    return callsPerSecond(IN_FLIGHT, WRITES, (i) => client.verifiedDelete(`w${of}/${i}`));
  }),
);

// Streams
function* chunks(): Generator<Uint8Array> {
  for (let at = 0; at < STREAM_BYTES; at += CHUNK_BYTES) yield Buffer.alloc(CHUNK_BYTES, at & 0xff);
}
const into = (key: string) => [{ key, value: chunks(), size: STREAM_BYTES }];
async function drained(value: AsyncIterable<Uint8Array>): Promise<void> {
  let bytes = 0;
  for await (const chunk of value) bytes += chunk.length;
  if (bytes !== STREAM_BYTES) throw new Error(`${bytes} bytes came back`);
}
const megabytes = (work: () => Promise<void>) => bestOf(ROUNDS, () => perSecond(STREAM_BYTES / 1e6, work));
const streamSet = await megabytes(async () => {
  await client.streamSet(into('stream'));
});
const streamGet = await megabytes(async () => drained((await client.streamGet('stream'))!.value));
show('streamSet of 30 MiB, MB', streamSet, streamSet);
const verifiedIn = await megabytes(async () => {
  await client.verifiedStreamSet(into('verified stream'));
});
goals.atLeast('verifiedStreamSet : streamSet', 0.7, show('verifiedStreamSet, MB', verifiedIn, streamSet));
show('streamGet of 30 MiB, MB', streamGet, streamGet);
const verifiedOut = await megabytes(async () => {
  const { value, proven } = (await client.verifiedStreamGet('verified stream'))!;
  await drained(value);
  await proven;
});
goals.atLeast('verifiedStreamGet : streamGet', 0.7, show('verifiedStreamGet, MB', verifiedOut, streamGet));

/** Most that the process grew by at a time, in MiB, over what it had. */
async function growth(work: () => Promise<void>): Promise<number> {
  await work();
  globalThis.gc?.();
  const before = process.memoryUsage();
  const bytesOf = ({ heapUsed, arrayBuffers, external }: NodeJS.MemoryUsage) =>
    heapUsed + Math.max(arrayBuffers, external);
  let most = 0;
  const timer = setInterval(() => {
    globalThis.gc?.();
    most = Math.max(most, bytesOf(process.memoryUsage()) - bytesOf(before));
  }, 20);
  await work();
  clearInterval(timer);
  return most / 1024 / 1024;
}
goals.atMost(
  'memory that a stream of 30 MiB in grows by, MiB',
  8,
  await growth(async () => {
    await client.verifiedStreamSet(into('memory'));
  }),
);
goals.atMost(
  'memory that a stream of 30 MiB out grows by, MiB',
  8,
  await growth(async () => drained((await client.verifiedStreamGet('memory'))!.value)),
);

await client.close();
await store.close();
await rm(directory, { recursive: true, force: true });
printTable(`Verified calls beside plain ones, ${server.what}`, lines);
goals.print('Goals');
