// What comes and goes by the thousand, in the order it came. A Map or Set that is always added to and deleted from makes
// itself a new table now and then, and the old one goes on pointing to the new: once one of them has grown old, the garbage
// collector keeps what hangs on it until it next looks at everything (measured: a third of what calls left behind).

/** A place in a chain: what takes its value out again. Its neighbours are the chain's business. */
export class Link<T> {
  before: Link<T> | undefined;
  after: Link<T> | undefined;
  isIn = true;

  constructor(readonly value: T) {}
}

export class LinkedList<T> implements Iterable<T> {
  #first: Link<T> | undefined;
  #last: Link<T> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): T | undefined {
    return this.#first?.value;
  }

  get last(): T | undefined {
    return this.#last?.value;
  }

  add(value: T): Link<T> {
    const link = new Link(value);
    link.before = this.#last;
    if (this.#last) this.#last.after = link;
    else this.#first = link;
    this.#last = link;
    this.#size += 1;
    return link;
  }

  /** Takes the oldest out. */
  shift(): T | undefined {
    const first = this.#first;
    if (first) this.delete(first);
    return first?.value;
  }

  /** False when it was out already. Requires a link of this chain. */
  delete(link: Link<T>): boolean {
    if (!link.isIn) return false;
    const { before, after } = link;
    if (before) before.after = after;
    else this.#first = after;
    if (after) after.before = before;
    else this.#last = before;
    // What is out must not keep its neighbours.
    link.before = link.after = undefined;
    link.isIn = false;
    this.#size -= 1;
    return true;
  }

  /** Those that are in now, whatever comes or goes meanwhile. */
  [Symbol.iterator](): Iterator<T> {
    const values: T[] = [];
    for (let link = this.#first; link; link = link.after) values.push(link.value);
    return values.values();
  }
}
