// The Merkle tree over the entries of one transaction (docs/protocol.md §7).
import { compareBytes } from '../bytes.js';
import { entryDigest } from '../entry.js';
import { ProofFailure } from '../failure.js';
import { assertCount, assertSame } from '../guard.js';
import { EMPTY_HASH } from '../hash.js';
import { leafHash, nodeHash, rootFromInclusion } from './merkle.js';
import type { InclusionProof, TxEntry, TxHeader } from '../types.js';

/** Halves a level: neighbours are paired, an odd last node moves up unchanged (same tree as RFC 6962's). */
function levelAbove(level: readonly Uint8Array[]): Uint8Array[] {
  const above: Uint8Array[] = [];
  for (let i = 0; i < level.length; i += 2) {
    const left = level[i];
    const right = level[i + 1];
    if (left) above.push(right ? nodeHash(left, right) : left);
  }
  return above;
}

/** Root of the entries tree over entry digests in entry order; the hash of nothing when there are none. */
export function entriesRoot(digests: readonly Uint8Array[]): Uint8Array {
  return entriesRootOf(digests.map((digest) => leafHash(digest)));
}

/** {@link entriesRoot} from the leaves. */
export function entriesRootOf(leaves: readonly Uint8Array[]): Uint8Array {
  let level = leaves;
  while (level.length > 1) level = levelAbove(level);
  return level[0] ?? EMPTY_HASH;
}

/** Position and audit path of the entry at `index` (0-based). Requires an index within `digests`. */
export function entriesInclusion(digests: readonly Uint8Array[], index: number): InclusionProof {
  assertCount(index, 0, digests.length - 1, 'entries.index');
  const terms: Uint8Array[] = [];
  let level = digests.map((digest) => leafHash(digest));
  for (let at = index; level.length > 1; at >>>= 1) {
    const sibling = level[at ^ 1];
    if (sibling) terms.push(sibling);
    level = levelAbove(level);
  }
  return { leaf: index, width: digests.length, terms };
}

/**
 * Verifies that `digest` is the digest of the entry at `proof.leaf` of the tx with this header. The header must be
 * proven by other means. Requires width = nentries and a path of exactly the length that leaf and width demand.
 */
export function verifyEntryInclusion(proof: InclusionProof, digest: Uint8Array, header: TxHeader): void {
  assertCount(header.nentries, 1, 0xffff_ffff, 'entries.count');
  if (proof.width !== header.nentries) {
    throw new ProofFailure('entries.width', 'not the number of entries', header.nentries, proof.width);
  }
  assertCount(proof.leaf, 0, header.nentries - 1, 'entries.index');
  const root = rootFromInclusion(
    proof.terms,
    BigInt(proof.leaf),
    BigInt(proof.width),
    leafHash(digest),
    'entries.inclusion',
  );
  assertSame(root, header.eH, 'entries.inclusion', 'the path leads to another entries root');
}

/** Requires every raw key at most once: a tx cannot write one key twice. */
function assertUniqueKeys(entries: readonly TxEntry[]): void {
  if (entries.length < 2) return;
  const keys = entries.map((entry) => entry.key).sort(compareBytes);
  for (const [i, key] of keys.entries()) {
    const next = keys[i + 1];
    if (next && compareBytes(key, next) === 0) {
      throw new ProofFailure('entries.duplicate', 'a key occurs twice in one tx', undefined, key);
    }
  }
}

/** In entry order: digests of the entries, and the leaves of the entries tree that these are hashed to. */
export interface VerifiedEntries {
  readonly digests: readonly Uint8Array[];
  readonly leaves: readonly Uint8Array[];
}

/**
 * Verifies that `entries` are all entries of the tx with this header, in order: as many as it says, no raw key
 * twice, hashing to its entries root. The header must be proven by other means. Returns what they hash to.
 */
export function verifyEntries(
  header: Pick<TxHeader, 'version' | 'nentries' | 'eH'>,
  entries: readonly TxEntry[],
): VerifiedEntries {
  if (entries.length !== header.nentries) {
    throw new ProofFailure(
      'entries.count',
      'not as many as the header says',
      header.nentries,
      entries.length,
    );
  }
  const digests = entries.map((entry) => entryDigest(header.version, entry));
  assertUniqueKeys(entries);
  const leaves = digests.map((digest) => leafHash(digest));
  assertSame(entriesRootOf(leaves), header.eH, 'entries.root', 'the entries hash to another root');
  return { digests, leaves };
}
