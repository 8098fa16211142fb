// The one place that reads the server's words. Most of its errors have gRPC code UNKNOWN and no details, so that only
// the words tell them apart; the code is compared where it is known (docs/protocol.md §22, §24).
import type { ServiceError } from '@grpc/grpc-js';
import { shortened } from '../../visible.js';
import { DOCUMENT_WORDS } from './words/documents.js';
import { SQL_WORDS } from './words/sql.js';
import { status } from '../../wire/status.js';
import type { ServerWords } from './words/word.js';

export type { Kind, ServerWords } from './words/word.js';

const { INVALID_ARGUMENT, PERMISSION_DENIED, NOT_FOUND, INTERNAL, FAILED_PRECONDITION, RESOURCE_EXHAUSTED } =
  status;

const BUSY =
  /read tx pool exhausted|transaction pool exhausted|max active transactions|max concurrency limit|watchers: max|tbtree: max active snapshots limit/;
/** Read the values of entries. */
const READS_VALUES =
  /^(Get|GetAll|VerifiableGet|Scan|ZScan|History|(Verifiable)?TxById|TxScan)$|^stream(Get|VerifiableGet|Scan|ZScan|History)$/;
const EXPORTS = /^(exportTx|streamExportTx)$/;
const LOGIN_FAILED = 'invalid user name or password';
const CLOSED = 'already closed';
const NOT_LOOKED_UP = new RegExp(`${BUSY.source}|${CLOSED}`);

