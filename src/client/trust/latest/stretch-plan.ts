// Cuts a range of transactions into stretches: aligned like the subtrees of the history tree, so that one path shows where
// each begins, and small enough for their answers to be held in memory.
import { STRETCH_TXS } from '../../../verify/verifier.js';

/** Transactions from `first` to `last`. */
export interface Stretch {
  readonly first: bigint;
  readonly last: bigint;
}

/**
 * Bytes of an answer that are aimed at: so large because to prove a tx of 1000 entries costs the server as much as reading
 * several (of those 2 MiB hold 16; with 192 KiB, a proof for each, two threads audit 40 % fewer entries a second, measured),
 * and so small that several fit into memory.
 */
const AIM_BYTES = 2 * 1024 * 1024;
/** Towards the end of the range they get smaller, down to this many bytes, so that all threads end together. */
const LEAST_BYTES = 1024 * 1024;
/** Of what is left an answer takes one part in so many. */
const PARTS = 16;
/** How fast smaller answers than were known before make stretches longer; a larger one makes them shorter at once. */
const LEARNING = 0.5;

export class StretchPlan {
  readonly #last: bigint;
  readonly #aim: number;
  #next: bigint;
  #bytesPerTx: number;

  /** `bytesPerTx`: as learned before. */
  constructor(range: Stretch, maxMessageBytes: number, bytesPerTx?: number) {
    this.#next = range.first;
    this.#last = range.last;
    this.#aim = Math.min(AIM_BYTES, maxMessageBytes / 2);
    // Before anything is known one tx is asked for: it may have a thousand entries, and all lanes begin with it.
    this.#bytesPerTx = bytesPerTx ?? this.#aim;
  }

  get bytesPerTx(): number {
    return this.#bytesPerTx;
  }

  /** The next stretch; undefined at the end of the range. */
  next(): Stretch | undefined {
    const first = this.#next;
    if (first > this.#last) return undefined;
    const before = first - 1n;
    const aligned = before === 0n ? BigInt(STRETCH_TXS) : before & -before;
    const wanted = BigInt(this.#size(Number(this.#last - before)));
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
  #size(left: number): number {
    const holding = (bytes: number) => bytes / this.#bytesPerTx;
    const wanted = Math.min(STRETCH_TXS, holding(this.#aim), Math.max(holding(LEAST_BYTES), left / PARTS));
    return 2 ** Math.floor(Math.log2(Math.max(1, wanted)));
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
