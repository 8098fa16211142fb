// Leaves of the entries trees of proven transactions: hashed once, then any entry of such a tx is proven by look-up.
// Bounded in bytes; least recently used first out.

export class EntryLeaves {
  readonly #leaves = new Map<bigint, Uint8Array>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#leaves.size;
  }

  get(tx: bigint): Uint8Array | undefined {
    const leaves = this.#leaves.get(tx);
    if (leaves && this.#bytes > this.#maxBytes / 2) {
      this.#leaves.delete(tx);
      this.#leaves.set(tx, leaves);
    }
    return leaves;
  }

  /** `sorted`: all leaves of the tx, whose header is proven (`proof/entry-leaves`). Copied. */
  add(tx: bigint, sorted: Uint8Array): void {
    if (this.#leaves.has(tx) || sorted.length > this.#maxBytes) return;
    // A copy: it may be a view of a message that holds much else.
    this.#leaves.set(tx, new Uint8Array(sorted));
    this.#bytes += sorted.length;
    for (const [oldest, { length }] of this.#leaves) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#leaves.delete(oldest);
      this.#bytes -= length;
    }
  }
}
