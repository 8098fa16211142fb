// Generated from proto/ by `npm run wire-types`: not to be changed by hand.
//
// Messages as `schema.ts` has them loaded. Every field may be absent: what is not sent has its default value. 64-bit numbers
// are decimal text; bytes come as Buffer; a value of an enum comes by its name, or as a number when the schema has no name for
// it. A oneof is a field of its own that names the member which is there: it comes, and need not be given.

export interface Database {
  readonly databaseName?: string;
}

export interface CreateDatabaseRequest {
  readonly name?: string;
  readonly settings?: DatabaseNullableSettings;
  readonly ifNotExists?: boolean;
}

export interface CreateDatabaseResponse {
  readonly name?: string;
  readonly settings?: DatabaseNullableSettings;
  readonly alreadyExisted?: boolean;
}

export interface UpdateDatabaseRequest {
  readonly database?: string;
  readonly settings?: DatabaseNullableSettings;
}

export interface UpdateDatabaseResponse {
  readonly database?: string;
  readonly settings?: DatabaseNullableSettings;
}

export type DatabaseSettingsRequest = Readonly<Record<string, never>>;

export interface DatabaseSettingsResponse {
  readonly database?: string;
  readonly settings?: DatabaseNullableSettings;
}

export interface LoadDatabaseRequest {
  readonly database?: string;
}

export interface LoadDatabaseResponse {
  readonly database?: string;
}

export interface UnloadDatabaseRequest {
  readonly database?: string;
}

export interface UnloadDatabaseResponse {
  readonly database?: string;
}

export interface DeleteDatabaseRequest {
  readonly database?: string;
}

export interface DeleteDatabaseResponse {
  readonly database?: string;
}

export interface UseDatabaseReply {
  readonly token?: string;
}

export interface DatabaseListResponse {
  readonly databases?: readonly Database[];
}

export type DatabaseListRequestV2 = Readonly<Record<string, never>>;

export interface DatabaseListResponseV2 {
  readonly databases?: readonly DatabaseInfo[];
}

export interface DatabaseInfo {
  readonly name?: string;
  readonly settings?: DatabaseNullableSettings;
  readonly loaded?: boolean;
  readonly diskSize?: string;
  readonly numTransactions?: string;
  readonly created_at?: string;
  readonly created_by?: string;
}

export interface FlushIndexRequest {
  readonly cleanupPercentage?: number;
  readonly synced?: boolean;
}

export interface FlushIndexResponse {
  readonly database?: string;
}

export interface TruncateDatabaseRequest {
  readonly database?: string;
  readonly retentionPeriod?: string;
}

export interface TruncateDatabaseResponse {
  readonly database?: string;
}

export interface DatabaseNullableSettings {
  readonly replicationSettings?: ReplicationNullableSettings;
  readonly fileSize?: NullableUint32;
  readonly maxKeyLen?: NullableUint32;
  readonly maxValueLen?: NullableUint32;
  readonly maxTxEntries?: NullableUint32;
  readonly excludeCommitTime?: NullableBool;
  readonly maxConcurrency?: NullableUint32;
  readonly maxIOConcurrency?: NullableUint32;
  readonly txLogCacheSize?: NullableUint32;
  readonly vLogMaxOpenedFiles?: NullableUint32;
  readonly txLogMaxOpenedFiles?: NullableUint32;
  readonly commitLogMaxOpenedFiles?: NullableUint32;
  readonly indexSettings?: IndexNullableSettings;
  readonly writeTxHeaderVersion?: NullableUint32;
  readonly autoload?: NullableBool;
  readonly readTxPoolSize?: NullableUint32;
  readonly syncFrequency?: NullableMilliseconds;
  readonly writeBufferSize?: NullableUint32;
  readonly ahtSettings?: AHTNullableSettings;
  readonly maxActiveTransactions?: NullableUint32;
  readonly mvccReadSetLimit?: NullableUint32;
  readonly vLogCacheSize?: NullableUint32;
  readonly truncationSettings?: TruncationNullableSettings;
  readonly embeddedValues?: NullableBool;
  readonly preallocFiles?: NullableBool;
}

export interface ReplicationNullableSettings {
  readonly replica?: NullableBool;
  readonly primaryDatabase?: NullableString;
  readonly primaryHost?: NullableString;
  readonly primaryPort?: NullableUint32;
  readonly primaryUsername?: NullableString;
  readonly primaryPassword?: NullableString;
  readonly syncReplication?: NullableBool;
  readonly syncAcks?: NullableUint32;
  readonly prefetchTxBufferSize?: NullableUint32;
  readonly replicationCommitConcurrency?: NullableUint32;
  readonly allowTxDiscarding?: NullableBool;
  readonly skipIntegrityCheck?: NullableBool;
  readonly waitForIndexing?: NullableBool;
}

