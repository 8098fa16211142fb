// What does it cost to follow a database, and what does it give? On a real immudb: CPU beside an audit of the same transactions,
// bytes on the wire beside the raw scan, memory a key, reads that are proven latest beside those that are not, absence beside raw
// Get, the time until a commit of somebody else is proven here, an idle follower, a restart. Ratios of one run.
// `npm run bench -- follow [--quick]`.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import { CompactIndex } from '#dist/client/trust/latest/compact-index.js';
import { readIndexFile, unpackIndexFile, writeIndexFile } from '#dist/client/trust/latest/index-file.js';
import { EMPTY_HASH } from '#dist/proof/hash.js';
import { TcpProxy } from '../test/client/tcp-proxy.js';
import { WireClient } from '../test/support/wire-client.js';
import {
  BULK_ENTRIES,
  BULK_TXS,
  VALUE,
  bulkKey,
  newDatabase,
  singleKey,
  writeBulk,
  writeSingle,
} from './support/data.js';
import { Goals } from './support/goals.js';
import { benchServer } from './support/server.js';
import { median } from './support/load.js';
import { count, printTable } from './support/table.js';

const QUICK = process.argv.includes('--quick');
const TXS = QUICK ? 10_000 : 50_000;
const BULKS = QUICK ? 2 : 5;
const ROUNDS = QUICK ? 3 : 5;
const IN_FLIGHT = 256;
/** As many as a server shows at a time, and some more room in a message. */
const SCAN_TXS = 500;
const INDEXED = QUICK ? 200_000 : 1_000_000;

await using server = await benchServer();
const { address, database: single } = server;
const bulk = await newDatabase(address);
await writeSingle(server.wire, TXS);
const bulkWire = await WireClient.open(address, bulk);
for (let i = 0; i < BULKS; i++) await writeBulk(bulkWire);

const clientOf = (database: string, via = address): ImmuClient =>
  new ImmuClient({
    address: via,
    store: new MemoryRootStore(),
    verifier: { threads: 1 },
    credentials: { user: 'immudb', password: 'immudb', database },
  });

/** CPU of this process, all its threads, in µs. */
async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

const goals = new Goals();
const lines: Record<string, string>[] = [];

/** Audit and follow in turns, in one client each time: threads are started before. */
async function beside(name: string, database: string, entries: number, goal: number): Promise<void> {
  const audits: number[] = [];
  const follows: number[] = [];
  let bytesAKey = 0;
  for (let round = 0; round <= ROUNDS; round++) {
    await using client = clientOf(database);
    await client.audit.database({ values: false });
    const audit = await cpuOf(() => client.audit.database({ values: false }));
    const follow = await cpuOf(async () => {
      const following = await client.follow({ everyMs: 60_000 });
      await following.ready({ timeoutMs: 600_000 });
      const { keys, bytes } = following.progress;
      bytesAKey = bytes / keys;
    });
    // The first round has code compiled.
    if (round === 0) continue;
    audits.push(audit / entries);
    follows.push(follow / entries);
  }
  const [audit, follow] = [Math.min(...audits), Math.min(...follows)];
  lines.push({
    what: name,
    'audit, CPU µs an entry': audit.toFixed(2),
    'follow, CPU µs an entry': follow.toFixed(2),
    'index, bytes a key': bytesAKey.toFixed(1),
  });
  goals.atMost(`CPU an entry, follow : audit, ${name}`, goal, follow / audit);
}

await beside('1000 entries a tx', bulk, BULKS * BULK_TXS * BULK_ENTRIES, 1.5);
await beside('one entry a tx', single, TXS, 1.25);

/** What the server sends to who follows, beside the same transactions scanned without a proof. */
async function wireBytes(name: string, database: string, txs: number): Promise<void> {
  await using proxy = await TcpProxy.start(address);
  await using client = clientOf(database, proxy.address);
  await client.verifiedGet(singleKey(0));
  let before = proxy.answered;
  const following = await client.follow({ everyMs: 60_000, push: false });
  await following.ready({ timeoutMs: 600_000 });
  const followed = proxy.answered - before;
  const raw = await WireClient.open(proxy.address, database);
  before = proxy.answered;
  for (let tx = 1; tx <= txs; tx += SCAN_TXS)
    await raw.call('TxScan', { initialTx: String(tx), limit: Math.min(SCAN_TXS, txs - tx + 1) });
  const scanned = proxy.answered - before;
  raw.close();
  lines.push({
    what: `${name}: the server sends ${count(followed)} bytes to who follows, ${count(scanned)} to a raw TxScan`,
  });
  goals.atMost(`wire bytes, follow : raw TxScan of digests, ${name}`, 1.05, followed / scanned);
}

