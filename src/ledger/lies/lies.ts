// What a ledger can be told to lie about. Every lie is on from the call of `ledger.lie` until its handle is stopped.
import type { Call } from '../serve/core.js';
import type { WireKVMetadata } from '../wire/messages.js';

/** Which calls a lie is told to. All of them must hold; absent ones hold. */
export interface LieScope {
  /** Only calls on this database. */
  readonly database?: string;
  /** Only these RPCs, by name. */
  readonly methods?: readonly string[];
  /** Only calls that this says yes to, e.g. to show different things to different sessions. */
  readonly when?: (call: Call) => boolean;
}

/** Answers from another history that shares its transactions up to `at` with the true one. */
export interface ForkLie extends LieScope {
  readonly kind: 'fork';
  readonly at: bigint;
  /**
   * Transactions of the other history: those of the true one are repeated with other values up to this id.
   * @default as many as the true history has
   */
  readonly height?: bigint;
}

/** Answers as if nothing had happened since tx `to`. What is written then is another history. */
export interface RollbackLie extends LieScope {
  readonly kind: 'rollback';
  readonly to: bigint;
}

/** Answers from a copy of another database under the name of the selected one. */
export interface OtherDatabaseLie extends LieScope {
  readonly kind: 'other-database';
  readonly instead: string;
}

/** Repeats the first answer seen, without doing what the call asks for. */
export interface ReplayLie extends LieScope {
  readonly kind: 'replay';
  /** What counts as the same call: the RPC alone, or the RPC with an equal request. @default 'method' */
  readonly same?: 'method' | 'request';
}

export interface OtherIdentityLie {
  readonly kind: 'other-identity';
  /** @default made up */
  readonly serverId?: string;
}

export interface WrongSignatureLie extends LieScope {
  readonly kind: 'wrong-signature';
  /** `other-…`: a valid signature of something else. */
  readonly how: 'flipped' | 'missing' | 'other-key' | 'other-database' | 'other-tx';
}

/** Other values in entries. */
export interface SwapValueLie extends LieScope {
  readonly kind: 'swap-value';
  /** @default the true value with its last bit flipped */
  readonly value?: Uint8Array;
}

/** Leaves out, or adds, an entry of a transaction or of a list of results. */
export interface EntriesLie extends LieScope {
  readonly kind: 'drop-entry' | 'add-entry';
  /** Position of what is dropped or repeated. @default 0 */
  readonly index?: number;
  /** Headers say the number that is shown. @default false */
  readonly adjustCount?: boolean;
}

export interface MetadataLie extends LieScope {
  readonly kind: 'change-metadata';
  /** Metadata of a found entry, of the entries of a transaction, or `extra` of its header. */
  readonly of: 'entry' | 'tx-entry' | 'header';
  /** For entries; absent = none. */
  readonly metadata?: WireKVMetadata;
  /** For headers. */
  readonly extra?: Uint8Array;
}

/** Another leaf in a proof: of the entries tree (position or digest), of the history tree, or of the chain. */
export interface SubstituteLeafLie extends LieScope {
  readonly kind: 'substitute-leaf';
  readonly leaf: 'entry-position' | 'entry-digest' | 'tree' | 'chain';
  /** @default 32 bytes of 0x5a */
  readonly digest?: Uint8Array;
}

export type ProofPart =
  'entry-inclusion' | 'inclusion' | 'consistency' | 'last-inclusion' | 'linear' | 'linear-advance';

export interface ProofLengthLie extends LieScope {
  readonly kind: 'truncate-proof' | 'extend-proof';
  readonly proof: ProofPart;
  /** @default 'end' */
  readonly at?: 'start' | 'end';
  /** Term that is added. @default 32 bytes of 0x5a */
  readonly term?: Uint8Array;
}

/**
 * The history tree holds another transaction at `tx` than the chain does. Every later header commits to that tree,
 * so a proof by the tree leads to the other transaction and a proof by the chain to the true one. Verifiable reads of
 * `tx` show the other one, everything else the true one.
 */
export interface DivergingTreeLie {
  readonly kind: 'diverging-tree';
  readonly database?: string;
  /** A transaction that is not committed yet. */
  readonly tx: bigint;
}

/** New headers commit to a history tree that is behind the chain, as immudb wrote them before 1.3.2. */
export interface LagLie {
  readonly kind: 'lag';
  readonly database?: string;
  /** Transactions that the tree is behind. */
  readonly transactions: number;
  /** False: the tree later takes in another hash for the next transaction than the chain has. @default true */
  readonly honest?: boolean;
  /** Leaves the linear advance proof, which would show it, out of every answer. @default false */
  readonly hideAdvance?: boolean;
}

/** New transactions are written in another format than the database's. */
export interface HeaderVersionLie {
  readonly kind: 'header-version';
  readonly database?: string;
  readonly version: 0 | 1;
}

export interface TxScanLie extends LieScope {
  readonly kind: 'tx-scan';
  /** Leaves one out, shows one twice, starts one later, turns round, or ends one early. */
  readonly how: 'gap' | 'repeat' | 'shift' | 'reverse' | 'short';
}

/**
 * Tells of a key what was true once, and proves it: `stale`, an older version than its newest; `hide`, that it was never written;
 * `resurrect`, the value that was deleted. Everything else is as it is, so that no proof of what is shown fails.
 */
export interface KeyLie {
  readonly kind: 'stale' | 'hide' | 'resurrect';
  readonly database?: string;
  readonly key: string | Uint8Array;
  /** `stale`: versions that are kept back. @default 1 */
  readonly versions?: number;
}

/** Another number than the version of a key has. */
export interface WrongRevisionLie extends LieScope {
  readonly kind: 'wrong-revision';
  readonly key: string | Uint8Array;
  /** @default 1 */
  readonly by?: number;
}

/** Scans and histories end early. */
export interface ShortScanLie extends LieScope {
  readonly kind: 'short-scan';
  /** Results that are still shown. @default 1 */
  readonly results?: number;
}

/** Nothing of what is committed from now on is shown: reads are answered as of now. */
export interface WithholdLie extends LieScope {
  readonly kind: 'withhold';
}

/** Any other lie: changes the answer in place, or returns another. */
export interface MutateLie extends LieScope {
  readonly kind: 'mutate';
  readonly mutate: (answer: Record<string, unknown>, call: Call) => object | undefined;
}

export type Lie =
  | ForkLie
  | RollbackLie
  | OtherDatabaseLie
  | ReplayLie
  | OtherIdentityLie
  | WrongSignatureLie
  | SwapValueLie
  | EntriesLie
  | MetadataLie
  | SubstituteLeafLie
  | ProofLengthLie
  | DivergingTreeLie
  | LagLie
  | HeaderVersionLie
  | TxScanLie
  | KeyLie
  | WrongRevisionLie
  | ShortScanLie
  | WithholdLie
  | MutateLie;

/** A lie that is being told. */
export interface LieHandle {
  /** Answers that came out differently because of it, so that a test can see that it was told at all. */
  readonly told: number;
  /** Back to the truth. What was written into a database meanwhile stays. Idempotent. */
  stop(): void;
}
