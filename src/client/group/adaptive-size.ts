// How many items go into a group, by how large they turned out to be.

/** Items that go out one by one before two are tried together again. */
const RETRY_AFTER = 64;
/** How fast what was measured last replaces what was known before. */
const LEARNING = 0.2;

export class AdaptiveSize {
  readonly #maxItems: number;
  readonly #maxBytes: number;
  #itemBytes = 1024;
  #ceiling: number;
  #singles = 0;

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

  /** An item went out on its own. Without this a ceiling of one would be for ever: no group would show that it can go. */
  single(): void {
    if (this.#ceiling > 1 || ++this.#singles < RETRY_AFTER) return;
    this.#ceiling = Math.min(this.#maxItems, 2);
    this.#singles = 0;
  }

  /** A group of this many was refused. */
  tooLarge(items: number): void {
    this.#ceiling = Math.max(1, Math.min(this.#ceiling, items >> 1));
  }
}
