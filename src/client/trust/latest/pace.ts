// How often new transactions are looked for: often while they come, seldom while they do not.

/** After a transaction was found the next may be near. */
const LEAST_MS = 5;
const SLOWER = 1.5;
const FIRST_FAILURE_MS = 100;
const MOST_FAILURE_MS = 5000;
/** What is refused is recorded each time. */
const MOST_REFUSED_MS = 60_000;

export class Pace {
  readonly #mostMs: number;
  #ms: number;
  #failureMs = FIRST_FAILURE_MS;

  /** `mostMs`: while nothing comes. */
  constructor(mostMs: number) {
    this.#mostMs = mostMs;
    this.#ms = Math.min(LEAST_MS, mostMs);
  }

  /** Somebody waits for what is to come. */
  hurry(): void {
    this.#ms = Math.min(LEAST_MS, this.#mostMs);
  }

  /** The pause after a look, in milliseconds; `found`: something new was there. */
  after(found: boolean): number {
    this.#failureMs = FIRST_FAILURE_MS;
    if (found) this.hurry();
    const pause = this.#ms;
    this.#ms = Math.min(this.#mostMs, this.#ms * SLOWER);
    return pause;
  }

  /** The pause after a look that failed. `isTransient`: for a reason that passes. */
  afterFailure(isTransient: boolean): number {
    const pause = Math.min(this.#failureMs, isTransient ? MOST_FAILURE_MS : MOST_REFUSED_MS);
    this.#failureMs = 2 * pause;
    return pause;
  }
}
