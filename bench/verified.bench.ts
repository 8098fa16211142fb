// Is verified faster than unverified? Grouped verified calls beside the raw RPCs (grpc-js and proto-loader with nothing
// around them), on a real immudb, in one run; goals beside results. `npm run bench -- verified [--hasher=noble|node] [--synced]`.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ImmuClient, Permission, SqliteRootStore } from '#dist/index.js';
import type { ImmuClientOptions, VerifiedEntry } from '#dist/index.js';
import { WireClient } from '../test/support/wire-client.js';
import {
  BULK_ENTRIES,
  BULK_TXS,
  bulkKey,
  newDatabase,
  SINGLE_KEYS,
  singleKey,
  VALUE,
} from './support/data.js';
import { writeBulk, writeSingle } from './support/data.js';
import { Goals } from './support/goals.js';
import { bestOf, callsPerSecond, randomNumbers, underBackPressure } from './support/load.js';
import { benchServer } from './support/server.js';
import { count, printTable } from './support/table.js';

const COLD_READS = 20_000;
const option = (name: string) =>
  process.argv.find((argument) => argument.startsWith(`--${name}`))?.split('=')[1];
const hashers = (['noble', 'node'] as const).filter((hasher) => (option('hasher') ?? hasher) === hasher);
// immudb flushes every transaction to disk by default (`--synced`); the test server leaves that out unless told.
const synced = process.argv.includes('--synced');

await using server = await benchServer({ synced });
const { address, wire, database: single } = server;
const bulk = await newDatabase(address);
const bulkWire = await WireClient.open(address, bulk);
await writeSingle(wire);
await writeBulk(bulkWire);
const reader = { user: `reader${process.pid}`, password: 'Reader-12345' };
const directory = await mkdtemp(join(tmpdir(), 'immu-ts-bench-'));
let stores = 0;

/** A client that knows nothing: a store of its own. */
async function withClient<T>(
  database: string,
  options: ImmuClientOptions,
  work: (client: ImmuClient) => Promise<T>,
): Promise<T> {
  await using store = await SqliteRootStore.open(join(directory, `roots-${stores++}.db`));
  const credentials = { user: 'immudb', password: 'immudb', database };
  await using client = new ImmuClient({ address, store, credentials, ...options });
  return await work(client);
}

const below = randomNumbers(7);
const anySingle = () => singleKey(below(SINGLE_KEYS));
const anyBulk = () => bulkKey(below(BULK_TXS * BULK_ENTRIES));

function good(entry: VerifiedEntry | null | undefined): void {
  if (entry?.value.length !== VALUE.length || entry.value[0] !== VALUE[0])
    throw new Error('another value came back');
}
async function rawGet(of: WireClient, key: string): Promise<void> {
  good(await of.call('Get', { key: Buffer.from(key) }));
}
const verifiedGet = (client: ImmuClient, key: () => string) => async () =>
  good(await client.verifiedGet(key()));

await withClient(single, {}, (client) => client.createUser(reader.user, reader.password, Permission.R));

// What everything is held against.
await callsPerSecond(24, 5000, () => rawGet(wire, anySingle()));
const rawRates = { many: 0, one: 0, bulk: 0 };
async function measureRaw(): Promise<void> {
  rawRates.many = Math.max(rawRates.many, await callsPerSecond(24, 15_000, () => rawGet(wire, anySingle())));
  rawRates.one = Math.max(rawRates.one, await callsPerSecond(1, 2000, () => rawGet(wire, anySingle())));
  rawRates.bulk = Math.max(
    rawRates.bulk,
    await callsPerSecond(24, 15_000, () => rawGet(bulkWire, anyBulk())),
  );
}
await measureRaw();

let sets = 0;
const setsOf = (lanes: number) =>
  callsPerSecond(lanes, 40, async () => {
    const tx = sets++;
    const KVs = Array.from({ length: 1000 }, (_, i) => ({
      key: Buffer.from(`set/${tx}/${i}`),
      value: VALUE,
    }));
    await bulkWire.call('Set', { KVs });
  });
