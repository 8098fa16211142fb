// The allow-list: what a server may say of a write so that it is certain not to have been done. Everything else that ends
// a write leaves its outcome unknown.
import { status } from '../../wire/status.js';

/**
 * A refusal that comes before anything is written. Each row was provoked on a real immudb 1.11.1, and what it should have
 * written was looked for afterwards (test/client/not-done.test.ts has a provocation per row); `read` ones could not be
 * provoked there: the server's code shows where they come from. What belongs here is a fact about one RPC: the same words
 * on another one may come after the commit.
 */
export interface NotDone {
  /** RPCs, or `any`: said before the call gets to its RPC. */
  readonly on: readonly string[] | 'any';
  readonly grpc: status;
  /** The server's whole message, or a pattern of it. */
  readonly words: string | RegExp;
  /** Not provoked but read: why it comes before everything. */
  readonly read?: string;
}

const {
  UNKNOWN,
  INVALID_ARGUMENT,
  PERMISSION_DENIED,
  INTERNAL,
  NOT_FOUND,
  FAILED_PRECONDITION,
  RESOURCE_EXHAUSTED,
  UNIMPLEMENTED,
} = status;

const SETS = ['Set', 'VerifiableSet'];
const REFERENCES = ['SetReference', 'ZAdd', 'ExecAll'];
const WRITES = [...SETS, 'Delete', ...REFERENCES];
/** Those that take preconditions. */
const CONDITIONAL = [...SETS, 'SetReference', 'ExecAll'];
const USERS = ['CreateUser', 'ChangePassword', 'ChangePermission', 'ChangeSQLPrivileges', 'SetActiveUser'];
/** What is done to a database that is there, by its name. */
const TO_DATABASES = [
  'LoadDatabase',
  'UnloadDatabase',
  'DeleteDatabase',
  'TruncateDatabase',
  'UpdateDatabaseV2',
];
/** What is written of documents, and of what they are in. */
const DOCUMENTS = ['InsertDocuments', 'ReplaceDocuments', 'DeleteDocuments'];
const TO_COLLECTIONS = [
  ...['UpdateCollection', 'DeleteCollection', 'AddField', 'RemoveField', 'CreateIndex', 'DeleteIndex'],
];
const COLLECTIONS = ['CreateCollection', ...TO_COLLECTIONS];
/** Streams to the server that write. */
const STREAMS = ['streamSet', 'streamExecAll'];

