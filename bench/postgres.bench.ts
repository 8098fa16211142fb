// What does a root store that many machines share cost beside a file of one's own? Durable appends of 64 callers and of one, side by
// side with SQLite; rows of many connections with the flush apart from the append, and without; queries of a large log beside a small one;
// bytes per row. Needs a PostgreSQL (test/support/postgres.ts). `--rows=10000000` for a larger log (some minutes), `--only=appends`,
// `writers` or `queries` for a part.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { SqliteRootStore } from '#dist/index.js';
import type { AuditRow, RootStore, RootsQuery } from '#dist/index.js';
import { PostgresRootStore } from '#dist/postgres.js';
import { Postgres } from '../test/support/postgres-server.js';
import { appendsPerSecond } from './support/appends.js';
import { fillPostgresLog } from './support/postgres-log.js';
import { SingleWriters, WAYS } from './support/single-writers.js';
import { KEY, SPAN_MS, START } from './support/store-rows.js';
import { count, printTable, ratio } from './support/table.js';

const option = (name: string) =>
  process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3);
const LARGE = Number(option('rows') ?? 1_000_000);
const ONLY = option('only');
const SMALL = 10_000;
const CALLERS = 64;
const APPENDS = 150;
const ROUNDS = 5;
const WRITERS = 16;
const WRITER_ROWS = 60;
const QUERIES = 300;
const PAGE = 100;

const folder = mkdtempSync(join(tmpdir(), 'immu-ts-bench-'));
const opened: (RootStore & AsyncDisposable)[] = [];
const servers: Postgres[] = [];
try {
  // A quarter of a small machine's memory, as is advised.
  const server = await started(await Postgres.start(['shared_buffers = 512MB']));
  if (ONLY === undefined || ONLY === 'appends') await appends(server);
  if (ONLY === undefined || ONLY === 'writers') await writers(server);
  if (ONLY === undefined || ONLY === 'queries') await queries(server);
} finally {
  await Promise.all(opened.map((store) => store.close()));
  for (const server of servers.reverse()) await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function started(server: Postgres): Promise<Postgres> {
  servers.push(server);
  return Promise.resolve(server);
}

function line(what: string, [one = NaN, other = NaN]: number[], show: (value: number) => string) {
  return { what, one: show(one), other: show(other), ratio: ratio(other / one) };
}

async function appends(server: Postgres): Promise<void> {
  const [file, shared] = [
    await SqliteRootStore.open(join(folder, 'roots.db')),
    await open(server, 'appends'),
  ];
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
  printTable('Durable appends a second: SQLite (one), PostgreSQL (other)', [
    line('1 caller', rates.one, count),
    line(`${CALLERS} callers`, rates.many, count),
    line(`${CALLERS} callers, median ratio of rounds`, [1, median(ratios)], ratio),
  ]);
}

/** A primary alone, and one with a synchronous standby. */
async function writers(alone: Postgres): Promise<void> {
  const pair = await started(await Postgres.start(['shared_buffers = 512MB']));
  await started(await pair.standby('second'));
  await pair.set(`synchronous_standby_names = 'second'`);
  const isFollowed = `SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'`;
  while ((await pair.sql(isFollowed)).length === 0) await sleep(50);
  const lines = [];
  for (const [what, server] of [
    ['the disk of one server', alone],
    ['a synchronous standby too', pair],
  ] as const) {
    await open(server, 'writers');
    const ways = [];
    for (const way of WAYS) ways.push(await SingleWriters.open(server.url(), 'writers', WRITERS, way));
    const best = [0, 0];
    const ratios: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const rates: number[] = [];
      for (const each of ways) rates.push(await each.rate(WRITER_ROWS));
      for (const [at, rate] of rates.entries()) best[at] = Math.max(best[at]!, rate);
      ratios.push(rates[1]! / rates[0]!);
    }
    for (const each of ways) each.close();
    lines.push(line(what, best, count), line(`${what}, median ratio of rounds`, [1, median(ratios)], ratio));
  }
  printTable(
    `Rows a second of ${WRITERS} connections, one at a time: a plain commit (one), a flush apart from the append (other)`,
    lines,
  );
}

async function queries(server: Postgres): Promise<void> {
  const logs = [];
  for (const rows of [SMALL, LARGE]) {
    const store = await open(server, `rows_${rows}`);
    await fillPostgresLog(server, store, `rows_${rows}`, rows);
    logs.push({ store, rows });
  }
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
  const ms = (value: number) => value.toFixed(2);
  for (const [name, share] of [
    ['p95', 0.95],
    ['median', 0.5],
  ] as const)
    printTable(`${name} in ms: ${count(SMALL)} rows (one), ${count(LARGE)} (other)`, [
      line('by tx', quantiles(byTx, share), ms),
      line('by time and operation', quantiles(byTime, share), ms),
    ]);
  console.log(`\n${(Number(size?.bytes) / LARGE).toFixed(0)} bytes a row`);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function quantiles(times: readonly (readonly number[])[], share: number): number[] {
  return times.map((each) => [...each].sort((a, b) => a - b)[Math.floor(each.length * share)] ?? NaN);
}

async function open(server: Postgres, schema: string): Promise<PostgresRootStore> {
  const store = await PostgresRootStore.open(server.url(), { schema, answerTimeoutMs: 60_000 });
  opened.push(store);
  return store;
}

/** What the same kind of query took over logs of different size, in turns. */
async function compare(
  logs: readonly { store: PostgresRootStore; rows: number }[],
  query: (random: number, i: number, rows: number) => RootsQuery,
): Promise<number[][]> {
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
  return times;
}

/** A range of half the time and more. */
function halfFrom(random: number): { from: number; to: number } {
  const at = (share: number) => START + Math.floor(share * SPAN_MS);
  return { from: at(random * 0.5), to: at(0.5 + random * 0.5) };
}