let rawSetAll = 0;
for (const lanes of [1, 2, 4, 8, 16])
  rawSetAll = Math.max(rawSetAll, 1000 * (await bestOf(2, () => setsOf(lanes))));

const headerScans = (lanes: number) =>
  callsPerSecond(lanes, 60, async (i) => {
    const initialTx = String(1 + (i % 9) * 1000);
    const { txs } = await wire.call('TxScan', {
      initialTx,
      limit: 1000,
      entriesSpec: { kvEntriesSpec: { action: 'EXCLUDE' } },
    });
    if (txs.length !== 1000) throw new Error('headers are missing');
  });
let rawHeaders = 0;
for (const lanes of [1, 2, 4])
  rawHeaders = Math.max(rawHeaders, 1000 * (await bestOf(2, () => headerScans(lanes))));

const getAlls = await bestOf(2, () =>
  callsPerSecond(1, 100, async () => {
    const keys = Array.from({ length: 1000 }, () => Buffer.from(anySingle()));
    const { entries } = await wire.call('GetAll', { keys });
    for (const entry of entries) good(entry);
  }),
);

async function loopDelayP99(load: () => Promise<unknown>): Promise<number> {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  await load();
  histogram.disable();
  return histogram.percentile(99) / 1e6;
}

for (const hasher of hashers) {
  const verifier = { hasher };
  const goals = new Goals();
  const rates: Record<string, number> = {};

  rates['verifiedGet, 256 in flight, single, cold'] = await bestOf(3, () =>
    withClient(single, { verifier }, (client) =>
      callsPerSecond(256, COLD_READS, verifiedGet(client, anySingle)),
    ),
  );
  rates['verifiedGet, 256 in flight, bulk, cold'] = await bestOf(3, () =>
    withClient(bulk, { verifier }, (client) => callsPerSecond(256, COLD_READS, verifiedGet(client, anyBulk))),
  );
  rates['verifiedGet, one by one, cold'] = await bestOf(3, () =>
    withClient(single, { verifier }, (client) => callsPerSecond(1, 2000, verifiedGet(client, anySingle))),
  );
  const credentials = { ...reader, database: single };
  rates['verifiedGet, read-only user, 24 in flight'] = await bestOf(3, () =>
    withClient(single, { verifier, credentials }, (client) =>
      callsPerSecond(24, COLD_READS, verifiedGet(client, anySingle)),
    ),
  );
  rates['headers followed and checked'] = await bestOf(3, () =>
    withClient(single, { verifier: { ...verifier, threads: 2 } }, async (client) => {
      // Threads are started by the first round: what is asked is what they sustain.
      return bestOf(5, async () => {
        const start = performance.now();
        const headers = await client.warm();
        return headers / ((performance.now() - start) / 1000);
      });
    }),
  );

  await withClient(single, { verifier }, async (client) => {
    await callsPerSecond(256, COLD_READS, verifiedGet(client, anySingle));
    rates['verifiedGet, 256 in flight, single, warm'] = await bestOf(3, () =>
      callsPerSecond(256, 100_000, verifiedGet(client, anySingle)),
    );
    rates['verifiedGetAll of 1000, warm'] = await bestOf(2, () =>
      callsPerSecond(1, 100, async () => {
        const entries = await client.verifiedGetAll(Array.from({ length: 1000 }, anySingle));
        for (const entry of entries) good(entry);
      }),
    );
    const delay = await loopDelayP99(() => callsPerSecond(256, 200_000, verifiedGet(client, anySingle)));
    const floor = await loopDelayP99(() => callsPerSecond(24, 30_000, () => rawGet(wire, anySingle())));
    goals.atMost(
      `event-loop delay p99, saturated verified reads (${delay.toFixed(1)} ms) : raw get (${floor.toFixed(1)} ms)`,
      1.5,
      delay / floor,
    );
  });

  const oneByOne = await withClient(bulk, { verifier }, (client) =>
    callsPerSecond(1, 500, (i) => client.verifiedSet(`one/${hasher}/${i}`, VALUE)),
  );
  rates['verifiedSet, one by one'] = oneByOne;
  rates['verifiedSet, 20 000 under back-pressure'] = await withClient(bulk, { verifier }, (client) =>
    bestOf(4, () => {
      const round = sets++;
      return underBackPressure(
        20_000,
        () => client.ready(),
        (i) => client.verifiedSet(`many/${round}/${i}`, VALUE),
      );
    }),
  );
  await measureRaw();

  const memory = await withClient(single, { verifier }, async (client) => {
    const mixed = (i: number) =>
      i % 10 === 0 ? client.verifiedSet(`mixed/${i % 5000}`, VALUE) : verifiedGet(client, anySingle)();
    await callsPerSecond(256, 100_000, mixed);
    const before = process.memoryUsage.rss();
    await callsPerSecond(256, 900_000, mixed);
    return process.memoryUsage.rss() / before;
  });

  const rate = (name: string) => rates[name] ?? 0;
  goals.atLeast(
    'verifiedGet, 256 in flight, single, headers warm : raw get',
    4,
    rate('verifiedGet, 256 in flight, single, warm') / rawRates.many,
  );
  goals.atLeast(
    'same, cold start : raw get',
    2,
    rate('verifiedGet, 256 in flight, single, cold') / rawRates.many,
  );
  goals.atLeast(
    'verifiedGet, 256 in flight, bulk, cold start : raw get',
    3,
    rate('verifiedGet, 256 in flight, bulk, cold') / rawRates.bulk,
  );
  goals.atLeast(
    'verifiedGet one by one, cold : raw get one by one',
    0.5,
    rate('verifiedGet, one by one, cold') / rawRates.one,
  );
  goals.atLeast(
    'verifiedGet by a read-only user, 24 in flight : raw get',
    0.7,
    rate('verifiedGet, read-only user, 24 in flight') / rawRates.many,
  );
  goals.atLeast(
    'verifiedGetAll of 1000 keys, warm : GetAll decoded by proto-loader',
    0.5,
    rate('verifiedGetAll of 1000, warm') / getAlls,
  );
  goals.atLeast(
    'verifiedSet, 20 000 under back-pressure : unverified Set of 1000 entries, best concurrency',
    0.7,
    rate('verifiedSet, 20 000 under back-pressure') / rawSetAll,
  );
  goals.atLeast(
    'same : verifiedSet one by one',
    100,
    rate('verifiedSet, 20 000 under back-pressure') / oneByOne,
  );
  goals.atLeast(
    'headers checked, 2 threads : TxScan decoded by proto-loader, unchecked',
    0.7,
    rate('headers followed and checked') / rawHeaders,
  );
  goals.atMost('RSS after 1 M verified calls : after 100 k', 1.1, memory);

  printTable(`Verified calls on ${server.what}, SHA-256 by ${hasher}`, [
    { what: 'raw Get, 24 in flight, single', 'per second': count(rawRates.many) },
    { what: 'raw Get, 24 in flight, bulk', 'per second': count(rawRates.bulk) },
    { what: 'raw Get, one by one', 'per second': count(rawRates.one) },
    { what: 'raw Set of 1000, best concurrency, entries', 'per second': count(rawSetAll) },
    { what: 'raw TxScan, headers decoded', 'per second': count(rawHeaders) },
    { what: 'raw GetAll of 1000', 'per second': count(getAlls) },
    ...Object.entries(rates).map(([what, value]) => ({ what, 'per second': count(value) })),
  ]);
  goals.print(`Goals, SHA-256 by ${hasher}`);
}
bulkWire.close();
await rm(directory, { recursive: true, force: true });
