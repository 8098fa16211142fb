// How a ledger is started.
import { ArgumentError } from '../errors.js';
import { knownNames } from '../known-names.js';

export interface EmbeddedLedgerOptions {
  /** Where transactions are kept so that they survive a restart. @default in memory only */
  readonly directory?: string;
  /** @default a free port */
  readonly port?: number;
  /** Loopback only: the ledger is for tests and first steps, without TLS. @default '127.0.0.1' */
  readonly host?: '127.0.0.1' | '::1' | 'localhost';
  /** Name of the system administrator is always `immudb`. @default 'immudb' */
  readonly adminPassword?: string;
  /** EC private key in PEM; states are signed when it is given. */
  readonly signingKey?: string | Buffer;
  /** Makes defaultdb write time 0 into its headers, so that hashes depend on the operations only. @default false */
  readonly excludeCommitTime?: boolean;
  /** Header version that defaultdb writes; 0 has no deletion and no expiration. @default 1 */
  readonly headerVersion?: 0 | 1;
  /** A session that makes no call for this long is over. @default 120_000 */
  readonly sessionTimeoutMs?: number;
  /** Open sessions at a time. @default 100 */
  readonly maxSessions?: number;
  /** Largest request. @default 33_554_432 */
  readonly maxMessageBytes?: number;
}

export interface ResolvedLedgerOptions {
  readonly directory: string | undefined;
  readonly port: number;
  readonly host: string;
  readonly adminPassword: string;
  readonly signingKey: string | Buffer | undefined;
  readonly excludeCommitTime: boolean;
  readonly headerVersion: 0 | 1;
  readonly sessionTimeoutMs: number;
  readonly maxSessions: number;
  readonly maxMessageBytes: number;
}

const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];

const OPTION_NAMES: Record<keyof EmbeddedLedgerOptions, true> = {
  directory: true,
  port: true,
  host: true,
  adminPassword: true,
  signingKey: true,
  excludeCommitTime: true,
  headerVersion: true,
  sessionTimeoutMs: true,
  maxSessions: true,
  maxMessageBytes: true,
};

export function resolveOptions(options: EmbeddedLedgerOptions): ResolvedLedgerOptions {
  if (typeof options !== 'object' || (options as object | null) === null)
    throw new ArgumentError('options', 'options must be an object');
  knownNames('options', options, Object.keys(OPTION_NAMES));
  const { directory, signingKey, excludeCommitTime } = options;
  if (directory !== undefined && (typeof directory !== 'string' || directory === ''))
    throw new ArgumentError('directory', 'directory must be the path of a folder');
  if (excludeCommitTime !== undefined && typeof excludeCommitTime !== 'boolean')
    throw new ArgumentError('excludeCommitTime', 'excludeCommitTime must be true or false');
  if (signingKey !== undefined && typeof signingKey !== 'string' && !Buffer.isBuffer(signingKey))
    throw new ArgumentError('signingKey', 'signingKey must be PEM, as a string or a Buffer');
  const host = options.host ?? '127.0.0.1';
  if (!LOOPBACK.includes(host))
    throw new ArgumentError('host', 'the embedded ledger serves this machine only');
  const port = options.port ?? 0;
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new ArgumentError('port', 'not a port number');
  const headerVersion: number = options.headerVersion ?? 1;
  if (headerVersion !== 0 && headerVersion !== 1) throw new ArgumentError('headerVersion', 'must be 0 or 1');
  const adminPassword = options.adminPassword ?? 'immudb';
  if (typeof adminPassword !== 'string' || adminPassword === '')
    throw new ArgumentError('adminPassword', 'must not be empty');
  return {
    directory: options.directory,
    port,
    host,
    adminPassword,
    signingKey: options.signingKey,
    excludeCommitTime: options.excludeCommitTime ?? false,
    headerVersion,
    sessionTimeoutMs: positive('sessionTimeoutMs', options.sessionTimeoutMs ?? 120_000),
    maxSessions: positive('maxSessions', options.maxSessions ?? 100),
    maxMessageBytes: positive('maxMessageBytes', options.maxMessageBytes ?? 1 << 25),
  };
}

function positive(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 1) throw new ArgumentError(name, 'must be a whole number above 0');
  return value;
}
