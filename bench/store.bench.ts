// Does the audit log stay fast when it is large, and durable at little cost? Appends by 64 callers beside one; queries,
// figures and verification of a million rows beside 10 thousand; bytes per row. `--rows=10000000` for a larger log, which takes minutes.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import Database from 'better-sqlite3';
import { SqliteRootStore } from '#dist/index.js';
import type { AuditRow, RootsQuery } from '#dist/index.js';
import { appendsPerSecond } from './support/appends.js';
import { recordChart } from './support/record.js';
import { KEY, SPAN_MS, START, makeLog } from './support/store-rows.js';
import { count, printTable, ratio } from './support/table.js';

const SMALL = 10_000;
const LARGE = Number(process.argv.find((argument) => argument.startsWith('--rows='))?.slice(7) ?? 1_000_000);
const SIZES = [SMALL, 100_000, 1_000_000, LARGE].filter(
  (rows, i, all) => rows <= LARGE && all.indexOf(rows) === i,
);
const CALLERS = 64;
const APPENDS = 1000;
const ROUNDS = 5;
const QUERIES = 1000;
const PAGE = 100;

const folder = mkdtempSync(join(tmpdir(), 'immu-ts-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/**
 * The floor: rows of the same size that SQLite inserts per second, so many a durable commit, into one table without an
 * index, on this thread, without a chain, heads or messages.
 */
function bareAppendsPerSecond(group: number, round: number): number {
  const db = new Database(join(folder, `floor-${group}-${round}.db`));
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec('CREATE TABLE row (seq INTEGER PRIMARY KEY, tx INTEGER, alh BLOB, rest BLOB, hash BLOB)');
  const insert = db.prepare('INSERT INTO row (tx, alh, rest, hash) VALUES (?, ?, ?, ?)');
  const hash = new Uint8Array(32);
  const rest = new Uint8Array(40);
  const commit = db.transaction(() => {
    for (let i = 0; i < group; i++) insert.run(i, hash, rest, hash);
  });
  const start = performance.now();
  for (let i = 0; i < APPENDS / 2; i++) commit.immediate();
  const rate = ((APPENDS / 2) * group) / ((performance.now() - start) / 1000);
  db.close();
  return rate;
}

/** Milliseconds that 95 of 100 calls take at most. */
function p95(times: number[]): number {
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length * 0.95)] ?? NaN;
}

async function rowsOf(store: SqliteRootStore, query: RootsQuery): Promise<AuditRow[]> {
  const rows: AuditRow[] = [];
  for await (const row of store.audit.roots(query)) rows.push(row);
  return rows;
}

/** p95 of the same kind of query over logs of different size, in turns. `query` is given a number from 0 to 1. */
async function compare(
  logs: readonly { store: SqliteRootStore; rows: number }[],
  query: (random: number, i: number, rows: number) => RootsQuery,
  check: (rows: AuditRow[], query: RootsQuery) => boolean,
): Promise<number[]> {
  const times = logs.map(() => [] as number[]);
  for (let i = 0; i < QUERIES; i++) {
    const random = (i * 0.618_033_988_749_895) % 1;
    for (const [at, { store, rows }] of logs.entries()) {
      const asked = query(random, i, rows);
      const start = performance.now();
      const found = await rowsOf(store, asked);
      times[at]?.push(performance.now() - start);
      if (!check(found, asked)) throw new Error('not what was asked for');
    }
  }
  return times.map(p95);
}

/** A range of half the time and more. */
function halfFrom(random: number): { from: number; to: number } {
  const at = (share: number) => START + Math.floor(share * SPAN_MS);
  return { from: at(random * 0.5), to: at(0.5 + random * 0.5) };
}

async function timed<T>(run: () => Promise<T>): Promise<[number, T]> {
  const start = performance.now();
  const result = await run();
  return [performance.now() - start, result];
}

const WEIGHED = 200_000;
const weighed = [{}, { signature: new Uint8Array(71), keyFingerprint: new Uint8Array(32) }].map((fields) =>
  makeLog(folder, WEIGHED, fields),
);
const bytes = weighed.map((path) => statSync(path).size / WEIGHED);

const appending = await SqliteRootStore.open(join(folder, 'appends.db'));
const best = { one: 0, many: 0, bareOne: 0, bareMany: 0, cpuMicros: Infinity };
for (let round = 0; round < ROUNDS; round++) {
  const one = await appendsPerSecond(appending, 1, APPENDS, round);
  const many = await appendsPerSecond(appending, CALLERS, APPENDS / 2, round);
  best.one = Math.max(best.one, one.rate);
  best.many = Math.max(best.many, many.rate);
  best.cpuMicros = Math.min(best.cpuMicros, many.cpuMicros);
  best.bareOne = Math.max(best.bareOne, bareAppendsPerSecond(1, round));
  best.bareMany = Math.max(best.bareMany, bareAppendsPerSecond(CALLERS, round));
}
const grouped = appending.diagnostics.writes / appending.diagnostics.commits;
await appending.close();

const building = performance.now();
const logs: { store: SqliteRootStore; rows: number; size: number }[] = [];
for (const rows of SIZES) {
  const path = makeLog(folder, rows);
  logs.push({ store: await SqliteRootStore.open(path), rows, size: statSync(path).size });
}
const buildSeconds = (performance.now() - building) / 1000;
const large = logs.at(-1)!;

