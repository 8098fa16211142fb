// Calls that wait for a group: each ends by itself at its own deadline or abort, whatever becomes of its group.
import { ClosedError } from '../../errors.js';
import { whenAborted } from './abort-listeners.js';
import { failing } from './caller-stack.js';
import { LinkedList } from './linked-list.js';
import type { Link } from './linked-list.js';
import type { Deadline } from './deadline.js';

export class WaitingCall<T> {
  readonly promise: Promise<T>;
  readonly deadline: Deadline;
  readonly #line: WaitingLine;
  readonly #place: Link<WaitingCall<unknown>>;
  #settled = false;
  #resolve!: (value: T | Promise<never>) => void;
  #stopListening: (() => void) | undefined;

  /** `weight`: bytes that it holds while it waits. A caller that has given up already is told so at once. */
  constructor(
    line: WaitingLine,
    deadline: Deadline,
    readonly weight: number,
  ) {
    this.#line = line;
    this.deadline = deadline;
    this.promise = new Promise<T>((resolve) => (this.#resolve = resolve));
    this.#place = line.enter(this as WaitingCall<unknown>);
    const { signal } = deadline;
    if (!signal) return;
    if (signal.aborted) this.reject(deadline.aborted('its turn: nothing was sent'));
    else this.#stopListening = whenAborted(signal, () => this.reject(deadline.aborted(line.what)));
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
    if (this.#end()) this.#resolve(failing(error));
  }

  #end(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#line.delete(this.#place);
    this.#stopListening?.();
    return true;
  }
}

/** Calls whose deadlines are less than this apart, in milliseconds, are looked through together. */
const SPAN_MS = 100;
/** Spans that may be empty before they are cleared away, beside one for every call that waits. */
const MAX_EMPTY = 1024;

/**
 * The calls that wait, with one timer for all of them: a timer per call would cost more than the rest of a grouped call. They
 * are kept by the time at which they end, so that a call's end costs the same however many others wait.
 */
export class WaitingLine {
  /** What they wait for, to complete the sentence of an error. */
  readonly what: string;
  readonly #spans = new Map<number, LinkedList<WaitingCall<unknown>>>();
  readonly #left: (weight: number) => void;
  /** The span that was used last: most calls come and go in it, and it need not be looked up. */
  #number = NaN;
  #span: LinkedList<WaitingCall<unknown>> | undefined;
  #size = 0;
  #timer: NodeJS.Timeout | undefined;
  #wakesAt = Infinity;

  /** `left` is told whenever a call ends. */
  constructor(what: string, left: (weight: number) => void) {
    this.what = what;
    this.#left = left;
  }

  get size(): number {
    return this.#size;
  }

  add<T>(deadline: Deadline, weight: number): WaitingCall<T> {
    const call = new WaitingCall<T>(this, deadline, weight);
    if (deadline.endsAt < this.#wakesAt && !call.settled) this.#wakeAt(deadline.endsAt);
    return call;
  }

  /** For a call that begins to wait. */
  enter(call: WaitingCall<unknown>): Link<WaitingCall<unknown>> {
    const number = spanOf(call);
    let span = this.#find(number);
    if (!span) {
      if (this.#spans.size > this.#size + MAX_EMPTY) this.#clearEmpty();
      this.#spans.set(number, (span = new LinkedList()));
    }
    this.#size += 1;
    return span.add(call);
  }

  /** For a call that ends, which it does once. */
  delete(place: Link<WaitingCall<unknown>>): void {
    this.#find(spanOf(place.value))?.delete(place);
    this.#size -= 1;
    if (this.#size === 0) this.#sleep();
    this.#left(place.value.weight);
  }

  /** Whoever waits is refused with ClosedError. */
  close(what: string): void {
    for (const span of [...this.#spans.values()]) for (const call of span) call.reject(new ClosedError(what));
  }

  #find(number: number): LinkedList<WaitingCall<unknown>> | undefined {
    if (number !== this.#number) {
      this.#span = this.#spans.get(number);
      this.#number = this.#span ? number : NaN;
    }
    return this.#span;
  }

  #forget(number: number): void {
    this.#spans.delete(number);
    if (number === this.#number) this.#number = NaN;
  }

  #wakeAt(at: number): void {
    clearTimeout(this.#timer);
    this.#wakesAt = at;
    this.#timer = setTimeout(() => this.#endOverdue(), Math.max(1, Math.ceil(at - performance.now())));
  }

  #sleep(): void {
    clearTimeout(this.#timer);
    this.#wakesAt = Infinity;
    // Whoever calls one by one is in the same span most of the time.
    if (this.#spans.size <= 1) return;
    this.#spans.clear();
    this.#number = NaN;
  }

  #endOverdue(): void {
    this.#wakesAt = Infinity;
    const now = performance.now();
    const present = Math.floor(now / SPAN_MS);
    let first = Infinity;
    for (const [number, span] of [...this.#spans]) {
      if (number <= present) this.#endOf(span, now);
      if (span.size === 0) this.#forget(number);
      else first = Math.min(first, number);
    }
    const next = this.#spans.get(first);
    if (next) this.#wakeAt(earliest(next));
  }

  #endOf(span: LinkedList<WaitingCall<unknown>>, now: number): void {
    for (const call of span) {
      if (call.deadline.endsAt <= now) call.reject(call.deadline.passed(this.what));
    }
  }

  #clearEmpty(): void {
    for (const [number, { size }] of this.#spans) if (size === 0) this.#forget(number);
  }
}

function spanOf({ deadline }: WaitingCall<unknown>): number {
  return Math.floor(deadline.endsAt / SPAN_MS);
}

function earliest(span: LinkedList<WaitingCall<unknown>>): number {
  let earliest = Infinity;
  for (const { deadline } of span) earliest = Math.min(earliest, deadline.endsAt);
  return earliest;
}