export interface TruncationNullableSettings {
  readonly retentionPeriod?: NullableMilliseconds;
  readonly truncationFrequency?: NullableMilliseconds;
}

export interface IndexNullableSettings {
  readonly flushThreshold?: NullableUint32;
  readonly syncThreshold?: NullableUint32;
  readonly cacheSize?: NullableUint32;
  readonly maxNodeSize?: NullableUint32;
  readonly maxActiveSnapshots?: NullableUint32;
  readonly renewSnapRootAfter?: NullableUint64;
  readonly compactionThld?: NullableUint32;
  readonly delayDuringCompaction?: NullableUint32;
  readonly nodesLogMaxOpenedFiles?: NullableUint32;
  readonly historyLogMaxOpenedFiles?: NullableUint32;
  readonly commitLogMaxOpenedFiles?: NullableUint32;
  readonly flushBufferSize?: NullableUint32;
  readonly cleanupPercentage?: NullableFloat;
  readonly maxBulkSize?: NullableUint32;
  readonly bulkPreparationTimeout?: NullableMilliseconds;
}

export interface AHTNullableSettings {
  readonly syncThreshold?: NullableUint32;
  readonly writeBufferSize?: NullableUint32;
}

export interface DatabaseSettings {
  readonly databaseName?: string;
  readonly replica?: boolean;
  readonly primaryDatabase?: string;
  readonly primaryHost?: string;
  readonly primaryPort?: number;
  readonly primaryUsername?: string;
  readonly primaryPassword?: string;
  readonly fileSize?: number;
  readonly maxKeyLen?: number;
  readonly maxValueLen?: number;
  readonly maxTxEntries?: number;
  readonly excludeCommitTime?: boolean;
}

export interface NullableUint32 {
  readonly value?: number;
}

export interface NullableUint64 {
  readonly value?: string;
}

export interface NullableFloat {
  readonly value?: number;
}

export interface NullableBool {
  readonly value?: boolean;
}

export interface NullableString {
  readonly value?: string;
}

export interface NullableMilliseconds {
  readonly value?: string;
}

export interface Key {
  readonly key?: Uint8Array;
}

export interface KeyValue {
  readonly key?: Uint8Array;
  readonly value?: Uint8Array;
  readonly metadata?: KVMetadata;
}

export interface KVMetadata {
  readonly deleted?: boolean;
  readonly expiration?: Expiration;
  readonly nonIndexable?: boolean;
}

export interface Expiration {
  readonly expiresAt?: string;
}

export interface Entry {
  readonly tx?: string;
  readonly key?: Uint8Array;
  readonly value?: Uint8Array;
  readonly referencedBy?: Reference;
  readonly metadata?: KVMetadata;
  readonly expired?: boolean;
  readonly revision?: string;
}

export interface Reference {
  readonly tx?: string;
  readonly key?: Uint8Array;
  readonly atTx?: string;
  readonly metadata?: KVMetadata;
  readonly revision?: string;
}

export interface Entries {
  readonly entries?: readonly Entry[];
}

export interface ZEntry {
  readonly set?: Uint8Array;
  readonly key?: Uint8Array;
  readonly entry?: Entry;
  readonly score?: number;
  readonly atTx?: string;
}

export interface ZEntries {
  readonly entries?: readonly ZEntry[];
}

export interface Tx {
  readonly header?: TxHeader;
  readonly entries?: readonly TxEntry[];
  readonly kvEntries?: readonly Entry[];
  readonly zEntries?: readonly ZEntry[];
}

export interface TxEntry {
  readonly key?: Uint8Array;
  readonly hValue?: Uint8Array;
  readonly vLen?: number;
  readonly metadata?: KVMetadata;
  readonly value?: Uint8Array;
}

export interface TxList {
  readonly txs?: readonly Tx[];
}

export interface VerifiableEntry {
  readonly entry?: Entry;
  readonly verifiableTx?: VerifiableTx;
  readonly inclusionProof?: InclusionProof;
}

export interface VerifiableTx {
  readonly tx?: Tx;
  readonly dualProof?: DualProof;
  readonly signature?: Signature;
}

export interface VerifiableTxV2 {
  readonly tx?: Tx;
  readonly dualProof?: DualProofV2;
  readonly signature?: Signature;
}

export interface TxHeader {
  readonly id?: string;
  readonly prevAlh?: Uint8Array;
  readonly ts?: string;
  readonly nentries?: number;
  readonly eH?: Uint8Array;
  readonly blTxId?: string;
  readonly blRoot?: Uint8Array;
  readonly version?: number;
  readonly metadata?: TxMetadata;
}

