// Cuts a range of transactions into stretches: aligned like the subtrees of the history tree, so that one path shows where
// each begins, and small enough for their answers to be held in memory.
import { STRETCH_TXS } from '../../worker/verifier.js';

/** Transactions from `first` to `last`. */
export interface Stretch {
  readonly first: bigint;
  readonly last: bigint;
}

/**
 * Bytes of an answer that are aimed at: small enough that the work is spread evenly over threads and several fit into
 * memory, large enough that a request and a proof for it cost little. To prove a tx of 1000 entries costs the server as much
 * as reading several: with a proof for each of them, in 192 KiB, two threads audit a third fewer (measured).
 */
const AIM_BYTES = 1024 * 1024;
/** How fast smaller answers than were known before make stretches longer; a larger one makes them shorter at once. */
const LEARNING = 0.5;

export class StretchPlan {
  readonly #last: bigint;
  #next: bigint;
  /** Before anything is known one tx is asked for: it may have a thousand entries, and all lanes begin with it. */
  #bytesPerTx = AIM_BYTES;

  constructor(range: Stretch) {
    this.#next = range.first;
    this.#last = range.last;
  }

  /** The next stretch; undefined at the end of the range. */
  next(): Stretch | undefined {
    const first = this.#next;
    if (first > this.#last) return undefined;
    const before = first - 1n;
    const aligned = before === 0n ? BigInt(STRETCH_TXS) : before & -before;
    const wanted = BigInt(this.#size());
    const end = before + (aligned < wanted ? aligned : wanted);
    const last = end < this.#last ? end : this.#last;
    this.#next = last + 1n;
    return { first, last };
  }

  /** An answer had so many bytes. */
  learn({ first, last }: Stretch, bytes: number): void {
    const measured = bytes / Number(last - first + 1n);
    if (measured > this.#bytesPerTx) this.#bytesPerTx = measured;
    else this.#bytesPerTx += (measured - this.#bytesPerTx) * LEARNING;
  }

  /** A power of two. */
  #size(): number {
    const fitting = Math.max(1, Math.min(STRETCH_TXS, AIM_BYTES / this.#bytesPerTx));
    return 2 ** Math.floor(Math.log2(fitting));
  }
}

/** The two halves of a stretch of more than one, both aligned as before. */
export function halves({ first, last }: Stretch): [Stretch, Stretch] {
  const count = Number(last - first + 1n);
  const half = BigInt(2 ** Math.ceil(Math.log2(count) - 1));
  const middle = first + half - 1n;
  return [
    { first, last: middle },
    { first: middle + 1n, last },
  ];
}
