// Whether the way to a server leads through an HTTP proxy, by the variables of the environment that gRPC looks at. Decided
// here, because grpc-js sends loopback through it, does not know `NO_PROXY` and `*`, and does not say which proxy is dead.
import { BlockList, isIP } from 'node:net';
import type { Address } from '../options/address.js';

export interface HttpProxy {
  /** `host:port`, without credentials. */
  readonly text: string;
  /** `user:password` for the proxy; never shown. */
  readonly credentials?: string;
  /** The variable that names it. */
  readonly variable: string;
}

/** A variable that names something that cannot be used as a proxy: it is passed over, and errors say so. */
export interface UnusableProxy {
  readonly variable: string;
  readonly text?: undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The first of them that is set counts. */
const PROXY = ['grpc_proxy', 'https_proxy', 'http_proxy'];
const NO_PROXY = ['no_grpc_proxy', 'no_proxy', 'NO_PROXY'];

/** The proxy for this server; undefined when it is dialled itself. Loopback always is. */
export function proxyFor(server: Address, env: Environment): HttpProxy | UnusableProxy | undefined {
  const variable = PROXY.find((name) => env[name]);
  if (variable === undefined || isLoopback(server.host)) return undefined;
  const list = env[NO_PROXY.find((name) => env[name]) ?? ''] ?? '';
  if (list.split(/[\s,]+/).some((entry) => matches(entry.toLowerCase(), server))) return undefined;
  return parse(variable, env[variable] as string);
}

function parse(variable: string, value: string): HttpProxy | UnusableProxy {
  let url: URL;
  try {
    url = new URL(value);
  } catch {
    return { variable };
  }
  if (url.protocol !== 'http:' || url.hostname === '') return { variable };
  const credentials = url.username && decodeURIComponent(`${url.username}:${url.password}`);
  return {
    variable,
    text: `${url.hostname}:${url.port || '80'}`,
    ...(credentials && { credentials }),
  };
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

function isLoopback(host: string): boolean {
  if (isIP(host) === 0) return host === 'localhost' || host.endsWith('.localhost');
  return LOOPBACK.check(host, familyOf(host));
}

/** `*`, a host or what its name ends with, an address, a CIDR range; each with a port or without. `entry`: in lower case. */
function matches(entry: string, { host, port }: Address): boolean {
  if (entry === '') return false;
  if (entry === '*') return true;
  const [, v6, rest = ''] = /^\[([^\]]+)\](.*)$/.exec(entry) ?? [];
  const [, name = entry, digits] =
    v6 === undefined ? (/^([^:]+):(\d{1,5})$/.exec(entry) ?? []) : [, v6, rest.slice(1)];
  if (digits && Number(digits) !== port) return false;
  if (isIP(host) !== 0) return inRange(name, host);
  const suffix = name.replace(/^\*?\./, '');
  return host === suffix || host.endsWith(`.${suffix}`);
}

function inRange(range: string, host: string): boolean {
  const [network = '', bits] = range.split('/');
  if (isIP(network) === 0 || isIP(network) !== isIP(host)) return false;
  const list = new BlockList();
  try {
    if (bits === undefined) list.addAddress(network, familyOf(network));
    else list.addSubnet(network, Number(bits), familyOf(network));
  } catch {
    return false;
  }
  return list.check(host, familyOf(host));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
