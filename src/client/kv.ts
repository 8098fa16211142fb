// Traditional set and get: what the server says, unverified.
import { ArgumentError, TransportError } from '../errors.js';
import { toKey, toValue } from './bytes-input.js';
import type { BytesInput } from './bytes-input.js';
import { toEntry } from './entries.js';
import type { Entry, WireEntry } from './entries.js';
import { checkVersion, versionFields } from './get-options.js';
import type { GetOptions } from './get-options.js';
import type { CallOptions } from './options.js';
import type { Rpc } from './rpc.js';
import { isKeyNotFound, isNotAllowed } from './server-errors.js';

/** Entries an immudb takes in one transaction by default. */
export const MAX_TX_ENTRIES = 1024;

/** Pairs to write: a Map, a plain object, or anything that yields [key, value]. */
export type Pairs = Iterable<readonly [BytesInput, BytesInput]> | Readonly<Record<string, BytesInput>>;

export interface KeyValue {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A write by the server's word. */
export interface Write {
  readonly tx: bigint;
  /** Header time in unix seconds; 0 when the database leaves it out. */
  readonly timestamp: bigint;
}

/** Writes entries in one transaction: all or none. */
export async function setEntries(
  rpc: Rpc,
  entries: readonly KeyValue[],
  options: CallOptions,
): Promise<Write> {
  const header = (await rpc.unary('Set', { KVs: entries }, { ...options, idempotent: false })) as {
    id?: string;
    ts?: string;
  };
  if (header.id === undefined) {
    throw new TransportError(
      'OUTCOME_UNKNOWN',
      'the server answered the write without a transaction: read the keys back with verifiedGet',
    );
  }
  return { tx: BigInt(header.id), timestamp: BigInt(header.ts ?? 0) };
}

/** Null when the server says there is no such key, or no such version of it. */
export async function getEntry(rpc: Rpc, keyInput: BytesInput, options: GetOptions): Promise<Entry | null> {
  const key = toKey(keyInput, 'key');
  const request = { key, ...versionFields(checkVersion(options)) };
  try {
    return toEntry(await rpc.unary('Get', request, { ...options, idempotent: true }));
  } catch (error) {
    if (isKeyNotFound(error)) return null;
    throw error;
  }
}

/**
 * Entries in the order of the keys, null where there is none. Users who may only read are refused the one call for
 * many keys by the server: for them the keys are read one by one, from snapshots that may differ.
 */
export async function getEntries(
  rpc: Rpc,
  keys: readonly BytesInput[],
  options: CallOptions,
): Promise<(Entry | null)[]> {
  if (!Array.isArray(keys)) throw new ArgumentError('keys', 'keys must be an array');
  if (keys.length === 0) return [];
  const asked = keys.map((key, i) => toKey(key as BytesInput, `keys[${i}]`));
  let answer: { entries?: WireEntry[] };
  try {
    answer = await rpc.unary('GetAll', { keys: asked }, { ...options, idempotent: true });
  } catch (error) {
    if (!isNotAllowed(error)) throw error;
    return Promise.all(asked.map((key) => getEntry(rpc, key, options)));
  }
  // Missing keys are left out of the answer; a reference is found under its own key.
  const found = new Map<string, Entry>();
  for (const entry of (answer.entries ?? []).map(toEntry))
    found.set(name(entry.reference?.key ?? entry.key), entry);
  return asked.map((key) => found.get(name(key)) ?? null);
}

/** Checked pairs in their order. Throws ArgumentError for none, for too many, and for a key that occurs twice. */
export function toEntries(pairs: Pairs): KeyValue[] {
  const entries: KeyValue[] = [];
  const seen = new Set<string>();
  // Read only as far as needed: the source may be endless.
  for (const pair of entriesOf(pairs)) {
    const i = entries.length;
    if (i === MAX_TX_ENTRIES) {
      throw new ArgumentError('entries', `too many entries: one transaction takes at most ${MAX_TX_ENTRIES}`);
    }
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw new ArgumentError('entries', `entry ${i} is no [key, value] pair`);
    }
    const key = toKey(pair[0] as BytesInput, `key of entry ${i}`);
    const value = toValue(pair[1] as BytesInput, `value of entry ${i}`);
    if (seen.has(name(key))) throw new ArgumentError('entries', `the key of entry ${i} occurs twice`);
    seen.add(name(key));
    entries.push({ key, value });
  }
  if (entries.length === 0) throw new ArgumentError('entries', 'entries must not be empty');
  return entries;
}

function entriesOf(pairs: Pairs): Iterable<unknown> {
  if (typeof pairs !== 'object' || (pairs as Pairs | null) === null || pairs instanceof Uint8Array) {
    throw new ArgumentError('entries', 'entries must be a Map, an object or an iterable of [key, value]');
  }
  return Symbol.iterator in pairs ? (pairs as Iterable<unknown>) : Object.entries(pairs);
}

function name(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}
