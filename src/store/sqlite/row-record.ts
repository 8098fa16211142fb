// A row of the log as its tables hold it, turned back into the row that was written.
import { StoreError } from '../../errors.js';
import type { AuditOutcome, AuditRow, Evidence } from '../root-store.js';
import { OUTCOME_CODES } from './schema.js';

export interface RowRecord {
  readonly seq: bigint;
  readonly server: string | null;
  readonly database: string | null;
  readonly tx: bigint;
  readonly alh: Uint8Array;
  readonly outcome: bigint;
  readonly previous_tx: bigint | null;
  readonly operation: string | null;
  readonly calls: bigint;
  readonly header_time: bigint;
  readonly signature: Uint8Array | null;
  readonly key_fingerprint: Uint8Array | null;
  readonly verified_at: bigint;
  readonly duration_ms: number;
  readonly client: string | null;
  readonly detail: string | null;
  readonly evidence_hash: Uint8Array | null;
  readonly hash: Uint8Array;
}

export interface EvidenceRecord {
  readonly failed_check: string;
  readonly expected: string | null;
  readonly computed: string | null;
  readonly job: Uint8Array;
}

// `%s` is what gives the rows of `audit a`. Outer joins: a row whose names are gone is shown as damaged, not left out.
export const SELECT_ROWS = `
  SELECT a.seq, l.server, l.database, a.tx, a.alh, a.outcome, a.previous_tx, p.text AS operation, a.calls,
         a.header_time, a.signature, a.key_fingerprint, a.verified_at, a.duration_ms, c.text AS client, a.detail,
         a.evidence_hash, a.hash
  FROM %s
  LEFT JOIN ledger l ON l.id = a.ledger
  LEFT JOIN word p ON p.id = a.operation
  LEFT JOIN word c ON c.id = a.client`;

const OUTCOME_OF = new Map(
  Object.entries(OUTCOME_CODES).map(([outcome, code]) => [BigInt(code), outcome as AuditOutcome]),
);

/** @throws StoreError STORE_DAMAGED when this cannot be a row that was written by this package */
export function toRow(record: RowRecord, evidence: Evidence | null): AuditRow {
  const { seq, server, database, operation, client, calls } = record;
  const outcome = OUTCOME_OF.get(record.outcome);
  if (
    server === null ||
    database === null ||
    operation === null ||
    client === null ||
    outcome === undefined ||
    calls < 0n ||
    calls > 0xffff_ffffn
  ) {
    throw new StoreError('STORE_DAMAGED', `row ${seq.toString()} of the audit log cannot be read`);
  }
  return {
    seq,
    server,
    database,
    tx: record.tx,
    alh: copy(record.alh),
    outcome,
    previousTx: record.previous_tx,
    operation,
    calls: Number(calls),
    headerTime: record.header_time,
    ...(record.signature && { signature: copy(record.signature) }),
    ...(record.key_fingerprint && { keyFingerprint: copy(record.key_fingerprint) }),
    verifiedAt: Number(record.verified_at),
    durationMs: record.duration_ms,
    clientId: client,
    ...(record.detail !== null && { detail: record.detail }),
    ...(evidence && { evidence }),
    hash: copy(record.hash),
  };
}

export function toEvidence({ failed_check, expected, computed, job }: EvidenceRecord): Evidence {
  return {
    check: failed_check,
    ...(expected !== null && { expected }),
    ...(computed !== null && { computed }),
    job: copy(job),
  };
}

/** Plain bytes with a buffer of their own, in place of SQLite's Buffer. */
export function copy(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
