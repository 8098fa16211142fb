// What a client can be told, and the same resolved once: every default in one place, every mistake named.
import { hostname } from 'node:os';
import { ArgumentError } from '../../errors.js';
import type { VerificationError } from '../../errors.js';
import { checkedPath } from '../../store/log/checked-audit.js';
import type { RootStore } from '../../store/root-store.js';
import type { VerifierOptions } from '../../worker/create-verifier.js';
import { parseAddresses } from './address.js';
import type { Address } from './address.js';
import { parsePublicKey } from './public-key.js';
import type { StateKey } from './public-key.js';
import { flag, knownNames, oneOf, optionsObject, text, whole, wrongType } from '../input/option-checks.js';
import { resolveRetry } from './retry-options.js';
import type { RetryOptions, RetryPolicy } from './retry-options.js';
import { resolveCredentials } from './credentials.js';
import type { Credentials, ResolvedCredentials } from './credentials.js';
import { resolveTls } from './tls-options.js';
import { LOG_LEVELS } from '../watch/logger.js';
import type { ImmuLogger } from '../watch/logger.js';
import { toldByUrl } from './told-by-url.js';
import type { ResolvedTls, TlsOptions } from './tls-options.js';

/**
 * How the first root of a database comes to be trusted. `first-use`: the server's state at first contact, logged as
 * such. `pinned`: this root, which every later head must extend; `tx` 0 with the hash of nothing pins the genesis.
 */
export type TrustPolicy =
  | { readonly policy: 'first-use' }
  | { readonly policy: 'pinned'; readonly tx: bigint; readonly alh: Uint8Array };

