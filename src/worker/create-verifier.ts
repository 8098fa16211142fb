// The one place that decides how answers are checked.
import { useHasher } from './hasher.js';
import { InlineVerifier } from './inline-verifier.js';
import { resolveVerifierOptions, type VerifierOptions } from './pool-options.js';
import { PooledVerifier } from './pooled-verifier.js';
import type { Overload, Verifier } from '../verify/verifier.js';

export type { VerifierOptions } from './pool-options.js';

/**
 * A verifier with threads, or with `threads: 0` one that checks on the calling thread. Both give the same verdicts.
 * Verifiers of a process whose settings are the same, but for their own limits, share their threads.
 *
 * @throws ArgumentError when an option is out of range
 */
export function createVerifier(options: VerifierOptions = {}, overload: Overload = 'fail'): Verifier {
  const { threads, hasher } = resolveVerifierOptions(options);
  if (options.hasher !== undefined) useHasher(hasher);
  return threads === 0 ? new InlineVerifier() : new PooledVerifier(options, overload);
}
