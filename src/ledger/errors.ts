// What the ledger refuses, in immudb's own codes and words (docs/protocol.md §24), with the status details that
// immudb sends along with some of them.
import { Metadata, status } from '@grpc/grpc-js';
import { concatBytes } from '../proof/bytes.js';

/** SQLSTATE-like code and cause that travel in `grpc-status-details-bin`. */
export interface ErrorInfo {
  readonly code: string;
  readonly cause: string;
}

/** A call that is refused: becomes the gRPC status of the answer. */
export class LedgerRefusal extends Error {
  override readonly name = 'LedgerRefusal';
  readonly code: status;
  readonly info: ErrorInfo | undefined;

  constructor(code: status, message: string, info?: ErrorInfo) {
    super(message);
    this.code = code;
    this.info = info;
  }
}

const KEY_NOT_FOUND = 'tbtree: key not found';

function unknown(message: string): LedgerRefusal {
  return new LedgerRefusal(status.UNKNOWN, message);
}

function invalid(message: string): LedgerRefusal {
  return new LedgerRefusal(status.INVALID_ARGUMENT, message);
}

function coded(code: status, sqlState: string, message: string, cause = message): LedgerRefusal {
  return new LedgerRefusal(code, message, { code: sqlState, cause });
}

/** A looked-up key does not exist, is deleted, or has expired: callers tell these cases apart. */
export class KeyNotFound extends LedgerRefusal {
  readonly expired: boolean;

  constructor(expired = false) {
    super(status.UNKNOWN, expired ? `${KEY_NOT_FOUND}: expired entry` : KEY_NOT_FOUND);
    this.expired = expired;
  }
}

/** Builders of every refusal, by situation. */
export const refuse = {
  illegalArguments: () => invalid('illegal arguments'),
  illegalArgumentsBecause: (why: string) => unknown(`illegal arguments: ${why}`),
  readerArguments: () => unknown('tbtree: illegal arguments'),
  unreadableMessage: () =>
    new LedgerRefusal(
      status.INTERNAL,
      'grpc: failed to unmarshal the received message: proto: cannot parse invalid wire-format data',
    ),
  illegalState: () => invalid('illegal state'),
  stateAhead: (last: number, since: bigint) =>
    unknown(`illegal state: latest txID=${last} is lower than specified as initial tx=${since.toString()}`),
  txNotFound: () => unknown('tx not found'),
  noMoreEntries: () => unknown('tbtree: no more entries'),
  invalidRevision: () => unknown('invalid key revision number'),
  noEntries: () => unknown('no entries provided'),
  emptySet: () => invalid('empty set'),
  duplicateKeys: (key?: string) =>
    key === undefined
      ? invalid('duplicated keys are not supported in single batch transaction')
      : invalid(
          `rpc error: code = InvalidArgument desc = duplicated keys are not supported in single batch transaction: key/reference '${key}'`,
        ),
  duplicateZAdd: () =>
    invalid('duplicated index inside zAdd insertions are not supported in single batch transaction'),
  duplicateReferences: () =>
    invalid('duplicated references insertions are not supported in single batch transaction'),
  duplicatedKey: () => unknown('duplicated key'),
  operationNotSet: () => invalid('operation is not set'),
  keyTooLong: () => unknown('max key length exceeded'),
  valueTooLong: () => unknown('max value length exceeded'),
  tooManyEntries: () => unknown('max number of entries per tx exceeded'),
  preconditionFailed: (name: string) =>
    coded(status.FAILED_PRECONDITION, '23000', `precondition failed: ${name}`),
  invalidPrecondition: (why: string) => unknown(`invalid precondition: ${why}`),
  referencedIsReference: () => unknown('referenced key cannot be a reference'),
  finalKeyIsPlain: () => unknown('final key cannot be converted into a reference'),
  notSelfContained: (why: string) =>
    unknown(`no wait operation must be self-contained: illegal arguments: ${why}`),
  resolutionLimit: () => unknown('key resolution limit reached. It may be due to cyclic references'),
  resultTooLarge: (limit: number | bigint, max: number) =>
    unknown(
      `result size limit exceeded: the specified limit (${limit.toString()}) is larger than the maximum allowed one (${max})`,
    ),
  metadataUnsupported: () =>
    unknown(
      'metadata is unsupported when in 1.1 compatibility mode, do not use metadata-related features such as expiration and logical deletion',
    ),
  sessionNotFound: () => coded(status.PERMISSION_DENIED, '08001', 'session not found'),
  noSessionFound: () => coded(status.INVALID_ARGUMENT, '22023', 'no session found'),
  emptySessionId: () => coded(status.UNKNOWN, '28000', 'no sessionID provided'),
  noSessionData: () => coded(status.UNKNOWN, '28000', 'no session auth data provided'),
  notLoggedIn: () => coded(status.UNKNOWN, '28000', 'not logged in'),
  noUserData: () => unknown('could not get loggedin user data'),
  pleaseLogin: () => unknown('please login'),
  unauthenticated: () => new LedgerRefusal(status.UNAUTHENTICATED, 'Please login'),
  invalidToken: (cause: string) => coded(status.INTERNAL, 'XX000', 'invalid token', cause),
  tokenExpired: () => new LedgerRefusal(status.PERMISSION_DENIED, 'token has expired'),
  noDatabaseSelected: () => unknown('please select a database first'),
  wrongCredentials: (cause: string) => coded(status.UNKNOWN, '08004', 'invalid user name or password', cause),
  userNotActive: () => coded(status.UNKNOWN, '08004', 'user is not active'),
  tooManySessions: () =>
    coded(
      status.INTERNAL,
      'XX000',
      'can not create new session: max sessions number reached',
      'can not create new session',
    ),
  databaseMissing: () => unknown('database does not exist'),
  namedDatabaseMissing: (name: string) => coded(status.NOT_FOUND, '3F000', `'${name}' does not exist`),
  noDatabasePermission: () =>
    new LedgerRefusal(status.PERMISSION_DENIED, 'Logged in user does not have permission on this database'),
  permissionDenied: () => coded(status.INTERNAL, 'XX000', 'permission denied'),
  /** Wrapped on immudb's way out, so that its status is in the words. */
  settingRefused: (why: string) =>
    invalid(`rpc error: code = InvalidArgument desc = illegal arguments: ${why}`),
  databaseDeleted: (name: string) => unknown(`database does not exist: while opening database '${name}'`),
  databaseExists: () => unknown('database already exists'),
  databaseReserved: () => coded(status.INTERNAL, 'XX000', 'database is reserved'),
  databaseLoaded: () => coded(status.INTERNAL, 'XX000', 'database already loaded'),
  databaseOpen: () => unknown('cannot delete an open database'),
  alreadyClosed: () => unknown('already closed'),
  notSupported: () => coded(status.INTERNAL, 'XX000', 'operation not supported'),
  noTransaction: () => coded(status.INVALID_ARGUMENT, '22023', 'no transaction found'),
  streamTooLong: () => coded(status.FAILED_PRECONDITION, '22000', 'max transaction values length exceeded'),
  streamValueTooLong: () =>
    coded(
      status.FAILED_PRECONDITION,
      '22000',
      'internal store max value length exceeded',
      'max value length exceeded',
    ),
  /** A status that was put into words before it was sent. */
  duplicateKeysInWords: () =>
    unknown(
      'rpc error: code = InvalidArgument desc = duplicated keys are not supported in single batch transaction',
    ),
  referenceOperation: () => coded(status.UNIMPLEMENTED, '42883', 'reference operation is not implemented'),
  /** Words of immudb that occur in one place only. */
  because: unknown,
  argument: invalid,
  status: (code: status, message: string) => new LedgerRefusal(code, message),
  outOfScope: (method: string) =>
    new LedgerRefusal(
      status.UNIMPLEMENTED,
      `${method}: the embedded ledger serves keys and values; SQL, documents and replication need a real immudb`,
    ),
} as const;

