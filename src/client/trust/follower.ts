// Follows a database in the background: the head goes along with the server's newest transaction, and every header on the
// way is proven and kept, so that reads find what they need.
import { VerificationError } from '../../errors.js';
import type { Root } from '../../worker/verifier.js';

export interface FollowerOptions {
  readonly everyMs: number;
  readonly head: () => Root;
  /** The server's newest tx, by its word. Rejects with a VerificationError when that is behind the head. */
  readonly newest: () => Promise<bigint>;
  readonly reach: (tx: bigint) => Promise<void>;
  /** Proves and keeps the headers `from` to `to`. */
  readonly prefetch: (from: bigint, to: bigint) => Promise<unknown>;
}

/** Up to here a move brings all its headers along. */
const NEAR = 1000n;

export class Follower {
  readonly #options: FollowerOptions;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#sleep();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #sleep(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#step(), this.#options.everyMs);
    this.#timer.unref();
  }

  async #step(): Promise<void> {
    const { head, newest, reach, prefetch } = this.#options;
    try {
      const from = head().tx;
      const to = await newest();
      if (to > from) {
        await reach(to);
        if (to - from > NEAR) await prefetch(from + 1n, to);
      }
    } catch (error) {
      // A lie is recorded by now, and callers meet it themselves; what else failed may go well the next time.
      if (error instanceof VerificationError) this.close();
    }
    this.#sleep();
  }
}