export interface TxMetadata {
  readonly truncatedTxID?: string;
  readonly extra?: Uint8Array;
}

export interface Signature {
  readonly publicKey?: Uint8Array;
  readonly signature?: Uint8Array;
}

export interface ImmutableState {
  readonly db?: string;
  readonly txId?: string;
  readonly txHash?: Uint8Array;
  readonly signature?: Signature;
  readonly precommittedTxId?: string;
  readonly precommittedTxHash?: Uint8Array;
}

export interface InclusionProof {
  readonly leaf?: number;
  readonly width?: number;
  readonly terms?: readonly Uint8Array[];
}

export interface LinearProof {
  readonly sourceTxId?: string;
  readonly TargetTxId?: string;
  readonly terms?: readonly Uint8Array[];
}

export interface LinearAdvanceProof {
  readonly linearProofTerms?: readonly Uint8Array[];
  readonly inclusionProofs?: readonly InclusionProof[];
}

export interface DualProof {
  readonly sourceTxHeader?: TxHeader;
  readonly targetTxHeader?: TxHeader;
  readonly inclusionProof?: readonly Uint8Array[];
  readonly consistencyProof?: readonly Uint8Array[];
  readonly targetBlTxAlh?: Uint8Array;
  readonly lastInclusionProof?: readonly Uint8Array[];
  readonly linearProof?: LinearProof;
  readonly LinearAdvanceProof?: LinearAdvanceProof;
}

export interface DualProofV2 {
  readonly sourceTxHeader?: TxHeader;
  readonly targetTxHeader?: TxHeader;
  readonly inclusionProof?: readonly Uint8Array[];
  readonly consistencyProof?: readonly Uint8Array[];
}

export interface KeyRequest {
  readonly key?: Uint8Array;
  readonly atTx?: string;
  readonly sinceTx?: string;
  readonly noWait?: boolean;
  readonly atRevision?: string;
}

export interface VerifiableGetRequest {
  readonly keyRequest?: KeyRequest;
  readonly proveSinceTx?: string;
}

export interface KeyListRequest {
  readonly keys?: readonly Uint8Array[];
  readonly sinceTx?: string;
}

export interface ScanRequest {
  readonly seekKey?: Uint8Array;
  readonly prefix?: Uint8Array;
  readonly desc?: boolean;
  readonly limit?: string;
  readonly sinceTx?: string;
  readonly noWait?: boolean;
  readonly endKey?: Uint8Array;
  readonly inclusiveSeek?: boolean;
  readonly inclusiveEnd?: boolean;
  readonly offset?: string;
}

export interface KeyPrefix {
  readonly prefix?: Uint8Array;
}

export interface EntryCount {
  readonly count?: string;
}

export interface HistoryRequest {
  readonly key?: Uint8Array;
  readonly offset?: string;
  readonly limit?: number;
  readonly desc?: boolean;
  readonly sinceTx?: string;
}

export interface ZScanRequest {
  readonly set?: Uint8Array;
  readonly seekKey?: Uint8Array;
  readonly seekScore?: number;
  readonly seekAtTx?: string;
  readonly inclusiveSeek?: boolean;
  readonly limit?: string;
  readonly desc?: boolean;
  readonly minScore?: Score;
  readonly maxScore?: Score;
  readonly sinceTx?: string;
  readonly noWait?: boolean;
  readonly offset?: string;
}

export interface Score {
  readonly score?: number;
}

export interface TxRequest {
  readonly tx?: string;
  readonly entriesSpec?: EntriesSpec;
  readonly sinceTx?: string;
  readonly noWait?: boolean;
  readonly keepReferencesUnresolved?: boolean;
}

export interface VerifiableTxRequest {
  readonly tx?: string;
  readonly proveSinceTx?: string;
  readonly entriesSpec?: EntriesSpec;
  readonly sinceTx?: string;
  readonly noWait?: boolean;
  readonly keepReferencesUnresolved?: boolean;
}

export interface TxScanRequest {
  readonly initialTx?: string;
  readonly limit?: number;
  readonly desc?: boolean;
  readonly entriesSpec?: EntriesSpec;
  readonly sinceTx?: string;
  readonly noWait?: boolean;
}

export interface EntriesSpec {
  readonly kvEntriesSpec?: EntryTypeSpec;
  readonly zEntriesSpec?: EntryTypeSpec;
  readonly sqlEntriesSpec?: EntryTypeSpec;
}

export interface EntryTypeSpec {
  readonly action?: EntryTypeAction;
}

