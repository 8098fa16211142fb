// Everything the package exports, values first.
export { ImmuClient } from './client/immu-client.js';
export { reportText } from './client/audit/report-text.js';
export { verifyKeptHeaders } from './client/audit/verify-kept-headers.js';
export { IngestError } from './client/calls/kv/ingest.js';
export { Permission, PermissionAction } from './client/calls/admin/users.js';
export { openArchive } from './store/archive.js';
export {
  checkpointBytes,
  checkpointHash,
  parseCheckpoint,
  verifyCheckpoint,
} from './store/log/checkpoint.js';
export { openForReading } from './store/sqlite/reading.js';
export { MemoryRootStore } from './store/memory/memory-root-store.js';
export { SqliteRootStore } from './store/sqlite/sqlite-root-store.js';
export { defaultStorePath } from './store/default-path.js';
export { questionWords, signedContradiction, verifyEvidence } from './verify/evidence.js';
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
export type { BytesInput } from './client/input/bytes-input.js';
export type { ImmuClientOptions, TlsOptions, TrustPolicy } from './client/options/options.js';
export type { Credentials } from './client/options/credentials.js';
export type { CallOptions } from './client/input/call-options.js';
export type { RetryOptions } from './client/options/retry-options.js';
export type {
  CreateDatabaseOptions,
  DatabaseInfo,
  DatabaseSettings,
} from './client/calls/admin/databases.js';
export type { Entry } from './client/calls/kv/entries.js';
export type { GetOptions } from './client/input/get-options.js';
export type { Pairs, Write } from './client/calls/kv/kv.js';
export type { ClientDiagnostics } from './client/room/connection.js';
export type { WriteOptions } from './client/immu-client.js';
export type { IngestOptions, IngestProgress, IngestReceipt, IngestRecord } from './client/calls/kv/ingest.js';
export type { ClaimedState, Health, ServerInfo } from './client/calls/admin/server-info.js';
export type { GrantablePermission, User } from './client/calls/admin/users.js';
export type { VerifiedEntry, VerifiedReference } from './client/calls/kv/verified-get.js';
export type { VerifiedWrite } from './client/calls/kv/verified-set.js';
export type { ImmuErrorCode, VerificationEvidence } from './errors.js';
export type { KVMetadata } from './proof/types.js';
export type { ReadStore } from './store/sqlite/reading.js';
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
export type { StoreDiagnostics } from './store/sqlite/thread/messages.js';
export type { CheckpointsOptions, SqliteRootStoreOptions } from './store/sqlite/sqlite-root-store.js';
export type { VerifierOptions } from './worker/create-verifier.js';
export type { EvidenceVerdict, FailedCheck } from './verify/evidence.js';
export type { Signed, TwoHashes } from './verify/signed-roots.js';
export type {
  Context,
  FrontierPeaks,
  Job,
  Question,
  Refuted,
  Root,
  StretchCounts,
  WrittenEntry,
} from './verify/verifier.js';