const byTx = await compare(
  logs,
  (random, _i, rows) => {
    const tx = BigInt(1 + Math.floor(random * (rows - 1)));
    return { ...KEY, txRange: { from: tx, to: tx } };
  },
  (found, { txRange }) => found.length === 1 && found[0]?.tx === txRange?.from,
);
// A page in either order of an operation that is common or one in fifty.
const byTime = await compare(
  logs,
  (random, i) => ({
    timeRange: halfFrom(random),
    operation: i % 2 === 0 ? 'verifiedGet' : 'verifiedScan',
    order: i % 4 < 2 ? 'asc' : 'desc',
    limit: PAGE,
  }),
  (found, { timeRange, operation }) =>
    found.length > 90 &&
    found.every(
      (row) =>
        row.operation === operation &&
        row.verifiedAt >= (timeRange?.from ?? 0) &&
        row.verifiedAt <= (timeRange?.to ?? 0),
    ),
);
const rare = await compare(
  [large],
  (random) => ({
    timeRange: halfFrom(random),
    operation: 'verifiedTx',
    limit: PAGE,
  }),
  (found) =>
    found.every(({ operation }) => operation === 'verifiedTx') && found.length >= Math.floor(LARGE / 250_000),
);
const narrow = await compare(
  [large],
  (random, i) => {
    const from = START + Math.floor(random * SPAN_MS);
    return {
      timeRange: { from, to: from + 60_000 },
      ...(i % 2 === 0 && { operation: 'verifiedGet' }),
      limit: PAGE,
    };
  },
  (found, { timeRange }) => found.every(({ verifiedAt }) => verifiedAt >= (timeRange?.from ?? 0)),
);
const [statsMs, stats] = await timed(() => large.store.audit.stats({ bucket: 'day' }));
if (stats.reduce((sum, { rows }) => sum + rows, 0) !== LARGE) throw new Error('not every row is counted');
const [rangeMs] = await timed(() =>
  large.store.audit.stats({
    bucket: 'hour',
    timeRange: { from: START + 106_617_600, to: START + 1_776_988_801 },
  }),
);
const [rootMs, root] = await timed(() => large.store.audit.rootAt(BigInt(Math.floor(LARGE / 3)), KEY));
if (root?.tx !== BigInt(Math.floor(LARGE / 3))) throw new Error('not the root that was asked for');
const signed = await SqliteRootStore.open(weighed[1]!);
const [verifyMs, verdict] = await timed(() => signed.audit.verify());
if (!verdict.ok) throw new Error(verdict.finding);
await signed.close();
for (const { store } of logs) await store.close();

const goal = (what: string, wanted: string, is: number, met: boolean, how: string) => ({
  what,
  goal: wanted,
  result: ratio(is),
  met: met ? 'yes' : 'NO',
  measured: how,
});
const ms = (value: number) => `${value.toFixed(2)} ms`;
const large_ = count(LARGE);
const ofTwo = (times: number[]) => times.at(-1)! / times[0]!;
const points = (times: number[]) => times.map((time, i) => [SIZES[i]!, time] as const);
recordChart({
  name: 'store-latency',
  title: 'Questions to the audit log, by its size',
  x: 'rows in the log',
  y: 'milliseconds, p95',
  series: [
    { name: 'by transaction', points: points(byTx) },
    { name: `page of ${PAGE}, time, operation`, points: points(byTime) },
  ],
});
printTable('The audit log: goals', [
  goal(
    `durable appends per second, ${CALLERS} callers : 1`,
    '>= 20',
    best.many / best.one,
    best.many / best.one >= 20,
    `${count(best.many)} : ${count(best.one)}`,
  ),
  goal(
    `query by tx, ${large_} rows : ${count(SMALL)}, p95`,
    '<= 3',
    ofTwo(byTx),
    ofTwo(byTx) <= 3,
    `${ms(byTx.at(-1)!)} : ${ms(byTx[0]!)}`,
  ),
  goal(
    `page of ${PAGE} by time range and operation, ${large_} rows : ${count(SMALL)}, p95`,
    '<= 3',
    ofTwo(byTime),
    ofTwo(byTime) <= 3,
    `${ms(byTime.at(-1)!)} : ${ms(byTime[0]!)}`,
  ),
  goal(
    'bytes per root row, indexes included',
    '<= 400',
    bytes[1]!,
    bytes[1]! <= 400,
    `with signature; without ${count(bytes[0]!)}`,
  ),
]);
printTable(`The audit log: ${large_} rows`, [
  { what: 'making the log', result: `${count(buildSeconds)} s, ${count(large.size / LARGE)} bytes a row` },
  { what: 'writes a commit, appends above', result: grouped.toFixed(1) },
  {
    what: `processor time a row, ${CALLERS} callers, all threads`,
    result: `${best.cpuMicros.toFixed(1)} µs`,
  },
  {
    what: `floor of appends: SQLite alone, ${CALLERS} rows a commit : 1, rows per second`,
    result: `${ratio(best.bareMany / best.bareOne)} (${count(best.bareMany)} : ${count(best.bareOne)})`,
  },
  { what: 'page of an operation that is one row in 100 000, half the time, p95', result: ms(rare[0]!) },
  { what: 'page of one minute, p95', result: ms(narrow[0]!) },
  { what: 'stats by day, everything', result: ms(statsMs) },
  { what: 'stats by hour, a range that cuts hours', result: ms(rangeMs) },
  { what: 'rootAt', result: ms(rootMs) },
  {
    what: `verify, ${count(WEIGHED)} rows with signatures`,
    result: `${count(WEIGHED / (verifyMs / 1000))} rows/s`,
  },
]);
