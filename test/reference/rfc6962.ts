// The Merkle trees of RFC 6962 §2.1 by their recursive definitions: slow and obviously right. Shares no code with src/.
import { createHash } from 'node:crypto';

export function H(...parts: Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

const ZERO = new Uint8Array([0]);
const ONE = new Uint8Array([1]);

/** Largest power of two smaller than n. Requires n > 1. */
function k(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}

/** MTH(D[n]), n >= 1. */
export function MTH(D: readonly Uint8Array[]): Uint8Array {
  if (D.length === 1) return H(ZERO, D[0]!);
  const half = k(D.length);
  return H(ONE, MTH(D.slice(0, half)), MTH(D.slice(half)));
}

/** PATH(m, D[n]), 0 <= m < n, leaf to root. */
export function PATH(m: number, D: readonly Uint8Array[]): Uint8Array[] {
  if (D.length === 1) return [];
  const half = k(D.length);
  return m < half
    ? [...PATH(m, D.slice(0, half)), MTH(D.slice(half))]
    : [...PATH(m - half, D.slice(half)), MTH(D.slice(0, half))];
}

/** SUBPROOF(m, D[n], b). */
function SUBPROOF(m: number, D: readonly Uint8Array[], complete: boolean): Uint8Array[] {
  if (m === D.length) return complete ? [] : [MTH(D)];
  const half = k(D.length);
  return m <= half
    ? [...SUBPROOF(m, D.slice(0, half), complete), MTH(D.slice(half))]
    : [...SUBPROOF(m - half, D.slice(half), false), MTH(D.slice(0, half))];
}

/** PROOF(m, D[n]), 0 < m <= n. */
export function PROOF(m: number, D: readonly Uint8Array[]): Uint8Array[] {
  return SUBPROOF(m, D, true);
}

/** The server's form of PROOF (docs/protocol.md §8.1). */
export function serverProof(m: number, D: readonly Uint8Array[]): Uint8Array[] {
  if (m === D.length) {
    if (m === 1) return [];
    const half = k(m);
    return [MTH(D.slice(half)), MTH(D.slice(0, half))];
  }
  const isPowerOfTwo = Number.isInteger(Math.log2(m));
  return isPowerOfTwo ? [MTH(D.slice(0, m)), ...PROOF(m, D)] : PROOF(m, D);
}

/**
 * RFC 9162 §2.1.3.2 as written there, up to the comparison: the root that the path leads to, or null when the path is
 * too long or too short for the position. `leaf` is the hash of the leaf.
 */
export function inclusionRoot(
  path: readonly Uint8Array[],
  leafIndex: bigint,
  treeSize: bigint,
  leaf: Uint8Array,
): Uint8Array | null {
  if (leafIndex >= treeSize) return null;
  let fn = leafIndex;
  let sn = treeSize - 1n;
  let r = leaf;
  for (const p of path) {
    if (sn === 0n) return null;
    if ((fn & 1n) === 1n || fn === sn) {
      r = H(ONE, p, r);
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n;
        sn >>= 1n;
      }
    } else {
      r = H(ONE, r, p);
    }
    fn >>= 1n;
    sn >>= 1n;
  }
  return sn === 0n ? r : null;
}

/**
 * RFC 9162 §2.1.4.2 for first < second, up to the comparison, with the first tree's root always in the path (the
 * server's form): both roots, or null when the path does not fit the sizes.
 */
export function consistencyRoots(
  path: readonly Uint8Array[],
  first: bigint,
  second: bigint,
): { first: Uint8Array; second: Uint8Array } | null {
  const [seed, ...rest] = path;
  if (!seed) return null;
  let fn = first - 1n;
  let sn = second - 1n;
  while ((fn & 1n) === 1n) {
    fn >>= 1n;
    sn >>= 1n;
  }
  let fr = seed;
  let sr = seed;
  for (const c of rest) {
    if (sn === 0n) return null;
    if ((fn & 1n) === 1n || fn === sn) {
      fr = H(ONE, c, fr);
      sr = H(ONE, c, sr);
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n;
        sn >>= 1n;
      }
    } else {
      sr = H(ONE, sr, c);
    }
    fn >>= 1n;
    sn >>= 1n;
  }
  return sn === 0n ? { first: fr, second: sr } : null;
}
