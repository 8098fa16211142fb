// The one place that decides how answers are checked.
import { threadFiles, warnOfNoThreads } from '../package-files.js';
import { useHasher } from './hasher.js';
import { InlineVerifier } from './inline-verifier.js';
import { resolveVerifierOptions, type VerifierOptions } from './pool-options.js';
import { PooledVerifier } from './pooled-verifier.js';
import type { Overload, Verifier } from '../verify/verifier.js';

export type { VerifierOptions } from './pool-options.js';

/**
 * A verifier with threads, or with `threads: 0` (and in a bundle that has no files for threads) one that checks on the calling
 * thread. Both give the same verdicts.
 * Verifiers of a process whose settings are the same, but for their own limits, share their threads.
 *
 * @throws ArgumentError when an option is out of range
 */
export function createVerifier(options: VerifierOptions = {}, overload: Overload = 'fail'): Verifier {
  const { threads, hasher } = resolveVerifierOptions(options);
  if (options.hasher !== undefined) useHasher(hasher);
  if (threads === 0) return new InlineVerifier();
  if (threadFiles()) return new PooledVerifier(options, overload);
  warnOfNoThreads();
  return new InlineVerifier();
}
