// Rows of a log in PostgreSQL, turned back into the rows that were written.
import { StoreError } from '../../../errors.js';
import { HASH_SIZE } from '../../../proof/hash.js';
import type { AuditRow, Evidence, OmittedBytes } from '../../audit-types.js';
import type { Sums } from '../../log/audit-stats.js';
import { outcomeOf } from '../../log/outcome-codes.js';
import type { Link, Row } from '../link/link.js';
import { textOf } from '../link/values.js';

/** Columns of rows with their names. */
export const ROW_COLUMNS = `a.seq, l.server, l.database, k.operation, k.outcome, a.tx, a.alh, a.previous_tx, a.calls,
  a.header_time, a.signature, a.key_fingerprint, a.verified_at, a.duration_ms, coalesce(c.text, a.client_text) AS client_name,
  a.detail, a.evidence_hash, a.hash`;
/** What follows the rows `a`. */
export const ROW_NAMES = `LEFT JOIN kind k ON k.id = a.kind LEFT JOIN ledger l ON l.id = k.ledger LEFT JOIN client c ON c.id = a.client`;

/** The row `a` of each seq of what stands before it: looked up one by one, however many a planner expects, for the log may be long. */
export function rowsOf(seq: string): string {
  return `CROSS JOIN LATERAL (SELECT * FROM audit o WHERE o.seq = ${seq} OFFSET 0) a`;
}

/** A row without its evidence, which it covers by hash. */
export interface PlainRow {
  readonly row: AuditRow;
  readonly evidenceHash: Uint8Array | null;
}

/** @throws StoreError STORE_DAMAGED when this cannot be a row that was written */
export function toRow(record: Row): PlainRow {
  const { seq } = record;
  try {
    const outcome = outcomeOf(record['outcome'] as number);
    const calls = Number(bigint(record['calls']));
    if (!outcome || calls < 0 || calls > 0xffff_ffff) throw new TypeError('it has no such outcome or calls');
    const signature = optional(record['signature'], bytes);
    const keyFingerprint = optional(record['key_fingerprint'], bytes);
    const detail = optional(record['detail'], text);
    const duration = record['duration_ms'];
    if (typeof duration !== 'number') throw new TypeError('it has no duration');
    const row: AuditRow = {
      seq: bigint(seq),
      server: text(record['server']),
      database: text(record['database']),
      tx: bigint(record['tx']),
      alh: hashOf(record['alh']),
      outcome,
      previousTx: optional(record['previous_tx'], bigint),
      operation: text(record['operation']),
      calls,
      headerTime: bigint(record['header_time']),
      ...(signature && { signature }),
      ...(keyFingerprint && { keyFingerprint }),
      verifiedAt: Number(bigint(record['verified_at'])),
      durationMs: duration,
      clientId: text(record['client_name']),
      ...(detail !== null && { detail }),
      hash: hashOf(record['hash']),
    };
    return { row, evidenceHash: optional(record['evidence_hash'], bytes) };
  } catch (cause) {
    throw new StoreError('STORE_DAMAGED', `row ${String(seq)} of the audit log cannot be read`, { cause });
  }
}

export async function evidenceAt(link: Link, seq: bigint): Promise<Evidence | null> {
  const [record] = await link.query(
    `SELECT e.*, b.bytes, b.sha256 FROM evidence e LEFT JOIN evidence_blob b ON b.id = e.blob
     JOIN store s ON e.seq > s.base_seq WHERE e.seq = $1`,
    [seq],
  );
  return record ? toEvidence(record) : null;
}

/** Null when its bytes are gone. @throws StoreError STORE_DAMAGED when it cannot have been written */
export function toEvidence(record: Row): Evidence | null {
  const { blob, bytes: held, expected, computed, omitted_part: part } = record;
  if (blob !== null && held === null) return null;
  try {
    const omitted =
      part === null
        ? undefined
        : {
            part: part as OmittedBytes['part'],
            reason: record['omitted_reason'] as OmittedBytes['reason'],
            sha256: hashOf(record['omitted_sha256']),
            length: Number(bigint(record['omitted_length'])),
          };
    return {
      check: text(record['failed_check']),
      ...(expected !== null && { expected: text(expected) }),
      ...(computed !== null && { computed: text(computed) }),
      job: held === null ? new Uint8Array(0) : bytes(held),
      ...(omitted && { omitted }),
    };
  } catch (cause) {
    throw new StoreError('STORE_DAMAGED', `the evidence of row ${String(record['seq'])} cannot be read`, {
      cause,
    });
  }
}

export function bigint(value: unknown): bigint {
  if (typeof value !== 'bigint') throw new TypeError('it is no number');
  return value;
}

export function bytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError('it is no bytes');
  return value;
}

export function hashOf(value: unknown): Uint8Array {
  const hash = bytes(value);
  if (hash.length !== HASH_SIZE) throw new TypeError('it is no hash');
  return hash;
}

export function text(value: unknown): string {
  return textOf(bytes(value));
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | null {
  return value === null ? null : read(value);
}

/** Sums that are kept of a kind and an hour. */
export function toSums(record: Row): Sums {
  const number = (name: string) => Number(bigint(record[name]));
  return {
    rows: number('rows'),
    calls: number('calls'),
    micros: number('micros'),
    maxMicros: number('max_micros'),
    txMin: bigint(record['tx_min']),
    txMax: bigint(record['tx_max']),
  };
}
