// The one place that reads the server's words: what a gRPC status means, as a typed error that says what was wrong.
import { status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { ImmuError, ServerError, TransportError } from '../errors.js';
import type { ImmuErrorCode } from '../errors.js';

/** What the rest of the client acts on, beside the public code. */
type Kind = 'key-not-found' | 'session-lost' | 'server-behind' | 'not-allowed';

interface Row {
  /** Start of the server's message, or a pattern. */
  readonly words: string | RegExp;
  readonly code: ImmuErrorCode;
  readonly kind?: Kind;
  /** Only on methods whose name matches. */
  readonly on?: RegExp;
  readonly grpc?: status;
}

/** First match counts (protocol file 04 §4, 02 §11). */
const ROWS: readonly Row[] = [
  { words: /^(tbtree: )?key not found/, code: 'SERVER_REFUSED', kind: 'key-not-found' },
  { words: /^(session not found|no session found)/, code: 'SESSION_EXPIRED', kind: 'session-lost' },
  { words: 'invalid token', code: 'SESSION_EXPIRED', kind: 'session-lost' },
  { words: 'token has expired', code: 'SESSION_EXPIRED', kind: 'session-lost' },
  { words: /illegal state/, code: 'SERVER_REFUSED', kind: 'server-behind', on: /Verifiable/i },
  { words: /^tx not found/, code: 'SERVER_REFUSED', kind: 'server-behind', on: /Verifiable|Proof/ },
  {
    words: 'illegal arguments',
    code: 'SERVER_REFUSED',
    kind: 'server-behind',
    on: /^Verifiable(SetReference|ZAdd)$/,
  },
  { words: 'invalid user name or password', code: 'WRONG_CREDENTIALS' },
  { words: 'user is not active', code: 'WRONG_CREDENTIALS' },
  { words: 'database does not exist', code: 'DATABASE_NOT_FOUND' },
  { words: /^'.*' does not exist$/, code: 'DATABASE_NOT_FOUND' },
  { words: 'Logged in user does not have permission', code: 'PERMISSION_DENIED' },
  { words: /^permission denied|^access denied/, code: 'PERMISSION_DENIED', kind: 'not-allowed' },
  { words: /you do not have permission|only.*permission/i, code: 'PERMISSION_DENIED' },
  {
    words: /^not logged in|^please login|^could not get loggedin|^no session|^please select a database/,
    code: 'NOT_LOGGED_IN',
  },
  { words: 'precondition failed', code: 'PRECONDITION_FAILED' },
  { words: 'tx read conflict', code: 'CONFLICT' },
  { words: 'grpc: received message larger than max', code: 'LIMIT_EXCEEDED' },
  { words: /^Received message larger than max/, code: 'LIMIT_EXCEEDED' },
  { words: /^Attempted to send message with a size larger than/, code: 'LIMIT_EXCEEDED' },
  {
    words: /^max (key|value) length exceeded|^max number of entries per tx exceeded/,
    code: 'LIMIT_EXCEEDED',
  },
  { words: /^result size limit/, code: 'LIMIT_EXCEEDED' },
  { words: /max sessions number reached/, code: 'OVERLOADED' },
  {
    words:
      /^(read tx pool exhausted|transaction pool exhausted|max active transactions|max concurrency limit|watchers: max|MVCC read-set)/,
    code: 'OVERLOADED',
  },
];

const kinds = new WeakMap<object, Kind>();

/** The server says that the key (or this version of it) does not exist. */
export function isKeyNotFound(error: unknown): boolean {
  return kindOf(error) === 'key-not-found';
}

/** The session or token is unknown to the server: the call was refused before it ran. */
export function isSessionLost(error: unknown): boolean {
  return kindOf(error) === 'session-lost';
}

/** The server does not reach the tx that the question named, if its words are to be believed. */
export function isServerBehind(error: unknown): boolean {
  return kindOf(error) === 'server-behind';
}

/** The user may not call this method on this database. */
export function isNotAllowed(error: unknown): boolean {
  return kindOf(error) === 'not-allowed';
}

function kindOf(error: unknown): Kind | undefined {
  return typeof error === 'object' && error !== null ? kinds.get(error) : undefined;
}

/** What is known about the call that failed. */
export interface FailedCall {
  readonly method: string;
  readonly address: string;
  readonly idempotent: boolean;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** grpc-js words for a request that never left. */
const NEVER_SENT =
  /^(No connection established|Name resolution failed|Failed to connect|The channel has been closed|Channel closed)/;

const CHECK_WRITE = 'the write may have happened: read it back with verifiedGet';

/** Turns a failed gRPC call into an error of ours. The cause is kept, without request or metadata. */
export function toImmuError(error: ServiceError, call: FailedCall): ImmuError {
  const { method, address, idempotent } = call;
  const cause = new Error(`gRPC status ${error.code} (${status[error.code]}): ${error.details}`);
  const aside = idempotent ? '' : `; ${CHECK_WRITE}`;
  switch (error.code) {
    case status.CANCELLED:
      return new TransportError('ABORTED', `${method} was aborted by the caller${aside}`, {
        cause: call.signal?.reason ?? cause,
      });
    case status.DEADLINE_EXCEEDED:
      return new TransportError(
        'DEADLINE_EXCEEDED',
        `${method} to ${address} passed its deadline of ${call.timeoutMs} ms${aside}`,
        { cause },
      );
    case status.UNAVAILABLE:
      if (idempotent || NEVER_SENT.test(error.details)) {
        return new TransportError(
          'UNAVAILABLE',
          `no immudb reached at ${address} (${method}): ${error.details}`,
          { cause },
        );
      }
      return new TransportError(
        'OUTCOME_UNKNOWN',
        `the connection to ${address} broke during ${method}; ${CHECK_WRITE}`,
        { cause },
      );
  }
  const row = ROWS.find((candidate) => matches(candidate, error, method));
  const refused = new ServerError(
    row?.code ?? 'SERVER_REFUSED',
    `the server refused ${method}: ${error.details}`,
    { code: error.code, message: error.details },
    { cause },
  );
  if (row?.kind) kinds.set(refused, row.kind);
  return refused;
}

function matches(row: Row, error: ServiceError, method: string): boolean {
  if (row.on && !row.on.test(method)) return false;
  if (row.grpc !== undefined && row.grpc !== error.code) return false;
  return typeof row.words === 'string' ? error.details.startsWith(row.words) : row.words.test(error.details);
}
