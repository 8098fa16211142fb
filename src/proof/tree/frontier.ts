// The right edge of the history tree: all that is needed to append to it and to know its root.
import { ProofFailure } from '../failure.js';
import { assertId, assertSame, assertTerms } from '../guard.js';
import { ZERO_HASH } from '../hash.js';
import { alh, assertHeader } from '../header.js';
import { foldPeaks, leafHash, nodeHash, peakCount } from './merkle.js';
import type { TxHeader } from '../types.js';

/**
 * Peaks (roots of the complete subtrees, at most 63) of the tree over leaves 1..size. A frontier says what its
 * maker proved; appending to it proves nothing until a root of it is compared with a header's.
 */
export class Frontier {
  #size: bigint;
  /** Large to small: appending works at the end. */
  #stack: Uint8Array[];

  private constructor(size: bigint, stack: Uint8Array[]) {
    this.#size = size;
    this.#stack = stack;
  }

  /** The tree without leaves, which precedes tx 1. */
  static empty(): Frontier {
    return new Frontier(0n, []);
  }

  /**
   * Frontier over 1..header.id, from the last inclusion proof of a dual proof whose target is `header`
   * (docs/protocol.md §8.4). Proves that the header's tree holds header.prevAlh as its last leaf
   * and these peaks before it. The header itself must be proven by other means, and must have no tree lag
   * (blTxId = id - 1): with lag the proof does not reach up to the header.
   */
  static at(header: TxHeader, lastInclusionProof: readonly Uint8Array[]): Frontier {
    assertHeader(header);
    if (header.blTxId !== header.id - 1n) {
      throw new ProofFailure(
        'frontier.lag',
        'the header commits to a shorter tree',
        header.id - 1n,
        header.blTxId,
      );
    }
    if (header.id === 1n) {
      assertTerms(lastInclusionProof, 0, 'frontier.peaks');
      const first = Frontier.empty();
      first.append(alh(header));
      return first;
    }
    const frontier = Frontier.from({ size: header.id - 2n, peaks: lastInclusionProof });
    frontier.append(header.prevAlh);
    assertSame(frontier.root(), header.blRoot, 'frontier.root', "the peaks do not make the header's tree");
    frontier.append(alh(header));
    return frontier;
  }

  /** Frontier as it was taken from `peaks` and `size`. Requires exactly the peaks that the size has, small to large. */
  static from(state: { readonly size: bigint; readonly peaks: readonly Uint8Array[] }): Frontier {
    assertId(state.size, 'frontier.size', 0n);
    assertTerms(state.peaks, peakCount(state.size), 'frontier.peaks');
    // Copied: the peaks may be views of an answer that is not ours to keep.
    return new Frontier(state.size, state.peaks.map((peak) => new Uint8Array(peak)).reverse());
  }

  get size(): bigint {
    return this.#size;
  }

  /** Small to large. */
  get peaks(): readonly Uint8Array[] {
    return [...this.#stack].reverse();
  }

  /** Appends the alh of tx `size + 1`: one leaf hash and, on average, one node hash. */
  append(alhOfNext: Uint8Array): void {
    let hash = leafHash(alhOfNext);
    for (let rest = this.#size; (rest & 1n) === 1n; rest >>= 1n) {
      const peak = this.#stack.pop();
      if (!peak) throw new ProofFailure('frontier.peaks', 'fewer peaks than the size has');
      hash = nodeHash(peak, hash);
    }
    this.#stack.push(hash);
    this.#size += 1n;
  }

  /** Root over 1..size; 32 zero bytes for size 0, as headers without a tree have it. */
  root(): Uint8Array {
    return this.#size === 0n ? ZERO_HASH.slice() : foldPeaks(this.peaks);
  }

  clone(): Frontier {
    return new Frontier(this.#size, [...this.#stack]);
  }

  /** Takes over the state of `other`: lets a caller work on a clone and keep it only when all went well. */
  moveTo(other: Frontier): void {
    this.#size = other.#size;
    this.#stack = [...other.#stack];
  }
}
