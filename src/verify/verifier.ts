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
  /**
   * Answer: VerifiableTx whose entries may be left out: proves the header of `tx` under the head. `leaves` = the answer
   * holds all its entries, and they are proven too.
   */
  | { readonly kind: 'tx'; readonly tx: bigint; readonly leaves?: boolean }
  /**
   * Answer: TxList of headers `after.tx + 1 … to`, all of them. Chains on from `after`; when `frontier` (at
   * `after.tx`) is given every header is held against the history tree too (docs/trust-rules.md 15).
   */
  | {
      readonly kind: 'segment';
      readonly after: Root;
      readonly to: bigint;
      readonly frontier?: FrontierPeaks;
    }
  /**
   * Answer: Entries (GetAll) or, with `single`, one Entry (Get). What it claims about these distinct keys, each bound to
   * its key.
   * A claim is proven by holding its leaf against the proven header of its tx (and the leaves of that tx).
   */
  | { readonly kind: 'claims'; readonly keys: readonly Uint8Array[]; readonly single?: boolean }
  /** Answer: VerifiableTx of `tx` with all its entries: proves that the claim in `shown` (a raw Entry) about `key` holds. */
  | { readonly kind: 'claim'; readonly key: Uint8Array; readonly tx: bigint; readonly shown: Uint8Array }
  /**
   * Answer: VerifiableTx of `tx` with all its entries: proves that the key's entry there is no value (deleted, expired), or a
   * reference. `floor`: the newest version that was proven before; `shown`: the raw answer to History that names `tx`, absent
   * where a proven reference does.
   */
  | {
      readonly kind: 'gone';
      readonly key: Uint8Array;
      readonly tx: bigint;
      readonly floor: bigint;
      readonly shown?: Uint8Array;
    }
  /** Answer: TxHeader of the Set whose request was these bytes: exactly its entries, in a tx newer than the head. */
  | { readonly kind: 'written'; readonly request: Uint8Array }
  /**
   * Answer: TxList of headers `first … last`, all of them, `first - 1` a multiple of {@link BLOCK_TXS} and at most that
   * many. `proof`: the VerifiableTx that proves `last` under the head.
   */
  | { readonly kind: 'block'; readonly first: bigint; readonly last: bigint; readonly proof: Uint8Array }
  /** Answer: TxList of these consecutive, proven txs with all their entries as digests. */
  | { readonly kind: 'leaves'; readonly txs: readonly TxFacts[] }
  /**
   * Answer: TxList of txs `first … last`, all of them, with all their entries: everything in them is checked. `proof`:
   * the VerifiableTx that proves `last` under the head; `after`: alh of `first - 1`, when it is known.
   *
   * `values`: the entries come with their raw values, which are hashed too. Servers leave some of them out; then the same
   * txs as digests are in `digests`.
   */
  | {
      readonly kind: 'stretch';
      readonly first: bigint;
      readonly last: bigint;
      readonly proof: Uint8Array;
      readonly after?: Uint8Array;
      readonly values?: boolean;
      readonly digests?: Uint8Array;
    }
  /** Answer: ImmutableState, the server's word about its newest tx: held against the head, which it never changes. */
  | { readonly kind: 'state' };

/** Headers that are proven together: a complete subtree of the history tree, so that one path binds all of it. */
export const BLOCK_TXS = 1024;

/** Most transactions that are checked in one go. A TxScan gives 2500 at most. */
export const STRETCH_TXS = 2048;

/** What the proof of an entry needs of its tx's proven header. */
export interface TxFacts {
  readonly tx: bigint;
  readonly version: number;
  readonly nentries: number;
  readonly eH: Uint8Array;
}

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
      /** Sorted leaves of the subject (`proof/entry-leaves`), when it has more entries than this one. */
      readonly leaves?: Uint8Array;
    }
  | { readonly kind: 'set'; readonly subject: ProvenTx; readonly target: ProvenTarget }
  | {
      readonly kind: 'tx';
      readonly subject: ProvenTx;
      readonly target: ProvenTarget;
      /** Sorted leaves of the entries tree (`proof/entry-leaves`); when they were asked for. */
      readonly leaves?: Uint8Array;
    }
  | {
      readonly kind: 'segment';
      /** In order of tx. */
      readonly headers: readonly ProvenTx[];
      readonly frontier?: FrontierPeaks;
    }
  /** One outcome per key, in order. Nothing but the binding to the key is proven yet. */
  | { readonly kind: 'claims'; readonly outcomes: readonly ClaimOutcome[] }
  | { readonly kind: 'claim'; readonly subject: ProvenTx; readonly target: ProvenTarget }
  | {
      readonly kind: 'gone';
      /** Header of the tx that holds the entry. */
      readonly subject: ProvenTx;
      readonly target: ProvenTarget;
      readonly how: 'deleted' | 'expired' | 'reference';
      /** Of an expired entry. */
      readonly expiresAt?: bigint;
      /** Where a reference leads: gone only if that is. `atTx` 0 = unbound. */
      readonly reference?: { readonly key: Uint8Array; readonly atTx: bigint };
    }
  /** Exactly what was sent is what this header commits to; the header itself is proven when the head reaches it. */
  | { readonly kind: 'written'; readonly subject: ProvenTx; readonly tree: TreeAt }
  | { readonly kind: 'block'; readonly headers: HeaderPack }
  /** Sorted leaves of each of the txs, in their order. */
  | { readonly kind: 'leaves'; readonly leaves: readonly Uint8Array[] }
  | {
      readonly kind: 'stretch';
      /** Alh of the tx before the first, as the first names it. */
      readonly prevAlh: Uint8Array;
      /** Alh of the last. */
      readonly alh: Uint8Array;
      readonly counts: StretchCounts;
      /** Values of txs up to this one were given up: a header among these says so. 0: none does. */
      readonly truncatedUpTo: bigint;
    }
  /** Entries are missing beside their values: nothing was checked. Ask again, with `digests`. */
  | { readonly kind: 'short-stretch' }
  /** Contradicts nothing that is trusted; proves nothing. */
  | { readonly kind: 'state'; readonly claimed: Root };