export interface WireStatus {
  readonly name: string;
  readonly message: string;
  readonly code: status;
  readonly details: string;
  readonly metadata?: Metadata;
}

/** gRPC status of whatever was thrown. What is no refusal is a defect of the ledger, and says so. */
export function statusOf(error: unknown): WireStatus {
  if (error instanceof LedgerRefusal) {
    const metadata = refusalMetadata(error);
    const { name, message, code } = error;
    return { name, message, code, details: message, ...(metadata ? { metadata } : {}) };
  }
  const message = `defect in the embedded ledger: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  return { name: 'Error', message, code: status.INTERNAL, details: message };
}

/** Trailing metadata of a refusal: `grpc-status-details-bin` where immudb sends it. */
function refusalMetadata(refusal: LedgerRefusal): Metadata | undefined {
  if (!refusal.info) return undefined;
  const info = concatBytes(text(1, refusal.info.code), text(2, refusal.info.cause));
  const details = concatBytes(
    varintField(1, refusal.code),
    text(2, refusal.message),
    lengthDelimited(3, any('immudb.schema.ErrorInfo', info)),
    lengthDelimited(3, any('immudb.schema.RetryInfo', new Uint8Array(0))),
  );
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(details));
  return metadata;
}

// google.rpc.Status and google.protobuf.Any: three fields each, so they are written by hand.

function any(type: string, value: Uint8Array): Uint8Array {
  const url = text(1, `type.googleapis.com/${type}`);
  return value.length === 0 ? url : concatBytes(url, lengthDelimited(2, value));
}

function text(field: number, value: string): Uint8Array {
  return lengthDelimited(field, Buffer.from(value, 'utf8'));
}

function lengthDelimited(field: number, value: Uint8Array): Uint8Array {
  return concatBytes(varint(field * 8 + 2), varint(value.length), value);
}

function varintField(field: number, value: number): Uint8Array {
  return concatBytes(varint(field * 8), varint(value));
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return new Uint8Array(bytes);
}
