// What a query has found so far, of which no more is held than is wanted: in its order, with LIMIT and OFFSET.
import { ImmuError } from '../../../../errors.js';

/** Found beyond what is wanted, before it is sorted and the rest let go. */
const SPARE = 4096;

export interface Wanted {
  readonly limit: number | undefined;
  readonly offset: number;
  readonly maxRows: number;
}

export type Order<T> = (a: T, b: T) => number;

export class Matches<T> {
  readonly #wanted: Wanted;
  readonly #order: Order<T> | undefined;
  #found: T[] = [];

  /** Without an order: in that in which they are added. */
  constructor(wanted: Wanted, order: Order<T> | undefined) {
    this.#wanted = wanted;
    this.#order = order;
  }

  /** How many of the first ones are wanted. */
  get #first(): number {
    const { limit = Infinity, offset } = this.#wanted;
    return offset + limit;
  }

  /** Nothing that is still to come is in the result. */
  get isEnough(): boolean {
    return !this.#order && this.#found.length >= this.#first;
  }

  /** Throws ImmuError LIMIT_EXCEEDED. */
  add(match: T): void {
    if (this.isEnough) return;
    this.#found.push(match);
    const { maxRows, offset } = this.#wanted;
    const first = this.#first;
    if (first <= maxRows) {
      // The last of them in the order are not wanted.
      if (this.#found.length < first + SPARE) return;
      this.#sort();
      this.#found.length = first;
    } else if (this.#found.length - offset > maxRows)
      throw tooMany('the result', 'ask for fewer of them (LIMIT)', maxRows);
  }

  result(): T[] {
    this.#sort();
    return this.#found.slice(this.#wanted.offset, this.#first);
  }

  /** Those that are equal stay in the order in which they came. */
  #sort(): void {
    if (this.#order) this.#found.sort(this.#order);
  }
}

/** `instead`: what else can be done. */
export function tooMany(what: string, instead: string, maxRows: number): ImmuError {
  return new ImmuError(
    'LIMIT_EXCEEDED',
    `${what} has more than ${maxRows} rows: ${instead}, or raise maxRows`,
  );
}

/** One order after the other; undefined: there is none. */
export function oneAfterAnother<T>(orders: readonly Order<T>[]): Order<T> | undefined {
  if (orders.length === 0) return undefined;
  return (a, b) => {
    for (const order of orders) {
      const found = order(a, b);
      if (found !== 0) return found;
    }
    return 0;
  };
}
