// The root service: what is trusted, and the log of how it came to be trusted. Replaceable by the user.

/** Trust is kept per server identity (`immudb-uuid`) and database. */
export interface TrustKey {
  readonly server: string;
  readonly database: string;
}

/** A root is a (tx, alh). tx 0 is the known empty database. */
export interface StoredRoot {
  readonly tx: bigint;
  readonly alh: Uint8Array;
}

/** Kinds of audit rows. `root`: the head moved (or was first trusted). The others are events. */
export type AuditOutcome =
  'root' | 'first-use' | 'pinned' | 'calls' | 'failure' | 'fork' | 'rollback' | 'identity-change' | 'forget';

/** What the client says about one row; the store adds sequence number and chain hash. */
export interface AuditEntry extends TrustKey, StoredRoot {
  readonly outcome: AuditOutcome;
  /** Trusted tx before this row; null at first contact. */
  readonly previousTx: bigint | null;
  /** Public name of the call that caused it, e.g. `verifiedSet`. */
  readonly operation: string;
  /** How many verified calls this row covers. */
  readonly calls: number;
  /** Header time in unix seconds; 0 = the server leaves it out. */
  readonly headerTime: bigint;
  readonly signature?: Uint8Array;
  /** SHA-256 of the SPKI of the configured key. */
  readonly keyFingerprint?: Uint8Array;
  /** Unix milliseconds by our clock. */
  readonly verifiedAt: number;
  readonly durationMs: number;
  readonly clientId: string;
  /** For failures and events: what happened, in words; never credentials. */
  readonly detail?: string;
  /** For failures and forks: the question, the trusted root, the raw answer and the failed check, for re-checking. */
  readonly evidence?: Evidence;
}

/** Everything needed to re-run a failed check without the server. */
export interface Evidence {
  readonly check: string;
  readonly expected?: string;
  readonly computed?: string;
  /** The packed job: question, context and raw answer (see worker/packet). */
  readonly job: Uint8Array;
}

/** A row as it stands in the log. */
export interface AuditRow extends AuditEntry {
  readonly seq: bigint;
  /** SHA-256 over the previous row's hash and this row's canonical bytes. */
  readonly hash: Uint8Array;
}

export interface RootsQuery {
  readonly server?: string;
  readonly database?: string;
  /** Inclusive. */
  readonly txRange?: { readonly from?: bigint; readonly to?: bigint };
  /** Inclusive, unix milliseconds of `verifiedAt`. */
  readonly timeRange?: { readonly from?: number; readonly to?: number };
  readonly operation?: string;
  readonly outcome?: AuditOutcome | readonly AuditOutcome[];
  /** @default 'asc' by seq */
  readonly order?: 'asc' | 'desc';
  readonly limit?: number;
}

/** Result of {@link AuditLog.verify}: the first thing that is wrong, or how many rows are right. */
export type AuditVerdict =
  | { readonly ok: true; readonly rows: bigint; readonly lastHash: Uint8Array }
  | { readonly ok: false; readonly seq: bigint; readonly finding: string };

export interface AuditLog {
  /** Streams rows; pages by key, so millions of rows stay cheap. */
  roots(query?: RootsQuery): AsyncIterableIterator<AuditRow>;
  /** Newest `root`, `first-use` or `pinned` row of a database (of any, when no filter is given), or null. */
  latest(filter?: Partial<TrustKey>): Promise<AuditRow | null>;
  /** Recomputes the whole hash chain and holds the heads against it. */
  verify(): Promise<AuditVerdict>;
}

export type AdvanceOutcome =
  { readonly moved: true } | { readonly moved: false; readonly current: StoredRoot | null };

export interface RootStore {
  /** Trusted head, or null when this database was never trusted (or trust was forgotten). */
  head(key: TrustKey): Promise<StoredRoot | null>;
  /**
   * Compare-and-set: makes `entry`'s root the head iff the head still is `expected` (tx and alh; null = none),
   * and appends `entry`. `entry.tx` must be above `expected.tx` unless expected is null. Resolves when durable.
   */
  advance(expected: StoredRoot | null, entry: AuditEntry): Promise<AdvanceOutcome>;
  /** Appends a row that moves nothing. Resolves when durable. */
  record(entry: AuditEntry): Promise<void>;
  /** Drops the head and appends `entry` (outcome `forget`). */
  forget(entry: AuditEntry): Promise<void>;
  /** Identity on record for an address, or null; once bound it never changes by itself. */
  identity(address: string): Promise<string | null>;
  /** Binds an address to an identity iff none is bound; returns the identity then on record. */
  bindIdentity(address: string, server: string): Promise<string>;
  /** Replaces the identity of an address: only on the user's explicit word. */
  rebindIdentity(address: string, server: string): Promise<void>;
  readonly audit: AuditLog;
  close(): Promise<void>;
}
