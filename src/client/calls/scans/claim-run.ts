// One claim of a page on its way to its proof, for what is no value of its key as it is now: a version, a member's bound entry.
import type { Claim } from '../../../verify/verifier.js';
import type { ClaimTask, ProvenFacts } from '../../trust/known/proven-facts.js';
import type { VerifiedPage } from './verified-page.js';

type Claimed = Pick<ClaimTask, 'key' | 'claim' | 'shown' | 'as'>;

/** Where the proof goes. `isOther`: it is the claim's other reading that holds. */
export interface ClaimEnd {
  resolve(facts: ProvenFacts, isOther: boolean): void;
  reject(error: unknown): void;
}

export class ClaimRun implements ClaimTask {
  readonly key: Uint8Array;
  claim: Claim;
  readonly shown: Uint8Array;
  readonly as?: 'version' | 'raw';
  readonly operation: string;
  readonly startedAt: number;
  readonly #page: VerifiedPage;
  readonly #end: ClaimEnd;
  readonly #otherwise: (() => Claim | undefined) | undefined;
  #isOther = false;

  /** `otherwise`: what the claim may mean where it does not hold as it is. */
  constructor(page: VerifiedPage, claimed: Claimed, end: ClaimEnd, otherwise?: () => Claim | undefined) {
    const { operation, startedAt } = page.call;
    this.key = claimed.key;
    this.claim = claimed.claim;
    this.shown = claimed.shown;
    if (claimed.as) this.as = claimed.as;
    this.operation = operation;
    this.startedAt = startedAt;
    this.#page = page;
    this.#end = end;
    this.#otherwise = otherwise;
  }

  /** Has it proven, together with the others of this turn. */
  begin(): void {
    this.#page.known.proveSoon(this);
  }

  readOtherwise(): boolean {
    const other = this.#isOther ? undefined : this.#otherwise?.();
    if (!other) return false;
    this.claim = other;
    this.#isOther = true;
    return true;
  }

  proven(facts: ProvenFacts): void {
    this.#end.resolve(facts, this.#isOther);
  }

  failed(error: unknown): void {
    this.#end.reject(error);
  }
}
