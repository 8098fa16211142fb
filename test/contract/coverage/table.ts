// Every RPC of the server, and what this client makes of it: by hand. `npm run coverage` writes docs/coverage.md from it.
import type { Methods } from '#dist/wire/messages.js';

/** Calls that the table names and that are not there yet: they are shown so, and looked for nowhere. */
export const PENDING: readonly string[] = [];

/** Public calls that stand on no RPC of their own, so that none can be forgotten. */
export const BESIDE: readonly string[] = [
  // The client itself, and what it trusts.
  ...[
    'database',
    'ready',
    'close',
    'shutdown',
    'warm',
    'forgetTrust',
    'acceptServer',
    'server.accept',
    'status',
  ],
  // By what was followed.
  ...['follow', 'proveAbsent', 'unchangedSince', 'verifiedCount', 'mirror'],
  // Not public: protected, or internal.
  ...['write', 'users.changePermissionAs', 'documents.pages', 'documents.searchPages', 'sql.room'],
  // Values and statements of SQL, made without asking anybody.
  ...['sql.statement', 'sql.timestamp'],
];

interface Called {
  /** Public calls that take the server's word: `name`, or `family.name`. */
  readonly plain?: readonly string[];
  /** Public calls that prove what they are told. */
  readonly verified?: readonly string[];
  /** What the client itself uses it for. */
  readonly inside?: string;
  /** Tests that made these calls on a real server. */
  readonly ranIn: readonly string[];
}

type NotCalled =
  /** By an RPC that does the same, and more. */
  | { readonly superseded: keyof Methods }
  /** For good, and why. */
  | { readonly leftOut: string }
  /** What it will be called by. */
  | { readonly planned: string };

export type Row = Called | NotCalled;

export interface Section {
  readonly title: string;
  readonly rows: Readonly<Partial<Record<keyof Methods, Row>>>;
}

const VERIFIED = 'test/trust/verified-calls.test.ts';
const DELETES = 'test/trust/delete.test.ts';
const GROUPS = 'test/trust/grouped.test.ts';
const INGEST = 'test/trust/ingest.test.ts';
const WRITES = 'test/trust/operations.test.ts';
const KNOWN = 'test/trust/freshness.test.ts';
const CLIENT = 'test/client/client.test.ts';
const USERS = 'test/client/immu-py.test.ts';
const DATABASES = 'test/client/databases.test.ts';
const SESSIONS = 'test/client/session.test.ts';
const SCANS = 'test/scans/scan.test.ts';
const Z_SCANS = 'test/scans/z-scan.test.ts';
const HISTORIES = 'test/scans/history.test.ts';
const TXS = 'test/txs/reads.test.ts';
const PROVEN_TXS = 'test/txs/verified.test.ts';
const EXPORTS = 'test/txs/export.test.ts';
const WITNESSED = 'test/witness/publish.test.ts';
const STREAMED = 'test/scans/streamed.test.ts';
const SQL = 'test/sql/plain.test.ts';
const SQL_TXS = 'test/sql/transactions.test.ts';
const VERIFIED_SQL = 'test/sql/verified.test.ts';
const STREAMS = 'test/client/streams/streams.test.ts';
const DOCUMENTS = 'test/documents/plain.test.ts';
const PROVEN_DOCUMENTS = 'test/documents/verified-get.test.ts';
const DOCUMENT_WRITES = 'test/documents/verified-writes.test.ts';

