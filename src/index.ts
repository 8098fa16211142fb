// Everything the package exports at its root, values first. What auditors need is in audit.ts.
export { ImmuClient } from './client/immu-client.js';
export { IngestError } from './client/calls/kv/ingest.js';
export { Permission, PermissionAction } from './client/calls/admin/users.js';
export { MemoryRootStore } from './store/memory/memory-root-store.js';
export { SqliteRootStore } from './store/sqlite/sqlite-root-store.js';
export { defaultStorePath } from './store/default-path.js';
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
export type { DatabaseHandle } from './client/database-handle.js';
export type { WriteOptions } from './client/faces/keys.js';
export type { Databases } from './client/faces/databases.js';
export type { Server } from './client/faces/server.js';
export type { Users } from './client/faces/users.js';
export type { IngestOptions, IngestProgress, IngestReceipt, IngestRecord } from './client/calls/kv/ingest.js';
export type { ClaimedState, Health, ServerInfo } from './client/calls/admin/server-info.js';
export type { GrantablePermission, User } from './client/calls/admin/users.js';
export type { VerifiedEntry, VerifiedReference } from './client/calls/kv/shown-read.js';
export type { VerifiedWrite } from './client/trust/write.js';
export type { ImmuErrorCode, VerificationEvidence } from './errors.js';
export type { PublishHeadOptions, Witness } from './client/calls/witness/options.js';
export type {
  PublishedHead,
  QuorumError,
  RefusalReason,
  WitnessOutcome,
} from './client/calls/witness/outcome.js';
export type { WitnessedHead } from './client/calls/witness/verify-head.js';
export type { TreeHead } from './proof/heads/checkpoint.js';
export type { CosignedBy, NoteKeys } from './verify/heads/checkpoint-note.js';
export type { KVMetadata } from './proof/types.js';
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
  Checkpoint,
  CheckpointOptions,
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
  StoredRoot,
  TrustKey,
  VerifyOptions,
} from './store/root-store.js';
export type { StoreDiagnostics } from './store/sqlite/thread/messages.js';
export type { CheckpointsOptions, SqliteRootStoreOptions } from './store/sqlite/sqlite-root-store.js';
export type { VerifierOptions } from './worker/create-verifier.js';
export type { Root } from './verify/verifier.js';
