// What the rooms of proven history hand to each other.
import type { Claim } from '../../../verify/verifier.js';

/** What claims need of a proven header. */
export interface ProvenFacts {
  readonly tx: bigint;
  readonly version: number;
  readonly nentries: number;
  readonly eH: Uint8Array;
  readonly ts: bigint;
}

/** A claim and who waits for it. */
export interface ClaimTask {
  readonly claim: Claim;
  /** The key that was asked for and the raw entry that the claim is from. */
  readonly key: Uint8Array;
  readonly shown: Uint8Array;
  /** How it was shown. @default as the value of its key */
  readonly as?: 'version' | 'raw';
  readonly operation: string;
  readonly startedAt: number;
  /** The claim holds in the tx with this proven header. */
  proven(facts: ProvenFacts): void;
  failed(error: unknown): void;
  /**
   * The claim does not hold as it was read: true when what was shown may mean something else, which is the claim from now on.
   * Absent: it may not.
   */
  readOtherwise?(): boolean;
  /** The claim does not hold, and this sees to it. Absent: its server is refused. */
  contradicted?(): void;
}
