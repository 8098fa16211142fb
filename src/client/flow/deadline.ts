// One deadline for a call that takes several steps: every RPC gets what is left of it, every wait ends with it.
import { TransportError } from '../../errors.js';
import { whenAborted } from './abort-listeners.js';
import type { CallOptions } from '../input/call-options.js';
import type { WatchedCall } from '../watch/call-place.js';

/** Where the options of an RPC keep the deadline that they are of: every layer goes by the one that the call began with. */
const OF = Symbol('deadline');

export class Deadline {
  /** On the clock of `performance.now()`. */
  readonly startedAt: number;
  readonly endsAt: number;
  readonly signal: AbortSignal | undefined;
  /** The call that it is of, while somebody watches it. */
  watched: WatchedCall | undefined;
  readonly #timeoutMs: number;

  constructor(options: CallOptions, defaultTimeoutMs: number) {
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    this.startedAt = performance.now();
    this.endsAt = this.startedAt + this.#timeoutMs;
    this.signal = options.signal;
    this.watched = undefined;
  }

  /** The deadline that these options are of; of a call that begins with them, a new one. */
  static of(options: CallOptions, defaultTimeoutMs: number): Deadline {
    return (options as { readonly [OF]?: Deadline })[OF] ?? new Deadline(options, defaultTimeoutMs);
  }

  /** Options for the next RPC of this call: the same deadline, and for whoever knows none, what is left of it (at least 1 ms). */
  get left(): CallOptions & { readonly timeoutMs: number } {
    const timeoutMs = Math.max(1, Math.ceil(this.endsAt - performance.now()));
    const { signal } = this;
    const left = signal ? { timeoutMs, signal, [OF]: this } : { timeoutMs, [OF]: this };
    return left;
  }

  /** The same end for work that a caller's abort does not stop. */
  get withoutSignal(): Deadline {
    return this.signal ? new Deadline({}, Math.max(1, this.endsAt - performance.now())) : this;
  }

  /** The error for a caller whose time ended; `waitingFor` completes the sentence. */
  passed(waitingFor: string): TransportError {
    const message = `deadline of ${this.#timeoutMs} ms passed while waiting for ${waitingFor}`;
    return withoutStack(() => new TransportError('DEADLINE_EXCEEDED', message));
  }

  /** The error for a caller that gave up. */
  aborted(waitingFor: string): TransportError {
    const message = `aborted by the caller while waiting for ${waitingFor}`;
    return withoutStack(() => new TransportError('ABORTED', message, { cause: this.signal?.reason }));
  }

  /**
   * Waits for `work`, which goes on for others, no longer than this caller is willing to.
   * Rejects with DEADLINE_EXCEEDED or ABORTED; `waitingFor` completes the sentence.
   */
  async race<T>(work: Promise<T>, waitingFor: string): Promise<T> {
    const { signal } = this;
    let giveUp: ((error: TransportError) => void) | undefined;
    const givenUp = new Promise<never>((_, reject) => (giveUp = reject));
    const leftMs = Math.max(0, this.endsAt - performance.now());
    const timer = setTimeout(() => giveUp?.(this.passed(waitingFor)), leftMs);
    const onAbort = () => giveUp?.(this.aborted(waitingFor));
    if (signal?.aborted) onAbort();
    const takeBack = signal && !signal.aborted ? whenAborted(signal, onAbort) : undefined;
    try {
      return await Promise.race([work, givenUp]);
    } finally {
      clearTimeout(timer);
      takeBack?.();
    }
  }
}

/** The stack of a timer shows nothing, and takes long where thousands of calls end together: it gets the caller's later. */
function withoutStack(make: () => TransportError): TransportError {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
