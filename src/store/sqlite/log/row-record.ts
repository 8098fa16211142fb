// A row of the log as its tables hold it, turned back into the row that was written.
import { StoreError } from '../../../errors.js';
import type { AuditRow, Evidence } from '../../audit-types.js';
import type { Kind } from '../tables/kinds.js';

export interface RowRecord {
  readonly seq: bigint;
  readonly kind: bigint;
  readonly tx: bigint;
  readonly alh: Uint8Array;
  readonly previous_tx: bigint | null;
  readonly calls: bigint;
  readonly header_time: bigint;
  readonly signature: Uint8Array | null;
  readonly key_fingerprint: Uint8Array | null;
  readonly verified_at: bigint;
  readonly duration_ms: number;
  /** Id of the client's name, or the name. */
  readonly client: bigint | string;
  readonly detail: string | null;
  readonly evidence_hash: Uint8Array | null;
  readonly hash: Uint8Array;
}

const COLUMN_NAMES = [
  ...['seq', 'kind', 'tx', 'alh', 'previous_tx', 'calls', 'header_time', 'signature', 'key_fingerprint'],
  ...['verified_at', 'duration_ms', 'client', 'detail', 'evidence_hash', 'hash'],
];
/** Columns of a row, of a table that has no other name, and of one that is named `a`. */
export const COLUMNS = COLUMN_NAMES.join(', ');
export const ROW_COLUMNS = COLUMN_NAMES.map((name) => `a.${name}`).join(', ');

/**
 * @param kind undefined when it is not on record
 * @param clientId undefined when it is not on record
 * @throws StoreError STORE_DAMAGED when this cannot be a row that was written by this package
 */
export function toRow(
  record: RowRecord,
  kind: Kind | undefined,
  clientId: string | undefined,
  evidence: Evidence | null,
): AuditRow {
  const { seq, calls } = record;
  if (!kind || clientId === undefined || calls < 0n || calls > 0xffff_ffffn) {
    throw new StoreError('STORE_DAMAGED', `row ${seq.toString()} of the audit log cannot be read`);
  }
  return {
    seq,
    server: kind.server,
    database: kind.database,
    tx: record.tx,
    alh: copy(record.alh),
    outcome: kind.outcome,
    previousTx: record.previous_tx,
    operation: kind.operation,
    calls: Number(calls),
    headerTime: record.header_time,
    ...(record.signature && { signature: copy(record.signature) }),
    ...(record.key_fingerprint && { keyFingerprint: copy(record.key_fingerprint) }),
    verifiedAt: Number(record.verified_at),
    durationMs: record.duration_ms,
    clientId,
    ...(record.detail !== null && { detail: record.detail }),
    ...(evidence && { evidence }),
    hash: copy(record.hash),
  };
}

/** Plain bytes with a buffer of their own, in place of SQLite's Buffer. */
export function copy(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
