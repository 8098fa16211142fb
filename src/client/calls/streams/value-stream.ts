// A value on its way to its reader: in pieces, no faster than they are taken, and given up at once when the reader leaves.

/** Bytes of a value, in their order; once. Leaving early (`break`, `return()`, `await using`) ends the call. */
export interface ValuePieces<T = Uint8Array> extends AsyncIterableIterator<T>, AsyncDisposable {}

export class ValueStream<T = Uint8Array> implements ValuePieces<T> {
  /** The reader has had all of it, or has left, or was told what went wrong. Never rejects. */
  readonly ended: Promise<void>;
  readonly #pieces: AsyncGenerator<T, void, undefined>;
  readonly #onLeft: () => void;
  #settle: () => void = () => undefined;
  #state: 'open' | 'left' | 'done' = 'open';

  /** `onLeft`: told when the reader leaves before the end. */
  constructor(pieces: AsyncGenerator<T, void, undefined>, onLeft: () => void = () => undefined) {
    this.#pieces = pieces;
    this.#onLeft = onLeft;
    this.ended = new Promise((resolve) => (this.#settle = resolve));
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    if (this.#hasLeft()) return END;
    try {
      const { value, done } = await this.#pieces.next();
      if (done !== true) return this.#hasLeft() ? END : { value, done: false };
      this.#end();
      return END;
    } catch (error) {
      // What a read is told that was under way when its reader left is no news.
      if (this.#hasLeft()) return END;
      this.#end();
      throw error;
    }
  }

  return(): Promise<IteratorResult<T, undefined>> {
    if (this.#state === 'open') {
      this.#state = 'left';
      this.#onLeft();
      this.#settle();
      // After a read that is under way, which ends with the call.
      this.#pieces.return().catch(() => undefined);
    }
    return Promise.resolve(END);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** A read that is under way may find so. */
  #hasLeft(): boolean {
    return this.#state === 'left';
  }

  #end(): void {
    this.#state = 'done';
    this.#settle();
  }
}

const END: IteratorResult<never, undefined> = Object.freeze({ value: undefined, done: true });