await wireBytes('1000 entries a tx', bulk, BULKS * BULK_TXS);
await wireBytes('one entry a tx', single, TXS);

/** Calls a second, so many in flight. */
async function rate(
  inFlight: number,
  seconds: number,
  call: (i: number) => Promise<unknown>,
): Promise<number> {
  const until = performance.now() + seconds * 1000;
  let calls = 0;
  const start = performance.now();
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (performance.now() < until) await call(calls++);
    }),
  );
  return (calls * 1000) / (performance.now() - start);
}

{
  await using warm = clientOf(bulk);
  await using followed = clientOf(bulk);
  const following = await followed.follow();
  await following.ready({ timeoutMs: 600_000 });
  const keyAt = (i: number) => bulkKey((i * 7919) % (BULK_TXS * BULK_ENTRIES));
  const ratios: number[] = [];
  const absences: number[] = [];
  const seconds = QUICK ? 1 : 2;
  for (let round = 0; round <= ROUNDS; round++) {
    const plain = await rate(IN_FLIGHT, seconds, (i) => warm.verifiedGet(keyAt(i)));
    const latest = await rate(IN_FLIGHT, seconds, (i) => followed.verifiedGet(keyAt(i), { latest: true }));
    const raw = await rate(24, seconds, (i) => bulkWire.call('Get', { key: Buffer.from(keyAt(i)) }));
    const absent = await rate(24, seconds, (i) => followed.proveAbsent(`never/${i}`));
    if (round === 0) continue;
    ratios.push(latest / plain);
    absences.push(absent / raw);
  }
  goals.atLeast(`verifiedGet latest : warm verifiedGet, ${IN_FLIGHT} in flight`, 0.95, median(ratios));
  goals.atLeast('proveAbsent a second : raw Get, 24 in flight', 50, median(absences));
}

{
  await using client = clientOf(single);
  const following = await client.follow({ everyMs: 250 });
  await following.ready({ timeoutMs: 600_000 });
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const idleMs = QUICK ? 3000 : 10_000;
  const idle = await cpuOf(() => new Promise((resolve) => setTimeout(resolve, idleMs)));
  goals.atMost('idle follower, share of a core (%)', 1, (100 * idle) / (1000 * idleMs));

  const acknowledged: number[] = [];
  const proven: number[] = [];
  for (let i = 0; i < (QUICK ? 100 : 400); i++) {
    const from = performance.now();
    const { id } = await server.wire.call('Set', { KVs: [{ key: Buffer.from(singleKey(i)), value: VALUE }] });
    acknowledged.push(performance.now() - from);
    await following.reach(BigInt(id));
    proven.push(performance.now() - from);
  }
  lines.push({
    what: `commit acknowledged, p50 ${median(acknowledged).toFixed(2)} ms; proven here, p50 ${median(proven).toFixed(2)} ms (told which tx)`,
  });
  goals.atMost('commit → proven here : acknowledgement, p50', 2, median(proven) / median(acknowledged));
}

{
  const rss = process.memoryUsage().rss;
  const index = new CompactIndex();
  const bytes = new Uint8Array(64);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < INDEXED; i++) {
    view.setUint32(0, i);
    index.put({ tx: BigInt(i + 1), bytes, keyAt: 0, keyEnd: 18, flags: 0, expiresAt: undefined, hashAt: 18 });
  }
  goals.atMost(`index bytes a key, ${INDEXED} keys`, 80, index.bytes / INDEXED);
  goals.atMost(`RSS growth a key, ${INDEXED} keys`, 130, (process.memoryUsage().rss - rss) / INDEXED);
  const folder = await mkdtemp(join(tmpdir(), 'immu-ts-bench-'));
  try {
    const path = join(folder, 'index');
    const root = { tx: BigInt(INDEXED), alh: EMPTY_HASH };
    await writeIndexFile(path, { server: 's', database: 'd' }, { from: root, at: root, index, rows: [] });
    const start = performance.now();
    const restored = await unpackIndexFile(path, (await readIndexFile(path))!);
    goals.atMost(`restart with ${INDEXED} keys, s`, 0.5, (performance.now() - start) / 1000);
    if (restored?.index.keys !== INDEXED) throw new Error('not all was restored');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

printTable(`Following, on ${server.what}`, lines);
goals.print('Goals');
bulkWire.close();
