// How often a call is sent again, as a client is told.
import { knownNames, whole, wrongType } from '../input/option-checks.js';

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
