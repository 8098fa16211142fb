// Jobs that wait for a thread: small ones before bulky ones, which they would wait behind for many times as long as they
// take themselves. Bulky ones are not forgotten: after some messages of small ones it is their turn. Urgent ones, which are
// few, go before all others.

/** From here on a job is bulky: it keeps a thread busy for a millisecond or more. */
const BULKY_BYTES = 64 * 1024;
/** Messages of small jobs that may go before a bulky one that waits. */
const MAX_BEFORE_BULKY = 4;

export class JobLine<T extends { readonly size: number; readonly urgent?: boolean }> {
  #urgent: T[] = [];
  #small: T[] = [];
  #bulky: T[] = [];
  #bytes = 0;
  #before = 0;

  get length(): number {
    return this.#urgent.length + this.#small.length + this.#bulky.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(job: T): void {
    if (job.urgent === true) this.#urgent.push(job);
    else (job.size < BULKY_BYTES ? this.#small : this.#bulky).push(job);
    this.#bytes += job.size;
  }

  /** Jobs of one kind, oldest first, that have no more than `bytes` together; at least one. Requires that there are any. */
  take(bytes: number): T[] {
    const line = this.#urgent.length > 0 ? this.#urgent : this.#smallOrBulky();
    let taken = (line[0] as T).size;
    let count = 1;
    for (; count < line.length && taken + (line[count] as T).size <= bytes; count++)
      taken += (line[count] as T).size;
    this.#bytes -= taken;
    return line.splice(0, count);
  }

  #smallOrBulky(): T[] {
    const waits = this.#bulky.length > 0;
    const small = this.#small.length > 0 && !(waits && this.#before >= MAX_BEFORE_BULKY);
    this.#before = small && waits ? this.#before + 1 : 0;
    return small ? this.#small : this.#bulky;
  }

  /** Takes those that `chosen` says; the others keep their places. */
  remove(chosen: (job: T) => boolean): T[] {
    const all = this.takeAll();
    for (const job of all) if (!chosen(job)) this.push(job);
    return all.filter(chosen);
  }

  takeAll(): T[] {
    const all = [...this.#urgent, ...this.#small, ...this.#bulky];
    this.#urgent = [];
    this.#small = [];
    this.#bulky = [];
    this.#bytes = 0;
    return all;
  }
}
