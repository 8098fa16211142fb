// How the rooms of trust ask the server for proofs and have them checked.
import type { VerificationError } from '../../../errors.js';
import type { Job, Proven, Question, Root } from '../../../verify/verifier.js';
import type { Rpc } from '../../net/rpc.js';
import type { Contradiction } from './proven-headers.js';

export type ProvenBy<Q extends Question> = Extract<Proven, { kind: Q['kind'] }>;

export interface ProofSource {
  /** The trusted head. */
  head(): Root;
  /** Sends a question that names the head; a server that does not reach the head is reported, never believed. */
  ask(operation: string, head: Root, send: (rpc: Rpc) => Promise<Uint8Array>): Promise<Uint8Array>;
  /** The verdict's proof; a refusal is recorded, with the answer, and thrown. */
  check<Q extends Question>(
    operation: string,
    question: Q,
    head: Root,
    answer: Uint8Array,
  ): Promise<ProvenBy<Q>>;
  /** A question with its answer, as evidence keeps it. */
  job(question: Question, head: Root, answer: Uint8Array): Job;
  /** An answer proves another hash than was proven before: recorded with the answer. The error to throw. */
  fork(
    operation: string,
    question: Question,
    head: Root,
    answer: Uint8Array,
    other: Contradiction,
  ): Promise<VerificationError>;
}
