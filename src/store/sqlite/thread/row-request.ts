// A row on its way to the store's thread.
import type { AuditEntry, StoredRoot } from '../../audit-types.js';

/** A row to be appended, from an entry that was checked. Sent as bytes: row-packet.ts. */
export type RowRequest =
  | { readonly kind: 'advance'; readonly expected: StoredRoot | null; readonly entry: AuditEntry }
  | { readonly kind: 'record' | 'forget'; readonly entry: AuditEntry };

/** Answers name what they answer. */
export interface Numbered<R> {
  readonly id: number;
  readonly request: R;
}
