// The rows of the audit log: what the client says, and what the store makes of it.

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

/**
 * Kinds of audit rows.
 *
 * - `root`, `first-use`, `pinned`: the head moved, or was first trusted;
 * - `forget`: trust was dropped;
 * - `calls`: verified calls that moved nothing; `failure`, `fork`, `rollback`, `identity-change`: what went wrong;
 * - `identity`, `archive`: the store's own book-keeping. An `identity` row binds an address (its `detail`) to `server`;
 *   an `archive` row says what was moved out of the log.
 */
export type AuditOutcome =
  | 'root'
  | 'first-use'
  | 'pinned'
  | 'calls'
  | 'failure'
  | 'fork'
  | 'rollback'
  | 'identity-change'
  | 'forget'
  | 'identity'
  | 'archive';

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
  /** The server's signature of (database, tx, alh), as it came with the proof of this root. */
  readonly signature?: Uint8Array;
  /**
   * SHA-256 of the SPKI of the key that `signature` was checked with, and holds under. Absent where no key was configured, and
   * on every row that has no signature: a count of calls is not signed by anybody.
   */
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
  /**
   * The packed job: question, context and raw answer (see worker/packet). Empty in the `fork` rows that a store adds itself:
   * it has the two roots, and no answer. See also `omitted`.
   */
  readonly job: Uint8Array;
  /** Bytes that were not kept. Absent: all of them were. */
  readonly omitted?: OmittedBytes;
}

/** What evidence says of bytes that it does not hold: whoever has them from elsewhere can tell that it is them. */
export interface OmittedBytes {
  /** What they are: the answer (where `job` is not empty, it has the question), or the whole of `job`. */
  readonly part: 'answer' | 'job';
  /** `size`: there are too many of them; `budget`: much had been kept already, in this hour, of this database. */
  readonly reason: 'size' | 'budget';
  readonly sha256: Uint8Array;
  readonly length: number;
}

/** A row as it stands in the log. */
export interface AuditRow extends AuditEntry {
  readonly seq: bigint;
  /** SHA-256 over the previous row's hash and this row's canonical bytes. */
  readonly hash: Uint8Array;
}

export interface RootsFilter {
  readonly server?: string;
  readonly database?: string;
  /** Inclusive. */
  readonly txRange?: { readonly from?: bigint; readonly to?: bigint };
  /** Inclusive, unix milliseconds of `verifiedAt`. */
  readonly timeRange?: { readonly from?: number; readonly to?: number };
  readonly operation?: string;
  /** `all` = every row. @default every row but `identity` and `archive` */
  readonly outcome?: AuditOutcome | readonly AuditOutcome[] | 'all';
}

export interface RootsQuery extends RootsFilter {
  /** @default 'asc' by seq */
  readonly order?: 'asc' | 'desc';
  readonly limit?: number;
  /** Goes on behind the row of this seq, in the query's order: the last row seen of the page before, or of a live tail. */
  readonly after?: bigint;
}
