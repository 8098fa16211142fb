// How many items go into a group, by how large they turned out to be.

/** How fast what was measured last replaces what was known before. */
const LEARNING = 0.2;

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

  learn(bytes: number, items: number): void {
    this.#itemBytes += (Math.max(1, bytes / items) - this.#itemBytes) * LEARNING;
    if (items >= this.#ceiling) this.#ceiling = Math.min(this.#maxItems, this.#ceiling * 2);
  }

  /** A group of this many was refused. */
  tooLarge(items: number): void {
    this.#ceiling = Math.max(1, Math.min(this.#ceiling, items >> 1));
  }
}
