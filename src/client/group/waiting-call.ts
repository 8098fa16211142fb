// Calls that wait for a group: each ends by itself at its own deadline or abort, whatever becomes of its group.
import { ClosedError } from '../../errors.js';
import { Chain } from '../chain.js';
import type { Link } from '../chain.js';
import type { Deadline } from '../deadline.js';

export class WaitingCall<T> {
  readonly promise: Promise<T>;
  readonly deadline: Deadline;
  readonly #line: WaitingLine;
  readonly #place: Link<WaitingCall<unknown>>;
  #settled = false;
  #resolve!: (value: T) => void;
  #reject!: (error: unknown) => void;
  #onAbort: (() => void) | undefined;

  /** `weight`: bytes that it holds while it waits. */
  constructor(
    line: WaitingLine,
    deadline: Deadline,
    readonly weight: number,
  ) {
    this.#line = line;
    this.deadline = deadline;
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#place = line.enter(this as WaitingCall<unknown>);
    const { signal } = deadline;
    if (!signal) return;
    this.#onAbort = () => this.reject(deadline.aborted(line.what));
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Somebody else ended it: its outcome, whatever it is, interests nobody any more. */
  get settled(): boolean {
    return this.#settled;
  }

  /** Ends as `work` does. */
  follow(work: Promise<T>): void {
    work.then(
      (value) => this.resolve(value),
      (error: unknown) => this.reject(error),
    );
  }

  resolve(value: T): void {
    if (this.#end()) this.#resolve(value);
  }

  reject(error: unknown): void {
    if (this.#end()) this.#reject(error);
  }

  #end(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#line.delete(this.#place);
    if (this.#onAbort) this.deadline.signal?.removeEventListener('abort', this.#onAbort);
    return true;
  }
}

/**
 * The calls that wait, with one timer for all of them: a timer per call would cost more than the rest of a grouped call.
 */
export class WaitingLine {
  /** What they wait for, to complete the sentence of an error. */
  readonly what: string;
  readonly #calls = new Chain<WaitingCall<unknown>>();
  readonly #left: (weight: number) => void;
  #timer: NodeJS.Timeout | undefined;
  #wakesAt = Infinity;

  /** `left` is told whenever a call ends. */
  constructor(what: string, left: (weight: number) => void) {
    this.what = what;
    this.#left = left;
  }

  get size(): number {
    return this.#calls.size;
  }

  add<T>(deadline: Deadline, weight: number): WaitingCall<T> {
    const call = new WaitingCall<T>(this, deadline, weight);
    if (deadline.endsAt < this.#wakesAt) this.#wakeAt(deadline.endsAt);
    return call;
  }

  /** For a call that begins to wait. */
  enter(call: WaitingCall<unknown>): Link<WaitingCall<unknown>> {
    return this.#calls.add(call);
  }

  /** For a call that ends, which it does once. */
  delete(place: Link<WaitingCall<unknown>>): void {
    this.#calls.delete(place);
    if (this.#calls.size === 0) this.#sleep();
    this.#left(place.value.weight);
  }

  /** Whoever waits is refused with ClosedError. */
  close(what: string): void {
    for (const call of this.#calls) call.reject(new ClosedError(what));
  }

  #wakeAt(at: number): void {
    clearTimeout(this.#timer);
    this.#wakesAt = at;
    this.#timer = setTimeout(() => this.#endOverdue(), Math.max(1, Math.ceil(at - performance.now())));
  }

  #sleep(): void {
    clearTimeout(this.#timer);
    this.#wakesAt = Infinity;
  }

  #endOverdue(): void {
    this.#wakesAt = Infinity;
    const now = performance.now();
    let next = Infinity;
    for (const call of this.#calls) {
      const { endsAt } = call.deadline;
      if (endsAt <= now) call.reject(call.deadline.passed(this.what));
      else next = Math.min(next, endsAt);
    }
    if (next < Infinity) this.#wakeAt(next);
  }
}