export const NOT_DONE: readonly NotDone[] = [
  // Before the call gets to its RPC
  { on: 'any', grpc: PERMISSION_DENIED, words: 'session not found' },
  { on: 'any', grpc: RESOURCE_EXHAUSTED, words: /^grpc: received message larger than max \(/ },
  { on: 'any', grpc: UNIMPLEMENTED, words: /^unknown (method|service) / },
  {
    on: 'any',
    grpc: PERMISSION_DENIED,
    words: 'server has authentication disabled: only local connections are accepted',
    read: 'said by the interceptor that looks at the address; tests call from the same machine',
  },

  // Who is asking
  { on: WRITES, grpc: INTERNAL, words: 'invalid token' },
  { on: [...WRITES, ...USERS], grpc: UNKNOWN, words: 'not logged in' },
  { on: WRITES, grpc: UNKNOWN, words: 'please select a database first' },
  { on: ['CompactIndex'], grpc: UNKNOWN, words: /^(not logged in|please select a database first)$/ },
  { on: ['CreateDatabaseV2', ...TO_DATABASES], grpc: UNKNOWN, words: 'could not get loggedin user data' },

  // What they may do
  { on: WRITES, grpc: INTERNAL, words: 'permission denied' },
  {
    on: [...WRITES, ...DOCUMENTS, ...COLLECTIONS],
    grpc: UNKNOWN,
    words: "database is read-only because it's a replica",
  },
  { on: ['CreateUser'], grpc: UNKNOWN, words: 'you do not have permission on this database' },
  {
    on: ['ChangePermission', 'ChangeSQLPrivileges'],
    grpc: PERMISSION_DENIED,
    words: 'you do not have permission on this database',
  },
  {
    on: ['ChangePassword', 'SetActiveUser'],
    grpc: UNKNOWN,
    words: 'user is not system admin nor admin in any of the databases',
  },
  {
    on: ['CreateDatabaseV2'],
    grpc: UNKNOWN,
    words: 'loggedin user does not have permissions for this operation',
  },
  {
    on: TO_DATABASES,
    grpc: UNKNOWN,
    words: /^the database '\w{1,200}' does not exist or you do not have admin permission on this database$/,
  },
  { on: ['CompactIndex'], grpc: INTERNAL, words: 'permission denied' },

  // What is written
  { on: WRITES, grpc: INVALID_ARGUMENT, words: 'illegal arguments' },
  { on: [...SETS, 'Delete'], grpc: UNKNOWN, words: 'no entries provided' },
  { on: [...SETS, ...REFERENCES], grpc: UNKNOWN, words: 'max key length exceeded' },
  { on: CONDITIONAL, grpc: UNKNOWN, words: 'max value length exceeded' },
  { on: [...SETS, 'Delete', 'ExecAll'], grpc: UNKNOWN, words: 'max number of entries per tx exceeded' },
  {
    on: SETS,
    grpc: INVALID_ARGUMENT,
    words: 'duplicated keys are not supported in single batch transaction',
  },
  {
    on: ['ExecAll'],
    grpc: INVALID_ARGUMENT,
    words:
      /^rpc error: code = InvalidArgument desc = duplicated keys are not supported in single batch transaction: /,
  },
  {
    on: ['ExecAll'],
    grpc: INVALID_ARGUMENT,
    words: 'duplicated index inside zAdd insertions are not supported in single batch transaction',
  },
  { on: ['ExecAll'], grpc: INVALID_ARGUMENT, words: /^(empty set|operation is not set)$/ },
  {
    on: [...SETS, 'Delete', 'ExecAll'],
    grpc: UNKNOWN,
    words: /^metadata is unsupported when in 1\.1 compatibility mode/,
  },
  { on: CONDITIONAL, grpc: FAILED_PRECONDITION, words: /^precondition failed: / },
  { on: CONDITIONAL, grpc: UNKNOWN, words: /^invalid precondition: / },

  // What it leads to, or deletes
  {
    on: ['Delete', ...REFERENCES],
    grpc: UNKNOWN,
    words: /^tbtree: key not found(: expired entry)?$/,
  },
  { on: ['Delete', ...REFERENCES], grpc: UNKNOWN, words: 'tx not found' },
  { on: REFERENCES, grpc: UNKNOWN, words: 'referenced key cannot be a reference' },
  {
    on: ['SetReference', 'ExecAll'],
    grpc: UNKNOWN,
    words: 'final key cannot be converted into a reference',
  },
  { on: ['ExecAll'], grpc: UNKNOWN, words: /^no wait operation must be self-contained: / },

  { on: ['replicateTx'], grpc: UNKNOWN, words: 'tx already committed' },
  { on: ['replicateTx'], grpc: UNKNOWN, words: 'database is NOT a replica' },
  { on: ['replicateTx'], grpc: INVALID_ARGUMENT, words: 'illegal arguments' },
  // The state that a proof was asked from lies ahead of the server's.
  { on: ['VerifiableSet'], grpc: INVALID_ARGUMENT, words: 'illegal state' },

  // Too much at a time. Not on VerifiableSet: its proof, made after the commit, may meet the same limit.
  {
    on: ['Set', 'Delete'],
    grpc: UNKNOWN,
    words: 'max concurrency limit exceeded',
  },
  // The buffer for the proof, had before the commit.
  { on: ['VerifiableSet'], grpc: UNKNOWN, words: 'read tx pool exhausted' },

  // Streams: what the server cannot read as a message, taken back or damaged on its way, ends them unwritten.
  {
    on: STREAMS,
    grpc: INTERNAL,
    words: /^grpc: failed to unmarshal the received message/,
  },
  { on: STREAMS, grpc: INVALID_ARGUMENT, words: 'no session found' },
  { on: STREAMS, grpc: UNKNOWN, words: 'not logged in' },
  { on: ['streamSet'], grpc: FAILED_PRECONDITION, words: 'max transaction values length exceeded' },
  { on: ['streamSet'], grpc: FAILED_PRECONDITION, words: 'internal store max value length exceeded' },
  {
    on: ['streamSet'],
    grpc: UNKNOWN,
    words:
      /^StreamSet receives following error: (max key length exceeded|max value length exceeded|max number of entries per tx exceeded|no entries provided)$/,
  },
  { on: ['streamExecAll'], grpc: UNKNOWN, words: /^max (key|value) length exceeded$/ },

  // Statements: what is wrong with them, with a row, with a table, comes before the commit of their one transaction.
  { on: ['SQLExec'], grpc: INVALID_ARGUMENT, words: 'illegal arguments' },
  { on: ['SQLExec'], grpc: INTERNAL, words: 'permission denied' },
  { on: ['SQLExec'], grpc: UNKNOWN, words: /^syntax error: / },
  { on: ['SQLExec'], grpc: UNKNOWN, words: /^((table|column) does not exist|index not found)/ },
  { on: ['SQLExec'], grpc: UNKNOWN, words: /^(table|column|index) already exists/ },
  { on: ['SQLExec'], grpc: UNKNOWN, words: 'key already exists' },
  { on: ['SQLExec'], grpc: UNKNOWN, words: /^not nullable column can not be null \(/ },
  { on: ['SQLExec'], grpc: UNKNOWN, words: /^check constraint violation: / },
  { on: ['SQLExec'], grpc: UNKNOWN, words: /^max length exceeded: / },
  { on: ['SQLExec'], grpc: UNKNOWN, words: 'max key length exceeded' },
  { on: ['SQLExec'], grpc: UNKNOWN, words: 'max number of entries per tx exceeded' },
  { on: ['SQLExec'], grpc: UNKNOWN, words: /^missing parameter\(/ },
  { on: ['SQLExec'], grpc: UNKNOWN, words: /^invalid value provided/ },
  { on: ['SQLExec'], grpc: UNKNOWN, words: 'invalid number of values provided' },
  { on: ['SQLExec'], grpc: UNKNOWN, words: /^duplicated column \(/ },
  { on: ['SQLExec'], grpc: UNKNOWN, words: 'primary key can not be updated' },
  { on: ['SQLExec'], grpc: UNKNOWN, words: /^cannot (drop|index) column / },
  { on: ['SQLExec'], grpc: UNKNOWN, words: 'unique index creation is only supported on empty tables' },
  { on: ['SQLExec'], grpc: UNKNOWN, words: /^indexed key of unsupported type or exceeded length: / },
  // A table with a check.
  { on: ['SQLExec'], grpc: UNKNOWN, words: 'tbtree: key not found' },
  { on: ['SQLExec', 'Commit'], grpc: UNKNOWN, words: 'tx read conflict' },
  { on: ['Commit'], grpc: INVALID_ARGUMENT, words: 'no transaction found' },

  // Documents
  {
    on: [...DOCUMENTS, ...TO_COLLECTIONS],
    grpc: UNKNOWN,
    words: /^collection does not exist( \([\w-]{1,1024}\))?$/,
  },
  {
    on: ['ReplaceDocuments', 'DeleteDocuments', 'RemoveField', 'CreateCollection', 'CreateIndex'],
    grpc: UNKNOWN,
    words: /^field does not exist( \([\w.-]{1,1024}\))?$/,
  },
  {
    on: ['InsertDocuments', 'ReplaceDocuments'],
    grpc: UNKNOWN,
    words:
      'conflict due to uniqueness contraint violation or read document was updated by another transaction',
  },
  {
    on: ['InsertDocuments', 'ReplaceDocuments', 'DeleteDocuments'],
    grpc: UNKNOWN,
    words: /^unexpected value: expecting value of type \w{1,20}(: field: [\w.-]{1,1024})?$/,
  },
  {
    on: ['InsertDocuments', 'ReplaceDocuments'],
    grpc: UNKNOWN,
    words: /^max length exceeded: table: [\w-]{1,1024}, column: [\w.-]{1,1024}$/,
  },
  { on: ['InsertDocuments'], grpc: UNKNOWN, words: 'max number of entries per tx exceeded' },
  {
    on: ['InsertDocuments'],
    grpc: UNKNOWN,
    words: /^illegal arguments: field \([\w-]{1,1024}\) should NOT be specified when inserting a document$/,
  },
  {
    on: ['CreateCollection', 'UpdateCollection', 'AddField', 'CreateIndex'],
    grpc: UNKNOWN,
    words: /^(collection|field|index) already exists$/,
  },
  {
    on: ['CreateIndex'],
    grpc: UNKNOWN,
    words: 'unique index creation is only supported on empty collections',
  },
  { on: ['CreateCollection', 'CreateIndex'], grpc: UNKNOWN, words: 'duplicated column' },
  {
    on: ['CreateCollection'],
    grpc: UNKNOWN,
    words: /^illegal arguments: id field name '[\w-]{1,1024}' should not be specified$/,
  },
  {
    on: ['RemoveField'],
    grpc: UNKNOWN,
    words: /^cannot drop column [\w.-]{1,1024} because one or more indexes require it$/,
  },
  { on: ['DeleteIndex'], grpc: UNKNOWN, words: /^index not found \(.{1,1000}\)$/s },
  { on: ['DeleteIndex'], grpc: UNKNOWN, words: 'illegal arguments: primary key index can NOT be deleted' },
  { on: [...DOCUMENTS, ...COLLECTIONS], grpc: INTERNAL, words: 'permission denied' },

  // Users
  { on: ['CreateUser'], grpc: UNKNOWN, words: 'user already exists' },
  { on: ['CreateUser'], grpc: UNKNOWN, words: /^database \w{1,200} does not exist$/ },
  {
    on: ['ChangePermission', 'ChangeSQLPrivileges'],
    grpc: INVALID_ARGUMENT,
    words: 'database does not exist',
  },
  {
    on: ['ChangePermission'],
    grpc: INVALID_ARGUMENT,
    words: /^changing (your own|sysadmin) permissions is not allowed$/,
  },
  {
    on: ['ChangeSQLPrivileges'],
    grpc: INVALID_ARGUMENT,
    words: 'changing your own privileges is not allowed',
  },
  {
    on: ['ChangePermission', 'ChangeSQLPrivileges'],
    grpc: NOT_FOUND,
    words: /^user \w{1,63} not found$/,
  },
  {
    on: ['ChangePermission', 'ChangeSQLPrivileges'],
    grpc: FAILED_PRECONDITION,
    words: /^user \w{1,63} is not active$/,
  },
  {
    on: ['ChangeSQLPrivileges'],
    grpc: FAILED_PRECONDITION,
    words: /^user \w{1,63} doesn't have permission on database \w{1,200}$/,
  },
  { on: ['ChangePassword'], grpc: PERMISSION_DENIED, words: 'old password is incorrect' },
  {
    on: ['ChangePassword'],
    grpc: UNKNOWN,
    words: /^user \w{1,63} was not found or it was not created by you$/,
  },
  { on: ['SetActiveUser'], grpc: UNKNOWN, words: /^user \w{1,63} not found$/ },
  { on: ['SetActiveUser'], grpc: UNKNOWN, words: /^\w{1,63} was not created by you$/ },
  { on: ['SetActiveUser'], grpc: UNKNOWN, words: 'changing your own status is not allowed' },

  // Databases
  { on: ['CreateDatabaseV2'], grpc: UNKNOWN, words: 'database already exists' },
  { on: ['CreateDatabaseV2', ...TO_DATABASES], grpc: INTERNAL, words: 'database is reserved' },
  { on: TO_DATABASES, grpc: UNKNOWN, words: 'database does not exist' },
  {
    on: ['CreateDatabaseV2', 'UpdateDatabaseV2', 'TruncateDatabase'],
    grpc: INVALID_ARGUMENT,
    words: /^rpc error: code = InvalidArgument desc = illegal arguments: /,
  },
  // With `ifNotExists`, after one of that name was deleted.
  {
    on: ['CreateDatabaseV2'],
    grpc: UNKNOWN,
    words: 'tbtree: key not found: while loading database settings',
  },
  { on: ['LoadDatabase'], grpc: INTERNAL, words: 'database already loaded' },
  { on: ['LoadDatabase'], grpc: UNKNOWN, words: /^database does not exist: while opening database '/ },
  { on: ['DeleteDatabase'], grpc: UNKNOWN, words: 'cannot delete an open database' },
  // The second time.
  { on: ['DeleteDatabase'], grpc: UNKNOWN, words: 'tbtree: key not found' },
  { on: ['TruncateDatabase'], grpc: UNKNOWN, words: 'retention period has not been reached' },
  { on: ['CompactIndex'], grpc: UNKNOWN, words: 'tbtree: compaction threshold not yet reached' },
  {
    on: ['CompactIndex'],
    grpc: UNKNOWN,
    words: /^dumping index '.{1,1000}' \{ts=\d{1,20}\} returned: tbtree: target folder already exists: /s,
  },

  // A server without logins
  {
    on: ['CreateUser', 'ChangePassword', 'SetActiveUser'],
    grpc: UNKNOWN,
    words: 'this command is available only with authentication on',
  },
  {
    on: ['CreateDatabaseV2', ...TO_DATABASES],
    grpc: INVALID_ARGUMENT,
    words: 'authentication must be on',
  },
];

/** Whether a write that was refused so is certain not to have been done. */
export function saysNotDone(method: string, grpc: status, message: string): boolean {
  return NOT_DONE.some(
    (row) =>
      row.grpc === grpc &&
      (row.on === 'any' || row.on.includes(method)) &&
      (typeof row.words === 'string' ? message === row.words : row.words.test(message)),
  );
}
