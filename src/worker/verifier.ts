// What the verifier is asked and what it answers. Two implementations: inline and pooled; one suite over both.
import type { KVMetadata, TxMetadata } from '../proof/types.js';

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

/** One entry a write must have stored: user key and value as they were sent. */
export interface WrittenEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly metadata?: KVMetadata;
}

/** The question an answer is bound to. */
export type Question =
  /** Answer: VerifiableEntry. `atTx` given = the entry must be from that tx; `atRevision` > 0 = the answer must claim that revision. `noReference` = a reference is a lie. */
  | {
      readonly kind: 'get';
      readonly key: Uint8Array;
      readonly atTx?: bigint;
      readonly atRevision?: bigint;
      readonly noReference?: boolean;
    }
  /** Answer: VerifiableTx. Exactly these entries, in this order; a tx newer than the head. */
  | { readonly kind: 'set'; readonly entries: readonly WrittenEntry[] }
  /** Answer: VerifiableTx whose entries may be left out: proves the header of `tx` under the head. */
  | { readonly kind: 'tx'; readonly tx: bigint }
  /**
   * Answer: TxList of headers `after.tx + 1 … to`, all of them. Chains on from `after`; when `frontier` (at
   * `after.tx`) is given every header is held against the history tree too (design rule 15).
   */
  | {
      readonly kind: 'segment';
      readonly after: Root;
      readonly to: bigint;
      readonly frontier?: FrontierPeaks;
    };

export interface Job {
  readonly question: Question;
  readonly context: Context;
  /** Raw protobuf bytes as they came from the server. Not changed, not kept. */
  readonly answer: Uint8Array;
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

/** An entry as it was proven. `value` views the answer (inline) or the verdict's own buffer (pooled). */
export interface ProvenEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly metadata?: KVMetadata;
  /** Server's word; no proof covers it. */
  readonly unprovenRevision: bigint;
}

export type Proven =
  | {
      readonly kind: 'get';
      /** Header of the tx that holds the requested key's entry. */
      readonly subject: ProvenTx;
      readonly target: ProvenTarget;
      readonly found:
        | { readonly kind: 'value'; readonly entry: ProvenEntry }
        /**
         * The requested key is a proven reference to `key`. `claimed` (the value behind it, at `claimed.tx`)
         * is not proven by this answer: ask for it with `atTx = claimed.tx`.
         */
        | {
            readonly kind: 'reference';
            readonly key: Uint8Array;
            /** 0 = unbound. */
            readonly atTx: bigint;
            readonly metadata?: KVMetadata;
            readonly claimed: ProvenEntry & { readonly tx: bigint };
          };
    }
  | { readonly kind: 'set'; readonly subject: ProvenTx; readonly target: ProvenTarget }
  | { readonly kind: 'tx'; readonly subject: ProvenTx; readonly target: ProvenTarget }
  | {
      readonly kind: 'segment';
      /** In order of tx. */
      readonly headers: readonly ProvenTx[];
      readonly frontier?: FrontierPeaks;
    };

/** The answer did not prove what it claims. */
export interface Refuted {
  readonly check: string;
  readonly detail: string;
  /** Hex for digests, decimal for numbers. */
  readonly expected?: string;
  readonly computed?: string;
}

export type Verdict =
  { readonly ok: true; readonly proven: Proven } | { readonly ok: false; readonly refuted: Refuted };

/**
 * Checks answers. A verdict is about the server; a rejection (PoolError, ClosedError) is about us.
 * Jobs are independent: one lie never affects its neighbours in a batch.
 */
export interface Verifier {
  verify(job: Job): Promise<Verdict>;
  close(): Promise<void>;
}