export interface ImmuClientOptions {
  /**
   * `host`, `host:port`, an IPv6 address, `[v6]:port`; or a connection URL, `immudb://user:password@host:port/database?tls=true`
   * (`serverName=…` and `readFrom=host:port,host:port` too; what stands in the way of a URL is written `%..`), whose parts are told
   * nowhere else. A password is better told by `credentials: { password }`.
   *
   * Several addresses (an array, of which none is a URL, or one URL with commas between its hosts) are those of one history, the primary's and those of its replicas: the first is
   * taken; when it does not answer the next, which has to prove that it extends what is trusted before anything is asked of it.
   *
   * @default 'localhost:3322'
   */
  readonly address?: string | readonly string[];
  /**
   * Replicas that verified reads of keys (`verifiedGet`, `verifiedGetAll`) go to in turn. They prove nothing: what they show is held
   * against headers that the server at `address` has proven, who is asked whenever a replica does not answer, lags behind what this
   * client has proven of a key, or has no value. Up to 16. @default none
   */
  readonly readFrom?: readonly string[];
  /** Opens a session at the first call and re-opens it when it is lost. Kept in memory only. */
  readonly credentials?: Credentials;
  /** true: TLS with the platform's authorities. @default false (plaintext) */
  readonly tls?: boolean | TlsOptions;
  /** Largest message in bytes, both ways. @default 64 MiB, above what an immudb sends by default */
  readonly maxMessageBytes?: number;
  /** Deadline of a call that names none, in milliseconds. @default 30 000 */
  readonly timeoutMs?: number;
  /** A connection that takes longer to make, in milliseconds, is given up (UNAVAILABLE). @default 10 000 */
  readonly connectTimeoutMs?: number;
  /** An idle session is kept alive this often, in milliseconds; 0 = never. @default 60 000 */
  readonly keepAliveMs?: number;
  /** Calls under way at the same time; more wait in line, each no longer than its deadline. @default 1000 */
  readonly maxInFlight?: number;
  /**
   * Writes under way at the same time on one database; more wait in line. An immudb refuses more than 30 by default,
   * those of all its clients counted. @default 24
   */
  readonly maxWritesInFlight?: number;
  /**
   * How a call is sent again, within its deadline, that found no server or a busy one: reads, and writes that are certain
   * not to have been done. false: never. @default 8 sends in all, pauses of up to 100 ms, doubled up to 2 s
   */
  readonly retry?: RetryOptions | false;
  /**
   * Calls that may wait in this client (grouped reads and writes, in line or on their way), and the bytes of their keys and
   * values. Bounds memory when calls are made faster than the server serves them. @default 16 384 calls, 64 MiB
   */
  readonly maxQueuedCalls?: number;
  readonly maxQueuedBytes?: number;
  /**
   * What happens to a call beyond that: it waits for room, up to its deadline (as many again may; one more is refused), or
   * it is refused at once with QUEUE_FULL. `client.ready()` says when there is room. Answers that cannot be checked yet wait
   * too, or are refused with POOL_FULL; those about writes always wait. @default 'wait'
   */
  readonly overload?: 'wait' | 'fail';
  /**
   * Groups plain writes in flight too: they then share transactions, as verified ones do.
   *
   * @default false
   */
  readonly group?: boolean;
  /**
   * How long `close()` waits, in milliseconds, for the server, for what is being checked and for the store; then it waits
   * no longer. @default 15 000
   */
  readonly closeTimeoutMs?: number;
  /** Memory for proven headers and entries, in bytes: what is known need not be asked for again. @default 64 MiB */
  readonly cacheBytes?: number;
  /**
   * Keeps blocks of proven headers in the root store too, so that the next process need not ask for them again: they are
   * held against the audit log when they are needed, by their SHA-256 or by their proof. `maxBytes` bounds all of them in
   * the store, of whatever database; those used longest ago are dropped. Some 210 bytes a transaction. Forgotten with trust.
   *
   * @default false; `maxBytes`: 256 MiB
   */
  readonly keepHeaders?: boolean | { readonly maxBytes?: number };
  /**
   * Follows every database with verified calls in the background: this often, in milliseconds, the head is moved to the
   * server's newest transaction, and the headers on the way are proven and kept. 0 = never.
   *
   * @default 0
   */
  readonly followMs?: number;
  /**
   * The server's state key, PEM or SPKI DER, P-256: a missing or wrong state signature is then a failure. What was trusted
   * without the key before, by whichever client of the store, is used once it is signed.
   */
  readonly serverPublicKey?: string | Uint8Array;
  /** @default { policy: 'first-use' } */
  readonly trust?: TrustPolicy;
  /** The root store, or the path of a SQLite one. A store given as an object is not closed with the client. @default defaultStorePath() */
  readonly store?: RootStore | string;
  /**
   * Worker threads and their limits. Clients of a process share their threads, unless these options differ in more than
   * limits. @default one less than the machine's cores, at least one
   */
  readonly verifier?: VerifierOptions;
  /** Who writes the audit rows. @default 'hostname:pid' */
  readonly clientId?: string;
  /**
   * Told of every fork that this client meets: the same transaction with two hashes, in its server's answers or in the log
   * that it shares with others. Calls fail with it (FORK_DETECTED) too, except where trust was forgotten in between: then
   * they go on, and this is how to hear of it. What it throws is not caught.
   */
  readonly onFork?: (fork: VerificationError) => void;
  /**
   * Logs what goes on: `console` and pino fit. What it throws is dropped. Every call is a line of `debug`. @default nothing is logged
   */
  readonly logger?: ImmuLogger;
  /**
   * `keys: true`: events, spans and log lines also tell keys, and the words of errors and refusals, which may hold some. Values,
   * passwords and tokens are in none of them. @default { keys: false }
   */
  readonly observe?: { readonly keys?: boolean };
}

export type { Address } from './address.js';
export type { ResolvedTls, TlsOptions } from './tls-options.js';

