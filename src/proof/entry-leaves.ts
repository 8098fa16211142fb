// The entries of one transaction as a set of leaf hashes: enough to prove any of them by look-up.
import { HASH_SIZE } from './hash.js';
import { leafHash } from './merkle.js';

/** Leaves of the entries tree, sorted, 32 bytes each. A set: positions are not kept. */
export function sortedLeaves(digests: readonly Uint8Array[]): Uint8Array {
  const leaves = digests.map((digest) => leafHash(digest)).sort(compareDigests);
  const flat = new Uint8Array(HASH_SIZE * leaves.length);
  leaves.forEach((leaf, i) => flat.set(leaf, HASH_SIZE * i));
  return flat;
}

/**
 * Whether `leaf` is one of these leaves. Proves that an entry with this leaf is in the transaction when the leaves were
 * made from all digests of a proven entries root.
 */
export function hasLeaf(sorted: Uint8Array, leaf: Uint8Array): boolean {
  let low = 0;
  let high = sorted.length / HASH_SIZE;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = compareAt(sorted, middle * HASH_SIZE, leaf);
    if (order === 0) return true;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return false;
}

function compareDigests(a: Uint8Array, b: Uint8Array): number {
  return compareAt(a, 0, b);
}

function compareAt(bytes: Uint8Array, at: number, other: Uint8Array): number {
  for (let i = 0; i < HASH_SIZE; i++) {
    const difference = (bytes[at + i] as number) - (other[i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}
