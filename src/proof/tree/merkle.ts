// Merkle tree hashing and strict path verification (RFC 6962 §2.1, RFC 9162 §2.1.3.2 and §2.1.4.2).
import { ProofFailure } from '../failure.js';
import type { CheckName } from '../failure.js';
import { assertDigest, assertId, assertSame, assertTerms } from '../guard.js';
import { HASH_SIZE, sha256 } from '../hash.js';

// Scratch preimages, safe because everything here is synchronous and sha256 keeps no reference.
const leafBytes = new Uint8Array(1 + HASH_SIZE);
const nodeBytes = new Uint8Array(1 + 2 * HASH_SIZE);
nodeBytes[0] = 0x01;

/** Hash of a leaf: H(00 ‖ d). Requires a digest. */
export function leafHash(d: Uint8Array): Uint8Array {
  assertDigest(d, 'merkle.leaf');
  leafBytes.set(d, 1);
  return sha256(leafBytes);
}

/** Hash of an inner node: H(01 ‖ a ‖ b). Requires two digests. */
export function nodeHash(a: Uint8Array, b: Uint8Array): Uint8Array {
  assertDigest(a, 'merkle.node');
  assertDigest(b, 'merkle.node');
  nodeBytes.set(a, 1);
  nodeBytes.set(b, 1 + HASH_SIZE);
  return sha256(nodeBytes);
}

/**
 * Shape of the audit path of a leaf. The lowest `inner` levels have a sibling on the side that the index's bits
 * tell; above them the path runs along the tree's right border, where only the `border` left siblings exist.
 * Bits are read from two 32-bit halves, so that no bigint is made per level.
 */
interface Shape {
  readonly low: number;
  readonly high: number;
  readonly inner: number;
  readonly border: number;
}

function bitLength(low: number, high: number): number {
  return high !== 0 ? 64 - Math.clz32(high) : 32 - Math.clz32(low);
}

function popCount(word: number): number {
  let count = 0;
  for (let rest = word; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** Requires 0 <= index < size <= 2^63-1. */
function shapeOf(index: bigint, size: bigint): Shape {
  const last = size - 1n;
  const low = Number(index & 0xffff_ffffn) | 0;
  const high = Number(index >> 32n) | 0;
  const inner = bitLength(low ^ (Number(last & 0xffff_ffffn) | 0), high ^ (Number(last >> 32n) | 0));
  const border = inner >= 32 ? popCount(high >>> (inner - 32)) : popCount(high) + popCount(low >>> inner);
  return { low, high, inner, border };
}

function bitAt(shape: Shape, level: number): boolean {
  return ((level < 32 ? shape.low >>> level : shape.high >>> (level - 32)) & 1) === 1;
}

/**
 * Root of a tree of `size` leaves, computed from the hash of the leaf at `index` (0-based) and its audit path,
 * leaf to root. Requires 0 <= index < size <= 2^63-1 and exactly as many terms as that position has, so a
 * path that belongs to another position of the same tree never passes.
 */
export function rootFromInclusion(
  terms: readonly Uint8Array[],
  index: bigint,
  size: bigint,
  leaf: Uint8Array,
  check: CheckName = 'merkle.inclusion',
): Uint8Array {
  assertId(size, check);
  assertId(index, check, 0n);
  if (index >= size) throw new ProofFailure(check, 'leaf beyond the tree', size, index);
  assertDigest(leaf, check);
  const shape = shapeOf(index, size);
  assertTerms(terms, shape.inner + shape.border, check);
  let hash = leaf;
  let level = 0;
  for (const term of terms) {
    hash = level >= shape.inner || bitAt(shape, level) ? nodeHash(term, hash) : nodeHash(hash, term);
    level++;
  }
  return hash;
}

/**
 * Verifies that leaf `i` (1-based) of the tree with `j` leaves and root `root` has the hash `leaf`
 * (docs/protocol.md §8.2). Requires 1 <= i <= j. A root does not fix the number of leaves under it: `j` must be of the
 * same proven header as the root.
 */
export function verifyInclusion(
  terms: readonly Uint8Array[],
  i: bigint,
  j: bigint,
  leaf: Uint8Array,
  root: Uint8Array,
  check: CheckName = 'merkle.inclusion',
): void {
  assertId(i, check);
  assertDigest(root, check);
  const computed = rootFromInclusion(terms, i - 1n, j, leaf, check);
  assertSame(computed, root, check, 'the path leads to another root');
}

/** Verifies that `leaf` is the hash of the last of `j` leaves. The path is then the peaks of the others. */
export function verifyLastInclusion(
  terms: readonly Uint8Array[],
  j: bigint,
  leaf: Uint8Array,
  root: Uint8Array,
  check: CheckName = 'merkle.last-inclusion',
): void {
  verifyInclusion(terms, j, j, leaf, root, check);
}

/**
 * Verifies that the tree with `i` leaves and root `rootI` is a prefix of the tree with `j` leaves and root
 * `rootJ` (docs/protocol.md §8.3). Requires 1 <= i <= j and the server's form of the proof: its first term is a
 * subtree of both trees (for a power of two the old root itself); for i = j > 1 it is the two halves of the root,
 * right one first; for i = j = 1 nothing. As above, sizes must be of the same proven headers as the roots.
 */
export function verifyConsistency(
  terms: readonly Uint8Array[],
  i: bigint,
  j: bigint,
  rootI: Uint8Array,
  rootJ: Uint8Array,
  check: CheckName = 'merkle.consistency',
): void {
  assertId(i, check);
  assertId(j, check);
  if (i > j) throw new ProofFailure(check, 'the older tree is larger', j, i);
  assertDigest(rootI, check);
  assertDigest(rootJ, check);
  if (i === j) {
    assertSame(rootI, rootJ, check, 'trees of one size have two roots');
    assertTerms(terms, i === 1n ? 0 : 2, check);
    const [right, left] = terms;
    if (left && right) assertSame(nodeHash(left, right), rootJ, check, 'the halves make another root');
    return;
  }
  // Leaf i of the new tree: its path, without the levels on which all of the old tree's last subtree lies left.
  const shape = shapeOf(i - 1n, j);
  let level = 0;
  while (bitAt(shape, level)) level++;
  assertTerms(terms, 1 + shape.inner - level + shape.border, check);
  const [seed, ...path] = terms as readonly [Uint8Array, ...Uint8Array[]];
  let older = seed;
  let newer = seed;
  for (const term of path) {
    if (level >= shape.inner || bitAt(shape, level)) {
      older = nodeHash(term, older);
      newer = nodeHash(term, newer);
    } else {
      newer = nodeHash(newer, term);
    }
    level++;
  }
  assertSame(older, rootI, check, 'the proof does not make the older root');
  assertSame(newer, rootJ, check, 'the proof does not make the newer root');
}

/** Root over peaks ordered small to large, as in a last inclusion proof. Requires at least one. */
export function foldPeaks(peaks: readonly Uint8Array[]): Uint8Array {
  const [smallest, ...rest] = peaks;
  assertDigest(smallest, 'merkle.peaks');
  let root = smallest;
  for (const peak of rest) root = nodeHash(peak, root);
  return root;
}

/** Number of peaks of a tree of `size` leaves: its one bits. */
export function peakCount(size: bigint): number {
  return popCount(Number(size & 0xffff_ffffn) | 0) + popCount(Number(size >> 32n) | 0);
}
