// The store that an auditor's command looks at: it must be there, and is never made.
import { SqliteRootStore, defaultStorePath } from '../index.js';

export const STORE_OPTION = {
  store: {
    type: 'string',
    value: 'FILE',
    says: 'root store; default: $IMMU_TS_STORE, or where clients keep theirs',
  },
} as const;

export function openStore(path: string | undefined): Promise<SqliteRootStore> {
  return SqliteRootStore.open(path ?? defaultStorePath(), { create: 'never' });
}
