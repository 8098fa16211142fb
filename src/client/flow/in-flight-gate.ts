// Bounds how many calls are under way at once: the others wait in line, each no longer than its deadline.
import { ClosedError } from '../../errors.js';
import { LinkedList } from './linked-list.js';
import type { Deadline } from './deadline.js';

interface Waiting {
  readonly enter: () => void;
  readonly refuse: (error: ClosedError) => void;
}

export class InFlightGate {
  readonly #limit: number;
  readonly #what: string;
  readonly #line = new LinkedList<Waiting>();
  #inside = 0;
  #closed = false;

  /** `what` is closed when the gate is. */
  constructor(limit: number, what: string) {
    this.#limit = limit;
    this.#what = what;
  }

  /** Resolves when there is room; then `leave` must be called exactly once. First come, first served. */
  async enter(deadline: Deadline, waitingFor: string): Promise<void> {
    if (this.#closed) throw new ClosedError(this.#what);
    if (this.#inside < this.#limit) {
      this.#inside += 1;
      return;
    }
    const { promise, waiting } = newcomer();
    const place = this.#line.add(waiting);
    try {
      await deadline.race(promise, waitingFor);
    } catch (error) {
      // Admitted and given up in the same turn: the place goes to the next in line.
      if (!this.#line.delete(place) && !refused(error)) this.leave();
      throw error;
    }
  }

  leave(): void {
    const next = this.#line.shift();
    // The next one takes the place over.
    if (next) next.enter();
    else this.#inside -= 1;
  }

  /** Whoever waits is refused with ClosedError. */
  close(): void {
    this.#closed = true;
    for (let next = this.#line.shift(); next; next = this.#line.shift())
      next.refuse(new ClosedError(this.#what));
  }
}

function newcomer(): { promise: Promise<void>; waiting: Waiting } {
  let waiting: Waiting = { enter: () => undefined, refuse: () => undefined };
  const promise = new Promise<void>((enter, refuse) => (waiting = { enter, refuse }));
  return { promise, waiting };
}

function refused(error: unknown): boolean {
  return error instanceof ClosedError;
}
