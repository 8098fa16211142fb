// Spreads calls over turns of the event loop. Answers leave at the end of a turn: if all calls that came in together were
// answered in one turn, the client would wait for all of them and then work while we wait for it. A few at a time, both
// work at once, as they do with a server that has threads.

/** Fewer leave sooner, more cost fewer turns. With 24 reads in flight 4 gave the highest rate of 1, 2, 4 and 8 (measured). */
const CALLS_PER_TURN = 4;

export class Turns {
  #waiting: (() => void)[] = [];
  #taken = 0;
  #turning = false;

  /** Does the work now, or in one of the next turns; in the order it came. */
  take(work: () => void): void {
    if (this.#waiting.length === 0 && this.#taken < CALLS_PER_TURN) this.#do(work);
    else this.#waiting.push(work);
    this.#turn();
  }

  #do(work: () => void): void {
    this.#taken += 1;
    work();
  }

  #turn(): void {
    if (this.#turning) return;
    this.#turning = true;
    setImmediate(() => {
      this.#turning = false;
      this.#taken = 0;
      const now = this.#waiting;
      this.#waiting = now.splice(CALLS_PER_TURN);
      for (const work of now) this.#do(work);
      if (this.#taken > 0) this.#turn();
    });
  }
}
