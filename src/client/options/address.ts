// Addresses as people write them, and their one canonical form.
import { isIPv6 } from 'node:net';
import { ArgumentError } from '../../errors.js';
import { text } from '../input/option-checks.js';

export interface Address {
  readonly host: string;
  readonly port: number;
  /** Canonical `host:port`: what identities are bound to. */
  readonly text: string;
}

const DEFAULT_PORT = 3322;
const MAX_ADDRESSES = 16;

/** One address, or several, each named once. Throws ArgumentError (`name`). */
export function parseAddresses(given: unknown, name = 'address'): readonly [Address, ...Address[]] {
  if (!Array.isArray(given)) return [parseAddress(given as string, name)];
  if (given.length === 0 || given.length > MAX_ADDRESSES)
    throw new ArgumentError(name, `${name} must be an array of 1 to ${MAX_ADDRESSES}`);
  const all = given.map((each: unknown) => parseAddress(each as string, name));
  const again = all.find(({ text: one }, i) => all.some((other, j) => j < i && other.text === one));
  if (again) throw new ArgumentError(name, `${name} has ${again.text} twice`);
  return all as [Address, ...Address[]];
}

/** `host`, `host:port`, an IPv6 address, or `[v6]:port`. Throws ArgumentError (`name`). */
export function parseAddress(address: string, name = 'address'): Address {
  text(name, address);
  const bad = (what: string) => new ArgumentError(name, `${name} ${what}`);
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(address)?.[1];
  if (scheme?.toLowerCase() === 'immudb')
    throw bad('must be host:port in a list, without immudb:// (one URL names several: immudb://a:1,b:2/…)');
  if (scheme !== undefined) {
    const secure = /s$/i.test(scheme) ? '; for TLS set the option tls' : '';
    throw bad(`must be host:port, without ${scheme}://, or immudb://…${secure}`);
  }
  if (address.includes('%'))
    throw bad(
      `cannot have a zone (what follows %)${shown(address)}; take an address or a name that needs none`,
    );
  if (isIPv6(address)) return canonical(address, DEFAULT_PORT);
  const match = /^(?:\[([^\]]+)\]|([A-Za-z0-9._-]{1,253}))(?::(\d{1,5}))?$/.exec(address);
  const [, v6, hostName, digits] = match ?? [];
  const host = v6 ?? hostName;
  const port = digits === undefined ? DEFAULT_PORT : Number(digits);
  if (host === undefined || (v6 !== undefined && !isIPv6(v6)) || port < 1 || port > 65_535) {
    const several = address.includes(',') ? ' (several are an array)' : '';
    throw bad(`is not host, host:port, an IPv6 address or [v6]:port${shown(address)}${several}`);
  }
  return canonical(host, port);
}

/** Before an @ may stand a password. */
function shown(address: string): string {
  return address.includes('@')
    ? ' (a user is named in credentials, or by immudb://)'
    : `: ${JSON.stringify(address.slice(0, 300))}`;
}

/** Names and IPv6 addresses in lower case: they are the same server in any case. */
function canonical(written: string, port: number): Address {
  const host = written.toLowerCase();
  return { host, port, text: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}` };
}
