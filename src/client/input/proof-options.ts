// Proofs that results come with, when they are asked for.
import type { CallOptions } from './call-options.js';
import { flag, optionsObject } from './option-checks.js';

export interface ProofOptions {
  /**
   * The result has a `proof`: a document that anyone can check offline, under the root in it, with `verifyProof` of
   * `immu-ts/audit` or `immu-ts proof verify`. Costs one more question. @default false
   */
  readonly includeProof?: boolean;
}

/** Names of these options. */
export const PROOF_NAMES = ['includeProof'];

/** Throws ArgumentError. */
export function wantsProof(options: CallOptions & ProofOptions): boolean {
  optionsObject('options', options);
  const { includeProof = false } = options;
  return flag('includeProof', includeProof);
}