export type EntryTypeAction = 'EXCLUDE' | 'ONLY_DIGEST' | 'RAW_VALUE' | 'RESOLVE' | number;

export interface UseSnapshotRequest {
  readonly sinceTx?: string;
  readonly asBeforeTx?: string;
}

export type ServerInfoRequest = Readonly<Record<string, never>>;

export interface ServerInfoResponse {
  readonly version?: string;
  readonly startedAt?: string;
  readonly numTransactions?: string;
  readonly numDatabases?: number;
  readonly databasesDiskSize?: string;
}

export interface HealthResponse {
  readonly status?: boolean;
  readonly version?: string;
}

export interface DatabaseHealthResponse {
  readonly pendingRequests?: number;
  readonly lastRequestCompletedAt?: string;
}

export interface ErrorInfo {
  readonly code?: string;
  readonly cause?: string;
}

export interface DebugInfo {
  readonly stack?: string;
}

export interface RetryInfo {
  readonly retry_delay?: number;
}

export interface AuthConfig {
  readonly kind?: number;
}

export interface MTLSConfig {
  readonly enabled?: boolean;
}

export interface SQLExecRequest {
  readonly sql?: string;
  readonly params?: readonly NamedParam[];
  readonly noWait?: boolean;
}

export interface SQLExecResult {
  readonly txs?: readonly CommittedSQLTx[];
  readonly ongoingTx?: boolean;
}

export interface CommittedSQLTx {
  readonly header?: TxHeader;
  readonly updatedRows?: number;
  readonly lastInsertedPKs?: Readonly<Record<string, SQLValue>>;
  readonly firstInsertedPKs?: Readonly<Record<string, SQLValue>>;
}

export interface SQLQueryRequest {
  readonly sql?: string;
  readonly params?: readonly NamedParam[];
  readonly reuseSnapshot?: boolean;
  readonly acceptStream?: boolean;
}

export interface SQLQueryResult {
  readonly rows?: readonly Row[];
  readonly columns?: readonly Column[];
}

export interface Column {
  readonly name?: string;
  readonly type?: string;
}

export interface Row {
  readonly columns?: readonly string[];
  readonly values?: readonly SQLValue[];
}

export interface NamedParam {
  readonly name?: string;
  readonly value?: SQLValue;
}

export interface SQLValue {
  readonly null?: NullValue;
  readonly n?: string;
  readonly s?: string;
  readonly b?: boolean;
  readonly bs?: Uint8Array;
  readonly ts?: string;
  readonly f?: number;
  readonly value?: 'null' | 'n' | 's' | 'b' | 'bs' | 'ts' | 'f';
}

export interface Table {
  readonly tableName?: string;
}

export interface NewTxRequest {
  readonly mode?: TxMode;
  readonly snapshotMustIncludeTxID?: NullableUint64;
  readonly snapshotRenewalPeriod?: NullableMilliseconds;
  readonly unsafeMVCC?: boolean;
}

export type TxMode = 'ReadOnly' | 'WriteOnly' | 'ReadWrite' | number;

export interface NewTxResponse {
  readonly transactionID?: string;
}

export interface SQLGetRequest {
  readonly table?: string;
  readonly pkValues?: readonly SQLValue[];
  readonly atTx?: string;
  readonly sinceTx?: string;
}

export interface VerifiableSQLGetRequest {
  readonly sqlGetRequest?: SQLGetRequest;
  readonly proveSinceTx?: string;
}

export interface SQLEntry {
  readonly tx?: string;
  readonly key?: Uint8Array;
  readonly value?: Uint8Array;
  readonly metadata?: KVMetadata;
}

export interface VerifiableSQLEntry {
  readonly sqlEntry?: SQLEntry;
  readonly verifiableTx?: VerifiableTx;
  readonly inclusionProof?: InclusionProof;
  readonly DatabaseId?: number;
  readonly TableId?: number;
  readonly ColNamesById?: Readonly<Record<number, string>>;
  readonly ColIdsByName?: Readonly<Record<string, number>>;
  readonly ColTypesById?: Readonly<Record<number, string>>;
  readonly ColLenById?: Readonly<Record<number, number>>;
  readonly MaxColId?: number;
  readonly PKIDs?: readonly number[];
}

export interface Chunk {
  readonly content?: Uint8Array;
  readonly metadata?: Readonly<Record<string, Uint8Array>>;
}

export interface ExportTxRequest {
  readonly tx?: string;
  readonly allowPreCommitted?: boolean;
  readonly replicaState?: ReplicaState;
  readonly skipIntegrityCheck?: boolean;
}

export interface ReplicaState {
  readonly UUID?: string;
  readonly committedTxID?: string;
  readonly committedAlh?: Uint8Array;
  readonly precommittedTxID?: string;
  readonly precommittedAlh?: Uint8Array;
}

