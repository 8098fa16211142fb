// What the server says, and what we make of it: every row of the table, and what stays apart.
import { Metadata, status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import {
  asNotDone,
  isBusy,
  isDatabaseClosed,
  isKeyNotFound,
  isNotAllowed,
  isNotDone,
  isNotLoggedIn,
  isPastEnd,
  isServerBehind,
  isSessionLost,
  isTxNotFound,
  toImmuError,
} from '#dist/client/net/server-errors.js';
import { ArgumentError, ServerError, TransportError } from '#dist/errors.js';

const { UNKNOWN, INVALID_ARGUMENT, PERMISSION_DENIED, INTERNAL, NOT_FOUND, FAILED_PRECONDITION } = status;

function fail(code: status, details: string, method = 'Get', repeatable = true, signal?: AbortSignal) {
  const error = Object.assign(new Error(details), { code, details, metadata: new Metadata() });
  return toImmuError(error, {
    method,
    address: 'host:1',
    repeatable,
    timeoutMs: 9,
    ...(signal && { signal }),
  });
}

const KINDS = {
  isKeyNotFound,
  isPastEnd,
  isTxNotFound,
  isSessionLost,
  isNotLoggedIn,
  isServerBehind,
  isNotAllowed,
  isBusy,
  isDatabaseClosed,
};

describe("the server's words", () => {
  test.each<[status, string, string, string, (keyof typeof KINDS)?]>([
    [UNKNOWN, 'tbtree: key not found', 'Get', 'NOT_FOUND', 'isKeyNotFound'],
    [UNKNOWN, 'tbtree: key not found: expired entry', 'VerifiableGet', 'NOT_FOUND', 'isKeyNotFound'],
    [UNKNOWN, 'key not found', 'Delete', 'NOT_FOUND', 'isKeyNotFound'],
    [UNKNOWN, 'tbtree: no more entries', 'History', 'NOT_FOUND', 'isPastEnd'],
    [UNKNOWN, 'tbtree: no more entries', 'streamHistory', 'NOT_FOUND', 'isPastEnd'],
    [UNKNOWN, 'tbtree: no more entries', 'Get', 'SERVER_REFUSED'],
    [UNKNOWN, 'invalid key revision number', 'Get', 'NOT_FOUND', 'isKeyNotFound'],
    [UNKNOWN, 'tx not found', 'TxById', 'NOT_FOUND', 'isTxNotFound'],
    [UNKNOWN, 'no new transactions', 'exportTx', 'NOT_FOUND', 'isTxNotFound'],
    [UNKNOWN, 'no new transactions', 'Get', 'SERVER_REFUSED'],
    [UNKNOWN, 'EOF', 'TxById', 'TRUNCATED'],
    [UNKNOWN, 'EOF', 'VerifiableGet', 'TRUNCATED'],
    [UNKNOWN, 'EOF', 'streamGet', 'TRUNCATED'],
    [UNKNOWN, 'EOF', 'exportTx', 'SERVER_REFUSED'],
    [UNKNOWN, 'EOF of something', 'TxById', 'SERVER_REFUSED'],
    [
      UNKNOWN,
      'data is corrupted: internal value consistency error - missing value prefix',
      'Get',
      'TRUNCATED',
    ],
    [UNKNOWN, 'data is corrupted: value length or digest mismatch', 'Get', 'SERVER_REFUSED'],
    [PERMISSION_DENIED, 'session not found', 'Get', 'SESSION_EXPIRED', 'isSessionLost'],
    [INVALID_ARGUMENT, 'no session found', 'streamGet', 'SESSION_EXPIRED', 'isSessionLost'],
    [INTERNAL, 'invalid token', 'Get', 'SESSION_EXPIRED', 'isSessionLost'],
    [PERMISSION_DENIED, 'token has expired at noon', 'Get', 'SESSION_EXPIRED', 'isSessionLost'],
    [UNKNOWN, 'no sessionID provided', 'Get', 'NOT_LOGGED_IN', 'isNotLoggedIn'],
    [UNKNOWN, 'no session auth data provided', 'Get', 'NOT_LOGGED_IN', 'isNotLoggedIn'],
    [UNKNOWN, 'not logged in', 'Get', 'NOT_LOGGED_IN', 'isNotLoggedIn'],
    [status.UNAUTHENTICATED, 'Please login', 'UseDatabase', 'NOT_LOGGED_IN', 'isNotLoggedIn'],
    [UNKNOWN, 'could not get loggedin user data', 'ListUsers', 'NOT_LOGGED_IN', 'isNotLoggedIn'],
    [UNKNOWN, 'please select a database first', 'Get', 'NOT_LOGGED_IN', 'isNotLoggedIn'],
    [UNKNOWN, 'invalid user name or password', 'OpenSession', 'WRONG_CREDENTIALS'],
    [UNKNOWN, 'user is not active', 'OpenSession', 'WRONG_CREDENTIALS'],
    [PERMISSION_DENIED, 'old password is incorrect', 'ChangePassword', 'WRONG_CREDENTIALS'],
    [UNKNOWN, 'database does not exist', 'OpenSession', 'DATABASE_NOT_FOUND'],
    [NOT_FOUND, "'x' does not exist", 'UseDatabase', 'DATABASE_NOT_FOUND'],
    [
      PERMISSION_DENIED,
      'Logged in user does not have permission on this database',
      'OpenSession',
      'PERMISSION_DENIED',
    ],
    [PERMISSION_DENIED, 'you do not have permission on this database', 'CreateUser', 'PERMISSION_DENIED'],
    [
      UNKNOWN,
      'loggedin user does not have permissions for this operation',
      'CreateDatabaseV2',
      'PERMISSION_DENIED',
      'isNotAllowed',
    ],
    [INTERNAL, 'permission denied', 'GetAll', 'PERMISSION_DENIED', 'isNotAllowed'],
    [
      UNKNOWN,
      'access denied: statement requires READWRITE permission',
      'SQLExec',
      'PERMISSION_DENIED',
      'isNotAllowed',
    ],
    [UNKNOWN, "database is read-only because it's a replica", 'Set', 'PERMISSION_DENIED'],
    [INVALID_ARGUMENT, 'illegal state', 'VerifiableGet', 'SERVER_REFUSED', 'isServerBehind'],
    [INVALID_ARGUMENT, 'illegal state', 'VerifiableSQLGet', 'SERVER_REFUSED', 'isServerBehind'],
    [INVALID_ARGUMENT, 'illegal state', 'streamVerifiableGet', 'SERVER_REFUSED', 'isServerBehind'],
    [
      UNKNOWN,
      'illegal state: latest txID=3 is lower than specified as initial tx=5',
      'VerifiableTxById',
      'SERVER_REFUSED',
      'isServerBehind',
    ],
    [INVALID_ARGUMENT, 'illegal arguments', 'VerifiableSetReference', 'SERVER_REFUSED', 'isServerBehind'],
    [INVALID_ARGUMENT, 'illegal arguments', 'VerifiableZAdd', 'SERVER_REFUSED', 'isServerBehind'],
    [
      UNKNOWN,
      'StreamVerifiableSet received the following error: illegal state',
      'streamVerifiableSet',
      'SERVER_REFUSED',
      'isServerBehind',
    ],
    [UNKNOWN, 'tx not found', 'ProofDocument', 'NOT_FOUND', 'isServerBehind'],
    [UNKNOWN, 'tx not found', 'VerifiableTxById', 'NOT_FOUND', 'isServerBehind'],
    [INVALID_ARGUMENT, 'illegal state', 'Get', 'SERVER_REFUSED'],
    [INVALID_ARGUMENT, 'illegal arguments', 'Set', 'SERVER_REFUSED'],
    [FAILED_PRECONDITION, 'precondition failed: KeyMustExist', 'Set', 'PRECONDITION_FAILED'],
    [UNKNOWN, 'tx read conflict', 'Commit', 'CONFLICT'],
    [UNKNOWN, 'tx read conflict: later', 'Commit', 'CONFLICT'],
    [status.RESOURCE_EXHAUSTED, 'grpc: received message larger than max (9 vs. 8)', 'Set', 'LIMIT_EXCEEDED'],
    [status.RESOURCE_EXHAUSTED, 'Received message larger than max (9 vs 8)', 'Get', 'LIMIT_EXCEEDED'],
    [UNKNOWN, 'max key length exceeded', 'Set', 'LIMIT_EXCEEDED'],
    [UNKNOWN, 'max value length exceeded', 'Set', 'LIMIT_EXCEEDED'],
    [UNKNOWN, 'max number of entries per tx exceeded', 'Set', 'LIMIT_EXCEEDED'],
    [UNKNOWN, 'result size limit exceeded: the specified limit (2501) is larger', 'Scan', 'LIMIT_EXCEEDED'],
    [UNKNOWN, 'can not create new session: max sessions number reached', 'OpenSession', 'OVERLOADED'],
    [UNKNOWN, 'max concurrency limit exceeded', 'Set', 'OVERLOADED', 'isBusy'],
    [UNKNOWN, 'max active transactions limit exceeded', 'Set', 'OVERLOADED', 'isBusy'],
    [UNKNOWN, 'read tx pool exhausted', 'Get', 'OVERLOADED', 'isBusy'],
    [UNKNOWN, 'watchers: max waiting limit exceeded', 'Get', 'OVERLOADED', 'isBusy'],
    [UNKNOWN, 'tbtree: max active snapshots limit reached', 'TxScan', 'OVERLOADED', 'isBusy'],
    [UNKNOWN, 'already closed', 'Get', 'DATABASE_CLOSED', 'isDatabaseClosed'],
    [INTERNAL, 'operation not supported', 'PrintTree', 'SERVER_REFUSED'],
    [UNKNOWN, 'something new', 'Get', 'SERVER_REFUSED'],
  ])('%i %j in %s', (grpc, details, method, code, kind) => {
    const error = fail(grpc, details, method);
    expect(error).toBeInstanceOf(ServerError);
    expect(error).toMatchObject({ code, grpcCode: grpc, serverMessage: details });
    expect(error.message).toContain(method);
    expect(error.message).toContain(details);
    const held = Object.entries(KINDS).filter(([, is]) => is(error));
    expect(held.map(([name]) => name)).toEqual(kind ? [kind] : []);
  });

  test('a value that quotes such words changes nothing', () => {
    const quoted = fail(UNKNOWN, "table 'session not found; tbtree: key not found' is missing", 'SQLExec');
    expect(quoted.code).toBe('SERVER_REFUSED');
    for (const is of Object.values(KINDS)) expect(is(quoted)).toBe(false);
    // The words of another status are not those of a lost session: nothing is repeated for them.
    expect(isSessionLost(fail(UNKNOWN, 'session not found'))).toBe(false);
  });

  test('kinds belong to errors made here', () => {
    for (const other of [null, undefined, 'key not found', new Error('key not found'), {}]) {
      for (const is of Object.values(KINDS)) expect(is(other)).toBe(false);
    }
  });
});

describe('a login that failed', () => {
  test.each([
    ['tbtree: max active snapshots limit reached', 'OVERLOADED', true],
    ['already closed', 'UNAVAILABLE', false],
    ['crypto/bcrypt: hashedPassword is not the hash of the given password', 'WRONG_CREDENTIALS', false],
    ['tbtree: key not found', 'WRONG_CREDENTIALS', false],
  ])('for %j is %s', (reason, code, busy) => {
    const metadata = new Metadata();
    metadata.set('grpc-status-details-bin', Buffer.from(`\b\u0002\u001a\n${reason}\u0012\u000508004`));
    const details = 'invalid user name or password';
    const told = Object.assign(new Error(details), { code: UNKNOWN, details, metadata });
    const call = { method: 'OpenSession', address: 'host:1', repeatable: true, timeoutMs: 9 };
    const error = toImmuError(told, call);
    expect([error.code, isBusy(error)]).toEqual([code, busy]);
  });
});

describe('a write that was refused', () => {
  test.each<[status, string, string, string]>([
    [PERMISSION_DENIED, 'session not found', 'Set', 'SESSION_EXPIRED'],
    [UNKNOWN, 'max concurrency limit exceeded', 'Set', 'OVERLOADED'],
    [UNKNOWN, 'read tx pool exhausted', 'VerifiableSet', 'OVERLOADED'],
    [FAILED_PRECONDITION, 'precondition failed: KeyMustExist', 'Set', 'PRECONDITION_FAILED'],
    [UNKNOWN, 'max key length exceeded', 'VerifiableSet', 'LIMIT_EXCEEDED'],
    [INTERNAL, 'permission denied', 'Set', 'PERMISSION_DENIED'],
    [INVALID_ARGUMENT, 'illegal state', 'VerifiableSet', 'SERVER_REFUSED'],
    [UNKNOWN, 'user already exists', 'CreateUser', 'SERVER_REFUSED'],
    [UNKNOWN, 'database already exists', 'CreateDatabaseV2', 'SERVER_REFUSED'],
    [PERMISSION_DENIED, 'old password is incorrect', 'ChangePassword', 'WRONG_CREDENTIALS'],
    [status.RESOURCE_EXHAUSTED, 'grpc: received message larger than max (9 vs. 8)', 'Set', 'LIMIT_EXCEEDED'],
    [
      status.RESOURCE_EXHAUSTED,
      'Attempted to send message with a size larger than 8',
      'CreateUser',
      'LIMIT_EXCEEDED',
    ],
  ])('%i %j to %s is certain not to have been done', (grpc, details, method, code) => {
    const error = fail(grpc, details, method, false);
    expect(error).toBeInstanceOf(ServerError);
    expect(error.code).toBe(code);
    expect(isNotDone(error)).toBe(true);
    expect(error.message).not.toContain('may have happened');
  });

  test.each<[status, string, string]>([
    // Said after the commit.
    [UNKNOWN, 'watchers: max waiting limit exceeded', 'Set'],
    [UNKNOWN, 'watchers: max waiting limit exceeded', 'CreateUser'],
    [UNKNOWN, 'max concurrency limit exceeded', 'VerifiableSet'],
    [UNKNOWN, 'already closed', 'Set'],
    [UNKNOWN, 'tx not found', 'VerifiableSet'],
    [status.RESOURCE_EXHAUSTED, 'Received message larger than max (9 vs 8)', 'Set'],
    [INTERNAL, 'Response message parsing error: no', 'Set'],
    // The same words of another status or RPC, or with something behind them, are not those that were tried.
    [UNKNOWN, 'session not found', 'Set'],
    [UNKNOWN, 'max key length exceeded: somewhere', 'Set'],
    [UNKNOWN, 'max key length exceeded', 'CreateUser'],
    [UNKNOWN, 'user already exists', 'Set'],
    [UNKNOWN, 'something new', 'Set'],
  ])('%i %j to %s: OUTCOME_UNKNOWN, with the words', (grpc, details, method) => {
    const error = fail(grpc, details, method, false);
    expect(error).toBeInstanceOf(TransportError);
    expect(error.code).toBe('OUTCOME_UNKNOWN');
    expect(error.message).toContain(details);
    expect(error.message).toContain('may have happened');
    expect(isNotDone(error)).toBe(false);
  });

  test('what never left is certain; what belongs to others is not', () => {
    const refused = 'No connection established. Last error: connect ECONNREFUSED';
    expect(isNotDone(fail(status.UNAVAILABLE, refused, 'Set', false))).toBe(true);
    expect(isNotDone(fail(status.UNAVAILABLE, 'Connection dropped', 'Set', false))).toBe(false);
    expect(isNotDone(fail(status.DEADLINE_EXCEEDED, 'Deadline exceeded', 'Set', false))).toBe(false);
    for (const other of [null, undefined, 'x', new Error('session not found')]) {
      expect(isNotDone(other)).toBe(false);
      expect(asNotDone(other)).toBe(other);
    }
  });
});

describe('words that would do something', () => {
  const nasty = `max key length exceeded\u001b[2J\r\nok: all verified ${'x'.repeat(100_000)}`;

  test.each([true, false])('are shown, and cut (repeatable: %s)', (repeatable) => {
    for (const code of [UNKNOWN, status.UNAVAILABLE, status.CANCELLED, INTERNAL]) {
      const error = fail(code, nasty, 'Set', repeatable);
      const texts = [error.message, (error.cause as Error).message];
      for (const text of texts) {
        expect(text.length).toBeLessThan(1000);
        expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
        expect(text).toContain('\\u{1b}[2J');
      }
      if (error instanceof ServerError) expect(error.serverMessage.length).toBeLessThanOrEqual(4096);
    }
  });
});

describe('the way to the server', () => {
  test.each([
    [
      status.UNAVAILABLE,
      'No connection established. Last error: connect ECONNREFUSED',
      'UNAVAILABLE',
      'UNAVAILABLE',
    ],
    [status.UNAVAILABLE, 'Name resolution failed for target dns:x', 'UNAVAILABLE', 'UNAVAILABLE'],
    [status.UNAVAILABLE, 'Stream refused by server', 'UNAVAILABLE', 'UNAVAILABLE'],
    [status.UNAVAILABLE, 'Connection dropped', 'UNAVAILABLE', 'OUTCOME_UNKNOWN'],
    [status.UNAVAILABLE, 'read ECONNRESET', 'UNAVAILABLE', 'OUTCOME_UNKNOWN'],
    [status.UNAVAILABLE, 'the server is shutting down', 'UNAVAILABLE', 'OUTCOME_UNKNOWN'],
    [status.CANCELLED, 'Call cancelled', 'UNAVAILABLE', 'OUTCOME_UNKNOWN'],
    [
      status.INTERNAL,
      'Received RST_STREAM with code 2 (Internal server error)',
      'UNAVAILABLE',
      'OUTCOME_UNKNOWN',
    ],
    [status.UNKNOWN, 'No status information received', 'UNAVAILABLE', 'OUTCOME_UNKNOWN'],
    [status.DEADLINE_EXCEEDED, 'Deadline exceeded after 1s', 'DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED'],
  ])('%i %j: %s for a read, %s for a write', (code, details, read, write) => {
    for (const [repeatable, expected] of [
      [true, read],
      [false, write],
    ] as const) {
      const error = fail(code, details, 'M', repeatable);
      expect(error).toBeInstanceOf(TransportError);
      expect(error.code).toBe(expected);
      expect(error.message).toContain('host:1');
      const uncertain = expected === 'OUTCOME_UNKNOWN' || (!repeatable && expected === 'DEADLINE_EXCEEDED');
      expect(error.message.includes('may have happened')).toBe(uncertain);
    }
  });

  test('a deadline that passed before there was a connection', () => {
    const error = fail(
      status.DEADLINE_EXCEEDED,
      'Deadline exceeded after 1s,Waiting for LB pick',
      'Set',
      false,
    );
    expect(error.message).toContain('before it was sent');
    expect(error.message).not.toContain('may have happened');
  });

  test('an abort by the caller keeps its reason; a write says that it may have happened', () => {
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    const error = fail(status.CANCELLED, 'Cancelled on client', 'Set', false, signal);
    expect(error.code).toBe('ABORTED');
    expect(error.cause).toBe(reason);
    expect(error.message).toContain('may have happened');
  });

  test('what could not be serialized is an argument error', () => {
    expect(fail(INTERNAL, 'Request message serialization failure: no')).toBeInstanceOf(ArgumentError);
  });
});
