// Who waits for a transaction to have been followed.

interface Waiter {
  /** Undefined: the server's newest when it is asked next. */
  tx: bigint | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Those who wait for where the server is, and are told by the question that is asked now. */
export type Asking = readonly Waiter[];

export class TxWaiters {
  readonly #waiting = new Set<Waiter>();

  get any(): boolean {
    return this.#waiting.size > 0;
  }

  /** Somebody waits for the server's newest, and it was not asked since. */
  get asks(): boolean {
    for (const { tx } of this.#waiting) if (tx === undefined) return true;
    return false;
  }

  /** Somebody waits for a transaction behind `tx`. */
  beyond(tx: bigint): boolean {
    for (const waiter of this.#waiting) if (waiter.tx !== undefined && waiter.tx > tx) return true;
    return false;
  }

  wait(tx: bigint | undefined): Promise<void> {
    const waiting = new Promise<void>((resolve, reject) => {
      this.#waiting.add({ tx, resolve, reject });
    });
    // Its caller may have given up.
    waiting.catch(() => undefined);
    return waiting;
  }

  /** The server is asked now, for those who wait for its newest. */
  begin(): Asking {
    return [...this.#waiting].filter(({ tx }) => tx === undefined);
  }

  /** The server was at `tx`. */
  settle(asking: Asking, tx: bigint): void {
    for (const waiter of asking) waiter.tx = tx;
  }

  /** All up to `tx` was followed. True when somebody waited for it. */
  reached(tx: bigint): boolean {
    if (this.#waiting.size === 0) return false;
    let isAny = false;
    for (const waiter of this.#waiting) {
      if (waiter.tx === undefined || waiter.tx > tx) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
      isAny = true;
    }
    return isAny;
  }

  reject(error: Error): void {
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting.clear();
  }
}
