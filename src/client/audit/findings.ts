// What an audit found to be wrong: how it is told, and how it is written into the audit log.
import type { VerificationError } from '../../errors.js';
import type { Job, Refuted, Root } from '../../verify/verifier.js';
import type { TrustLog } from '../trust/log/trust-log.js';

/** Something that does not hold. JSON-able. */
export interface AuditFinding {
  /** Stable name of the check that failed, e.g. `entries.root`, `stretch.tree-root`, `chain.end`. */
  readonly check: string;
  readonly detail: string;
  /** Decimal. With `toTx`, the first of several transactions that were checked together. */
  readonly tx?: string;
  readonly toTx?: string;
  /** Hex for digests, decimal for numbers. */
  readonly expected?: string;
  readonly computed?: string;
  /** A row of the audit log tells it, with the evidence where there is any. */
  readonly recorded: boolean;
}

/** Findings beyond this number are counted and not listed; each of them is still recorded. @internal */
export class Findings<F extends AuditFinding = AuditFinding> {
  readonly listed: F[] = [];
  total = 0;
  readonly #max: number;

  constructor(max: number, earlier: { readonly listed: readonly F[]; readonly total: number } | undefined) {
    this.#max = max;
    if (!earlier) return;
    for (const finding of earlier.listed) this.listed.push(finding);
    this.total = earlier.total;
  }

  get isFull(): boolean {
    return this.total >= this.#max;
  }

  add(finding: F): void {
    this.note(finding);
    this.total++;
  }

  /** Lists what is no finding against the server. */
  note(finding: F): void {
    if (this.listed.length < this.#max) this.listed.push(finding);
  }
}

/** A refusal that trust recorded itself. */
export function findingOf(error: VerificationError): AuditFinding {
  const { tx, check, expected, computed } = error.evidence;
  return {
    check,
    detail: error.message,
    ...(tx !== undefined && { tx: tx.toString() }),
    ...(expected !== undefined && { expected }),
    ...(computed !== undefined && { computed }),
    recorded: error.cause === undefined,
  };
}

export interface Found {
  readonly outcome: 'failure' | 'fork';
  readonly operation: string;
  /** The trusted head. */
  readonly head: Root;
  readonly refuted: Refuted;
  readonly tx: bigint;
  readonly toTx?: bigint;
  readonly job?: Job;
}

/** Writes a finding into the log, with its evidence. A store that cannot take it does not end the audit. */
export async function recordFinding(trustLog: TrustLog, found: Found): Promise<AuditFinding> {
  const { outcome, operation, head, refuted, tx, toTx, job } = found;
  const { check, detail, expected, computed } = refuted;
  const where = toTx !== undefined && toTx > tx ? `txs ${String(tx)} to ${String(toTx)}` : `tx ${String(tx)}`;
  const terms = { ...(expected !== undefined && { expected }), ...(computed !== undefined && { computed }) };
  const told = { check, detail: `${where}: ${detail}`, ...terms, tx };
  const error = await trustLog.refuseInLog(outcome, operation, head, told, job);
  return {
    check,
    detail,
    tx: tx.toString(),
    ...(toTx !== undefined && toTx > tx && { toTx: toTx.toString() }),
    ...terms,
    recorded: error.cause === undefined,
  };
}