export interface ResolvedOptions {
  /** Each once. */
  readonly addresses: readonly [Address, ...Address[]];
  readonly readFrom: readonly Address[];
  readonly credentials: ResolvedCredentials | undefined;
  readonly tls: ResolvedTls | undefined;
  readonly maxMessageBytes: number;
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly maxInFlight: number;
  readonly maxWritesInFlight: number;
  readonly retry: RetryPolicy;
  readonly maxQueuedCalls: number;
  readonly maxQueuedBytes: number;
  readonly overload: 'wait' | 'fail';
  readonly group: boolean;
  readonly closeTimeoutMs: number;
  readonly cacheBytes: number;
  readonly keepHeaders: { readonly maxBytes: number } | undefined;
  readonly followMs: number;
  readonly publicKey: StateKey | undefined;
  readonly trust: TrustPolicy;
  readonly store: RootStore | string | undefined;
  readonly verifier: VerifierOptions;
  readonly clientId: string;
  readonly onFork: ((fork: VerificationError) => void) | undefined;
  readonly logger: ImmuLogger | undefined;
  readonly observe: { readonly keys: boolean };
}

export const DEFAULT_ADDRESS = 'localhost:3322';
/** What a timer or a gRPC limit can hold. */
const MAX_INT32 = 0x7fff_ffff;
const MIB = 1024 * 1024;
/** Headers of more than a million transactions. */
const KEPT_BYTES = 256 * MIB;

/** Option names by their type, so that one that is added cannot be forgotten here. */
const OPTION_NAMES: Record<keyof ImmuClientOptions, true> = {
  address: true,
  readFrom: true,
  credentials: true,
  tls: true,
  maxMessageBytes: true,
  timeoutMs: true,
  connectTimeoutMs: true,
  keepAliveMs: true,
  maxInFlight: true,
  maxWritesInFlight: true,
  retry: true,
  maxQueuedCalls: true,
  maxQueuedBytes: true,
  overload: true,
  group: true,
  closeTimeoutMs: true,
  cacheBytes: true,
  keepHeaders: true,
  followMs: true,
  serverPublicKey: true,
  trust: true,
  store: true,
  verifier: true,
  clientId: true,
  onFork: true,
  logger: true,
  observe: true,
};

/** Throws ArgumentError that names the option. */
export function resolveOptions(input: string | ImmuClientOptions = {}): ResolvedOptions {
  const options = typeof input === 'string' ? { address: input } : input;
  optionsObject('options', options);
  // A misspelt serverPublicKey or trust would quietly weaken what is checked.
  knownNames('options', options, Object.keys(OPTION_NAMES));
  const { store, serverPublicKey, verifier = {}, onFork } = options;
  if (typeof store === 'string' || (store as unknown) instanceof URL) checkedPath(store as string, 'store');
  else if (store !== undefined) optionsObject('store', store);
  optionsObject('verifier', verifier);
  if (onFork !== undefined && typeof onFork !== 'function') wrongType('onFork', 'a function', onFork);
  // Only what is left out has a default: null is a mistake like any other.
  const or = (name: keyof ImmuClientOptions, otherwise: unknown) =>
    options[name] === undefined ? otherwise : options[name];
  const number = (name: keyof ImmuClientOptions, otherwise: number, min = 1) =>
    whole(name, or(name, otherwise), min, MAX_INT32);
  const { address, credentials, tls, readFrom } = toldByUrl({
    address: or('address', DEFAULT_ADDRESS),
    ...{ credentials: options.credentials, tls: options.tls, readFrom: options.readFrom },
  });
  return {
    addresses: parseAddresses(address),
    readFrom: resolveReadFrom(readFrom === undefined ? [] : readFrom),
    credentials: credentials === undefined ? undefined : resolveCredentials(credentials),
    tls: resolveTls(tls),
    maxMessageBytes: number('maxMessageBytes', 64 * MIB, 1024),
    timeoutMs: number('timeoutMs', 30_000),
    connectTimeoutMs: number('connectTimeoutMs', 10_000),
    keepAliveMs: number('keepAliveMs', 60_000, 0),
    maxInFlight: number('maxInFlight', 1000),
    maxWritesInFlight: number('maxWritesInFlight', 24),
    retry: resolveRetry(options.retry),
    maxQueuedCalls: number('maxQueuedCalls', 16_384),
    maxQueuedBytes: number('maxQueuedBytes', 64 * MIB, 1024),
    overload: oneOf('overload', or('overload', 'wait'), ['wait', 'fail']),
    group: flag('group', or('group', false)),
    closeTimeoutMs: number('closeTimeoutMs', 15_000),
    cacheBytes: number('cacheBytes', 64 * MIB, MIB),
    keepHeaders: resolveKeepHeaders(or('keepHeaders', false), store),
    followMs: number('followMs', 0, 0),
    publicKey: serverPublicKey === undefined ? undefined : parsePublicKey(serverPublicKey),
    trust: resolveTrust(or('trust', { policy: 'first-use' }) as TrustPolicy),
    store,
    verifier,
    clientId: text('clientId', or('clientId', `${hostname()}:${process.pid}`)),
    onFork,
    logger: resolveLogger(options.logger),
    observe: resolveObserve(or('observe', {})),
  };
}

