// Every write gets a tx of its own, whatever its kind. A server that answers two equal writes with one tx has written one of
// them only; nothing in the answers themselves would show it.
import { LinkedList } from '../flow/linked-list.js';
import type { Link } from '../flow/linked-list.js';

/** A write on its way, by the tx of the head it was sent under. */
export interface WriteInFlight {
  readonly line: LinkedList<bigint>;
  readonly place: Link<bigint>;
}

/** Txs that are remembered one by one: more come together only where plain writes are made and nothing is proven. */
const MAX_CLAIMED = 65_536;

export class ReservedTxs {
  readonly #connection: () => number;
  /** Of verified writes. */
  readonly #claimed = new Set<bigint>();
  /**
   * Of plain writes, with the connection that the server named them over: over another one a server may answer that was put
   * back to what it was before, and has these txs still to come.
   */
  readonly #named = new Map<bigint, number>();
  /** In the order they were sent: heads only grow, so the first is under the oldest head. */
  #inFlight = new LinkedList<bigint>();
  #doubtedAt = -Infinity;
  #prunedTo = 0n;

  /** `connection`: another number after another connection was made. */
  constructor(connection: () => number = () => 0) {
    this.#connection = connection;
  }

  /**
   * When a write last ended of which it is not known whether, and as which tx, it was done (`performance.now()`): before the
   * next verified write is sent, the head must have reached what the server had by then.
   */
  get doubtedAt(): number {
    return this.#doubtedAt;
  }

  /**
   * For a write that is sent under the head `sinceTx`: until it ends no other one may have its tx. What is returned is called as
   * it ends, and told whether it may be done as a tx that is not known.
   */
  reserve(sinceTx: bigint, headTx: () => bigint): (mayBeDone: boolean) => void {
    const write = this.begin(sinceTx);
    return (mayBeDone) => {
      if (mayBeDone) this.doubt();
      this.end(write, headTx());
    };
  }

  /** Writes that were sent and are not proven yet, or told. */
  get onTheWay(): number {
    return this.#inFlight.size;
  }

  begin(sinceTx: bigint): WriteInFlight {
    return { line: this.#inFlight, place: this.#inFlight.add(sinceTx) };
  }

  /** For a verified write whose tx is proven. False when another write of ours has it. */
  claim(tx: bigint): boolean {
    if (this.#isTaken(tx)) return false;
    if (this.#claimed.size >= MAX_CLAIMED) {
      this.#claimed.clear();
      this.doubt();
    }
    this.#claimed.add(tx);
    return true;
  }

  /** For a plain write, by the server's word. False when another write of ours has it. */
  claimPlain(tx: bigint): boolean {
    if (this.#isTaken(tx)) return false;
    if (this.#named.size >= MAX_CLAIMED) this.forgetPlain();
    this.#named.set(tx, this.#connection());
    return true;
  }

  #isTaken(tx: bigint): boolean {
    return this.#claimed.has(tx) || this.#named.get(tx) === this.#connection();
  }

  /** What plain writes were told may have been another history: the next verified write looks where the server is. */
  forgetPlain(): void {
    if (this.#named.size === 0) return;
    this.#named.clear();
    this.doubt();
  }

  /** A write ended, and may have been done. */
  doubt(): void {
    this.#doubtedAt = performance.now();
  }

  /** Forgets what no write can be answered with any more: its tx must be newer than the head it was sent under. */
  end({ line, place }: WriteInFlight, headTx: bigint): void {
    line.delete(place);
    if (line !== this.#inFlight) return;
    const first = this.#inFlight.first;
    const floor = first === undefined || headTx < first ? headTx : first;
    if (floor <= this.#prunedTo) return;
    this.#prunedTo = floor;
    for (const tx of this.#claimed) if (tx <= floor) this.#claimed.delete(tx);
    for (const tx of this.#named.keys()) if (tx <= floor) this.#named.delete(tx);
  }

  /** Trust has ended: the next history may have other writes in these txs. Writes on their way may still become part of it. */
  forget(): void {
    this.#claimed.clear();
    this.#named.clear();
    this.#inFlight = new LinkedList();
    this.#prunedTo = 0n;
    this.doubt();
  }
}
