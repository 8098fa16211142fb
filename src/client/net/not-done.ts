// The allow-list: what a server may say of a write so that it is certain not to have been done. Everything else that ends
// a write leaves its outcome unknown.
import { status } from '@grpc/grpc-js';

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
/** Streams to the server that write. */
const STREAMS = ['streamSet', 'streamExecAll'];
const USERS = ['CreateUser', 'ChangePassword', 'ChangePermission', 'SetActiveUser'];

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
  { on: SETS, grpc: INTERNAL, words: 'invalid token' },
  { on: [...SETS, ...USERS], grpc: UNKNOWN, words: 'not logged in' },
  { on: SETS, grpc: UNKNOWN, words: 'please select a database first' },
  { on: ['CreateDatabaseV2'], grpc: UNKNOWN, words: 'could not get loggedin user data' },

  // What they may do
  { on: SETS, grpc: INTERNAL, words: 'permission denied' },
  { on: SETS, grpc: UNKNOWN, words: "database is read-only because it's a replica" },
  { on: ['CreateUser'], grpc: UNKNOWN, words: 'you do not have permission on this database' },
  { on: ['ChangePermission'], grpc: PERMISSION_DENIED, words: 'you do not have permission on this database' },
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

  // What is written
  { on: SETS, grpc: INVALID_ARGUMENT, words: 'illegal arguments' },
  { on: SETS, grpc: UNKNOWN, words: 'no entries provided' },
  { on: SETS, grpc: UNKNOWN, words: 'max key length exceeded' },
  { on: SETS, grpc: UNKNOWN, words: 'max value length exceeded' },
  { on: SETS, grpc: UNKNOWN, words: 'max number of entries per tx exceeded' },
  {
    on: SETS,
    grpc: INVALID_ARGUMENT,
    words: 'duplicated keys are not supported in single batch transaction',
  },
  { on: SETS, grpc: UNKNOWN, words: /^metadata is unsupported when in 1\.1 compatibility mode/ },
  { on: SETS, grpc: FAILED_PRECONDITION, words: /^precondition failed: / },
  { on: ['Delete'], grpc: UNKNOWN, words: 'tbtree: key not found' },
  // The state that a proof was asked from lies ahead of the server's.
  { on: ['VerifiableSet'], grpc: INVALID_ARGUMENT, words: 'illegal state' },

  // Too much at a time. Not on VerifiableSet: its proof, made after the commit, may meet the same limit.
  { on: ['Set'], grpc: UNKNOWN, words: 'max concurrency limit exceeded' },
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

  // Users
  { on: ['CreateUser'], grpc: UNKNOWN, words: 'user already exists' },
  { on: ['CreateUser'], grpc: UNKNOWN, words: /^database \w{1,200} does not exist$/ },
  { on: ['ChangePermission'], grpc: INVALID_ARGUMENT, words: 'database does not exist' },
  {
    on: ['ChangePermission'],
    grpc: INVALID_ARGUMENT,
    words: /^changing (your own|sysadmin) permissions is not allowed$/,
  },
  { on: ['ChangePermission'], grpc: NOT_FOUND, words: /^user \w{1,63} not found$/ },
  { on: ['ChangePermission'], grpc: FAILED_PRECONDITION, words: /^user \w{1,63} is not active$/ },
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
  { on: ['CreateDatabaseV2'], grpc: INTERNAL, words: 'database is reserved' },

  // A server without logins
  {
    on: ['CreateUser', 'ChangePassword', 'SetActiveUser'],
    grpc: UNKNOWN,
    words: 'this command is available only with authentication on',
  },
  { on: ['CreateDatabaseV2'], grpc: INVALID_ARGUMENT, words: 'authentication must be on' },
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
