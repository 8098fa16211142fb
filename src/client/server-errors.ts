// What a failed gRPC call means, as a typed error that says what was wrong and whether anything can have happened.
import { status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { ArgumentError, ServerError, TransportError } from '../errors.js';
import type { ImmuError } from '../errors.js';
import { findServerWords } from './server-words.js';
import type { Kind } from './server-words.js';

const kinds = new WeakMap<object, Kind>();

/** The server says that the key (or this version of it) does not exist. */
export function isKeyNotFound(error: unknown): boolean {
  return kindOf(error) === 'key-not-found';
}

/** The session or token is unknown to the server: the call was refused before it ran. */
export function isSessionLost(error: unknown): boolean {
  return kindOf(error) === 'session-lost';
}

/** The call needs a login, and the one it carried, if any, counts for nothing: it was refused before it ran. */
export function isNotLoggedIn(error: unknown): boolean {
  return kindOf(error) === 'not-logged-in';
}

/** The server does not reach the tx that the question named, if its words are to be believed. */
export function isServerBehind(error: unknown): boolean {
  return kindOf(error) === 'server-behind';
}

/** The user may not call this method on this database. */
export function isNotAllowed(error: unknown): boolean {
  return kindOf(error) === 'not-allowed';
}

/** Too many were at it just then: nothing was done, and it may work a moment later. */
export function isBusy(error: unknown): boolean {
  return kindOf(error) === 'busy';
}

/** A write that is certain not to have been done. */
export function isNotDone(error: unknown): boolean {
  return error instanceof ServerError;
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

/** grpc-js's words for a request that never left, or that the server says it did not look at. */
const NEVER_SENT =
  /^(No connection established|Name resolution failed|Failed to parse|Failed to start HTTP\/2 stream|Stream refused by server|Channel closed before call started)/;
/** The deadline passed while there was no connection yet. */
const NEVER_SENT_LATE = /(Waiting for LB pick|waiting for metadata filters)/;
/** grpc-js's words for an answer that broke off, whatever status it gives them. */
const BROKEN_OFF =
  /^(Received RST_STREAM|Connection dropped|Call cancelled|No status information received|No message received|Write (error|failed)|Failed to decompress|Received HTTP status code)/;
/** grpc-js's words for a request that could not even be put into bytes. */
const NOT_SERIALIZED = /^Request message serialization failure/;

/**
 * What a server says of its databases while it shuts down, or of one that was unloaded under a call. A write that waited for
 * the disk then may still be done.
 */
const CLOSING = /^already closed/;

const CHECK_WRITE = 'the write may have happened: read it back with verifiedGet';

/** Turns a failed gRPC call into an error of ours. The cause is kept, without request or metadata. */
export function toImmuError(error: ServiceError, call: FailedCall): ImmuError {
  const { method, address, idempotent, signal, timeoutMs } = call;
  const { code, details } = error;
  const cause = new Error(`gRPC status ${code} (${status[code]}): ${details}`);
  const aside = idempotent ? '' : `; ${CHECK_WRITE}`;

  if (code === status.CANCELLED && signal?.aborted) {
    return new TransportError('ABORTED', `${method} was aborted by the caller${aside}`, {
      cause: signal.reason ?? cause,
    });
  }
  if (code === status.DEADLINE_EXCEEDED) {
    const unsent = NEVER_SENT_LATE.test(details);
    return new TransportError(
      'DEADLINE_EXCEEDED',
      `${method} to ${address} passed its deadline of ${timeoutMs} ms${unsent ? ' before it was sent' : aside}`,
      { cause },
    );
  }
  if (code === status.UNAVAILABLE && NEVER_SENT.test(details)) {
    const message = `no immudb reached at ${address} (${method}): ${details}`;
    return new TransportError('UNAVAILABLE', message, { cause });
  }
  if (code === status.UNAVAILABLE || code === status.CANCELLED || BROKEN_OFF.test(details)) {
    return lost(`the connection to ${address} broke during ${method}`, call, details, cause);
  }
  if (CLOSING.test(details)) return lost(`${address} is closing (${method})`, call, details, cause);
  if (NOT_SERIALIZED.test(details)) {
    return new ArgumentError('request', `${method} was given something that cannot be sent: ${details}`);
  }
  return refusal(error, call, cause);
}

/** No answer, or none about the call: whether it was done is not known. */
function lost(what: string, { idempotent }: FailedCall, details: string, cause: Error): TransportError {
  return idempotent
    ? new TransportError('UNAVAILABLE', `${what}: ${details}`, { cause })
    : new TransportError('OUTCOME_UNKNOWN', `${what}; ${CHECK_WRITE}`, { cause });
}

function refusal(error: ServiceError, { method, idempotent }: FailedCall, cause: Error): ServerError {
  const { code, details } = error;
  const words = findServerWords(code, details, method);
  const what = words?.says ?? 'the server refused';
  // An answer that came but could not be taken in: a write behind it was done.
  const aside = words?.answered && !idempotent ? `; ${CHECK_WRITE}` : '';
  const refused = new ServerError(
    words?.code ?? 'SERVER_REFUSED',
    `${what} (${method}): ${details}${aside}`,
    { code, message: details },
    { cause },
  );
  if (words?.kind) kinds.set(refused, words.kind);
  return refused;
}
