// Closing a client step by step: no step keeps the next ones from being taken, all of them together end in time, and what
// went wrong is told without being thrown.
import { setTimeout as delay } from 'node:timers/promises';
import { ClosedError, TransportError } from '../../errors.js';

/** So long a step may take even when the time is over: it may have nothing to wait for. */
const GRACE_MS = 200;

export class Closing {
  /** What could not be done any more. */
  readonly failures: Error[] = [];
  readonly #timeoutMs: number;
  readonly #until: number;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#until = performance.now() + timeoutMs;
  }

  /** Takes a step, and waits for its end while there is time. Never rejects. `what` is waited for, in words. */
  async step(what: string, work: () => Promise<unknown>): Promise<void> {
    const over = new AbortController();
    const timeUp = delay(Math.max(GRACE_MS, this.#until - performance.now()), true, {
      signal: over.signal,
    }).catch(() => false);
    try {
      const late = await Promise.race([work().then(() => false), timeUp]);
      if (late) {
        const words = `the client was closed without waiting longer than ${this.#timeoutMs} ms for ${what}`;
        this.failures.push(new TransportError('DEADLINE_EXCEEDED', words));
      }
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      // It is being closed: that is no news.
      if (!(error instanceof ClosedError)) this.failures.push(error);
    } finally {
      over.abort();
    }
  }
}
