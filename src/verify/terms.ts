// The terms that questions, checks and verdicts are put in: what is trusted, what is proven of a transaction, what is refused.
import type { TxMetadata } from '../proof/types.js';

/** A trusted (tx, alh). `tx` 0 with the hash of nothing is the known empty database. */
export interface Root {
  readonly tx: bigint;
  readonly alh: Uint8Array;
}

/** Peaks of the history tree over leaves 1..size, small to large: lets the next headers be followed. */
export interface FrontierPeaks {
  readonly size: bigint;
  readonly peaks: readonly Uint8Array[];
}

/** What every answer is checked under. */
export interface Context {
  /** Root trusted when the question was sent; its tx was the request's `proveSinceTx`. Null: first contact. */
  readonly head: Root | null;
  /** Our own name of the selected database; bound by the state signature. */
  readonly database: string;
  /** SPKI DER of the server's state key. Set = a missing or wrong signature fails. */
  readonly publicKey?: Uint8Array;
  /** Unix seconds by our clock: entries that expired before it are not values. */
  readonly now: bigint;
}

/** A header that was proven under the job's head (or, at first contact, proven by itself). */
export interface ProvenTx extends Root {
  readonly prevAlh: Uint8Array;
  /** Unix seconds. */
  readonly ts: bigint;
  readonly version: number;
  readonly nentries: number;
  readonly eH: Uint8Array;
  readonly metadata?: TxMetadata;
}

/** The newer end of the dual proof of an answer: a candidate for the next head when newer than the head. */
export interface ProvenTarget extends ProvenTx {
  /** Frontier at `tx`, made from the last inclusion proof; absent under tree lag. */
  readonly frontier?: FrontierPeaks;
  /** State signature over (database, tx, alh) as it came: present and valid when a key is configured. */
  readonly signature?: Uint8Array;
}

/** What every answer with a dual proof proves: the header it is about, and the newer end of the proof. */
export interface BoundEnds {
  readonly subject: ProvenTx;
  readonly target: ProvenTarget;
}

/** The history tree that a header commits to. */
export interface TreeAt {
  readonly size: bigint;
  readonly root: Uint8Array;
}

/** The answer did not prove what it claims. */
export interface Refuted {
  readonly check: string;
  readonly detail: string;
  /** Hex for digests, decimal for numbers. */
  readonly expected?: string;
  readonly computed?: string;
  /** The answer holds by itself: the server shows another history than the one that is trusted. */
  readonly isFork?: true;
}

/** A root with a signature that is to be checked. */
export interface Signed extends Root {
  readonly database: string;
  readonly signature: Uint8Array;
}