export const COVERAGE: readonly Section[] = [
  {
    title: 'Keys, references and sorted sets',
    rows: {
      Set: {
        plain: ['set', 'setAll'],
        verified: ['verifiedSet', 'safeSet', 'verifiedSetAll', 'ingest'],
        ranIn: [CLIENT, USERS, GROUPS, INGEST],
      },
      VerifiableSet: {
        verified: ['verifiedSet', 'safeSet', 'verifiedSetAll'],
        ranIn: [VERIFIED, USERS, CLIENT],
      },
      Get: { plain: ['get', 'getAll'], verified: ['verifiedGet', 'safeGet'], ranIn: [CLIENT, USERS] },
      VerifiableGet: { verified: ['verifiedGet', 'safeGet'], ranIn: [VERIFIED, USERS] },
      GetAll: {
        plain: ['get', 'getAll'],
        verified: ['verifiedGet', 'verifiedGetAll'],
        ranIn: [CLIENT, GROUPS],
      },
      Delete: { plain: ['delete'], verified: ['verifiedDelete'], ranIn: [DELETES] },
      ExecAll: { plain: ['execAll'], verified: ['verifiedExecAll'], ranIn: [WRITES] },
      SetReference: { plain: ['setReference'], verified: ['verifiedSetReference'], ranIn: [WRITES] },
      VerifiableSetReference: { superseded: 'SetReference' },
      ZAdd: { plain: ['zAdd'], verified: ['verifiedZAdd'], ranIn: [WRITES] },
      VerifiableZAdd: { superseded: 'ZAdd' },
      Scan: { plain: ['scan'], verified: ['verifiedScan'], ranIn: [SCANS] },
      ZScan: { plain: ['zScan'], verified: ['verifiedZScan'], ranIn: [Z_SCANS] },
      History: {
        plain: ['history'],
        verified: ['verifiedHistory'],
        inside: 'why a key is not there: deleted, or expired',
        ranIn: [HISTORIES, DELETES],
      },
      Count: { plain: ['count'], ranIn: [SCANS] },
      CountAll: { plain: ['countAll'], ranIn: [SCANS] },
    },
  },
  {
    title: 'Transactions and the state',
    rows: {
      TxById: { plain: ['txById'], ranIn: [TXS] },
      VerifiableTxById: {
        verified: ['verifiedTx', 'publishHead', 'verifyHead'],
        inside: 'moves the trusted head',
        ranIn: [PROVEN_TXS, KNOWN, WITNESSED],
      },
      TxScan: {
        plain: ['transactions'],
        verified: ['verifiedTransactions'],
        inside: 'proves headers in runs; audits',
        ranIn: [TXS, PROVEN_TXS, GROUPS],
      },
      CurrentState: {
        plain: ['currentState', 'server.state'],
        verified: ['verifiedState'],
        inside: 'first contact; where the server stands',
        ranIn: [CLIENT, PROVEN_TXS, KNOWN],
      },
    },
  },
  {
    title: 'Streams and replication',
    rows: {
      streamGet: { plain: ['streamGet'], ranIn: [STREAMS] },
      streamVerifiableGet: { verified: ['verifiedStreamGet'], ranIn: [STREAMS] },
      streamSet: { plain: ['streamSet'], verified: ['verifiedStreamSet'], ranIn: [STREAMS] },
      streamVerifiableSet: { superseded: 'streamSet' },
      streamScan: { plain: ['scan'], ranIn: [STREAMED] },
      streamZScan: { plain: ['zScan'], ranIn: [STREAMED] },
      streamHistory: { plain: ['history'], ranIn: [STREAMED] },
      streamExecAll: { plain: ['streamExecAll'], verified: ['verifiedStreamExecAll'], ranIn: [STREAMS] },
      exportTx: { plain: ['exportTx', 'exportTxs'], verified: ['verifiedExportTx'], ranIn: [EXPORTS] },
      streamExportTx: { superseded: 'exportTx' },
      replicateTx: { plain: ['replicateTx'], ranIn: [EXPORTS] },
    },
  },
  {
    title: 'Databases and the server',
    rows: {
      CreateDatabaseV2: { plain: ['createDatabase', 'databases.create'], ranIn: [DATABASES] },
      UpdateDatabaseV2: { plain: ['updateDatabase', 'databases.update'], ranIn: [DATABASES] },
      GetDatabaseSettingsV2: { plain: ['databaseSettings', 'databases.settings'], ranIn: [DATABASES] },
      DatabaseListV2: {
        plain: ['listDatabases', 'databases.list'],
        inside: 'what a closed database is: unloaded, or of a server that closes',
        ranIn: [DATABASES],
      },
      LoadDatabase: { plain: ['loadDatabase', 'databases.load'], ranIn: [DATABASES] },
      UnloadDatabase: { plain: ['unloadDatabase', 'databases.unload'], ranIn: [DATABASES] },
      DeleteDatabase: { plain: ['deleteDatabase', 'databases.delete'], ranIn: [DATABASES] },
      TruncateDatabase: { plain: ['truncateDatabase', 'databases.truncate'], ranIn: [DATABASES] },
      UseDatabase: {
        plain: ['useDatabase', 'databases.use'],
        inside: 'binds a token to a database',
        ranIn: [CLIENT],
      },
      FlushIndex: { plain: ['flushIndex'], ranIn: [DATABASES] },
      CompactIndex: { plain: ['compactIndex'], ranIn: [DATABASES] },
      DatabaseHealth: { plain: ['databaseHealth'], ranIn: [DATABASES] },
      ServerInfo: { plain: ['serverInfo', 'server.info'], ranIn: [CLIENT] },
      Health: {
        plain: ['health', 'server.health'],
        inside: 'the identity of the server',
        ranIn: [CLIENT],
      },
      CreateDatabase: { superseded: 'CreateDatabaseV2' },
      CreateDatabaseWith: { superseded: 'CreateDatabaseV2' },
      UpdateDatabase: { superseded: 'UpdateDatabaseV2' },
      GetDatabaseSettings: { superseded: 'GetDatabaseSettingsV2' },
      DatabaseList: { superseded: 'DatabaseListV2' },
    },
  },
  {
    title: 'Sessions and users',
    rows: {
      OpenSession: { plain: ['openSession'], inside: 'opens what calls need', ranIn: [CLIENT, SESSIONS] },
      CloseSession: { plain: ['closeSession', 'logout'], inside: '`close`', ranIn: [CLIENT, SESSIONS] },
      KeepAlive: { inside: 'keeps sessions, and asks whether one lives before a write', ranIn: [SESSIONS] },
      Login: { plain: ['login'], ranIn: [CLIENT] },
      Logout: { plain: ['logout', 'closeSession'], ranIn: [CLIENT] },
      'AuthorizationService.OpenSession': { superseded: 'OpenSession' },
      'AuthorizationService.KeepAlive': { superseded: 'KeepAlive' },
      'AuthorizationService.CloseSession': { superseded: 'CloseSession' },
      ListUsers: { plain: ['listUsers', 'users.list'], ranIn: [CLIENT, DATABASES] },
      CreateUser: { plain: ['createUser', 'users.create'], ranIn: [CLIENT] },
      ChangePassword: { plain: ['changePassword', 'users.changePassword'], ranIn: [CLIENT] },
      ChangePermission: { plain: ['changePermission', 'users.changePermission'], ranIn: [CLIENT] },
      ChangeSQLPrivileges: {
        plain: ['changeSqlPrivileges', 'users.changeSqlPrivileges'],
        ranIn: [DATABASES],
      },
      SetActiveUser: { plain: ['setActiveUser', 'users.setActive'], ranIn: [CLIENT] },
      UpdateAuthConfig: { leftOut: 'refused by every server of today' },
      UpdateMTLSConfig: { leftOut: 'refused by every server of today' },
    },
  },
  {
    title: 'SQL',
    rows: {
      SQLExec: {
        plain: ['sql.exec'],
        verified: ['sql.verifiedExec'],
        ranIn: [SQL, VERIFIED_SQL],
      },
      SQLQuery: {
        plain: ['sql.query', 'sql.stream'],
        verified: ['sql.verifiedQuery'],
        ranIn: [SQL, 'test/sql/verified-query.test.ts'],
      },
      UnarySQLQuery: { superseded: 'SQLQuery' },
      ListTables: { plain: ['sql.tables'], ranIn: [SQL] },
      DescribeTable: { plain: ['sql.describe'], ranIn: [SQL] },
      VerifiableSQLGet: {
        verified: ['sql.verifiedGet', 'sql.verifiedGetAll', 'sql.verifyRow', 'sql.verifiedSchema'],
        ranIn: [VERIFIED_SQL],
      },
      NewTx: { plain: ['transaction'], verified: ['verifiedTransaction'], ranIn: [SQL_TXS] },
      TxSQLExec: { plain: ['transaction'], verified: ['verifiedTransaction'], ranIn: [SQL_TXS] },
      TxSQLQuery: { plain: ['transaction'], ranIn: [SQL_TXS] },
      Commit: { plain: ['transaction'], verified: ['verifiedTransaction'], ranIn: [SQL_TXS] },
      Rollback: { plain: ['transaction'], ranIn: [SQL_TXS] },
    },
  },
  {
    title: 'Documents',
    rows: {
      CreateCollection: { plain: ['documents.createCollection'], ranIn: [DOCUMENTS] },
      UpdateCollection: { plain: ['documents.updateCollection'], ranIn: [DOCUMENTS] },
      DeleteCollection: { plain: ['documents.deleteCollection'], ranIn: [DOCUMENTS] },
      GetCollection: {
        plain: ['documents.collection'],
        inside: 'names of fields, which are held against the hashes that were stored',
        ranIn: [DOCUMENTS, PROVEN_DOCUMENTS],
      },
      GetCollections: { plain: ['documents.collections'], ranIn: [DOCUMENTS] },
      AddField: { plain: ['documents.addField'], ranIn: [DOCUMENTS] },
      RemoveField: { plain: ['documents.removeField'], ranIn: [DOCUMENTS] },
      CreateIndex: { plain: ['documents.createIndex'], ranIn: [DOCUMENTS] },
      DeleteIndex: { plain: ['documents.deleteIndex'], ranIn: [DOCUMENTS] },
      InsertDocuments: {
        plain: ['documents.insert'],
        verified: ['documents.verifiedInsert'],
        ranIn: [DOCUMENTS, DOCUMENT_WRITES],
      },
      ReplaceDocuments: {
        plain: ['documents.replace'],
        verified: ['documents.verifiedReplace'],
        ranIn: [DOCUMENTS, DOCUMENT_WRITES],
      },
      DeleteDocuments: {
        plain: ['documents.delete'],
        verified: ['documents.verifiedDelete'],
        ranIn: [DOCUMENTS, DOCUMENT_WRITES],
      },
      SearchDocuments: {
        plain: ['documents.search'],
        verified: ['documents.verifiedSearch'],
        ranIn: [DOCUMENTS, DOCUMENT_WRITES],
      },
      CountDocuments: { plain: ['documents.count'], ranIn: [DOCUMENTS] },
      AuditDocument: {
        plain: ['documents.audit'],
        verified: ['documents.verifiedAudit'],
        ranIn: [DOCUMENTS, DOCUMENT_WRITES],
      },
      ProofDocument: { verified: ['documents.verifiedGet'], ranIn: [PROVEN_DOCUMENTS] },
    },
  },
];
