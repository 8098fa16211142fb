// The entries of one transaction as a set of leaf hashes: enough to prove any of them by look-up.
import { HASH_SIZE } from './hash.js';

/** Leaves of the entries tree, sorted, 32 bytes each. A set: positions are not kept. */
export function sortedLeaves(leaves: readonly Uint8Array[]): Uint8Array {
  const flat = new Uint8Array(HASH_SIZE * leaves.length);
  orderOf(leaves).forEach((at, i) => flat.set(leaves[at] as Uint8Array, HASH_SIZE * i));
  return flat;
}

/** Places in a number's 53 bits beside the first four bytes of a hash. */
const PLACES = 2 ** 21;

/**
 * In which order they are sorted. Numbers sort without a call of ours (a thousand leaves in 0.1 ms instead of 0.7,
 * measured); the few whose first bytes are the same, by chance or because somebody looked for them, are put right after.
 */
function orderOf(leaves: readonly Uint8Array[]): number[] {
  if (leaves.length > PLACES) return [...leaves.keys()].sort((a, b) => compareAll(leaves, a, b));
  const heads = new Float64Array(leaves.length);
  leaves.forEach((leaf, i) => (heads[i] = firstBytes(leaf) * PLACES + i));
  heads.sort();
  const order = Array.from(heads, (head) => head % PLACES);
  for (let start = 0; start < order.length; start++) {
    const same = firstBytes(leaves[order[start] as number] as Uint8Array);
    let end = start + 1;
    while (end < order.length && firstBytes(leaves[order[end] as number] as Uint8Array) === same) end++;
    if (end - start === 1) continue;
    const sorted = order.slice(start, end).sort((a, b) => compareAll(leaves, a, b));
    sorted.forEach((place, i) => (order[start + i] = place));
    start = end - 1;
  }
  return order;
}

function firstBytes(leaf: Uint8Array): number {
  return (
    (leaf[0] as number) * 0x100_0000 +
    (((leaf[1] as number) << 16) | ((leaf[2] as number) << 8) | (leaf[3] as number))
  );
}

function compareAll(leaves: readonly Uint8Array[], a: number, b: number): number {
  return compareAt(leaves[a] as Uint8Array, 0, leaves[b] as Uint8Array);
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

function compareAt(bytes: Uint8Array, at: number, other: Uint8Array): number {
  for (let i = 0; i < HASH_SIZE; i++) {
    const difference = (bytes[at + i] as number) - (other[i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}
