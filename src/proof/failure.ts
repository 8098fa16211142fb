// The one way in which proof code says no.
import type { ProofCheck } from './check-names.js';

/** What a check wanted and what it got: a digest, an id, a count or a word. */
export type ProofTerm = Uint8Array | bigint | number | string;

/** Names of checks, by the room that makes them: another room adds its own by declaration (verify/check-names.ts). */
export interface CheckNames {
  readonly proof: ProofCheck;
}

export type CheckName = CheckNames[keyof CheckNames];

/**
 * A check did not hold. Thrown by every `verify…` and `assert…` function of this room and by the decoding of
 * answers; anything else that is thrown there is a defect of ours, not a statement about the server.
 */
export class ProofFailure extends Error {
  override readonly name = 'ProofFailure';
  /** Stable dotted name, e.g. `dual-proof.consistency`, `entries.root`, `wire.truncated`. */
  readonly check: CheckName;
  readonly expected: ProofTerm | undefined;
  readonly computed: ProofTerm | undefined;

  constructor(check: CheckName, detail: string, expected?: ProofTerm, computed?: ProofTerm) {
    super(`${check}: ${detail}`);
    this.check = check;
    this.expected = expected;
    this.computed = computed;
  }
}

/**
 * A proof that holds by itself and has another hash for a transaction than is trusted: not a broken answer, but another
 * history. Named like the check that it fails.
 */
export class OtherHistory extends ProofFailure {}
