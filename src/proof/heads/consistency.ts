// Consistency proofs of the history tree in the form that the rest of the world has them in: RFC 6962 §2.1.2 as it stands.
import { assertDigest, assertId, assertSame, assertTerms } from '../guard.js';
import { verifyConsistency } from '../tree/merkle.js';

/**
 * The server's proof (docs/protocol.md §8.3) without what RFC 6962 leaves out: the older root where its size is a power of
 * two, and everything where the sizes are equal or nothing was there before. Requires 0 <= older <= newer.
 */
export function toRfcConsistency(
  terms: readonly Uint8Array[],
  older: bigint,
  newer: bigint,
): readonly Uint8Array[] {
  if (older === 0n || older === newer) return [];
  return isPowerOfTwo(older) ? terms.slice(1) : terms;
}

/**
 * Verifies that the tree of `older` leaves is a prefix of the tree of `newer` leaves, by a proof in RFC 6962's form.
 * Requires 0 <= older <= newer.
 *
 * @throws ProofFailure `tlog.consistency`
 */
export function verifyRfcConsistency(
  terms: readonly Uint8Array[],
  older: bigint,
  newer: bigint,
  olderRoot: Uint8Array,
  newerRoot: Uint8Array,
): void {
  const check = 'tlog.consistency';
  assertId(older, check, 0n);
  assertDigest(olderRoot, check);
  assertDigest(newerRoot, check);
  if (older === 0n) {
    assertTerms(terms, 0, check);
  } else if (older === newer) {
    assertTerms(terms, 0, check);
    assertSame(newerRoot, olderRoot, check, 'trees of one size have two roots');
  } else {
    const seeded = isPowerOfTwo(older) ? [olderRoot, ...terms] : terms;
    verifyConsistency(seeded, older, newer, olderRoot, newerRoot, check);
  }
}

function isPowerOfTwo(size: bigint): boolean {
  return size > 0n && (size & (size - 1n)) === 0n;
}
