// What a client can be told, and the same resolved once: every default in one place, every mistake named.
import { createHash, createPublicKey } from 'node:crypto';
import { hostname } from 'node:os';
import { ArgumentError } from '../errors.js';
import type { RootStore } from '../store/root-store.js';
import type { VerifierOptions } from '../worker/create-verifier.js';

/** Last argument of every call. */
export interface CallOptions {
  /** Ends the caller's wait; what is shared with other callers goes on. */
  readonly signal?: AbortSignal;
  /** Deadline of the whole call in milliseconds. @default the client's `timeoutMs` */
  readonly timeoutMs?: number;
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
  /** @default 'defaultdb' */
  readonly database?: string;
}

export interface TlsOptions {
  /** PEM of the authorities to trust. @default the platform's */
  readonly ca?: string | Uint8Array;
  /** PEM of the client's certificate and key (mutual TLS): both or neither. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  /** Name to expect in the server's certificate, when it is not the host dialled. */
  readonly serverName?: string;
}

/**
 * How the first root of a database comes to be trusted. `first-use`: the server's state at first contact, logged as
 * such. `pinned`: this root, which every later head must extend; `tx` 0 with the hash of nothing pins the genesis.
 */
export type TrustPolicy =
  | { readonly policy: 'first-use' }
  | { readonly policy: 'pinned'; readonly tx: bigint; readonly alh: Uint8Array };

export interface ImmuClientOptions {
  /** `host`, `host:port`, `[v6]:port`. @default 'localhost:3322' */
  readonly address?: string;
  /** Opens a session at the first call and re-opens it when it is lost. Kept in memory only. */
  readonly credentials?: Credentials;
  /** @default false (plaintext) */
  readonly tls?: boolean | TlsOptions;
  /** Largest message in bytes, both ways. @default 64 MiB, above what an immudb sends by default */
  readonly maxMessageBytes?: number;
  /** Deadline of a call that names none. @default 30 000 */
  readonly timeoutMs?: number;
  /** An idle session is kept alive this often; 0 = never. @default 60 000 */
  readonly keepAliveMs?: number;
  /** The server's state key, PEM or SPKI DER, P-256: a missing or wrong state signature is then a failure. */
  readonly serverPublicKey?: string | Uint8Array;
  /** @default { policy: 'first-use' } */
  readonly trust?: TrustPolicy;
  /** The root store, or the path of a SQLite one. A store given as an object is not closed with the client. @default defaultStorePath() */
  readonly store?: RootStore | string;
  /** Worker threads and their limits. @default one less than the machine's cores, at least one */
  readonly verifier?: VerifierOptions;
  /** Who writes the audit rows. @default 'hostname:pid' */
  readonly clientId?: string;
}

export interface Address {
  readonly host: string;
  readonly port: number;
  /** Canonical `host:port`: what identities are bound to. */
  readonly text: string;
}

export interface ResolvedOptions {
  readonly address: Address;
  readonly credentials: Required<Credentials> | undefined;
  readonly tls: TlsOptions | undefined;
  readonly maxMessageBytes: number;
  readonly timeoutMs: number;
  readonly keepAliveMs: number;
  readonly publicKey: { readonly spki: Uint8Array; readonly fingerprint: Uint8Array } | undefined;
  readonly trust: TrustPolicy;
  readonly store: RootStore | string | undefined;
  readonly verifier: VerifierOptions;
  readonly clientId: string;
}

export const DEFAULT_ADDRESS = 'localhost:3322';
export const DEFAULT_DATABASE = 'defaultdb';
const DEFAULT_PORT = 3322;
const MAX_TIMER_MS = 0x7fff_ffff;

/** Throws ArgumentError that names the option. */
export function resolveOptions(input: string | ImmuClientOptions = {}): ResolvedOptions {
  const options = typeof input === 'string' ? { address: input } : (input as ImmuClientOptions | null);
  if (options === null || typeof options !== 'object') {
    throw new ArgumentError('options', 'options must be an address or an object');
  }
  const { credentials, trust = { policy: 'first-use' } } = options;
  return {
    address: parseAddress(options.address ?? DEFAULT_ADDRESS),
    credentials: credentials && resolveCredentials(credentials),
    tls: resolveTls(options.tls),
    maxMessageBytes: integer(
      'maxMessageBytes',
      options.maxMessageBytes ?? 64 * 1024 * 1024,
      1024,
      MAX_TIMER_MS,
    ),
    timeoutMs: integer('timeoutMs', options.timeoutMs ?? 30_000, 1, MAX_TIMER_MS),
    keepAliveMs: integer('keepAliveMs', options.keepAliveMs ?? 60_000, 0, MAX_TIMER_MS),
    publicKey: options.serverPublicKey === undefined ? undefined : parsePublicKey(options.serverPublicKey),
    trust: resolveTrust(trust),
    store: options.store,
    verifier: options.verifier ?? {},
    clientId: text('clientId', options.clientId ?? `${hostname()}:${process.pid}`),
  };
}

