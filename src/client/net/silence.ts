// Whether a connection is still heard from. TCP does not say that the other end is gone, and gRPC's pings come minutes apart:
// who has waited in vain finds out before anything else is risked on it.

/** Calls wait for an answer this long, in milliseconds, and nothing was heard meanwhile: the server is asked for a sign of life. */
const DOUBT_MS = 1000;

export class Silence {
  #underWay = 0;
  /** When the first call was sent that nothing was heard since. */
  #since = Infinity;
  /** Somebody's time ended without a word. */
  #inVain = false;

  sent(at: number): void {
    this.#underWay += 1;
    if (this.#since === Infinity) this.#since = at;
  }

  /** Something came from the server. */
  heard(): void {
    this.#inVain = false;
    this.#since = this.#underWay > 0 ? performance.now() : Infinity;
  }

  /** A call that was sent at `sentAt` ended. `waitedInVain`: because its caller's time did, and nothing came of it. */
  ended(sentAt: number, waitedInVain: boolean): void {
    this.#underWay -= 1;
    if (waitedInVain && this.#since <= sentAt) this.#inVain = true;
    if (this.#underWay === 0 && !this.#inVain) this.#since = Infinity;
  }

  /** Nothing should be sent before a sign of life. */
  get doubtful(): boolean {
    return this.#inVain || performance.now() - this.#since > DOUBT_MS;
  }
}
