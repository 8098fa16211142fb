// Evidence in a store's file: a row of its own for each refusal, and what was refused once, however many rows are about it.
import { sha256 } from '../../../proof/hash.js';
import { budgetHour, isWithinBudget, withoutBytes } from '../../log/evidence-budget.js';
import type { AuditEntry, Evidence, OmittedBytes } from '../../audit-types.js';
import { copy } from '../log/row-record.js';
import type { Statements } from './statements.js';

/** Evidence without its bytes, and their SHA-256, where they are kept apart. */
export interface EvidenceRecord {
  readonly failed_check: string;
  readonly expected: string | null;
  readonly computed: string | null;
  readonly omitted_part: OmittedBytes['part'] | null;
  readonly omitted_reason: OmittedBytes['reason'] | null;
  readonly omitted_sha256: Uint8Array | null;
  readonly omitted_length: bigint | null;
  /** Id of the blob; null: the bytes are in `job`, as schemas before the fourth had them, or there are none. */
  readonly blob: bigint | null;
  readonly job: Uint8Array;
}

const SHARED = 'omitted_part, omitted_reason, omitted_sha256, omitted_length, blob';
const NOT_SHARED = SHARED.replaceAll(/\w+/g, (name) => `NULL AS ${name}`);

/** Every method requires a transaction, a write transaction where something is kept or freed. */
export class EvidenceTable {
  readonly #statements: Statements;
  #isShared = false;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  record(seq: bigint): EvidenceRecord | null {
    const columns = this.#shares() ? SHARED : NOT_SHARED;
    const sql = `SELECT failed_check, expected, computed, job, ${columns} FROM evidence WHERE seq = ?`;
    return (this.#statements.get(sql).get(seq) as EvidenceRecord | undefined) ?? null;
  }

  /** Null when there is no row, or when its bytes are gone. */
  read(seq: bigint): Evidence | null {
    const record = this.record(seq);
    if (!record) return null;
    const job = record.blob === null ? record.job : this.bytes(record.blob);
    return job && toEvidence(record, job);
  }

  /** Null when they are gone. */
  bytes(blob: bigint): Uint8Array | null {
    const sql = 'SELECT bytes FROM evidence_blob WHERE id = ?';
    return (this.#statements.get(sql).pluck().get(blob) as Uint8Array | undefined) ?? null;
  }

  /** SHA-256 that a blob is kept under. */
  hashOf(blob: bigint): Uint8Array | null {
    const sql = 'SELECT sha256 FROM evidence_blob WHERE id = ?';
    return (this.#statements.get(sql).pluck().get(blob) as Uint8Array | undefined) ?? null;
  }

  /** Evidence as it can be kept: its bytes are kept by then, or said not to be. The hash is that of its job. */
  keepBytes(ledger: bigint, entry: AuditEntry, evidence: Evidence): KeptEvidence {
    const { job } = evidence;
    if (job.length === 0) return { evidence, blob: null };
    const jobHash = sha256(job);
    const known = this.#statements.get('SELECT id FROM evidence_blob WHERE sha256 = ?').pluck().get(jobHash);
    if (known !== undefined) return { evidence, jobHash, blob: known as bigint };
    if (!this.#takes(ledger, budgetHour(entry), job.length)) {
      return { evidence: withoutBytes(evidence, jobHash), blob: null };
    }
    const sql = 'INSERT INTO evidence_blob (sha256, bytes) VALUES (?, ?) RETURNING id';
    const blob = this.#statements.get(sql).pluck().get(jobHash, job) as bigint;
    return { evidence, jobHash, blob };
  }

  /** It names its row, which must be in the log by then. */
  add(seq: bigint, { evidence, blob }: KeptEvidence): void {
    const { check, expected, computed, omitted } = evidence;
    this.#statements
      .get(
        `INSERT INTO evidence (seq, failed_check, expected, computed, job, ${SHARED})
         VALUES (?, ?, ?, ?, x'', ?, ?, ?, ?, ?)`,
      )
      .run(
        seq,
        check,
        expected ?? null,
        computed ?? null,
        omitted?.part ?? null,
        omitted?.reason ?? null,
        omitted?.sha256 ?? null,
        omitted?.length ?? null,
        blob,
      );
  }

  /** Frees the evidence of all rows up to `last`, and the blobs that no other row is about. */
  free(last: bigint): void {
    const blobs = this.#statements
      .get('SELECT DISTINCT blob FROM evidence WHERE seq <= ? AND blob IS NOT NULL')
      .pluck()
      .all(last) as bigint[];
    this.#statements.get('DELETE FROM evidence WHERE seq <= ?').run(last);
    const remove = this.#statements.get(
      'DELETE FROM evidence_blob WHERE id = @blob AND NOT EXISTS (SELECT 1 FROM evidence WHERE blob = @blob)',
    );
    for (const blob of blobs) remove.run({ blob });
  }

  /** A blob that no row is about; null when there is none. */
  strayBlob(): bigint | null {
    if (!this.#shares()) return null;
    const sql =
      'SELECT b.id FROM evidence_blob b WHERE NOT EXISTS (SELECT 1 FROM evidence e WHERE e.blob = b.id) LIMIT 1';
    return (this.#statements.get(sql).pluck().get() as bigint | undefined) ?? null;
  }

  /** A row that evidence names but that does not name it; null when there is none. Recent rows have no evidence. */
  strayRow(): bigint | null {
    const sql =
      'SELECT e.seq FROM evidence e LEFT JOIN audit a ON a.seq = e.seq WHERE a.evidence_hash IS NULL LIMIT 1';
    return (this.#statements.get(sql).pluck().get() as bigint | undefined) ?? null;
  }

  /** Takes from the budget of the hour; false when that is too little. */
  #takes(ledger: bigint, hour: number, bytes: number): boolean {
    const sql = 'SELECT bytes FROM evidence_use WHERE ledger = ? AND hour = ?';
    const used = this.#statements.get(sql).pluck().get(ledger, hour) as bigint | undefined;
    if (!isWithinBudget(Number(used ?? 0n), bytes)) return false;
    this.#statements
      .get(
        `INSERT INTO evidence_use (ledger, hour, bytes) VALUES (?, ?, ?)
         ON CONFLICT (ledger, hour) DO UPDATE SET bytes = bytes + excluded.bytes`,
      )
      .run(ledger, hour, bytes);
    return true;
  }

  /** An archive or a store that is only looked at may be of an older release, and the store be brought up to date meanwhile. */
  #shares(): boolean {
    const sql = "SELECT 1 FROM pragma_table_info('evidence') WHERE name = 'blob'";
    this.#isShared ||= this.#statements.get(sql).get() !== undefined;
    return this.#isShared;
  }
}

/** `jobHash`: SHA-256 of its job, where there is one. */
export interface KeptEvidence {
  readonly evidence: Evidence;
  readonly jobHash?: Uint8Array;
  readonly blob: bigint | null;
}

export function toEvidence(record: EvidenceRecord, job: Uint8Array): Evidence {
  const { failed_check, expected, computed } = record;
  const { omitted_part: part, omitted_reason: reason, omitted_sha256: hash, omitted_length: length } = record;
  return {
    check: failed_check,
    ...(expected !== null && { expected }),
    ...(computed !== null && { computed }),
    job: copy(job),
    ...(part !== null &&
      reason !== null &&
      hash !== null &&
      length !== null && { omitted: { part, reason, sha256: copy(hash), length: Number(length) } }),
  };
}
