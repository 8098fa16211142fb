// A verified call, as the rooms of trust know it.
import type { Deadline } from '../flow/deadline.js';

/** A verified call on its way: what it is called, when it began, and until when it waits. */
export interface Call {
  readonly operation: string;
  readonly startedAt: number;
  readonly deadline: Deadline;
  /** Set once the log counts it: a call may need several proofs, and is one call all the same. */
  counted?: boolean;
  /** When its last question was sent, in unix seconds. */
  askedAt?: bigint;
  /** The trust under which it began: it is not proven under another. */
  epoch?: object;
}
