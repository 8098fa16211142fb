// The audit log as its readers see it: rows, figures, gaps, checkpoints, archives.
import type { KeyObject } from 'node:crypto';
import type { AuditRow, Evidence, RootsFilter, RootsQuery, StoredRoot, TrustKey } from './audit-types.js';

export interface AuditLog {
  /** Streams rows; pages by key, so millions of rows stay cheap. Ends with the newest row: go on with `after`. */
  roots(query?: RootsQuery): AsyncIterableIterator<AuditRow>;
  /** One row; null when there is none of this seq, or it has been archived. */
  row(seq: bigint): Promise<AuditRow | null>;
  /** Newest `root`, `first-use` or `pinned` row of a database (of any, when no filter is given), or null. */
  latest(filter?: Partial<TrustKey>): Promise<AuditRow | null>;
  /**
   * The newest logged trusted root at or below `tx`: of the rows that moved a head (`root`, `first-use`, `pinned`), the
   * one with the highest tx that is not above `tx`; of several with this tx the newest. Rows from before trust in their
   * database was last forgotten do not count. Null when there is none, or when it has been archived.
   */
  rootAt(tx: bigint, filter?: Partial<TrustKey>): Promise<AuditRow | null>;
  /** The newest trusted root in the log of the same tx with another hash, or null. */
  conflict(root: TrustKey & StoredRoot): Promise<RootConflict | null>;
  /** Every database that the log has something of, in the order of the bytes of server and database. Fast for any number of rows. */
  databases(): Promise<readonly LoggedDatabase[]>;
  /** The evidence of a row, without the row; null when it has none. */
  evidence(seq: bigint): Promise<Evidence | null>;
  /**
   * Figures per minute, hour, UTC day or in all, oldest first; buckets without rows are left out. Fast for any number of rows,
   * except with a `txRange`, which costs a look at every row in it.
   */
  stats(query?: StatsQuery): Promise<readonly AuditStats[]>;
  /** Where the log's continuity is broken, oldest first. Walks the whole log. */
  gaps(query?: GapsQuery): Promise<readonly AuditGap[]>;
  /**
   * Recomputes the whole hash chain and holds against it: heads, identities, kept checkpoints, the statistics, and what
   * the options name.
   */
  verify(options?: VerifyOptions): Promise<AuditVerdict>;
  /** Commits to the log as it stands, signs with the key that is given, and keeps the checkpoint in the store. */
  checkpoint(options?: CheckpointOptions): Promise<Checkpoint>;
  /** The checkpoints kept, oldest first: at most `limit` (1000 by default) of a seq above `after`. */
  checkpoints(query?: { readonly after?: bigint; readonly limit?: number }): Promise<readonly Checkpoint[]>;
  /**
   * Moves the oldest rows into an archive, a file of its own that `openArchive` reads. The log goes on from the hash of
   * the last row moved. Killed at any moment, no row is lost: call it again with the same options.
   *
   * @throws StoreError STORE_DAMAGED when the rows to move are not as they were written, STORE_FOREIGN when there is
   * another file at `path`, STORE_FAILED when the store keeps no archives (MemoryRootStore, an archive itself)
   */
  archive(options: ArchiveOptions): Promise<ArchiveInfo | null>;
  /** The archives that were made of this log, oldest first. */
  archives(): Promise<readonly ArchiveInfo[]>;
}

/** The same tx with two hashes: what the log has, found when another hash was offered for it. */
export interface RootConflict extends StoredRoot {
  /** The row that logged `alh` for `tx`, and whose row it is. */
  readonly seq: bigint;
  readonly operation: string;
  readonly clientId: string;
  /** Unix milliseconds. */
  readonly verifiedAt: number;
  /** Trust was forgotten between that row and now: the two hashes need not be one history's. */
  readonly forgotten: boolean;
}

/** A database of the log. */
export interface LoggedDatabase extends TrustKey {
  /** Rows of this log, archived ones and book-keeping (`identity`, `archive`) not counted. */
  readonly rows: number;
  /** Lowest and highest tx of the rows that moved a head; null when there are none. */
  readonly tx: { readonly first: bigint; readonly last: bigint } | null;
  /** What is trusted now; null when trust was forgotten, or never was any. */
  readonly head: StoredRoot | null;
}

/** Something broken in a store. `seq`: the row; null when it is no matter of one row. */
export interface StoreDamage {
  readonly seq: bigint | null;
  readonly finding: string;
}

export type StatsBucket = 'minute' | 'hour' | 'day' | 'all';

export interface StatsQuery extends RootsFilter {
  /**
   * Hours and days are those of UTC, by `verifiedAt`. Minutes need a `timeRange` with both ends, at most a day apart: they cost a look
   * at every row in it. @default 'all'
   */
  readonly bucket?: StatsBucket;
}

