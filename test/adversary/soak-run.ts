// A soak: all verified calls, mixed, for as long as it is given, against a real immudb that is restarted now and then. Ends
// with a failure when an answer was wrong, a call outlived its deadline, or memory grew over the bound.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ImmuClient, ImmuError, Permission, SqliteRootStore } from '#dist/index.js';
import { TestImmudb } from '../support/immudb.js';
import { WireClient } from '../support/wire-client.js';
import { randomOf } from './random.js';
import { SoakLoad } from './soak-load.js';
import type { Kind } from './soak-load.js';

const LANES = 64;
/** Of every call; one that ends later by more than the grace did not keep it. */
const TIMEOUT_MS = 20_000;
const GRACE_MS = 5000;
/** Calls that some kinds make one after the other. */
const STEPS = 3;
/** The least there is, and less than the working set: what is proven has to be proven again and again. */
const CACHE_BYTES = 1024 * 1024;
const REPORT_MS = 10_000;
/** In every so many calls one is aborted, after up to this time. */
const ABORTS = 50;
const ABORT_AFTER_MS = 20;
/** What the end may have over the time after warm-up: as a part of it, and in bytes on top for a collector's whims. */
const GROWTH_BOUND = 1.25;
const GROWTH_SLACK_BYTES = 16 * 1024 * 1024;
/** Caches, pages and code come to their size in this part of the time. */
const WARM_UP = 0.4;
const RESTARTS_PER_MINUTE = 1;
const ADMIN_EVENTS_PER_MINUTE = 6;

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    minutes: { type: 'string', default: '3' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
if (!(minutes > 0) || !Number.isInteger(seed)) throw new Error('usage: npm run soak -- --minutes M --seed S');
if (!globalThis.gc) throw new Error('the heap is measured after collecting: run node with --expose-gc');
const collect = globalThis.gc;
const random = randomOf(seed);
console.log(`soak: ${minutes} min, seed ${seed}, ${LANES} calls in flight`);

const server = await TestImmudb.start();
const folder = await mkdtemp(join(tmpdir(), 'immu-ts-soak-'));
const store = await SqliteRootStore.open(join(folder, 'roots.db'));
const admin = { user: 'immudb', password: 'immudb' };
const readOnly = { user: 'soakreader', password: 'Reads-0nly' };
const open = (credentials: { user: string; password: string }) =>
  new ImmuClient({
    address: server.address,
    store,
    credentials,
    cacheBytes: CACHE_BYTES,
    timeoutMs: TIMEOUT_MS,
  });
const client = open(admin);
await client.createUser(readOnly.user, readOnly.password, Permission.R);
const reader = open(readOnly);
const secondStore = await SqliteRootStore.open(join(folder, 'roots.db'));
const second = new ImmuClient({
  ...{ address: server.address, store: secondStore, credentials: admin, clientId: 'second' },
  ...{ cacheBytes: CACHE_BYTES, timeoutMs: TIMEOUT_MS, keepHeaders: true },
});
await client.createDatabase('elsewhere');
let other: Promise<WireClient> | undefined;
const load = new SoakLoad(
  { client, reader, second, other: () => (other ??= WireClient.open(server.address)) },
  random,
);
await load.prepare();

const startedAt = performance.now();
const endsAt = startedAt + minutes * 60_000;
const done = { calls: 0, aborted: 0, interrupted: 0 };
const wrong: string[] = [];
const samples: { at: number; rss: number; heap: number }[] = [];
/** Until then calls may fail for want of a server. */
let disturbedUntil = 0;

const table = Object.entries(load.kinds).flatMap(([kind, { share }]) =>
  Array.from({ length: share }, () => kind),
);
const reports = setInterval(report, REPORT_MS);
const restarts = restartNowAndThen();
const events = administer();
await Promise.all(Array.from({ length: LANES }, lane));
clearInterval(reports);
await Promise.all([restarts, events]);
report();
const failed = verdict();

await Promise.all([client.close(), reader.close(), second.close()]);
const log = await store.audit.verify();
if (!log.ok) {
  console.log('soak: the log does not verify');
  process.exitCode = 1;
}
await Promise.all([store.close(), secondStore.close()]);
(await other)?.close();
await server.close();
await rm(folder, { recursive: true, force: true });
if (failed) process.exitCode = 1;

async function lane(): Promise<void> {
  while (performance.now() < endsAt && wrong.length < 20) await one(table[random(table.length)] as Kind);
}

async function one(kind: Kind): Promise<void> {
  const begun = performance.now();
  const abort = random(ABORTS) === 0 ? new AbortController() : undefined;
  const timer = abort && setTimeout(() => abort.abort(), random(ABORT_AFTER_MS));
  try {
    await bounded(load.kinds[kind].make(abort ? { signal: abort.signal } : {}));
  } catch (error) {
    if (abort?.signal.aborted && error instanceof ImmuError && error.code === 'ABORTED') done.aborted += 1;
    else if (isForWantOfServer(error, begun)) done.interrupted += 1;
    else
      wrong.push(`${kind} (seed ${seed}, ${Math.round(performance.now() - startedAt)} ms): ${String(error)}`);
  } finally {
    clearTimeout(timer);
  }
  done.calls += 1;
  const tookMs = performance.now() - begun;
  if (tookMs > STEPS * TIMEOUT_MS + GRACE_MS)
    wrong.push(`${kind}: took ${Math.round(tookMs)} ms, past its deadline`);
}

/** What never ends is told like what ends too late. */
async function bounded(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const hangs = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('does not end')), STEPS * TIMEOUT_MS + GRACE_MS);
  });
  await Promise.race([work, hangs]).finally(() => clearTimeout(timer));
}