export function resolveCredentials(credentials: Credentials): Required<Credentials> {
  return {
    user: text('user', credentials.user),
    // Never shown, whatever is wrong with it.
    password:
      typeof credentials.password === 'string' ? credentials.password : wrongType('password', 'a string'),
    database: databaseName(credentials.database ?? DEFAULT_DATABASE),
  };
}

/** Lower case, as the server makes it: signatures cover the name. */
export function databaseName(name: string): string {
  text('database', name);
  if (!/^[a-z0-9_]{1,128}$/i.test(name)) {
    throw new ArgumentError(
      'database',
      `not a database name: ${JSON.stringify(name)} (1 to 128 letters, digits, _)`,
    );
  }
  return name.toLowerCase();
}

export function parseAddress(address: string): Address {
  text('address', address);
  const match = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^:[\]\s/]+))(?::(\d{1,5}))?$/.exec(address);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? DEFAULT_PORT : Number(match[3]);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new ArgumentError('address', `not host, host:port or [v6]:port: ${JSON.stringify(address)}`);
  }
  return { host, port, text: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}` };
}

/** Checks the options of one call. */
export function checkCallOptions(options: CallOptions): void {
  if (options.timeoutMs !== undefined) integer('timeoutMs', options.timeoutMs, 1, MAX_TIMER_MS);
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal))
    wrongType('signal', 'an AbortSignal');
}

function resolveTls(tls: boolean | TlsOptions | undefined): TlsOptions | undefined {
  if (tls === undefined || tls === false) return undefined;
  if (tls === true) return {};
  if (typeof tls !== 'object') wrongType('tls', 'a boolean or an object');
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    throw new ArgumentError('tls', 'tls.cert and tls.key belong together: give both or neither');
  }
  return tls;
}

function resolveTrust(trust: TrustPolicy): TrustPolicy {
  const { policy } = trust;
  if (policy === 'first-use') return trust;
  if ((policy as string) !== 'pinned')
    throw new ArgumentError('trust', "trust.policy must be 'first-use' or 'pinned'");
  if (typeof trust.tx !== 'bigint' || trust.tx < 0n || BigInt.asIntN(64, trust.tx) !== trust.tx) {
    throw new ArgumentError('trust', 'trust.tx must be a bigint of 0 or more');
  }
  if (!(trust.alh instanceof Uint8Array) || trust.alh.length !== 32) {
    throw new ArgumentError('trust', 'trust.alh must be 32 bytes');
  }
  return { policy, tx: trust.tx, alh: Uint8Array.from(trust.alh) };
}

function parsePublicKey(key: string | Uint8Array) {
  const pem = typeof key === 'string' ? key : Buffer.from(key).toString('latin1');
  let parsed;
  try {
    parsed = pem.includes('-----BEGIN')
      ? createPublicKey(pem)
      : createPublicKey({ key: Buffer.from(key as Uint8Array), format: 'der', type: 'spki' });
  } catch {
    throw new ArgumentError('serverPublicKey', 'serverPublicKey is neither PEM nor SPKI DER of a public key');
  }
  if (parsed.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new ArgumentError('serverPublicKey', 'serverPublicKey must be a P-256 key');
  }
  const spki = Uint8Array.from(parsed.export({ type: 'spki', format: 'der' }));
  return { spki, fingerprint: Uint8Array.from(createHash('sha256').update(spki).digest()) };
}

function text(name: string, value: unknown): string {
  if (typeof value !== 'string') wrongType(name, 'a string', value);
  if (value.length === 0) throw new ArgumentError(name, `${name} must not be empty`);
  return value;
}

function integer(name: string, value: unknown, min: number, max: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > max) {
    throw new ArgumentError(name, `${name} must be an integer from ${min} to ${max}, not ${String(value)}`);
  }
  return value as number;
}

function wrongType(name: string, wanted: string, value?: unknown): never {
  throw new ArgumentError(
    name,
    `${name} must be ${wanted}${value === undefined ? '' : `, not ${typeof value}`}`,
  );
}