export interface OpenSessionRequest {
  readonly username?: Uint8Array;
  readonly password?: Uint8Array;
  readonly databaseName?: string;
}

export interface OpenSessionResponse {
  readonly sessionID?: string;
  readonly serverUUID?: string;
}

export interface LoginRequest {
  readonly user?: Uint8Array;
  readonly password?: Uint8Array;
}

export interface LoginResponse {
  readonly token?: string;
  readonly warning?: Uint8Array;
}

export interface User {
  readonly user?: Uint8Array;
  readonly permissions?: readonly Permission[];
  readonly createdby?: string;
  readonly createdat?: string;
  readonly active?: boolean;
  readonly sqlPrivileges?: readonly SQLPrivilege[];
}

export interface UserList {
  readonly users?: readonly User[];
}

export interface UserRequest {
  readonly user?: Uint8Array;
}

export interface Permission {
  readonly database?: string;
  readonly permission?: number;
}

export interface SQLPrivilege {
  readonly database?: string;
  readonly privilege?: string;
}

export interface CreateUserRequest {
  readonly user?: Uint8Array;
  readonly password?: Uint8Array;
  readonly permission?: number;
  readonly database?: string;
}

export interface ChangePasswordRequest {
  readonly user?: Uint8Array;
  readonly oldPassword?: Uint8Array;
  readonly newPassword?: Uint8Array;
}

export interface SetActiveUserRequest {
  readonly active?: boolean;
  readonly username?: string;
}

export type PermissionAction = 'GRANT' | 'REVOKE' | number;

export interface ChangePermissionRequest {
  readonly action?: PermissionAction;
  readonly username?: string;
  readonly database?: string;
  readonly permission?: number;
}

export interface ChangeSQLPrivilegesRequest {
  readonly action?: PermissionAction;
  readonly username?: string;
  readonly database?: string;
  readonly privileges?: readonly string[];
}

export type ChangeSQLPrivilegesResponse = Readonly<Record<string, never>>;

export interface SetRequest {
  readonly KVs?: readonly KeyValue[];
  readonly noWait?: boolean;
  readonly preconditions?: readonly Precondition[];
}

export interface VerifiableSetRequest {
  readonly setRequest?: SetRequest;
  readonly proveSinceTx?: string;
}

export interface DeleteKeysRequest {
  readonly keys?: readonly Uint8Array[];
  readonly sinceTx?: string;
  readonly noWait?: boolean;
}

export interface ReferenceRequest {
  readonly key?: Uint8Array;
  readonly referencedKey?: Uint8Array;
  readonly atTx?: string;
  readonly boundRef?: boolean;
  readonly noWait?: boolean;
  readonly preconditions?: readonly Precondition[];
}

export interface VerifiableReferenceRequest {
  readonly referenceRequest?: ReferenceRequest;
  readonly proveSinceTx?: string;
}

export interface ZAddRequest {
  readonly set?: Uint8Array;
  readonly score?: number;
  readonly key?: Uint8Array;
  readonly atTx?: string;
  readonly boundRef?: boolean;
  readonly noWait?: boolean;
}

export interface VerifiableZAddRequest {
  readonly zAddRequest?: ZAddRequest;
  readonly proveSinceTx?: string;
}

export interface ExecAllRequest {
  readonly Operations?: readonly Op[];
  readonly noWait?: boolean;
  readonly preconditions?: readonly Precondition[];
}

export interface Op {
  readonly kv?: KeyValue;
  readonly zAdd?: ZAddRequest;
  readonly ref?: ReferenceRequest;
  readonly operation?: 'kv' | 'zAdd' | 'ref';
}

export interface Precondition {
  readonly keyMustExist?: PreconditionKeyMustExistPrecondition;
  readonly keyMustNotExist?: PreconditionKeyMustNotExistPrecondition;
  readonly keyNotModifiedAfterTX?: PreconditionKeyNotModifiedAfterTXPrecondition;
  readonly precondition?: 'keyMustExist' | 'keyMustNotExist' | 'keyNotModifiedAfterTX';
}

export interface PreconditionKeyMustExistPrecondition {
  readonly key?: Uint8Array;
}

export interface PreconditionKeyMustNotExistPrecondition {
  readonly key?: Uint8Array;
}

export interface PreconditionKeyNotModifiedAfterTXPrecondition {
  readonly key?: Uint8Array;
  readonly txID?: string;
}

export type FieldType = 'STRING' | 'BOOLEAN' | 'INTEGER' | 'DOUBLE' | 'UUID' | number;