/** First match counts. */
const TABLE: readonly ServerWords[] = [
  // There is no such thing
  {
    words: 'tbtree: key not found',
    on: /^DeleteDatabase$/,
    code: 'DATABASE_NOT_FOUND',
    says: 'the database was deleted already',
  },
  {
    words: 'tbtree: key not found: while loading database settings',
    on: /^CreateDatabase/,
    code: 'SERVER_REFUSED',
    says: 'a database of this name was deleted since the server was started',
  },
  {
    words: /^(tbtree: )?key not found/,
    code: 'NOT_FOUND',
    says: 'there is no such key',
    kind: 'key-not-found',
  },
  {
    words: 'invalid key revision number',
    code: 'NOT_FOUND',
    says: 'there is no such revision of the key',
    kind: 'key-not-found',
  },
  {
    words: 'tbtree: no more entries',
    on: /^(History|streamHistory|AuditDocument)$/,
    code: 'NOT_FOUND',
    says: 'there are no more versions',
    kind: 'no-more-entries',
  },

  ...DOCUMENT_WORDS,

  // Who is asking
  {
    words: 'session not found',
    grpc: PERMISSION_DENIED,
    code: 'SESSION_EXPIRED',
    says: 'the session has ended',
    kind: 'session-lost',
  },
  {
    words: 'no session found',
    grpc: INVALID_ARGUMENT,
    code: 'SESSION_EXPIRED',
    says: 'the session has ended',
    kind: 'session-lost',
  },
  {
    words: 'invalid token',
    grpc: INTERNAL,
    code: 'SESSION_EXPIRED',
    says: 'the token has ended',
    kind: 'session-lost',
  },
  { words: /^token has expired/, code: 'SESSION_EXPIRED', says: 'the token has ended', kind: 'session-lost' },
  { words: LOGIN_FAILED, code: 'WRONG_CREDENTIALS', says: 'wrong user name or password' },
  { words: 'old password is incorrect', code: 'WRONG_CREDENTIALS', says: 'wrong old password' },
  { words: 'user is not active', code: 'WRONG_CREDENTIALS', says: 'the user is switched off' },
  {
    words: /^(not logged in|please login|could not get loggedin|no session|please select a database)/i,
    code: 'NOT_LOGGED_IN',
    says: 'not logged in',
    kind: 'not-logged-in',
  },
  {
    words: /server is running with authentication disabled/,
    code: 'SERVER_REFUSED',
    says: 'the server has no logins',
  },
  {
    words: /max sessions number reached/,
    code: 'OVERLOADED',
    says: 'the server has no room for another session',
  },

  // What they may do, and where
  {
    // Said of one that its admin has unloaded, and of every one while the server shuts down.
    words: /^already closed/,
    code: 'DATABASE_CLOSED',
    says: 'the database is not loaded, or the server is closing',
    kind: 'database-closed',
  },
  {
    words: 'database does not exist',
    code: 'DATABASE_NOT_FOUND',
    says: 'there is no such database',
  },
  {
    words: /^'.*' does not exist$/s,
    grpc: NOT_FOUND,
    code: 'DATABASE_NOT_FOUND',
    says: 'there is no such database',
  },
  {
    words: /^(Logged in user does not have permission|you do not have permission)/,
    code: 'PERMISSION_DENIED',
    says: 'the user may not use this database',
  },
  {
    words: /^(permission denied|access denied|loggedin user does not have permissions)/,
    code: 'PERMISSION_DENIED',
    says: 'the user may not do this',
    kind: 'not-allowed',
  },
  {
    words: /^the database '.*' does not exist or you do not have admin permission/s,
    code: 'PERMISSION_DENIED',
    says: 'there is no such database, or the user may not administer it',
  },
  {
    words: /only local connections/,
    code: 'PERMISSION_DENIED',
    says: 'the server has no logins and takes local calls only',
  },
  {
    words: 'database is NOT a replica',
    code: 'SERVER_REFUSED',
    says: 'the database is no replica, and takes no replicated transactions',
  },
  {
    words: /read-only because it's a replica/,
    kind: 'replica',
    code: 'PERMISSION_DENIED',
    says: 'a replica takes no writes',
  },

  // Databases and users that are not as the call needs them
  {
    words: 'database already loaded',
    code: 'PRECONDITION_FAILED',
    says: 'the database is loaded already',
  },
  {
    words: 'cannot delete an open database',
    code: 'PRECONDITION_FAILED',
    says: 'the database has to be unloaded before it is deleted',
  },
  {
    words: 'retention period has not been reached',
    code: 'PRECONDITION_FAILED',
    says: 'no transaction is that old',
  },
  {
    words: /^(tbtree: compaction threshold|dumping index .* tbtree: target folder already exists)/s,
    code: 'PRECONDITION_FAILED',
    says: 'the index has too little to be compacted',
  },
  {
    words: 'rpc error: code = InvalidArgument desc = illegal arguments: ',
    on: /Database/,
    code: 'SERVER_REFUSED',
    says: 'a database cannot have these settings',
  },
  {
    words: /^user \w{1,63} not found$/,
    code: 'NOT_FOUND',
    says: 'there is no such user',
  },
  {
    words: /^user \w{1,63} (is not active$|doesn't have permission on database )/,
    grpc: FAILED_PRECONDITION,
    code: 'PRECONDITION_FAILED',
    says: 'the user is switched off, or has no permission on this database',
  },

  // Behind the trusted head
  {
    words: /illegal state/,
    on: /Verifiable/i,
    code: 'SERVER_REFUSED',
    says: 'the server refused',
    kind: 'server-behind',
  },
  {
    words: 'tx not found',
    on: /Verifiable|Proof/,
    code: 'NOT_FOUND',
    says: 'there is no such transaction',
    kind: 'server-behind',
  },
  {
    words: 'illegal arguments',
    grpc: INVALID_ARGUMENT,
    on: /^Verifiable(SetReference|ZAdd)$/,
    code: 'SERVER_REFUSED',
    says: 'the server refused',
    kind: 'server-behind',
  },
  {
    words: 'tx not found',
    code: 'NOT_FOUND',
    says: 'there is no such transaction',
    kind: 'tx-not-found',
  },
  {
    words: 'no new transactions',
    on: EXPORTS,
    code: 'NOT_FOUND',
    says: 'there is no such transaction',
    kind: 'tx-not-found',
  },

  // Values that are gone, and values that are not what was hashed
  { words: /^EOF$/, on: READS_VALUES, code: 'TRUNCATED', says: 'values were truncated' },
  {
    // Where a truncated transaction was replicated: a value of no bytes, where the shortest one has a byte.
    words: 'data is corrupted: internal value consistency error - missing value prefix',
    on: READS_VALUES,
    code: 'TRUNCATED',
    says: 'values were truncated',
  },
  {
    words: 'data is corrupted',
    code: 'SERVER_REFUSED',
    says: 'what the server has stored is not what it hashed',
  },

  ...SQL_WORDS,

  // Conditions and conflicts
  {
    words: 'precondition failed',
    grpc: FAILED_PRECONDITION,
    code: 'PRECONDITION_FAILED',
    says: 'a precondition failed',
  },
  {
    words: 'tx already committed',
    on: /^replicateTx$/,
    code: 'CONFLICT',
    says: 'the replica has this transaction already',
  },
  { words: 'tx read conflict', code: 'CONFLICT', says: 'another transaction was first' },

  // Limits: the server's, and ours on answers
  {
    words: 'grpc: received message larger than max',
    grpc: RESOURCE_EXHAUSTED,
    code: 'LIMIT_EXCEEDED',
    says: 'the request is larger than the server takes',
  },
  {
    words: /^Received message (that decompresses to a size )?larger than/,
    grpc: RESOURCE_EXHAUSTED,
    code: 'LIMIT_EXCEEDED',
    says: 'the answer is larger than maxMessageBytes',
  },
  {
    words: 'Attempted to send message with a size larger than',
    grpc: RESOURCE_EXHAUSTED,
    code: 'LIMIT_EXCEEDED',
    says: 'the request is larger than maxMessageBytes and was not sent',
  },
  { words: 'max key length exceeded', code: 'LIMIT_EXCEEDED', says: 'a key is too long for this database' },
  {
    words: 'max value length exceeded',
    code: 'LIMIT_EXCEEDED',
    says: 'a value is too long for this database',
  },
  {
    words: 'internal store max value length exceeded',
    grpc: FAILED_PRECONDITION,
    code: 'LIMIT_EXCEEDED',
    says: 'a value is too long for this database',
  },
  {
    words: 'max transaction values length exceeded',
    grpc: FAILED_PRECONDITION,
    code: 'LIMIT_EXCEEDED',
    says: 'the values of one stream are too long together',
  },
  {
    words:
      /^Stream(Set receives|VerifiableSet received the) following error: max (key|value) length exceeded/,
    code: 'LIMIT_EXCEEDED',
    says: 'a key or a value is too long for this database',
  },
  {
    words:
      /^Stream(Set receives|VerifiableSet received the) following error: max number of entries per tx exceeded/,
    code: 'LIMIT_EXCEEDED',
    says: 'too many entries in one transaction',
  },
  {
    words: 'max number of entries per tx exceeded',
    code: 'LIMIT_EXCEEDED',
    says: 'too many entries in one transaction',
  },
  {
    words: 'invalid precondition: too many preconditions',
    code: 'LIMIT_EXCEEDED',
    says: 'too many preconditions in one transaction',
  },
  { words: /^result size limit/, code: 'LIMIT_EXCEEDED', says: 'more results than the server gives at once' },

  // Too much at a time. Whether a write so refused was done is for `not-done.ts` to say: some of these come after it.
  {
    words: new RegExp(`^(${BUSY.source})`),
    code: 'OVERLOADED',
    says: 'the server has too much to do',
    kind: 'busy',
  },
  { words: 'MVCC read-set limit exceeded', code: 'OVERLOADED', says: 'the transaction has read too much' },

  // Ours
  {
    words: /^Response message parsing error/,
    code: 'SERVER_REFUSED',
    says: 'the answer is not immudb',
  },
];

/** What a server says is looked at, and kept, up to so many characters. */
export const MAX_WORDS = 4096;

/**
 * What a server said, which of a login that failed is one thing whatever the reason: one that was too busy to look the user
 * up, or is shutting down, says so in the status details only.
 */
export function wordsOf({ details, metadata }: ServiceError): string {
  if (details !== LOGIN_FAILED) return shortened(details, MAX_WORDS);
  const [info] = metadata.get('grpc-status-details-bin');
  const reason = Buffer.isBuffer(info) && NOT_LOOKED_UP.exec(info.toString('latin1', 0, MAX_WORDS));
  return reason ? reason[0] : details;
}

/** Of a login: the server's databases are closed, those of all its users among them. */
export function isShuttingDown({ details }: ServiceError, words: string): boolean {
  return details === LOGIN_FAILED && words === CLOSED;
}

/** The row that a failed call falls under, if any. `message`: no longer than {@link MAX_WORDS}. */
export function findServerWords(grpc: status, message: string, method: string): ServerWords | undefined {
  return TABLE.find((row) => {
    if (row.on && !row.on.test(method)) return false;
    if (row.grpc !== undefined && row.grpc !== grpc) return false;
    return typeof row.words === 'string' ? message.startsWith(row.words) : row.words.test(message);
  });
}
