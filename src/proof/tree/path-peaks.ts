// What an audit path says about the tree at its left: the peaks of all leaves before its own.
import { assertId, assertTerms } from '../guard.js';
import { peakCount } from './merkle.js';

/**
 * Peaks, small to large, of the tree over leaves 1..i-1: the left siblings on the audit path of leaf `i` in a tree of
 * `j` leaves. Requires a path that was verified for that position (`verifyInclusion`).
 */
export function peaksLeftOf(terms: readonly Uint8Array[], i: bigint, j: bigint): Uint8Array[] {
  assertId(i, 'path-peaks.position');
  const peaks: Uint8Array[] = [];
  let used = 0;
  for (let index = i - 1n, last = j - 1n; last > 0n; index >>= 1n, last >>= 1n) {
    const isRight = (index & 1n) === 1n;
    if (!isRight && index >= last) continue;
    const term = terms[used++];
    if (isRight && term) peaks.push(term);
  }
  assertTerms(peaks, peakCount(i - 1n), 'path-peaks.path');
  return peaks;
}

/**
 * Of the peaks of a tree of `size` leaves those that are the peaks of its first `prefix` leaves; undefined where a
 * peak reaches over that border. For a prefix that is a multiple of 2^k the peaks of any size less than 2^k above it do.
 * Requires prefix <= size.
 */
export function peaksOfPrefix(
  peaks: readonly Uint8Array[],
  size: bigint,
  prefix: bigint,
): Uint8Array[] | undefined {
  const difference = size ^ prefix;
  // Every peak of the prefix is a peak of the whole where all others are smaller: the binary digits say so.
  if (prefix > 0n && (prefix & -prefix) < difference) return undefined;
  return peaks.slice(peakCount(difference));
}
