// What does a root store that many machines share cost beside a file of one's own? Durable appends of 64 callers and of one, side by
// side with SQLite; queries of a large log beside a small one; bytes per row. Needs a PostgreSQL (test/support/postgres.ts).
// `--rows=1000000` for a larger log.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { SqliteRootStore } from '#dist/index.js';
import type { AuditRow, RootStore, RootsQuery } from '#dist/index.js';
import { PostgresRootStore } from '#dist/postgres.js';
import { Postgres } from '../test/support/postgres-server.js';
import { appendsPerSecond } from './support/appends.js';
import { KEY, SPAN_MS, START, rootEntry } from './support/store-rows.js';
import { count, printTable, ratio } from './support/table.js';

const LARGE = Number(process.argv.find((argument) => argument.startsWith('--rows='))?.slice(7) ?? 300_000);
const SMALL = 10_000;
const CALLERS = 64;
const APPENDS = 150;
const ROUNDS = 5;
const QUERIES = 300;
const PAGE = 100;
/** Rows sent at once while a log is made. */
const AT_ONCE = 4096;

const folder = mkdtempSync(join(tmpdir(), 'immu-ts-bench-'));
const server = await Postgres.start();
const opened: (RootStore & AsyncDisposable)[] = [];
try {
  await measure();
} finally {
  await Promise.all(opened.map((store) => store.close()));
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function measure(): Promise<void> {
  const [file, shared] = [await SqliteRootStore.open(join(folder, 'roots.db')), await open('appends')];
  opened.push(file);
  const rates = { one: [0, 0], many: [0, 0] };
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const many = [];
    for (const [at, store] of [file, shared].entries()) {
      const one = await appendsPerSecond(store, 1, APPENDS, round);
      const all = await appendsPerSecond(store, CALLERS, APPENDS, round);
      rates.one[at] = Math.max(rates.one[at]!, one.rate);
      rates.many[at] = Math.max(rates.many[at]!, all.rate);
      many.push(all.rate);
    }
    ratios.push(many[1]! / many[0]!);
  }
  const logs = [];
  for (const rows of [SMALL, LARGE]) logs.push({ store: await log(rows), rows });
  const byTx = await compare(logs, (random, _i, rows) => {
    const tx = BigInt(1 + Math.floor(random * (rows - 1)));
    return { ...KEY, txRange: { from: tx, to: tx } };
  });
  const byTime = await compare(logs, (random, i) => ({
    timeRange: halfFrom(random),
    operation: i % 2 === 0 ? 'verifiedGet' : 'verifiedScan',
    order: i % 4 < 2 ? 'asc' : 'desc',
    limit: PAGE,
  }));
  const [size] = await server.sql<{ bytes: string }>(
    `SELECT sum(pg_total_relation_size(c.oid))::text AS bytes FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'rows_${LARGE}' AND c.relkind = 'r'`,
  );
  const sorted = [...ratios].sort((a, b) => a - b);
  const line = (what: string, [one = NaN, other = NaN]: number[], show: (value: number) => string) => ({
    ...{ what, one: show(one), other: show(other), ratio: ratio(other / one) },
  });
  printTable('Durable appends a second: SQLite (one), PostgreSQL (other)', [
    line('1 caller', rates.one, count),
    line(`${CALLERS} callers`, rates.many, count),
    line(`${CALLERS} callers, median ratio of rounds`, [1, sorted[Math.floor(ROUNDS / 2)]!], ratio),
  ]);
  const ms = (value: number) => value.toFixed(2);
  printTable(`p95 in ms: ${count(SMALL)} rows (one), ${count(LARGE)} (other)`, [
    line('by tx', byTx, ms),
    line('by time and operation', byTime, ms),
  ]);
  console.log(`\n${(Number(size?.bytes) / LARGE).toFixed(0)} bytes a row`);
}

async function open(schema: string): Promise<PostgresRootStore> {
  const store = await PostgresRootStore.open(server.url(), { schema, answerTimeoutMs: 60_000 });
  opened.push(store);
  return store;
}

async function log(rows: number): Promise<PostgresRootStore> {
  const store = await open(`rows_${rows}`);
  for (let from = 0; from < rows; from += AT_ONCE) {
    const moves = [];
    for (let i = from; i < Math.min(from + AT_ONCE, rows); i++)
      moves.push(store.advance(i === 0 ? null : rootEntry(i - 1, rows), rootEntry(i, rows)));
    for (const { moved } of await Promise.all(moves)) if (!moved) throw new Error('the head did not move');
  }
  return store;
}

/** p95 of the same kind of query over logs of different size, in turns. */
async function compare(
  logs: readonly { store: PostgresRootStore; rows: number }[],
  query: (random: number, i: number, rows: number) => RootsQuery,
): Promise<number[]> {
  const times = logs.map(() => [] as number[]);
  for (let i = 0; i < QUERIES; i++) {
    const random = (i * 0.618_033_988_749_895) % 1;
    for (const [at, { store, rows }] of logs.entries()) {
      const asked = query(random, i, rows);
      const start = performance.now();
      const found: AuditRow[] = [];
      for await (const row of store.audit.roots(asked)) found.push(row);
      times[at]?.push(performance.now() - start);
      if (found.length !== (asked.limit ?? 1)) throw new Error(`not what was asked for: ${found.length}`);
    }
  }
  return times.map((each) => each.sort((a, b) => a - b)[Math.floor(each.length * 0.95)] ?? NaN);
}

/** A range of half the time and more. */
function halfFrom(random: number): { from: number; to: number } {
  const at = (share: number) => START + Math.floor(share * SPAN_MS);
  return { from: at(random * 0.5), to: at(0.5 + random * 0.5) };
}
