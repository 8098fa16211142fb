// What is handed to trust to be bound to the head.
import type { Job, Root } from '../../../verify/verifier.js';
import type { Candidate } from './head.js';

/** Something proven from an answer, that is to be bound to the head. */
export interface Settlement {
  readonly target: Candidate;
  /** The answer proves its target from the head on that it was asked under. */
  readonly from?: Root;
  readonly job: Job;
  readonly operation: string;
  readonly startedAt: number;
  readonly calls: number;
}
