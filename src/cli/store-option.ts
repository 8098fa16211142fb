// The log that an auditor's command looks at: that of a store, or of an archive. It must be there, and is never made.
import { SqliteRootStore, defaultStorePath, openArchive } from '../index.js';
import type { AuditLog, ChainPoint, HeaderStore } from '../index.js';
import { UsageError } from './command.js';

export const STORE_OPTION = {
  store: {
    type: 'string',
    value: 'FILE',
    says: 'root store; default: $IMMU_TS_STORE, or where clients keep theirs',
  },
} as const;

export const LOG_OPTIONS = {
  ...STORE_OPTION,
  archive: { type: 'string', value: 'FILE', says: 'an archive in place of a store' },
} as const;

export interface LogWords {
  readonly store: string | undefined;
  readonly archive: string | undefined;
}

/** A log that is open for reading. */
export interface OpenLog extends AsyncDisposable {
  readonly path: string;
  readonly audit: AuditLog;
  /** Of a store. */
  readonly headers?: HeaderStore;
  /** Of an archive: what its first row follows. */
  readonly startsAfter?: ChainPoint;
}

export function openStore(path: string | undefined): Promise<SqliteRootStore> {
  return SqliteRootStore.open(path ?? defaultStorePath(), { create: 'never' });
}

/** @throws UsageError when both are named */
export async function openLog({ store, archive }: LogWords): Promise<OpenLog> {
  if (archive === undefined) return openStore(store);
  if (store !== undefined) throw new UsageError('--archive goes in place of --store');
  const opened = await openArchive(archive);
  const { path, audit, firstSeq, startHash } = opened;
  const startsAfter = { seq: firstSeq - 1n, hash: startHash };
  return { path, audit, startsAfter, [Symbol.asyncDispose]: () => opened.close() };
}

/** Hash that row `seq` follows; null when neither the row before it nor what the log starts from is at hand. */
export async function hashBefore(
  { audit, startsAfter }: Pick<OpenLog, 'audit' | 'startsAfter'>,
  seq: bigint,
): Promise<Uint8Array | null> {
  if (startsAfter?.seq === seq - 1n) return startsAfter.hash;
  const previous = seq > 1n ? await audit.row(seq - 1n) : null;
  if (previous) return previous.hash;
  const archives = await audit.archives();
  return archives.find(({ lastSeq }) => lastSeq === seq - 1n)?.lastHash ?? null;
}
