// Everything the package exports, values first.
export { ImmuClient } from './client/immu-client.js';
export { reportText } from './client/audit/report-text.js';
export { verifyKeptHeaders } from './client/audit/verify-kept-headers.js';
export { IngestError } from './client/ingest.js';
export { Permission, PermissionAction } from './client/users.js';
export { openArchive } from './store/archive.js';
export { checkpointBytes, checkpointHash, parseCheckpoint, verifyCheckpoint } from './store/checkpoint.js';
export { openForReading } from './store/reading.js';
export { MemoryRootStore } from './store/memory-root-store.js';
export { SqliteRootStore } from './store/sqlite-root-store.js';
export { defaultStorePath } from './store/default-path.js';
export { signedContradiction, verifyEvidence } from './worker/evidence.js';
export {
  ArgumentError,
  ClosedError,
  ImmuError,
  PoolError,
  ServerError,
  StoreError,
  TransportError,
  VerificationError,
} from './errors.js';

export type { ClientAudit } from './client/audit/client-audit.js';
export type { KeptHeadersVerdict } from './client/audit/verify-kept-headers.js';
export type { AuditFinding } from './client/audit/findings.js';
export type { AuditOptions, DatabaseAuditOptions, RootsAuditOptions } from './client/audit/options.js';
export type {
  AuditedState,
  AuditReport,
  DatabaseProgress,
  DatabaseReport,
  RootCounts,
  RootFinding,
  RootsProgress,
  RootsReport,
} from './client/audit/report.js';
export type { BytesInput } from './client/bytes-input.js';
export type {
  CallOptions,
  Credentials,
  ImmuClientOptions,
  TlsOptions,
  TrustPolicy,
} from './client/options.js';
export type { RetryOptions } from './client/retry.js';
export type { CreateDatabaseOptions, DatabaseInfo, DatabaseSettings } from './client/databases.js';
export type { Entry } from './client/entries.js';
export type { GetOptions } from './client/get-options.js';
export type { Pairs, Write } from './client/kv.js';
export type { ClientDiagnostics } from './client/connection.js';
export type { WriteOptions } from './client/immu-client.js';
export type { IngestOptions, IngestProgress, IngestReceipt, IngestRecord } from './client/ingest.js';
export type { ClaimedState, Health, ServerInfo } from './client/server-info.js';
export type { GrantablePermission, User } from './client/users.js';
export type { VerifiedEntry, VerifiedReference } from './client/verified/verified-get.js';
export type { VerifiedWrite } from './client/verified/verified-set.js';
export type { ImmuErrorCode, VerificationEvidence } from './errors.js';
export type { KVMetadata } from './proof/types.js';
export type { ReadStore } from './store/reading.js';
export type { AuditArchive } from './store/archive.js';
export type {
  AdvanceOutcome,
  ArchiveInfo,
  ArchiveOptions,
  AuditEntry,
  AuditGap,
  AuditLog,
  AuditOutcome,
  AuditRow,
  AuditStats,
  AuditVerdict,
  ChainPoint,
  Checkpoint,
  CheckpointOptions,
  CheckpointVerdict,
  Evidence,
  GapsQuery,
  HeaderBlock,
  HeaderBlockInfo,
  HeaderStore,
  LoggedDatabase,
  OmittedBytes,
  RecordOutcome,
  RootConflict,
  RootsFilter,
  RootsQuery,
  RootStore,
  SigningKey,
  StatsQuery,
  StoreDamage,
  StoredRoot,
  TrustKey,
  VerifyOptions,
} from './store/root-store.js';
export type { StoreDiagnostics } from './store/sqlite/messages.js';
export type { CheckpointsOptions, SqliteRootStoreOptions } from './store/sqlite-root-store.js';
export type { VerifierOptions } from './worker/create-verifier.js';
export type { EvidenceVerdict, FailedCheck } from './worker/evidence.js';
export type { Signed, TwoHashes } from './worker/signed-roots.js';
export type {
  Context,
  FrontierPeaks,
  Job,
  Question,
  Refuted,
  Root,
  StretchCounts,
  WrittenEntry,
} from './worker/verifier.js';
