// `immudb://user:password@host:port,host:port/database?tls=true&serverName=…&readFrom=…`: where a server is, with others of its
// history, and who logs in, in one text. It may hold a password: nothing of it is ever shown.
import { ArgumentError } from './errors.js';

export interface ConnectionUrl {
  /** Each `host` or `host:port`, as it stands. */
  readonly addresses: readonly [string, ...string[]];
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  readonly tls?: boolean;
  /** Name to expect in the server's certificate. */
  readonly serverName?: string;
  /** Replicas to read from, as they stand. */
  readonly readFrom?: readonly [string, ...string[]];
}

const SCHEME = /^immudb:\/\//i;
/** All that stands before path, parameters and fragment. */
const AUTHORITY = /^(immudb:\/\/)([^/?#]*)/i;
const PARAMETERS = ['tls', 'serverName', 'readFrom'] as const;
const MAX_CHARS = 4096;

export function isConnectionUrl(text: string): boolean {
  return SCHEME.test(text);
}

/** @throws ArgumentError `address` which says what is wrong, and never shows the text */
export function parseConnectionUrl(text: string): ConnectionUrl {
  // URL would take spaces and line breaks out without a word.
  if (text.length > MAX_CHARS || /[\s\p{Cc}]/u.test(text))
    throw bad(`must be at most ${MAX_CHARS} characters, without spaces (write %20)`);
  const { addresses, rest } = addressesOf(text);
  const { username, password, pathname, searchParams, hash } = rest;
  if (hash !== '') throw bad('must have no fragment: # in a password or a name is %23');
  const database = decoded(pathname.replace(/^\//, ''), 'database');
  if (database.includes('/')) throw bad('names one database behind the host, and nothing more');
  const { tls, serverName, readFrom } = parametersOf(searchParams);
  if (serverName !== undefined && tls === false) throw bad('has serverName, which is for TLS, and tls=false');
  return {
    addresses,
    ...(username !== '' && { user: decoded(username, 'user') }),
    ...(password !== '' && { password: decoded(password, 'password') }),
    ...(database !== '' && { database }),
    ...(tls !== undefined && { tls }),
    ...(serverName !== undefined && { tls: true, serverName }),
    ...(readFrom !== undefined && { readFrom }),
  };
}

/** The hosts, and the same URL with the first of them alone: URL knows one. */
function addressesOf(text: string): { addresses: ConnectionUrl['addresses']; rest: URL } {
  const [start = '', before = '', between = ''] = AUTHORITY.exec(text) ?? [];
  const at = between.lastIndexOf('@') + 1;
  // `a:secret@b,c:secret@d` would be a password for all of them.
  if (between.indexOf('@') < at - 1) throw bad('names one user, before all hosts: @ in a password is %40');
  const [first = '', ...others] = between
    .slice(at)
    .split(',')
    .map((host) => parsed(`${before}${host}`).host);
  if (first === '' && others.length === 0) throw bad('names no host');
  if (first === '' || others.includes('')) throw bad('names no host before or behind a comma');
  const rest = parsed(`${before}${between.slice(0, at)}${first}${text.slice(start.length)}`);
  return { addresses: [first, ...others], rest };
}

function parsed(text: string): URL {
  if (!isConnectionUrl(text) || !URL.canParse(text))
    throw bad('is not immudb://user@host:port/database?tls=true');
  return new URL(text);
}

type Parameters = Pick<ConnectionUrl, (typeof PARAMETERS)[number]>;

function parametersOf(parameters: URLSearchParams): Parameters {
  const found = new Map<string, string>();
  for (const [name, value] of parameters) {
    if (!(PARAMETERS as readonly string[]).includes(name))
      throw bad('has a parameter other than tls, serverName and readFrom');
    if (found.has(name)) throw bad(`has ${name} twice`);
    found.set(name, value);
  }
  const [tls, serverName] = [found.get('tls'), found.get('serverName')];
  if (tls !== undefined && tls !== 'true' && tls !== 'false') throw bad('has another tls than true or false');
  if (serverName === '') throw bad('has an empty serverName');
  const [first, ...others] = found.get('readFrom')?.split(',') ?? [];
  if (first === '' || others.includes('')) throw bad('has a readFrom with no host before or behind a comma');
  return {
    ...(tls !== undefined && { tls: tls === 'true' }),
    ...(serverName !== undefined && { serverName }),
    ...(first !== undefined && { readFrom: [first, ...others] as const }),
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