export type ComparisonOperator = 'EQ' | 'NE' | 'LT' | 'LE' | 'GT' | 'GE' | 'LIKE' | 'NOT_LIKE' | number;

export interface CreateCollectionRequest {
  readonly name?: string;
  readonly documentIdFieldName?: string;
  readonly fields?: readonly Field[];
  readonly indexes?: readonly Index[];
}

export type CreateCollectionResponse = Readonly<Record<string, never>>;

export interface Field {
  readonly name?: string;
  readonly type?: FieldType;
}

export interface Index {
  readonly fields?: readonly string[];
  readonly isUnique?: boolean;
}

export interface GetCollectionRequest {
  readonly name?: string;
}

export interface GetCollectionResponse {
  readonly collection?: Collection;
}

export interface Collection {
  readonly name?: string;
  readonly documentIdFieldName?: string;
  readonly fields?: readonly Field[];
  readonly indexes?: readonly Index[];
}

export type GetCollectionsRequest = Readonly<Record<string, never>>;

export interface GetCollectionsResponse {
  readonly collections?: readonly Collection[];
}

export interface DeleteCollectionRequest {
  readonly name?: string;
}

export type DeleteCollectionResponse = Readonly<Record<string, never>>;

export interface UpdateCollectionRequest {
  readonly name?: string;
  readonly documentIdFieldName?: string;
}

export type UpdateCollectionResponse = Readonly<Record<string, never>>;

export interface AddFieldRequest {
  readonly collectionName?: string;
  readonly field?: Field;
}

export type AddFieldResponse = Readonly<Record<string, never>>;

export interface RemoveFieldRequest {
  readonly collectionName?: string;
  readonly fieldName?: string;
}

export type RemoveFieldResponse = Readonly<Record<string, never>>;

export interface CreateIndexRequest {
  readonly collectionName?: string;
  readonly fields?: readonly string[];
  readonly isUnique?: boolean;
}

export type CreateIndexResponse = Readonly<Record<string, never>>;

export interface DeleteIndexRequest {
  readonly collectionName?: string;
  readonly fields?: readonly string[];
}

export type DeleteIndexResponse = Readonly<Record<string, never>>;

export interface InsertDocumentsRequest {
  readonly collectionName?: string;
  readonly documents?: readonly Struct[];
}

export interface InsertDocumentsResponse {
  readonly transactionId?: string;
  readonly documentIds?: readonly string[];
}

export interface ReplaceDocumentsRequest {
  readonly query?: Query;
  readonly document?: Struct;
}

export interface ReplaceDocumentsResponse {
  readonly revisions?: readonly DocumentAtRevision[];
}

export interface DeleteDocumentsRequest {
  readonly query?: Query;
}

export type DeleteDocumentsResponse = Readonly<Record<string, never>>;

export interface SearchDocumentsRequest {
  readonly searchId?: string;
  readonly query?: Query;
  readonly page?: number;
  readonly pageSize?: number;
  readonly keepOpen?: boolean;
}

export interface Query {
  readonly collectionName?: string;
  readonly expressions?: readonly QueryExpression[];
  readonly orderBy?: readonly OrderByClause[];
  readonly limit?: number;
}

export interface QueryExpression {
  readonly fieldComparisons?: readonly FieldComparison[];
}

export interface FieldComparison {
  readonly field?: string;
  readonly operator?: ComparisonOperator;
  readonly value?: Value;
}

export interface OrderByClause {
  readonly field?: string;
  readonly desc?: boolean;
}

export interface SearchDocumentsResponse {
  readonly searchId?: string;
  readonly revisions?: readonly DocumentAtRevision[];
}

export interface DocumentAtRevision {
  readonly transactionId?: string;
  readonly documentId?: string;
  readonly revision?: string;
  readonly metadata?: DocumentMetadata;
  readonly document?: Struct;
  readonly username?: string;
  readonly ts?: string;
}

export interface DocumentMetadata {
  readonly deleted?: boolean;
}

export interface CountDocumentsRequest {
  readonly query?: Query;
}

export interface CountDocumentsResponse {
  readonly count?: string;
}

export interface AuditDocumentRequest {
  readonly collectionName?: string;
  readonly documentId?: string;
  readonly desc?: boolean;
  readonly page?: number;
  readonly pageSize?: number;
  readonly omitPayload?: boolean;
}

export interface AuditDocumentResponse {
  readonly revisions?: readonly DocumentAtRevision[];
}

export interface ProofDocumentRequest {
  readonly collectionName?: string;
  readonly documentId?: string;
  readonly transactionId?: string;
  readonly proofSinceTransactionId?: string;
}

