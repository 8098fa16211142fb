// The one push that an immudb has: an export of the transaction to come is answered when it is there. For administrators only.
import type { Rpc, StreamRpc } from '../../net/rpc.js';
import { isTransient } from './transient.js';

/** So long one wait lasts at most: a connection that was lost without a word is noticed by then. */
const WAIT_MS = 30_000;

export class Push {
  readonly #rpc: Rpc & Partial<StreamRpc>;
  readonly #arrived: (tx: bigint) => void;
  #waitsFor: bigint | undefined;
  #isRefused: boolean;

  /** `arrived`: a transaction that was waited for is there, by the server's word. */
  constructor(rpc: Rpc & Partial<StreamRpc>, arrived: (tx: bigint) => void) {
    this.#rpc = rpc;
    this.#arrived = arrived;
    this.#isRefused = rpc.down === undefined;
  }

  /** It is being waited for. */
  get isOn(): boolean {
    return this.#waitsFor !== undefined;
  }

  /** Waits for `tx`, unless the server does not let this user. */
  waitFor(tx: bigint): void {
    if (this.#isRefused || this.#waitsFor === tx) return;
    this.#waitsFor = tx;
    void this.#wait(tx);
  }

  /** What comes is of no interest any more. */
  stop(): void {
    this.#isRefused = true;
    this.#waitsFor = undefined;
  }

  /** Never rejects. */
  async #wait(tx: bigint): Promise<void> {
    const request = { tx: tx.toString(), allowPreCommitted: true };
    const options = { timeoutMs: WAIT_MS };
    let isThere = false;
    try {
      const piece = await this.#rpc.down?.('exportTx', request, options, (messages) => messages.next());
      isThere = piece !== undefined;
    } catch (error) {
      // Not allowed, or not known there. What passes is tried again after the next look.
      if (!isTransient(error)) this.#isRefused = true;
    }
    if (this.#waitsFor !== tx) return;
    this.#waitsFor = undefined;
    if (isThere && !this.#isRefused) this.#arrived(tx);
  }
}
