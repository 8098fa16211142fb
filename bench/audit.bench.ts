// How fast is a whole database audited, and what bounds it? 100 k transactions of one entry, and 1 M entries in 1000
// transactions, on a real immudb: with one thread and with two, beside the checking alone of answers that are at hand, the
// raw scan, and the official Go client that asks for every transaction by VerifiedTxByID. `npm run bench -- audit`.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import { alh } from '#dist/proof/header.js';
import { methodDefinition } from '#dist/wire/schema.js';
import { PooledVerifier } from '#dist/worker/pooled-verifier.js';
import type { Job } from '#dist/verify/verifier.js';
import { readTxListHeaders } from '#dist/verify/wire/answers.js';
import { WireClient } from '../test/support/wire-client.js';
import { goProgram } from './peers/prepare.js';
import { outputOf } from './peers/process.js';
import { BULK_ENTRIES, BULK_TXS, newDatabase, writeBulk, writeSingle } from './support/data.js';
import { Goals } from './support/goals.js';
import { bestOf } from './support/load.js';
import { recordChart } from './support/record.js';
import type { Series } from './support/record.js';
import { benchServer } from './support/server.js';
import { count, printTable, ratio } from './support/table.js';

const TXS = 100_000;
const ROUNDS = 3;
const GO_SECONDS = 3;
/** 100 k entries each. */
const BULKS = 10;
const HASHERS = ['noble', 'node'] as const;
const THREADS = [1, 2] as const;
const HEADERS_ONLY = { kvEntriesSpec: { action: 'EXCLUDE' } };

await using server = await benchServer();
const { address, database: single } = server;
const bulk = await newDatabase(address);
await writeSingle(server.wire, TXS);
const bulkWire = await WireClient.open(address, bulk);
for (let i = 0; i < BULKS; i++) await writeBulk(bulkWire);

/** A client that knows nothing. */
function clientOf(database: string, verifier: object, store = new MemoryRootStore()): ImmuClient {
  return new ImmuClient({
    address,
    store,
    verifier,
    credentials: { user: 'immudb', password: 'immudb', database },
  });
}

/** What one measurement says. */
interface Figures {
  readonly perSecond: number;
  /** CPU time of this process, all of its threads, in µs an entry; part of the time that its main thread was busy. */
  readonly cpuUs: number;
  readonly busy: number;
  /** CPU time of the server, in µs an entry. */
  readonly serverUs: number;
}

async function measured(entries: number, work: () => Promise<void>): Promise<Figures> {
  const cpu = process.cpuUsage();
  const serverCpu = server.cpuMicros();
  const loop = performance.eventLoopUtilization();
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  const serverUs = (server.cpuMicros() - serverCpu) / entries;
  const { user, system } = process.cpuUsage(cpu);
  const { utilization } = performance.eventLoopUtilization(loop);
  return { perSecond: entries / seconds, cpuUs: (user + system) / entries, busy: utilization, serverUs };
}

async function audit(client: ImmuClient, entries: number, values = false): Promise<void> {
  const report = await client.audit.database({ values });
  if (!report.ok || report.checked.entries !== entries || report.checked.treeRoots !== report.checked.txs)
    throw new Error(`not everything was audited: ${JSON.stringify(report)}`);
}

/** The same answers as an audit gets, as jobs. */
async function jobsOf(wire: WireClient, database: string, txs: number): Promise<Job[]> {
  const raw = new Client(address, credentials.createInsecure(), { 'grpc.max_receive_message_length': -1 });
  const call = (method: string, request: object) => {
    const { path, requestSerialize } = methodDefinition('immudb.schema.ImmuService', method);
    return new Promise<Uint8Array>((resolve, reject) => {
      const asIs = (bytes: Buffer) => bytes;
      raw.makeUnaryRequest(path, requestSerialize, asIs, request, wire.metadata, (error, answer) =>
        error ? reject(error) : resolve(new Uint8Array(answer!)),
      );
    });
  };
  const state = await wire.call('CurrentState');
  const head = { tx: BigInt(state.txId), alh: new Uint8Array(state.txHash) };
  const jobs: Job[] = [];
  for (let first = 1n; first <= head.tx; first += BigInt(txs)) {
    const end = first + BigInt(txs) - 1n;
    const last = end < head.tx ? end : head.tx;
    const answer = await call('TxScan', { initialTx: String(first), limit: Number(last - first) + 1 });
    const proof = await call('VerifiableTxById', {
      ...{ tx: String(last), proveSinceTx: String(head.tx), entriesSpec: HEADERS_ONLY },
    });
    const question = { kind: 'stretch', first, last, proof } as const;
    jobs.push({ question, context: { head, database, now: 0n }, answer });
  }
  raw.close();
  return jobs;
}

