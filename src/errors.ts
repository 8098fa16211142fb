// Every error this package throws: one base class, a closed set of codes, a handful of subclasses by meaning.

/** Stable, documented reason of an {@link ImmuError}. The message is for people, the code for programs. */
export type ImmuErrorCode =
  // the server's answer did not prove what it claims
  | 'VERIFICATION_FAILED'
  | 'FORK_DETECTED'
  | 'SERVER_BEHIND_TRUST'
  | 'IDENTITY_CHANGED'
  // the server refused
  | 'SERVER_REFUSED'
  | 'NOT_FOUND'
  | 'DATABASE_NOT_FOUND'
  | 'DATABASE_CLOSED'
  | 'WRONG_CREDENTIALS'
  | 'PERMISSION_DENIED'
  | 'NOT_LOGGED_IN'
  | 'SESSION_EXPIRED'
  | 'PRECONDITION_FAILED'
  | 'CONFLICT'
  | 'OVERLOADED'
  | 'LIMIT_EXCEEDED'
  | 'TRUNCATED'
  // asked for a proof that there is none of, or not as things are
  | 'NOT_PROVABLE'
  // the way to the server
  | 'UNAVAILABLE'
  | 'DEADLINE_EXCEEDED'
  | 'ABORTED'
  | 'OUTCOME_UNKNOWN'
  // what others were asked for
  | 'QUORUM_NOT_REACHED'
  // our own side
  | 'STORE_MISSING'
  | 'STORE_DAMAGED'
  | 'STORE_FOREIGN'
  | 'STORE_FAILED'
  | 'STORE_UNAVAILABLE'
  | 'POOL_FAILED'
  | 'POOL_FULL'
  | 'QUEUE_FULL'
  | 'SOURCE_FAILED'
  | 'INVALID_ARGUMENT'
  | 'DECODE_FAILED'
  | 'WEAK_PASSWORD'
  | 'CLOSED';

/** Base of every error of this package. `cause` holds what it came from, where there is such a thing. */
export class ImmuError extends Error {
  readonly code: ImmuErrorCode;

  constructor(code: ImmuErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** What did not hold, so that it can be shown and re-checked: never contains credentials. */
export interface VerificationEvidence {
  readonly server: string;
  readonly database: string;
  /** Subject of the failed check, when it is known. */
  readonly tx?: bigint;
  /** Name of the check that failed, e.g. `dual-proof.consistency`. */
  readonly check: string;
  /** Hex for digests, decimal for numbers. */
  readonly expected?: string;
  readonly computed?: string;
}

/** The server's answer is not proven by its proof, or contradicts what was proven before. Never retried. */
export class VerificationError extends ImmuError {
  readonly evidence: VerificationEvidence;

  constructor(
    code: 'VERIFICATION_FAILED' | 'FORK_DETECTED' | 'SERVER_BEHIND_TRUST' | 'IDENTITY_CHANGED',
    message: string,
    evidence: VerificationEvidence,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
    this.evidence = evidence;
  }
}

/** The server answered with an error. */
export class ServerError extends ImmuError {
  /** gRPC status code, e.g. 2 for UNKNOWN. */
  readonly grpcCode: number;
  /** The server's own words. */
  readonly serverMessage: string;

  constructor(
    code: ImmuErrorCode,
    message: string,
    grpc: { code: number; message: string },
    options?: ErrorOptions,
  ) {
    super(code, message, options);
    this.grpcCode = grpc.code;
    this.serverMessage = grpc.message;
  }
}

/** The call did not get an answer: no server, connection lost, deadline passed, or aborted by the caller. */
export class TransportError extends ImmuError {}

/** The root store cannot be read, written or believed. */
export class StoreError extends ImmuError {}

/** The worker pool failed, or it or a queue of this client is full. Says nothing about the server's honesty. */
export class PoolError extends ImmuError {}

/** The caller's input cannot be sent; names the input. */
export class ArgumentError extends ImmuError {
  /** Name of the offending input, e.g. `key`. */
  readonly argument: string;

  constructor(
    argument: string,
    message: string,
    code: 'INVALID_ARGUMENT' | 'WEAK_PASSWORD' | 'LIMIT_EXCEEDED' = 'INVALID_ARGUMENT',
    options?: ErrorOptions,
  ) {
    super(code, message, options);
    this.argument = argument;
  }
}

/** The client, store or pool was closed. */
export class ClosedError extends ImmuError {
  constructor(what: string) {
    super('CLOSED', `${what} is closed`);
  }
}

/** A proof was asked for that cannot be had, or not as things are: the message says what would be needed. */
export class NotProvableError extends ImmuError {
  constructor(message: string) {
    super('NOT_PROVABLE', message);
  }
}