/** A restart ends what is under way, with anything but a verdict on the server's honesty. */
function isForWantOfServer(error: unknown, begun: number): boolean {
  // To the other writer's client, which does not ask again.
  if (!(error instanceof ImmuError) && String(error).includes('max active snapshots')) return true;
  if (begun > disturbedUntil) return false;
  // The other writer's client is none of ours, and may have been closed under its call.
  if (!(error instanceof ImmuError))
    return typeof (error as { code?: unknown }).code === 'number' || String(error).includes('shut down');
  return ['UNAVAILABLE', 'OUTCOME_UNKNOWN', 'SESSION_EXPIRED', 'NOT_LOGGED_IN', 'DEADLINE_EXCEEDED'].includes(
    error.code,
  );
}

/** What an administrator does: grants end the sessions of those they concern, in the middle of their calls. */
async function administer(): Promise<void> {
  const count = Math.floor(minutes * ADMIN_EVENTS_PER_MINUTE);
  for (let i = 1; i <= count && wrong.length < 20; i++) {
    const at = startedAt + ((endsAt - startedAt) * (i - 0.5)) / count;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, at - performance.now())));
    const begun = performance.now();
    try {
      const permission = i % 2 === 0 ? Permission.NONE : Permission.R;
      await client.changePermission(readOnly.user, 'elsewhere', permission);
      await client.createUser(`passer_by ${i}`.replaceAll(' ', ''), 'Passes-8y', Permission.R);
    } catch (error) {
      if (!isForWantOfServer(error, begun)) wrong.push(`administration (seed ${seed}): ${String(error)}`);
    }
  }
}

async function restartNowAndThen(): Promise<void> {
  const count = Math.floor(minutes * RESTARTS_PER_MINUTE);
  for (let i = 1; i <= count; i++) {
    const at = startedAt + ((endsAt - startedAt) * (i - 0.5)) / count;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, at - performance.now())));
    disturbedUntil = Infinity;
    await server.restart();
    (await other?.catch(() => undefined))?.close();
    other = undefined;
    // Those that were waiting meanwhile may still meet the old connection.
    disturbedUntil = performance.now() + 3000;
    console.log(`  restarted the server (${i} of ${count})`);
  }
}

function report(): void {
  collect();
  const { rss, heapUsed: heap } = process.memoryUsage();
  const at = performance.now() - startedAt;
  samples.push({ at, rss, heap });
  const { queued, groups, trust } = client.diagnostics;
  const { cached, claims, headTx } = Object.values(trust)[0] ?? {};
  const { reads, writes } = Object.values(groups)[0] ?? {};
  console.log(
    `  ${Math.round(at / 1000)} s: ${done.calls} calls (${Math.round((done.calls / at) * 1000)}/s), head ${headTx}, ` +
      `rss ${mib(rss)}, heap ${mib(heap)}, queue ${queued.calls}, ` +
      `cached ${cached?.headers} headers ${mib(cached?.headerBytes)} and ${cached?.entryTxs} txs ${mib(cached?.entryBytes)}, ` +
      `groups ${reads?.groups} read ${writes?.groups} written, claims known ${claims?.known} of ` +
      `${claims ? claims.known + claims.headers + claims.leaves + claims.head : 0}`,
  );
}

/** Says how it went; true when it failed. */
function verdict(): boolean {
  const end = samples.at(-1)?.at ?? 0;
  const warm = samples.filter(({ at }) => at >= WARM_UP * end);
  const half = Math.max(1, warm.length >> 1);
  const growth = (['rss', 'heap'] as const).map((what) => {
    const before = median(warm.slice(0, half).map((sample) => sample[what]));
    const after = median(warm.slice(-half).map((sample) => sample[what]));
    const isStable = after <= before * GROWTH_BOUND + GROWTH_SLACK_BYTES;
    console.log(
      `soak: ${what} ${mib(before)} after warm-up, ${mib(after)} at the end: ratio ${(after / before).toFixed(2)} ` +
        `(bound ${GROWTH_BOUND} and ${mib(GROWTH_SLACK_BYTES)}): ${isStable ? 'stable' : 'GROWS'}`,
    );
    return !isStable;
  });
  console.log(
    `soak: ${done.calls} calls, ${done.aborted} aborted, ${done.interrupted} interrupted by restarts, ` +
      `${wrong.length} wrong (seed ${seed})`,
  );
  for (const line of wrong) console.log(line);
  return wrong.length > 0 || growth.some(Boolean);
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;
}

function mib(bytes = 0): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
