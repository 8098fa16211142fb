// How many items go into a group, by how large they turned out to be.

/** How far one item moves what is known of their size: some twenty replace it, one large one is no more than a hint. */
const LEARNING = 0.12;

export class AdaptiveSize {
  readonly #maxItems: number;
  readonly #maxBytes: number;
  #itemBytes = 1024;
  #ceiling: number;

  constructor(maxItems: number, maxBytes: number) {
    this.#maxItems = maxItems;
    this.#maxBytes = maxBytes;
    this.#ceiling = maxItems;
  }

  /** Most items for the next group; at least 1. */
  get limit(): number {
    return Math.max(1, Math.min(this.#ceiling, Math.floor(this.#maxBytes / this.#itemBytes)));
  }

  /**
   * So many items, asked for together, had so many bytes. Told of every answer, also of those to items that went out on their
   * own: else what large ones taught could never be unlearnt while none goes out with another.
   */
  learn(bytes: number, items: number): void {
    const share = 1 - (1 - LEARNING) ** items;
    this.#itemBytes += (Math.max(1, bytes / items) - this.#itemBytes) * share;
    if (items >= this.#ceiling) this.#ceiling = Math.min(this.#maxItems, this.#ceiling * 2);
  }

  /** A group of this many was refused. */
  tooLarge(items: number): void {
    this.#ceiling = Math.max(1, Math.min(this.#ceiling, items >> 1));
  }
}
