// What a failed gRPC call means, as a typed error that says what was wrong and whether anything can have happened.
import { Metadata } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { ArgumentError, ServerError, TransportError } from '../../errors.js';
import type { ImmuError } from '../../errors.js';
import { serverWords } from '../../visible.js';
import { status } from '../../wire/status.js';
import { saysNotDone } from './not-done.js';
import { findServerWords, isShuttingDown, wordsOf } from './server-words.js';
import type { Kind } from './server-words.js';

const kinds = new WeakMap<object, Kind>();
const notDone = new WeakSet();
const takenBack = new WeakSet();

/**
 * The write that ended with this error is certain not to have been done: it never left, or the server refused it in a way
 * that is known to come before the commit (`not-done.ts`). Whatever else a write ends with leaves it open.
 */
export function isNotDone(error: unknown): boolean {
  return typeof error === 'object' && error !== null && notDone.has(error);
}

/** For errors of before a request left. Returns the error. */
export function asNotDone<E>(error: E): E {
  if (typeof error === 'object' && error !== null) notDone.add(error);
  return error;
}

/** For what a stream ended with that the server is known to have refused as a whole, because we made it do so. */
export function asTakenBack(error: ServiceError): ServiceError {
  takenBack.add(error);
  return error;
}

/** A status that this side gives a call. */
export function ownStatus(code: status, details: string): ServiceError {
  return Object.assign(new Error(details), { code, details, metadata: new Metadata() });
}

/** {@link asNotDone}, thrown: for the rejections of what comes before a request leaves. */
export function unsent(error: unknown): never {
  throw asNotDone(error);
}

/** The server says that the key (or this version of it) does not exist. */
export function isKeyNotFound(error: unknown): boolean {
  return kindOf(error) === 'key-not-found';
}

/** The history of the key ends where it was to be shown from. */
export function isPastEnd(error: unknown): boolean {
  return kindOf(error) === 'no-more-entries';
}

/** There is no such document, or it is deleted. */
export function isDocumentNotFound(error: unknown): boolean {
  return kindOf(error) === 'document-not-found';
}

/** A search that was kept open is so no more: its session ended. */
export function isSearchLost(error: unknown): boolean {
  return kindOf(error) === 'search-lost';
}

/** The server has no such transaction, or none yet. */
export function isTxNotFound(error: unknown): boolean {
  return kindOf(error) === 'tx-not-found';
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

/** The database is a replica, which takes no writes but the replicated ones. */
export function isReplica(error: unknown): boolean {
  return kindOf(error) === 'replica';
}

/** The user may not call this method on this database. */
export function isNotAllowed(error: unknown): boolean {
  return kindOf(error) === 'not-allowed';
}

/** Too many were at it just then: it may work a moment later. Says nothing of a write: see {@link isNotDone}. */
export function isBusy(error: unknown): boolean {
  return kindOf(error) === 'busy';
}

/** The database is not loaded, or the whole server is closing. */
export function isDatabaseClosed(error: unknown): boolean {
  return kindOf(error) === 'database-closed';
}

function kindOf(error: unknown): Kind | undefined {
  return typeof error === 'object' && error !== null ? kinds.get(error) : undefined;
}

/** What is known about the call that failed. */
export interface FailedCall {
  readonly method: string;
  /** The server's, and whatever lies in between. */
  readonly address: string;
  readonly repeatable: boolean;
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
/** And for one that was larger than it may be. */
const TOO_LARGE = /^Attempted to send message with a size larger than/;

/** What to do about a write of which nobody knows whether it was done. */
function checkDone(method: string): string {
  if (/User|Password|Permission|Privileges/.test(method))
    return 'it may have happened: see listUsers before it is repeated';
  if (/Database|Index/.test(method)) return 'it may have happened: see listDatabases before it is repeated';
  return 'the write may have happened: read it back with verifiedGet';
}

/** Turns a failed gRPC call into an error of ours. The cause is kept, without request or metadata. */
export function toImmuError(error: ServiceError, call: FailedCall): ImmuError {
  const { method, address, repeatable, signal, timeoutMs } = call;
  const { code } = error;
  const details = wordsOf(error);
  const words = serverWords(details);
  const cause = new Error(`gRPC status ${code} (${status[code]}): ${words}`);
  const certain = takenBack.has(error);
  const aside = certain ? '; nothing was written' : repeatable ? '' : `; ${checkDone(method)}`;

  if (code === status.CANCELLED && signal?.aborted) {
    const ended = new TransportError('ABORTED', `${method} was aborted by the caller${aside}`, {
      cause: signal.reason ?? cause,
    });
    return certain ? asNotDone(ended) : ended;
  }
  if (code === status.DEADLINE_EXCEEDED) {
    const late = `${method} to ${address} passed its deadline of ${timeoutMs} ms`;
    if (NEVER_SENT_LATE.test(details))
      return asNotDone(new TransportError('DEADLINE_EXCEEDED', `${late} before it was sent`, { cause }));
    const ended = new TransportError('DEADLINE_EXCEEDED', `${late}${aside}`, { cause });
    return certain ? asNotDone(ended) : ended;
  }
  if (code === status.UNAVAILABLE && NEVER_SENT.test(details)) {
    const message = `no immudb reached at ${address} (${method}): ${words}`;
    return asNotDone(new TransportError('UNAVAILABLE', message, { cause }));
  }
  if (code === status.UNAVAILABLE || code === status.CANCELLED || BROKEN_OFF.test(details)) {
    const what = `the connection to ${address} broke during ${method}: ${words}`;
    return repeatable
      ? new TransportError('UNAVAILABLE', what, { cause })
      : outcomeUnknown(what, method, cause);
  }
  if (isShuttingDown(error, details)) {
    const message = `the server at ${address} is shutting down (${method}: ${words})`;
    return asNotDone(new TransportError('UNAVAILABLE', message, { cause }));
  }
  if (NOT_SERIALIZED.test(details)) {
    return asNotDone(
      new ArgumentError('request', `${method} was given something that cannot be sent: ${words}`),
    );
  }
  return refusal(code, details, call, cause);
}

/** The server's answer to a write, or the lack of one, does not say whether it was done. */
function outcomeUnknown(what: string, method: string, cause: Error): TransportError {
  return new TransportError('OUTCOME_UNKNOWN', `${what}; ${checkDone(method)}`, { cause });
}

function refusal(
  code: status,
  details: string,
  { method, repeatable }: FailedCall,
  cause: Error,
): ServerError | TransportError {
  const known = findServerWords(code, details, method);
  const what = `${known?.says ?? 'the server refused'} (${method}): ${serverWords(details)}`;
  const certain =
    (code === status.RESOURCE_EXHAUSTED && TOO_LARGE.test(details)) || saysNotDone(method, code, details);
  const grpc = { code, message: details };
  const refused = new ServerError(known?.code ?? 'SERVER_REFUSED', what, grpc, { cause });
  if (known?.kind) kinds.set(refused, known.kind);
  if (certain) return asNotDone(refused);
  if (repeatable) return refused;
  const unknown = outcomeUnknown(what, method, refused);
  if (known?.kind) kinds.set(unknown, known.kind);
  return unknown;
}
