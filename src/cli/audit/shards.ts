// `immu-ts audit database --shards N`: begins an audit in ranges, has processes work on it, and joins their reports.
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import here from '../../here.cjs';
import { VerificationError } from '../../index.js';
import type { ImmuClient } from '../../index.js';
import { SqliteAuditQueue, joinReports, rangesOf, workRanges } from '../../audit.js';
import type { AuditReport, DatabaseReport } from '../../audit.js';
import { UsageError } from '../command.js';
import type { Io, Values } from '../command.js';
import { countOf, idOf } from '../query-options.js';
import { visible } from '../../visible.js';
import { assertFormat, auditOptions, handOver, teller, withClient } from './server-audit.js';
import type { SERVER_OPTIONS, ServerWords } from './server-audit.js';

export const SHARD_OPTIONS = {
  shards: { type: 'string', value: 'N', says: 'in N ranges, by several processes' },
  workers: {
    type: 'string',
    value: 'N',
    says: 'with --shards: processes that are started; default: one for each processor',
  },
  queue: {
    type: 'string',
    value: 'FILE',
    says: 'with --shards: a new file, for workers of this machine that join; stays when it is interrupted',
  },
  key: {
    type: 'string',
    value: 'PEM',
    says: 'with --shards: Ed25519 private key file for the reports; default: a new one',
  },
  accept: {
    type: 'string',
    value: 'PEM',
    says: 'with --shards: public key files of workers that join with keys of their own, with commas between them',
  },
} as const;

type ShardWords = ServerWords &
  Values<typeof SHARD_OPTIONS> & {
    readonly values: boolean;
    readonly after: string | undefined;
    readonly resume: string | undefined;
  };

/** @throws UsageError */
export function assertNoShardWords(words: Values<typeof SHARD_OPTIONS>): void {
  const name = (['workers', 'queue', 'key', 'accept'] as const).find((each) => words[each] !== undefined);
  if (name !== undefined) throw new UsageError(`--${name} goes with --shards`);
}