function resolveLogger(given: unknown): ImmuLogger | undefined {
  if (given === undefined) return undefined;
  if ((typeof given !== 'object' && typeof given !== 'function') || given === null)
    wrongType('logger', 'an object such as console', given);
  const methods = given as Readonly<Record<string, unknown>>;
  for (const level of LOG_LEVELS)
    if (typeof methods[level] !== 'function') wrongType(`logger.${level}`, 'a function', methods[level]);
  return given as ImmuLogger;
}

function resolveObserve(given: unknown): ResolvedOptions['observe'] {
  optionsObject('observe', given);
  knownNames('observe', given, ['keys']);
  const { keys = false } = given as { readonly keys?: unknown };
  return { keys: flag('observe.keys', keys) };
}

function resolveReadFrom(given: unknown): readonly Address[] {
  if (!Array.isArray(given)) wrongType('readFrom', 'an array', given);
  return given.length === 0 ? [] : parseAddresses(given, 'readFrom');
}

function resolveKeepHeaders(
  given: unknown,
  store: RootStore | string | undefined,
): ResolvedOptions['keepHeaders'] {
  if (given === false) return undefined;
  if (typeof store === 'object' && !store.headers) {
    throw new ArgumentError(
      'keepHeaders',
      'keepHeaders needs a store that keeps headers, and this one does not',
    );
  }
  if (given === true) return { maxBytes: KEPT_BYTES };
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    wrongType('keepHeaders', 'a boolean or an object', given);
  }
  knownNames('keepHeaders', given, ['maxBytes']);
  const { maxBytes = KEPT_BYTES } = given as { readonly maxBytes?: unknown };
  return { maxBytes: whole('keepHeaders.maxBytes', maxBytes, MIB, Number.MAX_SAFE_INTEGER) };
}

function resolveTrust(trust: TrustPolicy): TrustPolicy {
  optionsObject('trust', trust);
  knownNames('trust', trust, ['policy', 'tx', 'alh']);
  const { policy } = trust;
  if (policy === 'first-use') {
    if ('tx' in trust || 'alh' in trust) {
      throw new ArgumentError('trust', "trust.tx and trust.alh belong to trust.policy 'pinned'");
    }
    return { policy };
  }
  if ((policy as string) !== 'pinned')
    throw new ArgumentError('trust', "trust.policy must be 'first-use' or 'pinned'");
  if (typeof trust.tx !== 'bigint' || trust.tx < 0n || BigInt.asIntN(64, trust.tx) !== trust.tx) {
    throw new ArgumentError('trust', 'trust.tx must be a bigint of 0 or more');
  }
  if (!(trust.alh instanceof Uint8Array) || trust.alh.length !== 32) {
    throw new ArgumentError('trust', 'trust.alh must be 32 bytes');
  }
  return { policy, tx: trust.tx, alh: new Uint8Array(trust.alh) };
}