/** What was found in a stretch of txs, and how much of it was checked. */
export interface StretchCounts {
  readonly txs: number;
  /** All of them hashed to their header's entries root. */
  readonly entries: number;
  /** Entries by the kind of their key; together all entries. */
  readonly keyValue: number;
  readonly sortedSet: number;
  readonly sql: number;
  readonly document: number;
  readonly otherKind: number;
  /** Entries by attribute. */
  readonly deleted: number;
  readonly expiring: number;
  /** Those of them, documents apart, that had expired by our clock. */
  readonly expired: number;
  /** Values hashed, and their bytes. */
  readonly values: number;
  readonly valueBytes: number;
  /** Entries whose value was asked for and not shown. */
  readonly valuesNotShown: number;
  /** Of these: entries that had expired, and documents. Servers do not show them in this way. */
  readonly valuesExpired: number;
  readonly valuesOfDocuments: number;
  /** Headers whose tree root was recomputed; those that commit to no tree among them. */
  readonly treeRoots: number;
  /** Headers whose tree ends before the stretch, as tree lag leaves it: their root was not recomputed. */
  readonly treeRootsNotChecked: number;
}

/** The history tree that a header commits to. */
export interface TreeAt {
  readonly size: bigint;
  readonly root: Uint8Array;
}

/** Proven headers of consecutive txs, as columns: what claims are held against. */
export interface HeaderPack {
  readonly first: bigint;
  readonly count: number;
  /** 32 bytes a header. */
  readonly alhs: Uint8Array;
  readonly eHs: Uint8Array;
  /** Unix seconds. */
  readonly times: BigInt64Array;
  readonly versions: Uint8Array;
  readonly entryCounts: Uint32Array;
}

/** An entry that an answer claims to be in `tx`: its digest's leaf in the entries tree (header version 1) says all of it. */
export interface Claim {
  readonly tx: bigint;
  readonly leaf: Uint8Array;
  readonly key: Uint8Array;
  /** The value (a view of the answer), or for a reference the raw value that makes it one. */
  readonly value: Uint8Array;
  readonly isReference: boolean;
  readonly metadata?: KVMetadata;
  /** Server's word; no proof covers it. */
  readonly unprovenRevision: bigint;
}

export type ClaimOutcome =
  /** The answer has no entry of this key. */
  | { readonly kind: 'missing' }
  | {
      readonly kind: 'refuted';
      readonly refuted: Refuted;
      readonly shown: Uint8Array;
      /** What fails only beside the rest of the answer: the whole of it, as evidence. */
      readonly job?: Job;
    }
  /** `shown`: the raw Entry, a view of the answer. */
  | { readonly kind: 'value'; readonly claim: Claim; readonly shown: Uint8Array }
  /** The key is a reference (`claim`) to the entry `target`; both are to be proven. */
  | {
      readonly kind: 'reference';
      readonly claim: Claim;
      /** 0 = unbound. */
      readonly atTx: bigint;
      readonly target: Claim;
      readonly shown: Uint8Array;
    };

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

export type Verdict =
  { readonly ok: true; readonly proven: Proven } | { readonly ok: false; readonly refuted: Refuted };

/** What becomes of a job when too much is unfinished. */
export type Overload = 'wait' | 'fail';

/** Who waits for a verdict. */
export interface VerifyOptions {
  /** Others wait for what comes of it: it goes before them, and is let in at once. For few jobs at a time. */
  readonly urgent?: boolean;
  /** When its caller waits no longer, on the clock of `performance.now()`; and the caller's abort. */
  readonly until?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Checks answers. A verdict is about the server; a rejection (PoolError, ClosedError) is about us.
 * Jobs are independent: one lie never affects its neighbours in a batch.
 */
export interface Verifier {
  verify(job: Job, options?: VerifyOptions): Promise<Verdict>;
  /** Resolves when a further job would be let in at once. Absent: that is always so. */
  ready?(): Promise<void>;
  /** Resolves when no answer waits for room any more; undefined: none does. */
  backlog?(): Promise<void> | undefined;
  /** More than one answer will come soon: what takes time to start is started now. */
  prepare?(): void;
  close(): Promise<void>;
}
