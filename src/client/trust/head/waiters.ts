// Who waits for the head, with what, and how far the answers at hand lead by themselves.
import type { Job, Root } from '../../../verify/verifier.js';
import { follow } from './head.js';
import type { Candidate, Head } from './head.js';

/** An answer whose subject is newer than the head it was asked under. */
export interface Offer {
  /** Head at the time of the question, when the answer proves its subject from there. */
  readonly from?: Root;
  readonly target: Candidate;
  readonly operation: string;
  readonly startedAt: number;
  /** Calls that this answer serves and that the log does not count yet. */
  readonly calls: number;
  /** Kept until the offer is settled: evidence if it turns out to be from another history. */
  readonly job: Job;
}

/** A tx that an answer named and that the head is to reach, whatever it holds. */
export interface Goal {
  readonly tx: bigint;
  readonly operation: string;
  readonly startedAt: number;
  readonly job?: Job;
}

export interface Waiter {
  readonly tx: bigint;
  readonly operation: string;
  readonly startedAt: number;
  /** Not for a mere goal. */
  readonly offer?: Offer;
  readonly job?: Job;
  /** Calls that the next row counts. */
  calls: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Who a move is made for, and the answer that proves its target from the head on. */
export interface Mover {
  readonly waiter: Waiter;
  readonly job: Job;
}

/** Requires a waiter whose own answer proves its target. */
export function moverOf(waiter: Waiter): Mover {
  return { waiter, job: (waiter.offer as Offer).job };
}

/** Where following the answers at hand leads. */
export interface Followed {
  readonly waiter: Waiter;
  readonly target: Candidate;
  readonly head: Head;
  /** Headers on the way. */
  readonly passed: readonly Candidate[];
}

/** Farthest target that can be reached from the head by following the answers at hand, one header at a time. */
export function followable(head: Head, open: readonly Waiter[], signed: boolean): Followed | undefined {
  let at = head;
  let farthest: Followed | undefined;
  const passed: Candidate[] = [];
  for (const waiter of open) {
    const { tx, offer } = waiter;
    if (tx === at.tx) continue;
    const next = offer && follow(offer.target, at);
    if (!next) break;
    at = next;
    const { target } = offer;
    passed.push(target);
    if (target.tree || !signed || target.signature) farthest = { waiter, target, head: next, passed };
  }
  return farthest;
}
