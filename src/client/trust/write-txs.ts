// Every write gets a tx of its own. A server that answers two equal writes in flight with one tx has written one of
// them only; nothing in the answers themselves would show it.
import { Chain } from '../chain.js';
import type { Link } from '../chain.js';

/** A write on its way, by the tx of the head it was sent under. */
export type WriteInFlight = Link<bigint>;

export class WriteTxs {
  readonly #claimed = new Set<bigint>();
  /** In the order they were sent: heads only grow, so the first is under the oldest head. */
  readonly #inFlight = new Chain<bigint>();

  begin(sinceTx: bigint): WriteInFlight {
    return this.#inFlight.add(sinceTx);
  }

  /** False when the tx was claimed by another write of ours. */
  claim(tx: bigint): boolean {
    if (this.#claimed.has(tx)) return false;
    this.#claimed.add(tx);
    return true;
  }

  /** Forgets what no write can be answered with any more: its tx must be newer than the head it was sent under. */
  end(write: WriteInFlight, headTx: bigint): void {
    this.#inFlight.delete(write);
    const floor = this.#inFlight.first ?? headTx;
    for (const tx of this.#claimed) if (tx <= floor) this.#claimed.delete(tx);
  }
}
