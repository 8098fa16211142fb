// The one retry policy: how often a call is sent, and how long is waited in between. Only sessions send again; whoever
// calls them does not, or the sends would multiply.
import { knownNames, whole, wrongType } from './option-checks.js';

/** How often a call goes out that may be sent again, and the pauses in between. */
export interface RetryOptions {
  /** Sends of one call in all; 1 = never again. @default 8 */
  readonly attempts?: number;
  /**
   * The first pause is of up to so many milliseconds, each later one of up to twice the one before: how long exactly is
   * left to chance, so that clients that failed together do not come back together. @default 100
   */
  readonly firstPauseMs?: number;
  /** No pause is longer, in milliseconds. @default 2 000 */
  readonly maxPauseMs?: number;
}

export type RetryPolicy = Required<RetryOptions>;

/** Three and a half seconds of pauses on average, which is more than an immudb takes to restart. */
const RETRY: RetryPolicy = { attempts: 8, firstPauseMs: 100, maxPauseMs: 2000 };

const NO_RETRY: RetryPolicy = { attempts: 1, firstPauseMs: 1, maxPauseMs: 1 };
const MAX_PAUSE_MS = 0x7fff_ffff;

/** Throws ArgumentError that names the field. */
export function resolveRetry(given: RetryOptions | false | undefined): RetryPolicy {
  if (given === undefined) return RETRY;
  if (given === false) return NO_RETRY;
  if (typeof given !== 'object' || (given as RetryOptions | null) === null || Array.isArray(given)) {
    wrongType('retry', 'an object or false', given);
  }
  knownNames('retry', given, Object.keys(RETRY));
  const {
    attempts = RETRY.attempts,
    firstPauseMs = RETRY.firstPauseMs,
    maxPauseMs = RETRY.maxPauseMs,
  } = given;
  return {
    attempts: whole('retry.attempts', attempts, 1, 1000),
    firstPauseMs: whole('retry.firstPauseMs', firstPauseMs, 1, MAX_PAUSE_MS),
    maxPauseMs: whole('retry.maxPauseMs', maxPauseMs, 1, MAX_PAUSE_MS),
  };
}

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