export interface ProofDocumentResponse {
  readonly database?: string;
  readonly collectionId?: number;
  readonly documentIdFieldName?: string;
  readonly encodedDocument?: Uint8Array;
  readonly verifiableTx?: VerifiableTxV2;
}

export interface ModelOpenSessionRequest {
  readonly username?: string;
  readonly password?: string;
  readonly database?: string;
}

export interface ModelOpenSessionResponse {
  readonly sessionID?: string;
  readonly serverUUID?: string;
  readonly expirationTimestamp?: number;
  readonly inactivityTimestamp?: number;
}

export type KeepAliveRequest = Readonly<Record<string, never>>;

export type KeepAliveResponse = Readonly<Record<string, never>>;

export type CloseSessionRequest = Readonly<Record<string, never>>;

export type CloseSessionResponse = Readonly<Record<string, never>>;

export type Empty = Readonly<Record<string, never>>;

export interface Struct {
  readonly fields?: Readonly<Record<string, Value>>;
}

export interface Value {
  readonly nullValue?: NullValue;
  readonly numberValue?: number;
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly structValue?: Struct;
  readonly listValue?: ListValue;
  readonly kind?: 'nullValue' | 'numberValue' | 'stringValue' | 'boolValue' | 'structValue' | 'listValue';
}

export type NullValue = 'NULL_VALUE' | number;

export interface ListValue {
  readonly values?: readonly Value[];
}

/** One request, one answer. */
export interface Unary<Request, Answer> {
  readonly kind: 'unary';
  readonly request: Request;
  readonly answer: Answer;
}
/** One request, a stream of answers. */
export interface Down<Request, Answer> {
  readonly kind: 'down';
  readonly request: Request;
  readonly answer: Answer;
}
/** A stream of requests, one answer. */
export interface Up<Request, Answer> {
  readonly kind: 'up';
  readonly request: Request;
  readonly answer: Answer;
}
/** Streams both ways. */
export interface Both<Request, Answer> {
  readonly kind: 'both';
  readonly request: Request;
  readonly answer: Answer;
}

