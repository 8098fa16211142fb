// One deadline for a call that takes several steps: every RPC gets what is left of it, every wait ends with it.
import { TransportError } from '../errors.js';
import type { CallOptions } from './options.js';

export class Deadline {
  readonly #endsAt: number;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal | undefined;

  constructor(options: CallOptions, defaultTimeoutMs: number) {
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    this.#endsAt = performance.now() + this.#timeoutMs;
    this.#signal = options.signal;
  }

  /** Options for the next RPC of this call: the same signal and the time that is left (at least 1 ms). */
  get left(): CallOptions {
    const timeoutMs = Math.max(1, Math.ceil(this.#endsAt - performance.now()));
    return this.#signal ? { timeoutMs, signal: this.#signal } : { timeoutMs };
  }

  /**
   * Waits for `work`, which goes on for others, no longer than this caller is willing to.
   * Rejects with DEADLINE_EXCEEDED or ABORTED; `waitingFor` completes the sentence.
   */
  async race<T>(work: Promise<T>, waitingFor: string): Promise<T> {
    const signal = this.#signal;
    let giveUp: ((error: TransportError) => void) | undefined;
    const givenUp = new Promise<never>((_, reject) => (giveUp = reject));
    const timer = setTimeout(
      () =>
        giveUp?.(
          new TransportError(
            'DEADLINE_EXCEEDED',
            `deadline of ${this.#timeoutMs} ms passed while waiting for ${waitingFor}`,
          ),
        ),
      Math.max(0, this.#endsAt - performance.now()),
    );
    const onAbort = () =>
      giveUp?.(
        new TransportError('ABORTED', `aborted by the caller while waiting for ${waitingFor}`, {
          cause: signal?.reason,
        }),
      );
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([work, givenUp]);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }
}
