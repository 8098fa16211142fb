// Bounds what a client holds: calls that wait, and the bytes of their keys and values. Full means waiting or a typed
// error, never unbounded memory.
import { PoolError } from '../../errors.js';
import type { Deadline } from './deadline.js';
import { WaitingLine } from './waiting-call.js';
import type { WaitingCall } from './waiting-call.js';

export interface AdmissionOptions {
  readonly maxQueuedCalls: number;
  readonly maxQueuedBytes: number;
  readonly overload: 'wait' | 'fail';
}

/**
 * Calls after which `ready` gives the event loop a turn. Who awaits it before each call would else fill the line before the
 * first group is on its way (measured, 20 000 writes: a quarter of the time), and keep everything else waiting.
 */
const CALLS_A_TURN = 1024;

/** Calls that have left the line and are not cleared away yet, beside one for every call in it. */
const MAX_GONE = 64;

const WAITING_FOR = 'room, after too many calls in line';

export class Admission {
  readonly #options: AdmissionOptions;
  /** Whoever waits for room, in order; what they wait with is not counted yet. */
  readonly #newcomers = new WaitingLine(WAITING_FOR, () => this.#tidy());
  /** In the order they came, from `#next` on; some have given up. */
  #line: WaitingCall<undefined>[] = [];
  #next = 0;
  #ready: (() => void)[] = [];
  #calls = 0;
  #bytes = 0;
  #sinceTurn = 0;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  get calls(): number {
    return this.#calls;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get load(): { readonly calls: number; readonly bytes: number; readonly waiting: number } {
    return { calls: this.#calls, bytes: this.#bytes, waiting: this.#newcomers.size };
  }

  get isFull(): boolean {
    return this.#isFull || this.#newcomers.size > 0;
  }

  get #isFull(): boolean {
    return this.#calls >= this.#options.maxQueuedCalls || this.#bytes >= this.#options.maxQueuedBytes;
  }

  /**
   * Lets a call in: at once (undefined), or when there is room. Then `leave` must be called exactly once.
   *
   * @throws PoolError QUEUE_FULL
   */
  enter(bytes: number, deadline: Deadline): Promise<void> | undefined {
    if (!this.isFull) {
      this.#take(bytes);
      return undefined;
    }
    const { overload, maxQueuedCalls } = this.#options;
    if (overload === 'fail' || this.#newcomers.size >= maxQueuedCalls) {
      throw new PoolError(
        'QUEUE_FULL',
        `${this.#calls} calls (${this.#bytes} bytes) wait in this client: wait for ready()`,
      );
    }
    const call = this.#newcomers.add<undefined>(deadline, bytes);
    if (!call.settled) this.#line.push(call);
    return call.promise;
  }

  /** A call that was let in has become more, as so many calls would be: it gives them back when it leaves. */
  grow(calls: number, bytes: number): void {
    this.#calls += calls;
    this.#bytes += bytes;
  }

  leave(bytes: number, calls = 1): void {
    this.#calls -= calls;
    this.#bytes -= bytes;
    while (this.#newcomers.size > 0 && !this.#isFull) {
      const next = this.#line[this.#next++] as WaitingCall<undefined>;
      if (next.settled) continue;
      this.#take(next.weight);
      next.resolve(undefined);
    }
    if (this.#ready.length > 0 && this.#hasRoom) for (const tell of this.#ready.splice(0)) tell();
  }

  /** One who waited for room has got it, or has given up: those who have do not stay in line. */
  #tidy(): void {
    const waiting = this.#newcomers.size;
    if (this.#line.length < 2 * waiting + MAX_GONE) return;
    this.#line = this.#line.slice(this.#next).filter(({ settled }) => !settled);
    this.#next = 0;
  }

  /** Half of what is allowed is free: told at the first free place, callers would stop and go one by one. */
  get #hasRoom(): boolean {
    const { maxQueuedCalls, maxQueuedBytes } = this.#options;
    return this.#calls <= maxQueuedCalls / 2 && this.#bytes <= maxQueuedBytes / 2;
  }

  /** Resolves when a further call would be let in at once; now and then not before what is under way has had a turn. */
  ready(): Promise<void> {
    if (this.isFull) return new Promise((resolve) => this.#ready.push(resolve));
    return this.#sinceTurn < CALLS_A_TURN ? Promise.resolve() : this.#turn();
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#sinceTurn = 0;
        resolve();
      });
    });
  }

  /** Whoever waits for room is refused with ClosedError. */
  close(what: string): void {
    this.#newcomers.close(what);
    for (const tell of this.#ready.splice(0)) tell();
  }

  #take(bytes: number): void {
    this.#calls += 1;
    this.#bytes += bytes;
    this.#sinceTurn += 1;
  }
}
