// `immudb://user:password@host:port/database?tls=true&serverName=…`: where a server is and who logs in, in one text. It may hold
// a password: nothing of it is ever shown.
import { ArgumentError } from './errors.js';

export interface ConnectionUrl {
  /** `host` or `host:port`, as it stands. */
  readonly address: string;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  readonly tls?: boolean;
  /** Name to expect in the server's certificate. */
  readonly serverName?: string;
}

const SCHEME = /^immudb:\/\//i;
const MAX_CHARS = 4096;

export function isConnectionUrl(text: string): boolean {
  return SCHEME.test(text);
}

/** @throws ArgumentError `address` which says what is wrong, and never shows the text */
export function parseConnectionUrl(text: string): ConnectionUrl {
  // URL would take spaces and line breaks out without a word.
  if (text.length > MAX_CHARS || /[\s\p{Cc}]/u.test(text))
    throw bad(`must be at most ${MAX_CHARS} characters, without spaces (write %20)`);
  if (!isConnectionUrl(text) || !URL.canParse(text))
    throw bad('is not immudb://user@host:port/database?tls=true');
  const { username, password, host, pathname, searchParams, hash } = new URL(text);
  if (host === '') throw bad('names no host');
  if (hash !== '') throw bad('must have no fragment: # in a password or a name is %23');
  const database = decoded(pathname.replace(/^\//, ''), 'database');
  if (database.includes('/')) throw bad('names one database behind the host, and nothing more');
  const { tls, serverName } = parametersOf(searchParams);
  if (serverName !== undefined && tls === false) throw bad('has serverName, which is for TLS, and tls=false');
  return {
    address: host,
    ...(username !== '' && { user: decoded(username, 'user') }),
    ...(password !== '' && { password: decoded(password, 'password') }),
    ...(database !== '' && { database }),
    ...(tls !== undefined && { tls }),
    ...(serverName !== undefined && { tls: true, serverName }),
  };
}

function parametersOf(parameters: URLSearchParams): { readonly tls?: boolean; readonly serverName?: string } {
  const found = new Map<string, string>();
  for (const [name, value] of parameters) {
    if (name !== 'tls' && name !== 'serverName') throw bad('has a parameter other than tls and serverName');
    if (found.has(name)) throw bad(`has ${name} twice`);
    found.set(name, value);
  }
  const [tls, serverName] = [found.get('tls'), found.get('serverName')];
  if (tls !== undefined && tls !== 'true' && tls !== 'false') throw bad('has another tls than true or false');
  if (serverName === '') throw bad('has an empty serverName');
  return {
    ...(tls !== undefined && { tls: tls === 'true' }),
    ...(serverName !== undefined && { serverName }),
  };
}

function decoded(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw bad(`has a ${what} with a % that is none: write %25`);
  }
}

function bad(what: string): ArgumentError {
  return new ArgumentError('address', `address ${what}`);
}
