// The root service: what is trusted, and the log of how it came to be trusted. Replaceable by the user.
import type { AuditLog, RootConflict } from './audit-log.js';
import type { AuditEntry, StoredRoot, TrustKey } from './audit-types.js';
import type { HeaderStore } from './header-store.js';

export type {
  ArchiveInfo,
  ArchiveOptions,
  AuditGap,
  AuditLog,
  AuditStats,
  AuditVerdict,
  ChainPoint,
  Checkpoint,
  CheckpointOptions,
  CheckpointVerdict,
  GapsQuery,
  LoggedDatabase,
  RootConflict,
  SigningKey,
  StatsBucket,
  StatsQuery,
  StoreDamage,
  VerifyOptions,
  VerifyProgress,
} from './audit-log.js';
export type {
  AuditEntry,
  AuditOutcome,
  AuditRow,
  Evidence,
  OmittedBytes,
  RootsFilter,
  RootsQuery,
  StoredRoot,
  TrustKey,
} from './audit-types.js';
export type { HeaderBlock, HeaderBlockInfo, HeaderStore } from './header-store.js';

/**
 * What came of an `advance`. `conflict`: the log has a root of this tx with another hash, or of the tx that was
 * expected. The store has then added a `fork` row itself, once per root offered; when trust was forgotten in between
 * (and the move may go on: the user asked for a new start), once per new start.
 */
export type AdvanceOutcome =
  | { readonly moved: true; readonly conflict?: RootConflict }
  | {
      readonly moved: false;
      readonly current: StoredRoot | null;
      readonly conflict?: RootConflict;
      /** Trust in this database was forgotten at some time. Absent: never, so `expected` was not either. */
      readonly wasForgotten?: true;
    };

/** What came of a `record`. `conflict`: the log has a root of this tx with another hash, see {@link AdvanceOutcome}. */
export interface RecordOutcome {
  readonly conflict?: RootConflict;
}

export interface RootStore {
  /** Trusted head, or null when this database was never trusted (or trust was forgotten). */
  head(key: TrustKey): Promise<StoredRoot | null>;
  /**
   * Compare-and-set: makes `entry`'s root the head iff the head still is `expected` (tx and alh; null = none),
   * and appends `entry`. `entry.tx` must be above `expected.tx` unless expected is null. Resolves when durable.
   */
  advance(expected: StoredRoot | null, entry: AuditEntry): Promise<AdvanceOutcome>;
  /**
   * Appends a row that moves nothing, and a `fork` row beside it when it covers calls under a root that contradicts the log
   * (see `audit.conflict`). Resolves when durable.
   */
  record(entry: AuditEntry): Promise<RecordOutcome>;
  /** Drops the head, and the headers kept of the database, and appends `entry` (outcome `forget`). */
  forget(entry: AuditEntry): Promise<void>;
  /** Identity on record for an address, or null; once bound it never changes by itself. */
  identity(address: string): Promise<string | null>;
  /** Binds an address to an identity iff none is bound; returns the identity then on record. Appends an `identity` row. */
  bindIdentity(address: string, server: string): Promise<string>;
  /** Replaces the identity of an address: only on the user's explicit word. Appends an `identity` row. */
  rebindIdentity(address: string, server: string): Promise<void>;
  readonly audit: AuditLog;
  /** Keeps proven headers for the next process: see the client's option `keepHeaders`. A store may do without. */
  readonly headers?: HeaderStore;
  close(): Promise<void>;
}
