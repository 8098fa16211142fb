// An address that is a connection URL, and the options beside it: each thing may be told once.
import { isConnectionUrl, parseConnectionUrl } from '../../connection-url.js';
import type { ConnectionUrl } from '../../connection-url.js';
import { ArgumentError } from '../../errors.js';
import { optionsObject } from '../input/option-checks.js';
import { databaseName } from './credentials.js';
import type { Credentials } from './credentials.js';
import type { TlsOptions } from './tls-options.js';

interface Told {
  readonly address: unknown;
  readonly credentials: Credentials | undefined;
  readonly tls: boolean | TlsOptions | undefined;
  /** Undefined: no option says it. */
  readonly readFrom: unknown;
}

/** These options with what the URL says in its place. @throws ArgumentError naming what is told twice, or missing */
export function toldByUrl(options: Told): Told {
  const { address } = options;
  if (typeof address !== 'string' || !isConnectionUrl(address)) return options;
  const url = parseConnectionUrl(address);
  return {
    address: url.addresses,
    credentials: credentialsOf(url, options.credentials),
    tls: tlsOf(url, options.tls),
    readFrom: readFromOf(url, options.readFrom),
  };
}

function readFromOf({ readFrom }: ConnectionUrl, given: unknown): unknown {
  if (readFrom === undefined || given === undefined) return readFrom ?? given;
  if (!Array.isArray(given) || given.join() !== readFrom.join()) throw twice('readFrom');
  return given;
}

function credentialsOf(url: ConnectionUrl, given: Credentials | undefined): Credentials | undefined {
  const { user, password, database } = url;
  if (given === undefined && user === undefined && password === undefined) {
    if (database !== undefined)
      throw new ArgumentError('address', 'address names a database, and nobody who logs in there');
    return undefined;
  }
  if (given !== undefined) optionsObject('credentials', given);
  if (user !== undefined && given?.user !== undefined && given.user !== user) throw twice('user');
  if (password !== undefined && given?.password !== undefined) throw twice('password');
  const other = given?.database;
  if (database !== undefined && other !== undefined && databaseName(other) !== databaseName(database))
    throw twice('database');
  const both = {
    ...given,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ...(database !== undefined && { database }),
  };
  if (both.user === undefined)
    throw new ArgumentError('address', 'address names no user, and credentials do not');
  if (both.password === undefined)
    throw new ArgumentError(
      'credentials',
      'address names a user, and nothing a password: credentials: { password }',
    );
  return both as Credentials;
}

function tlsOf({ tls, serverName }: ConnectionUrl, given: Told['tls']): Told['tls'] {
  if (tls === undefined) return given;
  if (given === undefined) return serverName === undefined ? tls : { serverName };
  // Neither may quietly weaken the other.
  if (tls !== (given !== false)) throw twice('tls');
  if (serverName === undefined || given === false) return given;
  const own = given === true ? {} : given;
  if (own.serverName !== undefined && own.serverName !== serverName) throw twice('serverName');
  return { ...own, serverName };
}

function twice(what: string): ArgumentError {
  return new ArgumentError(
    what === 'serverName' ? 'tls' : what,
    `${what} is told twice: by the address, and by an option that says something else`,
  );
}
