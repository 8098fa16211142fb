// The one push that an immudb has: an export of the transaction to come is answered when it is there. For administrators only. A
// wait holds one of the server's buffers for reading transactions (30 by default): there is one at a time, and it is taken back.
import type { Rpc, StreamRpc } from '../../net/rpc.js';
import { isTransient } from './transient.js';

/** So long one wait lasts at most: a connection that was lost without a word is noticed by then. */
const WAIT_MS = 30_000;

interface Wait {
  readonly tx: bigint;
  readonly taker: AbortController;
}

export class Push {
  readonly #rpc: Rpc & Partial<StreamRpc>;
  readonly #arrived: (tx: bigint) => void;
  #wait: Wait | undefined;
  #isRefused: boolean;

  /** `arrived`: a transaction that was waited for is there, by the server's word. */
  constructor(rpc: Rpc & Partial<StreamRpc>, arrived: (tx: bigint) => void) {
    this.#rpc = rpc;
    this.#arrived = arrived;
    this.#isRefused = rpc.down === undefined;
  }

  /** Something is being waited for. */
  get isOn(): boolean {
    return this.#wait !== undefined;
  }

  /** Waits for `tx` and nothing else, unless the server does not let this user. */
  waitFor(tx: bigint): void {
    if (this.#isRefused || this.#wait?.tx === tx) return;
    this.#wait?.taker.abort();
    const wait = { tx, taker: new AbortController() };
    this.#wait = wait;
    void this.#await(wait);
  }

  /** Nothing is waited for any more. */
  stop(): void {
    this.#isRefused = true;
    this.#wait?.taker.abort();
    this.#wait = undefined;
  }

  /** Never rejects. */
  async #await(wait: Wait): Promise<void> {
    const request = { tx: wait.tx.toString(), allowPreCommitted: true };
    const options = { timeoutMs: WAIT_MS, signal: wait.taker.signal };
    let isThere = false;
    try {
      const piece = await this.#rpc.down?.('exportTx', request, options, (messages) => messages.next());
      isThere = piece !== undefined;
    } catch (error) {
      // Not allowed, or not known there. What passes is tried again after the next look.
      if (!isTransient(error)) this.#isRefused = true;
    }
    if (this.#wait !== wait) return;
    this.#wait = undefined;
    if (isThere) this.#arrived(wait.tx);
  }
}