export interface AuditStats {
  /** Unix milliseconds of the bucket's first moment; with `all`, `verifiedAt` of its earliest row (rounded down to the hour). */
  readonly from: number;
  readonly rows: number;
  /** Verified calls that the rows cover. */
  readonly calls: number;
  /** Rows that moved a head. */
  readonly roots: number;
  /** Rows that say that something went wrong. */
  readonly failures: Readonly<Record<'failure' | 'fork' | 'rollback' | 'identity-change', number>>;
  /** Lowest and highest tx of the rows that moved a head; null when there are none. */
  readonly tx: { readonly first: bigint; readonly last: bigint } | null;
  /** Of one row, to the microsecond. */
  readonly durationMs: { readonly mean: number; readonly max: number };
}

export interface GapsQuery extends Partial<TrustKey> {
  /** Report no row of this seq or before. */
  readonly after?: bigint;
  /** @default 1000 */
  readonly limit?: number;
  /** Also report when the next row comes later than so many milliseconds. @default never */
  readonly silenceMs?: number;
  /** Rows of several clients come a little out of order. @default 1000 */
  readonly clockToleranceMs?: number;
}

/** A break in the log's continuity, found at row `seq`. */
export type AuditGap = TrustKey & { readonly seq: bigint } & (
    | {
        /** Trust was forgotten here; `resumedAt` is the row that began anew, null while there is none. */
        readonly kind: 'forgotten';
        readonly resumedAt: bigint | null;
      }
    | {
        /** The row moved a head from another tx than the one logged before it (null = none): a root is not logged here. */
        readonly kind: 'break';
        readonly loggedTx: bigint | null;
        readonly previousTx: bigint | null;
      }
    | {
        /** `verifiedAt` of this row is so much earlier than that of the row before it. */
        readonly kind: 'clock';
        readonly backMs: number;
      }
    | {
        /** `verifiedAt` of this row is so much later than that of every row before it. */
        readonly kind: 'silence';
        readonly silentMs: number;
      }
  );

/** How far a walk along the log is. */
export interface VerifyProgress {
  /** Rows that were looked at. */
  readonly rows: bigint;
}

export interface VerifyOptions {
  /**
   * Told a few times a second how far it is, where the store can say it, and at the end of a log that holds. The call rejects at its
   * end with what this throws.
   */
  readonly onProgress?: (progress: VerifyProgress) => void;
  /** Finds any change made since to the rows that it covers. */
  readonly checkpoint?: Checkpoint;
  /** What the log must go on from: the last row of the archive before it. */
  readonly startsAfter?: ChainPoint;
}

/** A row's place and hash: everything up to it. */
export interface ChainPoint {
  readonly seq: bigint;
  readonly hash: Uint8Array;
}

/** Result of {@link AuditLog.verify}: the first thing that is wrong, or how many rows are right. */
export type AuditVerdict =
  | {
      readonly ok: true;
      /** Rows of this log, archived ones not counted. */
      readonly rows: bigint;
      readonly lastHash: Uint8Array;
      /** What the first row follows: the last row of the newest archive, or seq 0 and the start of the store's chain. */
      readonly startsAfter: ChainPoint;
      /** Kept checkpoints that were held against the chain. */
      readonly checkpoints: number;
    }
  | { readonly ok: false; readonly seq: bigint; readonly finding: string };

/** A private key: Ed25519 or ECDSA P-256, as a KeyObject or in PEM. */
export type SigningKey = KeyObject | string;

export interface CheckpointOptions {
  readonly key?: SigningKey;
}

/** A commitment to every row of a store up to one. See `checkpointBytes` for its canonical form. */
export interface Checkpoint extends ChainPoint {
  /** 16 random bytes, also in the store's marker. */
  readonly storeId: Uint8Array;
  /** Unix milliseconds by our clock. */
  readonly time: number;
  /** The trusted heads at that row, by server and database. */
  readonly heads: readonly (TrustKey & StoredRoot)[];
  /** The identities bound at that row, by address. */
  readonly identities: readonly { readonly address: string; readonly server: string }[];
  /** Over the canonical bytes: Ed25519, or ECDSA with SHA-256 in DER. */
  readonly signature?: Uint8Array;
  /** SHA-256 of the SPKI of the key that signed. */
  readonly keyFingerprint?: Uint8Array;
}

export type CheckpointVerdict = { readonly ok: true } | { readonly ok: false; readonly finding: string };

export type ArchiveOptions = {
  /** The archive's file; its folder must exist. */
  readonly path: string;
} & (
  | { /** Rows up to this one. */ readonly through: bigint }
  | {
      /** Rows before the first that was verified at this time or later (unix milliseconds). */ readonly before: number;
    }
  | { /** All but so many of the newest rows. */ readonly keepRows: number }
);

/** What an archive holds: the rows `firstSeq` to `lastSeq` of a log. */
export interface ArchiveInfo {
  readonly path: string;
  readonly firstSeq: bigint;
  readonly lastSeq: bigint;
  /** Hash that its first row follows. */
  readonly startHash: Uint8Array;
  /** Hash of its last row: what the log goes on from. */
  readonly lastHash: Uint8Array;
  /** Unix milliseconds by our clock. */
  readonly archivedAt: number;
}
