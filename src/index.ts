// Everything the package exports at its root, values first. What auditors need is in audit.ts.
export { ImmuClient } from './client/immu-client.js';
export { IngestError } from './client/calls/ingest/receipts.js';
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
  ChangedSettings,
  DatabaseSettings,
  HistoryTreeSettings,
  IndexSettings,
  ReplicationSettings,
  TruncationSettings,
} from './client/calls/admin/database-settings.js';
export type {
  CreateDatabaseOptions,
  DatabaseInfo,
  DeleteDatabaseOptions,
  TruncateDatabaseOptions,
} from './client/calls/admin/databases.js';
export type { Entry, EntryReference } from './client/calls/kv/entries.js';
export type { Codec, Decoded } from './client/results/codec.js';
export type { EntryBase } from './client/results/entry-base.js';
export type { DatabaseHealth, FlushIndexOptions } from './client/calls/admin/maintenance.js';
export type { SqlQueryOptions } from './client/calls/sql/call-forms.js';
export type { SqlTx, SqlWrite } from './client/calls/sql/exec.js';
export type { SqlParams } from './client/calls/sql/params.js';
export type { SqlStatement } from './client/calls/sql/statement.js';
export type { TableColumn } from './client/calls/sql/tables.js';
export type { TransactionOptions } from './client/calls/sql/transaction.js';
export type { SqlParam, SqlRow, SqlTimestamp, SqlValue } from './client/calls/sql/values.js';
export type { PrimaryKey } from './client/calls/sql/row-key.js';
export type { CatalogLevel, PinnedTable } from './client/calls/sql/schema.js';
export type { VerifiedSqlTx, VerifiedSqlWrite, WrittenRow } from './client/calls/sql/verified-exec.js';
export type {
  Mirror,
  MirrorBeginning,
  MirrorProgress,
  MirrorRows,
  MirrorStatus,
  MirrorValue,
} from './client/calls/mirror/mirror.js';
export type { MirrorOptions } from './client/calls/mirror/options.js';
export type {
  QueriedTable,
  RowAnomaly,
  VerifiedRows,
} from './client/calls/sql/verified-query/verified-query.js';
export type { AbsentRow, LatestRow } from './client/calls/sql/followed/latest-row.js';
export type { AbsentDocument, LatestDocument } from './client/calls/documents/verified/latest-document.js';
export type { VerifiedRow } from './client/calls/sql/verified-get.js';
export type { RowComparison } from './client/calls/sql/verify-row.js';
export type { DatabaseSql, VerifiedRowOptions, VerifiedSchema } from './client/faces/verified-sql.js';
export type { CatalogEntry, CatalogValue } from './proof/sql/catalog-entry.js';
export type { CatalogKey, SqlKey } from './proof/sql/raw-key.js';
export type { SqlCheck, SqlColumn, SqlIndex } from './proof/sql/schema.js';
export type { Sql } from './client/faces/sql.js';
export type { SqlTransaction, VerifiedTransactionResult } from './client/faces/sql-transactions.js';
export type { SqlPrefix, SqlType } from './proof/sql/types.js';
export type { SqlPrivilege } from './client/calls/admin/sql-privileges.js';
export type { GetOptions } from './client/input/get-options.js';
export type { StreamedEntry } from './client/calls/streams/stream-get.js';
export type { StreamOp, StreamOps, StreamZAdd } from './client/calls/streams/stream-exec-all.js';
export type { StreamEntries, StreamEntry, ValueSource } from './client/calls/streams/sources.js';
export type { ValuePieces } from './client/calls/streams/value-stream.js';
export type { VerifiedEntryInfo, VerifiedStream } from './client/calls/streams/verified-value.js';
export type { StreamOption } from './client/calls/scans/streamed.js';
export type { StreamedKeyValue, StreamedMember } from './client/calls/streams/streamed-entries.js';
export type { StreamSetOptions, VerifiedStreamGetOptions } from './client/faces/streams.js';
export type { Pairs } from './client/calls/kv/contents.js';
export type { Write } from './client/calls/kv/kv.js';
export type {
  CallEvent,
  CallStartEvent,
  CallsEnded,
  CallsEvent,
  ClientLoad,
  ConnectionEvent,
  ForkEvent,
  HeadEvent,
  RefusalEvent,
  RpcEvent,
  SessionEvent,
  VerifyEvent,
  WarningEvent,
  WatchEvent,
  WatchEvents,
  WatchName,
} from './client/watch/events.js';
export type { ImmuLogger, LogLevel } from './client/watch/logger.js';
export type { ClientStatus, StatusChange, StatusNow } from './client/watch/status.js';
export type { ClientDiagnostics } from './client/room/connection.js';
export type { GroupDiagnostics } from './client/room/grouped-calls.js';
export type { TrustDiagnostics } from './client/trust/trust-over-time.js';
export type { DatabaseHandle } from './client/database-handle.js';
export type { VerifiedGetOptions } from './client/faces/keys.js';
export type { Precondition } from './client/input/conditions.js';
export type { Op, OpVersion } from './client/input/operations.js';
export type {
  ConditionalOptions,
  DeleteOptions,
  EntryMetadata,
  NoWaitOptions,
  OwnTxOptions,
  VerifiedWriteOptions,
  SetOptions,
  VersionOptions,
  WriteOptions,
} from './client/input/write-options.js';
export type {
  ExportRange,
  TransactionsOptions,
  VerifiedTransactionsOptions,
  VerifiedTxOptions,
} from './client/faces/txs.js';
export type { ExportedTx, VerifiedExportedTx } from './client/calls/txs/export-tx.js';
export type { Transaction } from './client/calls/txs/transaction.js';
export type { TxRange } from './client/calls/txs/pages.js';
export type { EntriesWanted, EntryKind, TxOptions } from './client/calls/txs/wanted.js';
export type { VerifiedState } from './client/calls/txs/verified-state.js';
export type { VerifiedTransaction } from './client/calls/txs/verified-tx.js';
export type { Databases } from './client/faces/databases.js';
export type { Server } from './client/faces/server.js';
export type { HandleOptions, TypedDatabase, TypedPairs } from './client/faces/typed-database.js';
export type { Users } from './client/faces/users.js';
export type { HistoryEntry, HistoryOptions } from './client/calls/scans/history.js';
export type { ScanOptions } from './client/calls/scans/scan.js';
export type { VerifiedVersion } from './client/calls/scans/verified-history.js';
export type { CompleteOptions } from './client/calls/latest/complete-options.js';
export type { CompleteScanOptions } from './client/calls/latest/complete-scan.js';
export type { CompleteHistoryOptions, NumberedVersion } from './client/calls/latest/complete-history.js';
export type { CompleteZScanOptions, ProvenMember } from './client/calls/latest/complete-z-scan.js';
export type { ProvenCount } from './client/faces/complete.js';
export type { VerifiedZEntry } from './client/calls/scans/verified-z-scan.js';
export type { ZEntry, ZScanOptions, ZSeek } from './client/calls/scans/z-scan.js';
export type { VersionReference } from './verify/claims/version.js';
export type { Ingestion } from './client/calls/ingest/ingestion.js';
export type { IngestOptions, IngestProgress } from './client/calls/ingest/options.js';
export type {
  IngestBatch,
  IngestReceipt,
  IngestRefusal,
  IngestSummary,
} from './client/calls/ingest/receipts.js';
export type { IngestRecord } from './client/calls/ingest/source.js';
export type { ClaimedState, Health, ServerInfo } from './client/calls/admin/server-info.js';
export type { GrantablePermission, User } from './client/calls/admin/users.js';
export type {
  FollowLimits,
  FollowOptions,
  FollowProgress,
  FollowSinceOptions,
  Following,
  FollowingSince,
} from './client/calls/latest/follow.js';
export type { LatestEntry } from './client/calls/latest/latest-get.js';
export type { AbsenceReason, ProvenAbsence } from './client/calls/latest/proven.js';
export type { LatestOptions } from './client/input/get-options.js';
export type { FollowStatus } from './client/trust/latest/latest.js';
export type { VerifiedEntry, VerifiedReference } from './client/calls/kv/verified-entry.js';
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
  StatsBucket,
  StatsQuery,
  StoredRoot,
  TrustKey,
  VerifyOptions,
  VerifyProgress,
} from './store/root-store.js';
export type { StoreDiagnostics } from './store/sqlite/thread/messages.js';
export type { SqliteDriver } from './sqlite/open.js';
export type { CheckpointsOptions, SqliteRootStoreOptions } from './store/sqlite/sqlite-root-store.js';
export type { VerifierOptions } from './worker/create-verifier.js';
export type { Hasher } from './worker/hasher.js';
export type {
  StoredEntry,
  TransactionEntry,
  TransactionKey,
  TransactionMember,
  TransactionRow,
} from './verify/transaction-entry.js';
export type { TxMetadata } from './proof/types.js';
export type {
  PortableDualProof,
  PortableEntry,
  PortableHeader,
  PortableProof,
  PortableRoot,
} from './verify/portable/format.js';
export type { Root } from './verify/verifier.js';
export type { Documents, VerifiedDocumentOptions } from './client/faces/documents.js';
export type { VerifiedRevision } from './client/calls/documents/verified/audit.js';
export type { DeletedDocument, VerifiedDelete } from './client/calls/documents/verified/delete.js';
export type { VerifiedInsert, VerifiedReplace } from './client/calls/documents/verified/insert.js';
export type {
  CatalogOptions,
  CollectionPin,
  DocumentCollection,
  FollowedCatalogOptions,
} from './client/calls/documents/verified/level.js';
export type { VerifiedDocument } from './client/calls/documents/verified/result.js';
export type {
  CollectionField,
  CollectionIndex,
  CollectionInfo,
  CreateCollectionOptions,
  FieldType,
} from './client/calls/documents/collections.js';
export type { Document, DocumentRevision } from './client/calls/documents/document.js';
export type { Inserted, Replaced } from './client/calls/documents/insert.js';
export type {
  ComparedValue,
  DocumentOperator,
  DocumentOrder,
  DocumentQuery,
  DocumentWhere,
  FieldCondition,
} from './client/calls/documents/query.js';
export type { SearchOptions } from './client/calls/documents/search.js';
export type { AuditDocumentOptions } from './client/calls/documents/audit.js';
export type { DocumentInput, DocumentValueInput } from './client/input/document-input.js';
export type { DocumentFields, DocumentValue } from './proof/documents/values.js';
