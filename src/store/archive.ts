// Archives: the rows that `audit.archive` moved out of a log, to be read and verified for as long as they are kept.
import type { ArchiveInfo, AuditLog } from './audit-log.js';
import { knownNames } from '../known-names.js';
import { CheckedAudit, checkedPath } from './log/checked-audit.js';
import { StoreThread } from './sqlite/thread/store-thread.js';

/** An archive that is open. Nothing in it can be changed. */
export interface AuditArchive extends Omit<ArchiveInfo, 'archivedAt'> {
  readonly audit: AuditLog;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens an archive for reading; there are no options yet. Its newest rows are checked; `audit.verify()` checks all.
 *
 * @throws StoreError STORE_MISSING, STORE_FOREIGN (not an archive of ours), STORE_DAMAGED or STORE_FAILED
 * @example
 * await using archive = await openArchive('./roots-2025.db');
 * const own = await archive.audit.verify();
 * // Together: the log goes on from where the archive ends.
 * const whole = await store.audit.verify({ startsAfter: { seq: archive.lastSeq, hash: archive.lastHash } });
 */
export async function openArchive(
  path: string,
  options: Readonly<Record<string, never>> = {},
): Promise<AuditArchive> {
  knownNames('options', options, []);
  const full = checkedPath(path);
  const thread = await StoreThread.start({ path: full, options: 'archive' });
  const close = () => thread.close();
  try {
    const info = await thread.ask({ kind: 'info' });
    return { path: full, ...info, audit: new CheckedAudit(thread), close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}
