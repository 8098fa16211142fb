// What workers of one audit share: which ranges there are, who has which until when, and the reports of those that are done.
import { ArgumentError } from '../../../errors.js';
import type { Root } from '../../../verify/verifier.js';
import type { SignedRangeReport } from './range-report.js';

/** What is audited, the same for every range. */
export interface AuditTask {
  readonly database: string;
  readonly under: Root;
  readonly values: boolean;
  readonly maxFindings: number;
}

/** Both of them in it. */
export interface TxRange {
  readonly first: bigint;
  readonly last: bigint;
}

/** A range that a worker has until `until`, and longer while it renews. */
export interface RangeLease extends TxRange {
  /** Of this lease, and of no other. */
  readonly token: string;
}

/** `later`: others have all that is left. `over`: nothing is left that may be tried. */
export type LeaseOutcome = RangeLease | 'later' | 'over';

export interface QueueStatus {
  readonly ranges: number;
  readonly done: number;
  readonly leased: number;
  /** Tried as often as is allowed, and not done: why, the last time that somebody could say. */
  readonly givenUp: readonly (TxRange & { readonly why: string })[];
}

/** A range with the report that stands in the queue: a text that nobody has looked at. */
export interface HandedIn extends TxRange {
  /** Undefined: it is not done. Null: there is one that is too long to be read. */
  readonly report: string | null | undefined;
}

/**
 * Ranges of one audit, handed out to workers that come and go. A worker that dies is missed when its lease has run out; what two
 * have worked on because one was slow is reported once. Every step is durable when it resolves, and does no more when it is asked
 * for again. Whoever can write to a queue can keep an audit from coming to an end, and cannot change what it says: reports are
 * signed, and whoever began the audit knows what was to be looked at.
 */
export interface AuditQueue {
  task(): Promise<AuditTask>;
  /** The lowest range that nobody has, for so long, by the queue's clock. */
  lease(worker: string, leaseMs: number): Promise<LeaseOutcome>;
  /** False: somebody else has it by now, or it is done. */
  renew(lease: RangeLease, leaseMs: number): Promise<boolean>;
  /** False: as above, and the report was not taken. */
  finish(lease: RangeLease, report: SignedRangeReport): Promise<boolean>;
  /** It could not be done, for this reason: somebody may try again. Without a reason: it was not tried. */
  giveBack(lease: RangeLease, why?: string): Promise<void>;
  status(): Promise<QueueStatus>;
  /** The next few ranges that begin behind `after`, lowest first; none: there are no more. */
  handedIn(after: bigint): Promise<readonly HandedIn[]>;
  /** This report is not believed, for this reason: unless there is another one by now, its range is to be done again. */
  refuse(handedIn: HandedIn, why: string): Promise<void>;
  /** All reports, lowest first. @throws ArgumentError for what is no report */
  reports(): Promise<readonly SignedRangeReport[]>;
  /** The audit is over: nothing of it stays in the queue, and workers that ask are told so. */
  remove(): Promise<void>;
  close(): Promise<void>;
}

/** Of one range, before it is given up. A worker that was killed has tried too. */
export const MAX_ATTEMPTS = 20;
/** Whoever could say why it was not done is likely to be told the same again: counts as so many more. */
export const ATTEMPTS_OF_A_REASON = 4;

/** Longest list of ranges. */
export const MAX_RANGES = 100_000;

/**
 * Cuts transactions `first` to `last` into so many ranges, or fewer: each begins where a large subtree of the history tree does,
 * so that no proof is asked for twice.
 *
 * @throws ArgumentError
 */
export function rangesOf(first: bigint, last: bigint, count: number): readonly TxRange[] {
  if (!Number.isSafeInteger(count) || count < 1 || count > MAX_RANGES)
    throw new ArgumentError('count', `count must be a whole number from 1 to ${MAX_RANGES}`);
  if (typeof first !== 'bigint' || typeof last !== 'bigint' || first < 1n || last < first)
    throw new ArgumentError('first', 'first and last must be bigints, 1 ≤ first ≤ last');
  const txs = last - first + 1n;
  const each = (txs + BigInt(count) - 1n) / BigInt(count);
  /** A power of two, at most an eighth of a range: ranges are about alike. */
  const step = 1n << BigInt(Math.max(0, each.toString(2).length - 4));
  const ranges: TxRange[] = [];
  for (let i = 1n, next = first; next <= last; i++) {
    const aimed = first - 1n + (txs * i) / BigInt(count);
    const end = i >= BigInt(count) ? last : aimed - (aimed % step);
    if (end < next) continue;
    ranges.push({ first: next, last: end });
    next = end + 1n;
  }
  return ranges;
}