/** The checking alone: nothing has to be fetched. */
async function check(pool: PooledVerifier, jobs: readonly Job[]): Promise<void> {
  const verdicts = await Promise.all(jobs.map((job) => pool.verify(job)));
  if (!verdicts.every(({ ok }) => ok)) throw new Error('an answer was refused');
}

/** Transactions a second of the raw scan: grpc-js, one request after the other, nothing decoded. */
async function scanned(jobs: readonly Job[], wire: WireClient, txs: number): Promise<number> {
  const start = performance.now();
  for (const { question } of jobs) {
    if (question.kind !== 'stretch') continue;
    const { first, last } = question;
    const { txs: list } = await wire.call('TxScan', {
      ...{ initialTx: String(first), limit: Number(last - first) + 1 },
    });
    if (list.length !== Number(last - first) + 1) throw new Error('transactions are missing');
  }
  return (txs * 1000) / (performance.now() - start);
}

async function goRate(): Promise<number | undefined> {
  const state = await mkdtemp(join(tmpdir(), 'immu-ts-bench-'));
  try {
    const program = await goProgram();
    const args = ['-address', address, '-database', single, '-operation', 'verifiedTx', '-state', state];
    const said = await outputOf([...program, ...args, '-seconds', String(GO_SECONDS)], { withinMs: 60_000 });
    const { calls, seconds } = JSON.parse(said) as { calls: number; seconds: number };
    return calls / seconds;
  } catch (error) {
    console.log(`the Go client cannot run here: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  } finally {
    await rm(state, { recursive: true, force: true });
  }
}

/** A log in which every transaction from 1 to `roots` is a root. */
async function loggedStore(jobs: readonly Job[], roots: number): Promise<MemoryRootStore> {
  await using client = clientOf(single, {});
  await client.audit.database({ after: BigInt(TXS - 1) });
  const { server: identity } = (await client.audit.latest())!;
  const store = new MemoryRootStore();
  await store.bindIdentity(address, identity);
  let previous: { tx: bigint; alh: Uint8Array } | null = null;
  for (const { answer } of jobs) {
    for (const header of readTxListHeaders(answer, BigInt(TXS))) {
      if (header.id > BigInt(roots)) return store;
      const root = { tx: header.id, alh: alh(header) };
      await store.advance(previous, {
        ...{ server: identity, database: single, ...root, outcome: 'root', operation: 'bench', calls: 1 },
        ...{
          previousTx: previous?.tx ?? null,
          headerTime: 0n,
          verifiedAt: 0,
          durationMs: 0,
          clientId: 'bench',
        },
      });
      previous = root;
    }
  }
  return store;
}

const goals = new Goals();
const series: Series[] = [];
const lines: Record<string, string>[] = [];
const bulkEntries = BULKS * BULK_TXS * BULK_ENTRIES;
const singleJobs = await jobsOf(server.wire, single, 1024);
const bulkJobs = await jobsOf(bulkWire, bulk, 4);
// Now: a session that rests for minutes ends.
const floor = await bestOf(ROUNDS, () => scanned(singleJobs, server.wire, TXS));

interface Contender extends AsyncDisposable {
  run(): Promise<void>;
}

/** One row of the table: the same with one thread and with two, warm, in turns, best of some. */
async function row(what: string, entries: number, make: (threads: number) => Contender): Promise<number[]> {
  await using withOne = make(THREADS[0]);
  await using withTwo = make(THREADS[1]);
  const contenders = [withOne, withTwo];
  const best: Figures[] = [];
  // The first round starts threads and has their code compiled.
  for (const contender of contenders) await contender.run();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, contender] of contenders.entries()) {
      const figures = await measured(entries, () => contender.run());
      if (figures.perSecond > (best[i]?.perSecond ?? 0)) best[i] = figures;
    }
  }
  const [one, two] = best as [Figures, Figures];
  lines.push({
    what,
    'entries /s': count(one.perSecond),
    'CPU µs each': cpuOf(one),
    cores: coresOf(one),
    'main busy': `${Math.round(one.busy * 100)} %`,
    '2 threads, entries /s': count(two.perSecond),
    'CPU µs each ': cpuOf(two),
    'cores ': coresOf(two),
    'main busy ': `${Math.round(two.busy * 100)} %`,
    '2 : 1': ratio(two.perSecond / one.perSecond),
  });
  series.push({
    name: what,
    points: [
      [1, one.perSecond],
      [2, two.perSecond],
    ],
  });
  return [one.perSecond, two.perSecond];
}

/** Of this process and of the server, where that can be told. */
function cpuOf({ cpuUs, serverUs }: Figures): string {
  return `${cpuUs.toFixed(1)} + ${Number.isNaN(serverUs) ? '?' : serverUs.toFixed(1)}`;
}

/** Processors that this process and the server had, on average: on a busy machine fewer than they could have used. */
function coresOf({ perSecond, cpuUs, serverUs }: Figures): string {
  return ((perSecond * (cpuUs + (serverUs || 0))) / 1e6).toFixed(2);
}

let fastest = 0;
for (const hasher of HASHERS) {
  for (const [name, database, jobs, entries] of [
    ['one entry a tx', single, singleJobs, TXS],
    ['1000 entries a tx', bulk, bulkJobs, bulkEntries],
  ] as const) {
    const alone = await row(`checking alone, ${name}, ${hasher}`, entries, (threads) => {
      const pool = new PooledVerifier({ threads, hasher, maxQueuedBytes: 1 << 30 });
      return { run: () => check(pool, jobs), [Symbol.asyncDispose]: () => pool.close() };
    });
    const whole = await row(`audit, ${name}, ${hasher}`, entries, (threads) => {
      const client = clientOf(database, { threads, hasher });
      return { run: () => audit(client, entries), [Symbol.asyncDispose]: () => client.close() };
    });
    goals.atLeast(`${name}, ${hasher}: checking with 2 threads : with 1`, 1.6, alone[1]! / alone[0]!);
    goals.atLeast(`${name}, ${hasher}: audit with 2 threads : with 1`, 1.6, whole[1]! / whole[0]!);
    if (database === single) fastest = Math.max(fastest, ...whole);
  }
}
await row('audit with values, 1000 entries a tx, noble', bulkEntries, (threads) => {
  const client = clientOf(bulk, { threads });
  return { run: () => audit(client, bulkEntries, true), [Symbol.asyncDispose]: () => client.close() };
});
const go = await goRate();
const store = await loggedStore(singleJobs, 20_000);
const proven = await bestOf(ROUNDS, async () => {
  await using client = clientOf(single, {}, store);
  const { ok, rows, durationMs } = await client.audit.prove();
  if (!ok || rows.proven < 20_000) throw new Error('not every root was proven');
  return (rows.proven * 1000) / durationMs;
});
recordChart({
  name: 'audit-threads',
  title: 'Entries audited a second, by verification threads',
  x: 'verification threads',
  y: 'entries a second',
  series: series.filter(({ name }) => name.endsWith('noble')),
});
printTable(`A whole database, audited on ${server.what}`, lines);
printTable('Beside it', [
  { what: 'raw TxScan of 1024 txs each, decoded by proto-loader, txs', '/s': count(floor) },
  { what: 'Go client, VerifiedTxByID one by one, txs', '/s': go === undefined ? 'did not run' : count(go) },
  { what: 'logged roots proven (20 000, one for each tx)', '/s': count(proven) },
]);
if (go !== undefined) goals.atLeast('audit, txs/s : Go client VerifiedTxByID one by one', 30, fastest / go);
goals.print('Goals');
bulkWire.close();
