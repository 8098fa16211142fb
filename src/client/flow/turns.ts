// Keeps the order in which writes were called for those that have to wait before they come into a group: for room in the
// client, for the first root, for the server to show where it stands. Whoever waits less must not overtake them.
import { LinkedList } from './linked-list.js';
import type { Link } from './linked-list.js';

/** One write's place in the order, from its call on. */
export class Turn {
  readonly #turns: Turns;
  readonly #place: Link<Turn>;
  #begin: (() => void) | undefined;

  constructor(turns: Turns, line: LinkedList<Turn>) {
    this.#turns = turns;
    this.#place = line.add(this);
  }

  get begin(): (() => void) | undefined {
    return this.#begin;
  }

  /** Runs `begin`, which must not throw, once all who came before have begun or left: at once when there are none. */
  take(begin: () => void): void {
    this.#begin = begin;
    this.#turns.advance();
  }

  /** The call that `start` makes has this turn: to take it, or to leave it as it ends. */
  of<T>(start: () => Promise<T>): Promise<T> {
    try {
      const call = start();
      return this.#begin ? call : call.catch((error: unknown) => this.#leave(error));
    } catch (error) {
      return this.#leave(error);
    }
  }

  #leave(error: unknown): never {
    if (!this.#begin) this.#turns.leave(this.#place);
    throw error;
  }
}

export class Turns {
  readonly #line = new LinkedList<Turn>();

  /** The one that was entered last, of those that have not begun. */
  get last(): Turn | undefined {
    return this.#line.last;
  }

  enter(): Turn {
    return new Turn(this, this.#line);
  }

  leave(place: Link<Turn>): void {
    this.#line.delete(place);
    this.advance();
  }

  advance(): void {
    for (let begin = this.#line.first?.begin; begin; begin = this.#line.first?.begin) {
      this.#line.shift();
      begin();
    }
  }
}
