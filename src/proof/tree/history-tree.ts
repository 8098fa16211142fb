// The Merkle tree over all alhs of a database, as the server keeps it: for building proofs (docs/protocol.md §8.1).
import { assertId } from '../guard.js';
import { HASH_SIZE, ZERO_HASH } from '../hash.js';
import { leafHash, nodeHash } from './merkle.js';

/** Hashes per chunk: 32 KiB each, so growing never copies and a small tree stays small. */
const CHUNK_HASHES = 1024;

/** A growable row of hashes in flat memory. */
class HashRow {
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  push(hash: Uint8Array): void {
    const at = this.#length % CHUNK_HASHES;
    let chunk = this.#chunks[this.#chunks.length - 1];
    if (at === 0 || !chunk) {
      chunk = new Uint8Array(CHUNK_HASHES * HASH_SIZE);
      this.#chunks.push(chunk);
    }
    chunk.set(hash, at * HASH_SIZE);
    this.#length += 1;
  }

  /** A copy of the hash at `index`. */
  at(index: number): Uint8Array {
    const chunk = this.#chunks[Math.floor(index / CHUNK_HASHES)];
    if (!chunk || index < 0 || index >= this.#length) throw new RangeError(`no hash at ${index}`);
    const from = (index % CHUNK_HASHES) * HASH_SIZE;
    return chunk.slice(from, from + HASH_SIZE);
  }
}

/** Largest power of two below `n`. Requires n > 1. */
function splitOf(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/**
 * Append-only tree over alhs 1, 2, 3, …; positions and sizes are 1-based like tx ids. Every complete subtree's hash is
 * kept (64 bytes per leaf), so proofs for any past size take O(log n).
 *
 * @example
 * ```ts
 * const tree = new HistoryTree();
 * tree.append(alh(header1));
 * verifyInclusion(tree.inclusion(1n, 1n), 1n, 1n, leafHash(alh(header1)), tree.root(1n));
 * ```
 */
export class HistoryTree {
  /** Row k: hashes of the complete subtrees of 2^k leaves, left to right. */
  readonly #rows: HashRow[] = [];
  #leaves = 0;

  /** Number of leaves: the id of the last tx appended. */
  get size(): bigint {
    return BigInt(this.#leaves);
  }

  get leafCount(): number {
    return this.#leaves;
  }

  /** Appends the alh of tx `size + 1`. */
  append(alh: Uint8Array): void {
    let hash = leafHash(alh);
    let index = this.#leaves;
    for (let level = 0; ; level++) {
      let row = this.#rows[level];
      if (!row) this.#rows.push((row = new HashRow()));
      row.push(hash);
      if (index % 2 === 0) break;
      hash = nodeHash(row.at(index - 1), hash);
      index = (index - 1) / 2;
    }
    this.#leaves += 1;
  }

  /** Root over the first `n` leaves; 32 zero bytes for 0, as headers without a tree have it. */
  root(n: bigint): Uint8Array {
    const count = this.#position(n, 0n, this.size);
    return count === 0 ? ZERO_HASH.slice() : this.#subtree(0, count);
  }

  /** Hash of leaf `i`. */
  leaf(i: bigint): Uint8Array {
    return this.#subtree(this.#position(i, 1n, this.size) - 1, 1);
  }

  /** Audit path of leaf `i` in the tree of `j` leaves, leaf to root. Requires 1 <= i <= j <= size. */
  inclusion(i: bigint, j: bigint): Uint8Array[] {
    const count = this.#position(j, 1n, this.size);
    const index = this.#position(i, 1n, j) - 1;
    const terms: Uint8Array[] = [];
    let start = 0;
    for (let width = count; width > 1;) {
      const k = splitOf(width);
      if (index - start < k) {
        terms.push(this.#subtree(start + k, width - k));
        width = k;
      } else {
        terms.push(this.#subtree(start, k));
        start += k;
        width -= k;
      }
    }
    return terms.reverse();
  }

  /** Audit path of the last of `j` leaves: the peaks of the first j - 1, small to large. */
  lastInclusion(j: bigint): Uint8Array[] {
    return this.inclusion(j, j);
  }

  /**
   * Proof that the first `i` leaves are a prefix of the first `j`, in the server's form: RFC 6962's, preceded by
   * root(i) where i is a power of two; for i = j > 1 the two halves of the root, right one first. Requires
   * 1 <= i <= j <= size.
   */
  consistency(i: bigint, j: bigint): Uint8Array[] {
    const count = this.#position(j, 1n, this.size);
    const older = this.#position(i, 1n, j);
    if (older === count) {
      if (count === 1) return [];
      const k = splitOf(count);
      return [this.#subtree(k, count - k), this.#subtree(0, k)];
    }
    const terms: Uint8Array[] = [];
    let start = 0;
    let width = count;
    let rest = older;
    while (rest !== width) {
      const k = splitOf(width);
      if (rest <= k) {
        terms.push(this.#subtree(start + k, width - k));
        width = k;
      } else {
        terms.push(this.#subtree(start, k));
        start += k;
        width -= k;
        rest -= k;
      }
    }
    terms.push(this.#subtree(start, width));
    return terms.reverse();
  }

  #position(value: bigint, min: bigint, max: bigint): number {
    assertId(value, 'history-tree.position', min);
    if (value > max) throw new RangeError(`${value.toString()} is beyond ${max.toString()}`);
    return Number(value);
  }

  /** Hash over `count` leaves from `start`, which is a multiple of the power of two that `count` fits in. */
  #subtree(start: number, count: number): Uint8Array {
    let level = 0;
    let span = 1;
    while (span < count) {
      span *= 2;
      level += 1;
    }
    const row = this.#rows[level];
    if (span === count && row) return row.at(start / span);
    const k = span / 2;
    return nodeHash(this.#subtree(start, k), this.#subtree(start + k, count - k));
  }
}
