// What do calls cost end to end on a real immudb? get, verifiedGet and verifiedSet, awaited one by one and 24 in flight,
// beside the raw RPC: grpc-js and proto-loader with nothing around them. 100-byte values, one tx each.
// IMMUDB_ADDRESS, or the test server (built with Go) is started.
import { ImmuClient, MemoryRootStore, SqliteRootStore } from '#dist/index.js';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { benchServer } from './support/server.js';
import { count, printTable, ratio } from './support/table.js';

const KEYS = 2000;
const SECONDS = 2;
const value = Buffer.alloc(100, 'v');
const key = (i: number) => `key ${i % KEYS}`;

await using server = await benchServer();
const { wire, database } = server;
const directory = await mkdtemp(join(tmpdir(), 'immu-ts-bench-'));
const store = await SqliteRootStore.open(join(directory, 'roots.db'));
const open = (verifier = {}) =>
  new ImmuClient({
    address: server.address,
    store: new MemoryRootStore(),
    verifier,
    credentials: { user: 'immudb', password: 'immudb', database },
  });
await using durable = new ImmuClient({
  address: server.address,
  store,
  credentials: { user: 'immudb', password: 'immudb', database },
});
await using inline = open({ threads: 0 });

for (let i = 0; i < KEYS; i += 24) {
  await Promise.all(
    Array.from({ length: 24 }, (_, j) =>
      wire.call('Set', { KVs: [{ key: Buffer.from(key(i + j)), value }] }),
    ),
  );
}

const contenders: [string, (i: number) => Promise<Uint8Array | undefined>][] = [
  ['raw Get', async (i) => (await wire.call('Get', { key: Buffer.from(key(i)) })).value],
  ['get', async (i) => (await durable.get(key(i)))?.value],
  [
    'raw VerifiableGet',
    async (i) =>
      (await wire.call('VerifiableGet', { keyRequest: { key: Buffer.from(key(i)) }, proveSinceTx: '1' }))
        .entry.value,
  ],
  ['verifiedGet', async (i) => (await durable.verifiedGet(key(i)))?.value],
  ['verifiedGet, no threads', async (i) => (await inline.verifiedGet(key(i)))?.value],
  [
    'raw Set',
    async (i) =>
      (await wire.call('Set', { KVs: [{ key: Buffer.from(`w ${i}`), value }] })).id ? value : undefined,
  ],
  [
    'raw VerifiableSet',
    async (i) =>
      (
        await wire.call('VerifiableSet', {
          setRequest: { KVs: [{ key: Buffer.from(`w ${i}`), value }] },
          proveSinceTx: '1',
        })
      ).tx
        ? value
        : undefined,
  ],
  [
    'verifiedSet, SQLite store',
    async (i) => ((await durable.verifiedSet(`w ${i}`, value)).tx > 0n ? value : undefined),
  ],
  [
    'verifiedSet, memory store',
    async (i) => ((await inline.verifiedSet(`w ${i}`, value)).tx > 0n ? value : undefined),
  ],
];

async function perSecond(
  call: (i: number) => Promise<Uint8Array | undefined>,
  inFlight: number,
): Promise<number> {
  const until = performance.now() + SECONDS * 1000;
  const start = performance.now();
  let done = 0;
  await Promise.all(
    Array.from({ length: inFlight }, async (_, lane) => {
      for (let i = lane * 7919; performance.now() < until; i += 31) {
        const got = await call(i);
        if (got?.length !== value.length) throw new Error('another value came back');
        done += 1;
      }
    }),
  );
  return done / ((performance.now() - start) / 1000);
}

const lines = [];
const floor: Record<string, number[]> = {};
for (const [name, call] of contenders) {
  for (let i = 0; i < 50; i++) await call(i);
  const rates = [await perSecond(call, 1), await perSecond(call, 24)];
  if (name.startsWith('raw')) floor[name] = rates;
  const of = (floor[name.toLowerCase().includes('set') ? 'raw Set' : 'raw Get'] ?? rates) as [number, number];
  lines.push({
    what: name,
    'one by one /s': count(rates[0] ?? 0),
    ': raw': ratio((rates[0] ?? 0) / of[0]),
    '24 in flight /s': count(rates[1] ?? 0),
    ': raw ': ratio((rates[1] ?? 0) / of[1]),
  });
}
printTable(`End to end on ${server.what}`, lines);
await durable.close();
await store.close();
await rm(directory, { recursive: true, force: true });
