// The audit log as every store offers it: arguments are checked here, once; how a question is answered is the store's matter.
import { resolve } from 'node:path';
import { ArgumentError } from '../../errors.js';
import { knownNames } from '../../known-names.js';
import { checkedRoot, isObject } from './audit-entry.js';
import { isPostgresUrl } from '../postgres-url.js';
import { checkedGapsQuery } from './audit-gaps.js';
import type {
  ArchiveInfo,
  ArchiveOptions,
  AuditGap,
  AuditLog,
  AuditStats,
  AuditVerdict,
  Checkpoint,
  CheckpointOptions,
  GapsQuery,
  LoggedDatabase,
  RootConflict,
  StatsQuery,
  VerifyOptions,
} from '../audit-log.js';
import { bad, checkedFilter, checkedQuery, checkedSeq } from './audit-query.js';
import { checkedStatsQuery } from './audit-stats.js';
import type { AuditRow, Evidence, RootsQuery, StoredRoot, TrustKey } from '../audit-types.js';
import { checkedSigningKey } from './checkpoint.js';
import type { AnsweringLog } from './requests.js';
import { checkedCheckpointsQuery, checkedVerifyOptions } from './verify-rules.js';

/** Between two words of how far a walk is. */
const PROGRESS_MS = 200;

export class CheckedAudit implements AuditLog {
  readonly #log: AnsweringLog;

  constructor(log: AnsweringLog) {
    this.#log = log;
  }

  async *roots(given?: RootsQuery): AsyncIterableIterator<AuditRow> {
    let query = checkedQuery(given);
    for (let left = query.limit ?? Infinity; left > 0;) {
      const limit = Number.isFinite(left) ? { limit: left } : {};
      const page = await this.#log.ask({ kind: 'page', query: { ...query, ...limit } });
      yield* page;
      const last = page.at(-1);
      if (!last) return;
      left -= page.length;
      query = { ...query, after: last.seq };
    }
  }

  async row(seq: bigint): Promise<AuditRow | null> {
    return this.#log.ask({ kind: 'row', seq: checkedSeq('seq', seq) });
  }

  async latest(filter?: Partial<TrustKey>): Promise<AuditRow | null> {
    return this.#log.ask({ kind: 'latest', filter: checkedFilter(filter) });
  }

  async rootAt(tx: bigint, filter?: Partial<TrustKey>): Promise<AuditRow | null> {
    return this.#log.ask({ kind: 'rootAt', tx: checkedSeq('tx', tx), filter: checkedFilter(filter) });
  }

  async conflict(root: TrustKey & StoredRoot): Promise<RootConflict | null> {
    return this.#log.ask({ kind: 'conflict', root: checkedRoot(root) });
  }

  async databases(): Promise<readonly LoggedDatabase[]> {
    return this.#log.ask({ kind: 'databases' });
  }

  async evidence(seq: bigint): Promise<Evidence | null> {
    return this.#log.ask({ kind: 'evidence', seq: checkedSeq('seq', seq) });
  }

  async stats(query?: StatsQuery): Promise<readonly AuditStats[]> {
    return this.#log.ask({ kind: 'stats', query: checkedStatsQuery(query) });
  }

  async gaps(query?: GapsQuery): Promise<readonly AuditGap[]> {
    return this.#log.ask({ kind: 'gaps', query: checkedGapsQuery(query) });
  }

  async verify(options?: VerifyOptions): Promise<AuditVerdict> {
    const { onProgress, ...checked } = checkedVerifyOptions(options);
    if (!onProgress) return this.#log.ask({ kind: 'verify', options: checked });
    const rows = new BigInt64Array(new SharedArrayBuffer(8));
    let thrown: { readonly error: unknown } | undefined;
    const tell = (looked: bigint) => {
      try {
        if (!thrown) onProgress({ rows: looked });
      } catch (error) {
        thrown = { error };
      }
    };
    const timer = setInterval(() => tell(Atomics.load(rows, 0)), PROGRESS_MS);
    try {
      const verdict = await this.#log.ask({ kind: 'verify', options: checked, rows });
      if (verdict.ok) tell(verdict.rows);
      if (thrown) throw thrown.error;
      return verdict;
    } finally {
      clearInterval(timer);
    }
  }

  async checkpoint(options: CheckpointOptions = {}): Promise<Checkpoint> {
    if (!isObject(options)) bad('options', 'must be an object');
    knownNames('options', options, ['key']);
    const { key } = options;
    const signer = key === undefined ? undefined : checkedSigningKey(key);
    return this.#log.ask({ kind: 'checkpoint', key: signer });
  }

  async checkpoints(query?: { after?: bigint; limit?: number }): Promise<readonly Checkpoint[]> {
    return this.#log.ask({ kind: 'checkpoints', ...checkedCheckpointsQuery(query) });
  }

  async archive(options: ArchiveOptions): Promise<ArchiveInfo | null> {
    return this.#log.ask({ kind: 'archive', options: checkedArchiveOptions(options) });
  }

  async archives(): Promise<readonly ArchiveInfo[]> {
    return this.#log.ask({ kind: 'archives' });
  }
}

/**
 * What only looks like a path would make folders of that name where the process happens to run, and nobody would find the
 * store again.
 *
 * @throws ArgumentError unless `path` is that of a file
 */
export function checkedPath(path: string, name = 'path'): string {
  const refuse = (words: string) => new ArgumentError(name, `${name} must be ${words}`);
  if ((path as unknown) instanceof URL) {
    throw refuse('the path of a file, not a URL: fileURLToPath(url) of node:url makes one of it');
  }
  if (typeof path !== 'string' || path === '' || path.includes('\0')) throw refuse('the path of a file');
  if (path.startsWith(':memory:')) throw refuse('a file; MemoryRootStore is the store in memory');
  // It may hold a password.
  if (isPostgresUrl(path))
    throw refuse('a file; PostgresRootStore of immu-ts/postgres opens a store in PostgreSQL');
  if (path.startsWith('~')) {
    const words = `~ stands for a home folder in shells only, write join(homedir(), ${JSON.stringify(path.slice(2))})`;
    throw refuse(
      `a path as it is: ${words}, or ./${path.split(/[/\\]/, 1)[0] ?? ''} for a file of that name`,
    );
  }
  if (/^(file:|[a-z][a-z0-9+.-]+:\/\/)/i.test(path)) {
    throw refuse(
      `the path of a file, not a URL: fileURLToPath(${JSON.stringify(path)}) of node:url makes one of it`,
    );
  }
  return resolve(path);
}

function checkedArchiveOptions(options: ArchiveOptions): ArchiveOptions {
  if (!isObject(options)) bad('options', 'must be an object');
  knownNames('options', options, ['path', 'through', 'before', 'keepRows']);
  const path = checkedPath(options.path);
  const given = (['through', 'before', 'keepRows'] as const).filter((name) => name in options);
  if (given.length !== 1) bad('options', 'must have one of through, before and keepRows');
  if ('through' in options) return { path, through: checkedSeq('through', options.through) };
  if ('before' in options) {
    if (!Number.isSafeInteger(options.before)) bad('before', 'must be unix milliseconds');
    return { path, before: options.before };
  }
  const { keepRows } = options;
  if (!Number.isSafeInteger(keepRows) || keepRows < 0) bad('keepRows', 'must be an integer of 0 or more');
  return { path, keepRows };
}
