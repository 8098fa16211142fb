// What the verifier is asked and what it answers. Two implementations: inline and pooled; one suite over both.
import type { CheckedClaim, RefutedClaim } from './claims/claim.js';
import type { Proven, Question } from './kinds.js';
import type { Context, Refuted } from './terms.js';

export { BLOCK_TXS } from './chain/block.js';
export type { TxFacts } from './chain/leaves.js';
export { STRETCH_TXS } from './chain/stretch.js';
export type { Claim } from './claims/claim.js';
export type { Proven, Question } from './kinds.js';
export type { HeaderPack } from './pack/header-pack.js';
export type { ProvenEntry } from './readings/found.js';
export type { StretchCounts } from './stretch-counts.js';
export type { Context, FrontierPeaks, ProvenTarget, ProvenTx, Refuted, Root, TreeAt } from './terms.js';
export type { WrittenEntry } from './writings/set.js';

export interface Job {
  readonly question: Question;
  readonly context: Context;
  /** Raw protobuf bytes as they came from the server. Not changed, not kept. */
  readonly answer: Uint8Array;
}

export type Verdict =
  { readonly ok: true; readonly proven: Proven } | { readonly ok: false; readonly refuted: Refuted };

/** What became of one key of a plain read. `job`: of what fails only beside the rest of the answer, the whole of it, as evidence. */
export type ClaimOutcome = Exclude<CheckedClaim, RefutedClaim> | (RefutedClaim & { readonly job?: Job });

/** What becomes of a job when too much is unfinished. */
export type Overload = 'wait' | 'fail';

/** Who waits for a verdict. */
export interface VerifyOptions {
  /** Others wait for what comes of it: it goes before them, and is let in at once. For few jobs at a time. */
  readonly urgent?: boolean;
  /** When its caller waits no longer, on the clock of `performance.now()`; and the caller's abort. */
  readonly until?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Checks answers. A verdict is about the server; a rejection (PoolError, ClosedError) is about us.
 * Jobs are independent: one lie never affects its neighbours in a batch.
 */
export interface Verifier {
  verify(job: Job, options?: VerifyOptions): Promise<Verdict>;
  /** Resolves when a further job would be let in at once. Absent: that is always so. */
  ready?(): Promise<void>;
  /** Resolves when no answer waits for room any more; undefined: none does. */
  backlog?(): Promise<void> | undefined;
  /** More than one answer will come soon: what takes time to start is started now. */
  prepare?(): void;
  close(): Promise<void>;
}
