// Looking at a store without trusting it: for auditors, where the store cannot be opened any more, or should not be.
import { knownNames } from '../../known-names.js';
import type { AuditLog, StoreDamage } from '../audit-log.js';
import { CheckedAudit, checkedPath } from '../log/checked-audit.js';
import { StoreThread } from './thread/store-thread.js';

/** A store that is open for reading. It is no root store: no client takes it, and nothing in it can be changed. */
export interface ReadStore {
  readonly path: string;
  /**
   * The store could be read, but not where it is (a disk or folder that cannot be written): this is a copy in the folder for
   * temporary files, of what was there when it was opened. It is gone when it is closed.
   */
  readonly isCopy: boolean;
  /** What of the log can be read. Rows that cannot are left out, and are in `damage()` from then on. */
  readonly audit: AuditLog;
  /** What is found to be broken so far, at first by opening it; `audit.verify()` looks at every row. */
  damage(): Promise<readonly StoreDamage[]>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens a root store for looking only, however damaged it is: rows edited or removed, a marker that is missing or another's,
 * a write-ahead log that was cut off. Clients may go on writing meanwhile. Nothing in it is trusted. One on a disk that cannot
 * be written is copied first. There are no options yet.
 *
 * @throws StoreError STORE_MISSING, STORE_FOREIGN (not a root store), STORE_DAMAGED (nothing in it can be read), STORE_FAILED
 * @example
 * await using store = await openForReading('./roots.db');
 * for (const { seq, finding } of await store.damage()) console.error(seq ?? '-', finding);
 * for await (const row of store.audit.roots()) console.log(row.seq, row.outcome);
 */
export async function openForReading(
  path: string,
  options: Readonly<Record<string, never>> = {},
): Promise<ReadStore> {
  knownNames('options', options, []);
  const full = checkedPath(path);
  const thread = await StoreThread.start({ path: full, options: 'reading' });
  const close = () => thread.close();
  return {
    path: full,
    isCopy: thread.isCopy,
    audit: new CheckedAudit(thread),
    damage: () => thread.ask({ kind: 'damage' }),
    close,
    [Symbol.asyncDispose]: close,
  };
}