export interface Methods {
  OpenSession: Unary<OpenSessionRequest, OpenSessionResponse>;
  CloseSession: Unary<Empty, Empty>;
  KeepAlive: Unary<Empty, Empty>;
  Login: Unary<LoginRequest, LoginResponse>;
  Logout: Unary<Empty, Empty>;
  ListUsers: Unary<Empty, UserList>;
  CreateUser: Unary<CreateUserRequest, Empty>;
  ChangePassword: Unary<ChangePasswordRequest, Empty>;
  SetActiveUser: Unary<SetActiveUserRequest, Empty>;
  ChangePermission: Unary<ChangePermissionRequest, Empty>;
  ChangeSQLPrivileges: Unary<ChangeSQLPrivilegesRequest, ChangeSQLPrivilegesResponse>;
  Set: Unary<SetRequest, TxHeader>;
  VerifiableSet: Unary<VerifiableSetRequest, VerifiableTx>;
  Get: Unary<KeyRequest, Entry>;
  VerifiableGet: Unary<VerifiableGetRequest, VerifiableEntry>;
  GetAll: Unary<KeyListRequest, Entries>;
  Delete: Unary<DeleteKeysRequest, TxHeader>;
  ExecAll: Unary<ExecAllRequest, TxHeader>;
  Scan: Unary<ScanRequest, Entries>;
  Count: Unary<KeyPrefix, EntryCount>;
  CountAll: Unary<Empty, EntryCount>;
  History: Unary<HistoryRequest, Entries>;
  SetReference: Unary<ReferenceRequest, TxHeader>;
  VerifiableSetReference: Unary<VerifiableReferenceRequest, VerifiableTx>;
  ZAdd: Unary<ZAddRequest, TxHeader>;
  VerifiableZAdd: Unary<VerifiableZAddRequest, VerifiableTx>;
  ZScan: Unary<ZScanRequest, ZEntries>;
  TxById: Unary<TxRequest, Tx>;
  VerifiableTxById: Unary<VerifiableTxRequest, VerifiableTx>;
  TxScan: Unary<TxScanRequest, TxList>;
  CurrentState: Unary<Empty, ImmutableState>;
  SQLExec: Unary<SQLExecRequest, SQLExecResult>;
  UnarySQLQuery: Unary<SQLQueryRequest, SQLQueryResult>;
  SQLQuery: Down<SQLQueryRequest, SQLQueryResult>;
  ListTables: Unary<Empty, SQLQueryResult>;
  DescribeTable: Unary<Table, SQLQueryResult>;
  VerifiableSQLGet: Unary<VerifiableSQLGetRequest, VerifiableSQLEntry>;
  NewTx: Unary<NewTxRequest, NewTxResponse>;
  Commit: Unary<Empty, CommittedSQLTx>;
  Rollback: Unary<Empty, Empty>;
  TxSQLExec: Unary<SQLExecRequest, Empty>;
  TxSQLQuery: Down<SQLQueryRequest, SQLQueryResult>;
  streamGet: Down<KeyRequest, Chunk>;
  streamSet: Up<Chunk, TxHeader>;
  streamVerifiableGet: Down<VerifiableGetRequest, Chunk>;
  streamVerifiableSet: Up<Chunk, VerifiableTx>;
  streamScan: Down<ScanRequest, Chunk>;
  streamZScan: Down<ZScanRequest, Chunk>;
  streamHistory: Down<HistoryRequest, Chunk>;
  streamExecAll: Up<Chunk, TxHeader>;
  exportTx: Down<ExportTxRequest, Chunk>;
  streamExportTx: Both<ExportTxRequest, Chunk>;
  replicateTx: Up<Chunk, TxHeader>;
  CreateDatabaseV2: Unary<CreateDatabaseRequest, CreateDatabaseResponse>;
  UpdateDatabaseV2: Unary<UpdateDatabaseRequest, UpdateDatabaseResponse>;
  GetDatabaseSettingsV2: Unary<DatabaseSettingsRequest, DatabaseSettingsResponse>;
  DatabaseListV2: Unary<DatabaseListRequestV2, DatabaseListResponseV2>;
  UseDatabase: Unary<Database, UseDatabaseReply>;
  LoadDatabase: Unary<LoadDatabaseRequest, LoadDatabaseResponse>;
  UnloadDatabase: Unary<UnloadDatabaseRequest, UnloadDatabaseResponse>;
  DeleteDatabase: Unary<DeleteDatabaseRequest, DeleteDatabaseResponse>;
  TruncateDatabase: Unary<TruncateDatabaseRequest, TruncateDatabaseResponse>;
  FlushIndex: Unary<FlushIndexRequest, FlushIndexResponse>;
  CompactIndex: Unary<Empty, Empty>;
  CreateDatabase: Unary<Database, Empty>;
  CreateDatabaseWith: Unary<DatabaseSettings, Empty>;
  UpdateDatabase: Unary<DatabaseSettings, Empty>;
  GetDatabaseSettings: Unary<Empty, DatabaseSettings>;
  DatabaseList: Unary<Empty, DatabaseListResponse>;
  ServerInfo: Unary<ServerInfoRequest, ServerInfoResponse>;
  Health: Unary<Empty, HealthResponse>;
  DatabaseHealth: Unary<Empty, DatabaseHealthResponse>;
  UpdateAuthConfig: Unary<AuthConfig, Empty>;
  UpdateMTLSConfig: Unary<MTLSConfig, Empty>;
  CreateCollection: Unary<CreateCollectionRequest, CreateCollectionResponse>;
  GetCollections: Unary<GetCollectionsRequest, GetCollectionsResponse>;
  GetCollection: Unary<GetCollectionRequest, GetCollectionResponse>;
  UpdateCollection: Unary<UpdateCollectionRequest, UpdateCollectionResponse>;
  DeleteCollection: Unary<DeleteCollectionRequest, DeleteCollectionResponse>;
  AddField: Unary<AddFieldRequest, AddFieldResponse>;
  RemoveField: Unary<RemoveFieldRequest, RemoveFieldResponse>;
  CreateIndex: Unary<CreateIndexRequest, CreateIndexResponse>;
  DeleteIndex: Unary<DeleteIndexRequest, DeleteIndexResponse>;
  InsertDocuments: Unary<InsertDocumentsRequest, InsertDocumentsResponse>;
  ReplaceDocuments: Unary<ReplaceDocumentsRequest, ReplaceDocumentsResponse>;
  DeleteDocuments: Unary<DeleteDocumentsRequest, DeleteDocumentsResponse>;
  SearchDocuments: Unary<SearchDocumentsRequest, SearchDocumentsResponse>;
  CountDocuments: Unary<CountDocumentsRequest, CountDocumentsResponse>;
  AuditDocument: Unary<AuditDocumentRequest, AuditDocumentResponse>;
  ProofDocument: Unary<ProofDocumentRequest, ProofDocumentResponse>;
  'AuthorizationService.OpenSession': Unary<ModelOpenSessionRequest, ModelOpenSessionResponse>;
  'AuthorizationService.KeepAlive': Unary<KeepAliveRequest, KeepAliveResponse>;
  'AuthorizationService.CloseSession': Unary<CloseSessionRequest, CloseSessionResponse>;
}
