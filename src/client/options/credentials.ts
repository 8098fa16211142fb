// Who logs in, and where: names and passwords as they are handed in, and as they can be kept.
import { types } from 'node:util';
import { ArgumentError } from '../../errors.js';
import { knownNames, optionsObject, text, wrongType } from '../input/option-checks.js';
import { Secret } from './secret.js';

export const DEFAULT_DATABASE = 'defaultdb';

export interface Credentials {
  /** May be left out where the address is a URL that names it. */
  readonly user?: string;
  readonly password: string;
  /** Text, or its UTF-8 bytes. @default 'defaultdb' */
  readonly database?: string | Uint8Array;
}

/** Credentials that can be kept and shown without showing the password. */
export interface ResolvedCredentials {
  readonly user: string;
  readonly password: Secret<string>;
  readonly database: string;
}

/** Throws ArgumentError that names the field, and never shows the password. */
export function resolveCredentials(credentials: Credentials): ResolvedCredentials {
  optionsObject('credentials', credentials);
  knownNames('credentials', credentials, ['user', 'password', 'database']);
  const { user, password, database } = credentials;
  return {
    user: text('user', user),
    password: new Secret(checkedPassword('password', password)),
    database: databaseName(database === undefined ? DEFAULT_DATABASE : database),
  };
}

/** A password to log in with: any text that has a UTF-8 form. */
export function checkedPassword(name: string, password: unknown): string {
  // Neither the value nor its kind is shown: something else than a string may be a password all the same.
  if (typeof password !== 'string') wrongType(name, 'a string');
  if (!password.isWellFormed())
    throw new ArgumentError(name, `${name} holds a lone surrogate: it has no UTF-8 form`);
  return password;
}

/** Lower case, as the server makes it: signatures cover the name. */
export function databaseName(given: string | Uint8Array, argument = 'database'): string {
  const name = text(argument, types.isUint8Array(given) ? textOf(given, argument) : given);
  if (!/^[a-z0-9_]{1,128}$/i.test(name)) {
    throw new ArgumentError(
      argument,
      `not a database name: ${JSON.stringify(name.slice(0, 200))} (1 to 128 letters, digits, _)`,
    );
  }
  return name.toLowerCase();
}

function textOf(name: Uint8Array, argument: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(name);
  } catch {
    throw new ArgumentError(argument, 'not a database name: its bytes are no UTF-8');
  }
}
