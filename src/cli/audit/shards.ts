// `immu-ts audit database --shards N`: begins an audit in ranges, has processes work on it, and joins their reports.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArgumentError, VerificationError } from '../../index.js';
import type { ImmuClient } from '../../index.js';
import { believedReports, joinReports, rangesOf, workRanges } from '../../audit.js';
import type { AuditReport, AuditTask, SignedRangeReport, TxRange } from '../../audit.js';
import { UsageError } from '../command.js';
import type { Io, Values } from '../command.js';
import { countOf, idOf } from '../query-options.js';
import { visible } from '../../visible.js';
import { makeQueue } from './queue-place.js';
import type { OpenQueue } from './queue-place.js';
import { assertFormat, auditOptions, handOver, teller, withClient } from './server-audit.js';
import type { ServerWords } from './server-audit.js';
import { runWorkers } from './worker-processes.js';

export const SHARD_OPTIONS = {
  shards: { type: 'string', value: 'N', says: 'in N ranges, by several processes' },
  workers: {
    type: 'string',
    value: 'N',
    says: 'with --shards: processes that are started; default: one for each processor',
  },
  queue: {
    type: 'string',
    value: 'FILE|URL',
    says: 'with --shards: for workers that join; a new file for those of this machine, postgres://… for those of any; stays when it is interrupted',
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
  const place = words.queue ?? join(plan.folder, 'queue.db');
  const key = await keyOf(words, plan);
  const keys = [key.pem, ...(await acceptedKeys(words))];
  const task = { database: client.databaseName, under, values, maxFindings };
  const ranges = rangesOf(after + 1n, under.tx, plan.count);
  await using queue = await makeQueue(place, task, ranges);
  const reports = await telling(queue, io, async () => {
    await runWorkers(words, { count: plan.workers, queue: place, key: key.path }, io);
    // What is left when they have gone, whyever.
    const work = () => workRanges(client.audit, queue, { key: key.pem, inFlight, signal: io.signal });
    return await collected(queue, { ranges, task, keys, work }, io);
  });
  const { databaseName: database } = client;
  const report = reports && joinReports(reports, { under, keys, first: after + 1n, database });
  await io.err.write(
    report
      ? `joined from ${ranges.length} signed reports\n`
      : 'the whole is audited by one process instead\n',
  );
  await queue.remove();
  return report ?? (await whole());
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

interface Collecting {
  readonly ranges: readonly TxRange[];
  readonly task: AuditTask;
  readonly keys: readonly string[];
  /** Does what nobody else does. */
  readonly work: () => Promise<unknown>;
}

/** Whoever hands in what is not believed, time and again, holds nobody up for long. */
const MAX_ROUNDS = 20;

/** A report of each range; undefined when there is none of some, and why is told. */
async function collected(
  queue: OpenQueue,
  { ranges, task, keys, work }: Collecting,
  { err }: Io,
): Promise<readonly SignedRangeReport[] | undefined> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    try {
      await work();
    } catch (error) {
      // The server does not stand by the root any more: one audit has the words for that.
      if (!(error instanceof VerificationError) && !isBehind(error)) throw error;
      await err.write(`${visible(error.message)}\n`);
      return undefined;
    }
    const found = await believedReports(queue, ranges, task, keys);
    if (!found) {
      await err.write('the queue has other ranges than it was made with\n');
      return undefined;
    }
    for (const why of found.refused) await err.write(`refused: ${visible(why)}\n`);
    if (found.missing === 0) return found.reports;
    if (found.refused.length > 0) continue;
    const { givenUp } = await queue.status();
    for (const { first, last, why } of givenUp)
      await err.write(`txs ${String(first)} to ${String(last)} could not be audited: ${visible(why)}\n`);
    return undefined;
  }
  return undefined;
}

function isBehind(error: unknown): error is ArgumentError {
  return error instanceof ArgumentError && error.argument === 'under';
}

/** Says meanwhile how many ranges are done. */
async function telling<T>(queue: OpenQueue, io: Io, work: () => Promise<T>): Promise<T> {
  const tell = teller(io);
  const timer = setInterval(() => {
    queue.status().then(
      ({ done, ranges }) => tell(() => `${done} of ${ranges} ranges done`),
      () => undefined,
    );
  }, 1000);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
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
