// Follows a database in the background: the head goes along with the server's newest transaction, and every header on the
// way is proven and kept, so that reads find what they need.
import type { Root } from '../../../verify/verifier.js';

export interface FollowerOptions {
  readonly everyMs: number;
  readonly head: () => Root;
  /** Moves the head to the server's newest transaction. */
  readonly reach: () => Promise<void>;
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
    const { head, reach, prefetch } = this.#options;
    try {
      const from = head().tx;
      await reach();
      const to = head().tx;
      if (to - from > NEAR) await prefetch(from + 1n, to);
    } catch {
      // A refusal is in the log and told by `onFork` where it is a fork, callers meet it themselves, and trust is kept: the
      // server may be well again the next time. So may whatever else failed.
    }
    this.#sleep();
  }
}
