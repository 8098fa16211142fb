// The log that an auditor's command looks at: that of a store, or of an archive. It must be there, and is never made.
import { SqliteRootStore, defaultStorePath, openArchive } from '../index.js';
import type { AuditLog } from '../index.js';
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
}

export function openStore(path: string | undefined): Promise<SqliteRootStore> {
  return SqliteRootStore.open(path ?? defaultStorePath(), { create: 'never' });
}

/** @throws UsageError when both are named */
export async function openLog({ store, archive }: LogWords): Promise<OpenLog> {
  if (archive === undefined) return openStore(store);
  if (store !== undefined) throw new UsageError('--archive goes in place of --store');
  return openArchive(archive);
}