/** @returns the exit code @throws UsageError */
export async function auditShards(words: ShardWords, shards: string, io: Io): Promise<number> {
  assertFormat(words);
  for (const name of ['resume', 'stop'] as const)
    if (words[name] !== undefined && words[name] !== false)
      throw new UsageError(`--${name} goes without --shards`);
  const count = countOf('shards', shards);
  if (count < 1 || count > 100_000) throw new UsageError('--shards is a number from 1 to 100000');
  const workers = words.workers === undefined ? availableParallelism() : countOf('workers', words.workers);
  if (workers > 1000) throw new UsageError('--workers is at most 1000');
  const folder = await mkdtemp(join(tmpdir(), 'immu-ts-audit-'));
  try {
    const plan = { count, workers: Math.min(count, workers), folder };
    return await handOver(
      await withClient(words, io, (client) => audited(client, words, plan, io)),
      words,
      io,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Plan {
  readonly count: number;
  readonly workers: number;
  /** For this audit alone. */
  readonly folder: string;
}

async function audited(client: ImmuClient, words: ShardWords, plan: Plan, io: Io): Promise<AuditReport> {
  const { maxFindings, inFlight } = auditOptions(words, io);
  const { values } = words;
  const after = words.after === undefined ? 0n : idOf('--after', words.after);
  const whole = () => client.audit.database({ ...auditOptions(words, io), after, ...(values && { values }) });
  const under = await rootOf(client, io);
  // What one audit says of a server that does not stand by the head, or has nothing, needs no ranges.
  if (!under || after >= under.tx) return whole();
  const path = words.queue ?? join(plan.folder, 'queue.db');
  const key = await keyOf(words, plan);
  const keys = [key.pem, ...(await acceptedKeys(words))];
  const task = { database: client.databaseName, under, values, maxFindings };
  const report = await (async () => {
    await using queue = await SqliteAuditQueue.make(path, task, rangesOf(after + 1n, under.tx, plan.count));
    await workers(words, plan, { path, key: key.path }, queue, io);
    // What is left when they have gone, whyever.
    await workRanges(client.audit, queue, { key: key.pem, inFlight, signal: io.signal });
    return await joinedReport(queue, { under, keys, first: after + 1n }, io);
  })();
  if (words.queue !== undefined) await removeQueue(path);
  return report ?? whole();
}

/** The server's newest state, proven; undefined where it cannot prove it: that is in the log then. */
async function rootOf(client: ImmuClient, { signal }: Io) {
  try {
    const { tx, alh } = await client.verifiedState({ signal });
    return tx === 0n ? undefined : { tx, alh };
  } catch (error) {
    if (error instanceof VerificationError) return undefined;
    throw error;
  }
}

/** Undefined when a range could not be done at all. */
async function joinedReport(
  queue: SqliteAuditQueue,
  options: Parameters<typeof joinReports>[1],
  { err }: Io,
): Promise<DatabaseReport | undefined> {
  const { givenUp, ranges } = await queue.status();
  for (const { first, last, why } of givenUp)
    await err.write(`txs ${String(first)} to ${String(last)} could not be audited: ${visible(why)}\n`);
  if (givenUp.length > 0) {
    await err.write('the whole is audited by one process instead\n');
    return undefined;
  }
  const report = joinReports(await queue.reports(), options);
  await err.write(`joined from ${ranges} signed reports\n`);
  return report;
}

async function keyOf({ key }: ShardWords, { folder }: Plan): Promise<{ path: string; pem: string }> {
  if (key !== undefined) return { path: key, pem: await readFile(key, 'utf8') };
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const path = join(folder, 'key.pem');
  await writeFile(path, pem, { mode: 0o600 });
  return { path, pem };
}

function acceptedKeys({ accept }: ShardWords): Promise<string[]> {
  return Promise.all((accept ?? '').split(',').flatMap((path) => (path ? [readFile(path, 'utf8')] : [])));
}

async function removeQueue(path: string): Promise<void> {
  for (const end of ['', '-wal', '-shm']) await rm(`${path}${end}`, { force: true });
}

/** Options that a worker is started with as they were given. */
const PASSED = [
  ...([
    'store',
    'address',
    'read-from',
    'user',
    'password-file',
    'database',
    'ca',
    'cert',
    'client-key',
    'server-name',
  ] as const),
  ...(['state-key', 'pin', 'in-flight'] as const),
] satisfies readonly (keyof typeof SERVER_OPTIONS)[];

/** Starts workers, and resolves when they have ended, in whatever way. */
async function workers(
  words: ShardWords,
  { workers: count }: Plan,
  { path, key }: { readonly path: string; readonly key: string },
  queue: SqliteAuditQueue,
  io: Io,
): Promise<void> {
  if (here.folder === undefined || count === 0) return;
  const main = join(here.folder, 'cli', 'main.js');
  const args = ['audit', 'work', '--queue', path, '--key', key, ...(words.tls ? ['--tls'] : [])];
  for (const name of PASSED) if (words[name] !== undefined) args.push(`--${name}=${String(words[name])}`);
  // The threads that there are, shared.
  const threads = words.threads ?? String(Math.max(0, Math.floor((availableParallelism() - 1) / count)));
  args.push(`--threads=${threads}`);
  const ended = Array.from({ length: count }, () => oneWorker([main, ...args], words.password, io));
  const tell = teller(io);
  const telling = setInterval(() => {
    queue.status().then(
      ({ done, ranges }) => tell(() => `${done} of ${ranges} ranges done`),
      () => undefined,
    );
  }, 1000);
  await Promise.all(ended);
  clearInterval(telling);
}

/** Of what a worker says, the last. */
const MAX_WORDS = 4000;

function oneWorker(args: readonly string[], password: string | undefined, io: Io): Promise<void> {
  // Not for all to see. What stands in its way is empty, which is as if it were not there.
  const own = { IMMUDB_PASSWORD: password, IMMUDB_PASSWORD_FILE: '', IMMU_TS_PASSWORD_FILE: '' };
  const env = password === undefined ? io.env : { ...io.env, ...own };
  const child = spawn(process.execPath, args, {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
    signal: io.signal,
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-MAX_WORDS)));
  return new Promise((resolve) => {
    const end = (how: string) =>
      void io.err.write(`a worker ended ${how}: ${visible(said.trim())}\n`).then(resolve);
    child.on('error', (error) => {
      if (io.signal.aborted) resolve();
      else end(visible(error.message));
    });
    child.on('close', (code, signal) => {
      if (code === 0 || io.signal.aborted) resolve();
      else end(code === null ? `by ${signal ?? 'a signal'}` : `with ${code}`);
    });
  });
}
