// The one retry policy: how often a call is sent, and how long is waited in between. Only sessions send again; whoever
// calls them does not, or the sends would multiply.
import type { RetryPolicy } from '../options/retry-options.js';

/** What is left of one call's sends. */
export class Retries {
  readonly #policy: RetryPolicy;
  readonly #random: () => number;
  #sent = 1;

  constructor(policy: RetryPolicy, random = Math.random) {
    this.#policy = policy;
    this.#random = random;
  }

  /**
   * How long to wait before the next send, in milliseconds; undefined when there is none. Counts it. No pause takes more than
   * half of what is `left`: the last sends come before the caller's time is up, however long the pauses have become.
   */
  next(left: number): number | undefined {
    const { attempts, firstPauseMs, maxPauseMs } = this.#policy;
    if (this.#sent >= attempts) return undefined;
    const longest = Math.min(maxPauseMs, firstPauseMs * 2 ** (this.#sent - 1), Math.max(0, left / 2));
    this.#sent += 1;
    return this.#random() * longest;
  }
}
