// The log of the store in memory: the same rows and the same chain as in a file.
import { toHex } from '../../proof/bytes.js';
import { sha256 } from '../../proof/hash.js';
import type { Checkpoint } from '../audit-log.js';
import type { AuditEntry, AuditRow, Evidence } from '../audit-types.js';
import { chainStart, evidenceHash, rowHash } from '../log/audit-row.js';
import { budgetHour, isWithinBudget, withoutBytes } from '../log/evidence-budget.js';
import { LogIndex } from '../log/log-index.js';
import { nameOf } from '../log/log-state.js';

export class MemoryLog {
  readonly storeId: Uint8Array;
  /** What the first row follows. */
  readonly start: Uint8Array;
  /** What the rows add up to. */
  readonly index = new LogIndex();
  /** Row n stands at n - 1, and stays there: rows are only ever added at the end. */
  readonly rows: AuditRow[] = [];
  readonly checkpoints: Checkpoint[] = [];
  /** Packed jobs of evidence by their SHA-256, and bytes of them by hour and database. */
  readonly #jobs = new Map<string, Uint8Array>();
  readonly #evidenceUsed = new Map<string, number>();

  constructor(storeId: Uint8Array) {
    this.storeId = storeId;
    this.start = chainStart(storeId);
  }

  append(given: AuditEntry): void {
    const entry = given.evidence ? { ...given, evidence: this.#kept(given, given.evidence) } : given;
    const previous = this.rows.at(-1);
    const seq = (previous?.seq ?? 0n) + 1n;
    const row = { ...entry, seq, hash: this.hashAfter(previous, seq, entry) };
    this.rows.push(row);
    this.index.apply(row);
  }

  at(seq: bigint): AuditRow | null {
    return this.rows[Number(seq) - 1] ?? null;
  }

  /**
   * Hash of a row behind `previous`. `jobHashes`: of what was hashed before, for several rows may be about the same bytes.
   */
  hashAfter(
    previous: AuditRow | undefined,
    seq: bigint,
    entry: AuditEntry,
    jobHashes = new Map<Uint8Array, Uint8Array>(),
  ): Uint8Array {
    const job = entry.evidence?.job;
    const jobHash = job && (jobHashes.get(job) ?? sha256(job));
    if (job && jobHash) jobHashes.set(job, jobHash);
    const evidence = entry.evidence && evidenceHash(entry.evidence, jobHash);
    return rowHash(previous?.hash ?? this.start, seq, entry, evidence);
  }

  /** Evidence as it is kept: bytes that another row has too, once; beyond the budget, none. */
  #kept(entry: AuditEntry, evidence: Evidence): Evidence {
    const { job } = evidence;
    if (job.length === 0) return evidence;
    const jobHash = sha256(job);
    const name = toHex(jobHash);
    const known = this.#jobs.get(name);
    if (known) return { ...evidence, job: known };
    const budget = `${budgetHour(entry)} ${nameOf(entry)}`;
    const used = this.#evidenceUsed.get(budget) ?? 0;
    if (!isWithinBudget(used, job.length)) return withoutBytes(evidence, jobHash);
    this.#evidenceUsed.set(budget, used + job.length);
    this.#jobs.set(name, job);
    return evidence;
  }
}
