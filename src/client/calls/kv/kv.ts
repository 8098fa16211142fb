// Traditional set and get on their own, and what they are given: what the server says, unverified.
import { types } from 'node:util';
import { ArgumentError, TransportError } from '../../../errors.js';
import { toKey, toValue } from '../../input/bytes-input.js';
import type { BytesInput } from '../../input/bytes-input.js';
import { toEntry } from './entries.js';
import type { Entry } from './entries.js';
import { versionFields } from '../../input/get-options.js';
import type { Version } from '../../input/get-options.js';
import { kindOf } from '../../input/option-checks.js';
import type { CallOptions } from '../../input/call-options.js';
import { resultOf } from '../../results/result.js';
import type { TxHeader } from '../../../wire/messages.js';
import type { Rpc } from '../../net/rpc.js';
import { keyName } from '../../../verify/key-name.js';
import { isKeyNotFound } from '../../net/server-errors.js';

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
  return writeOf(await rpc.unary('Set', { KVs: entries }, options));
}

/** What the header that answers a write says of it. */
export function writeOf({ id, ts }: TxHeader): Write {
  if (id === undefined) throw withoutTx();
  return resultOf({ tx: BigInt(id), timestamp: BigInt(ts ?? 0) });
}

/** For a write that was answered, but with no tx that can be its own. */
export function withoutTx(): TransportError {
  const message =
    'the server answered the write without a transaction of its own: read the keys back with verifiedGet';
  return new TransportError('OUTCOME_UNKNOWN', message);
}

/** Null when the server says there is no such key, or no such version of it. */
export async function getEntry(
  rpc: Rpc,
  key: Uint8Array,
  version: Version,
  options: CallOptions,
): Promise<Entry | null> {
  const request = { key, ...versionFields(version) };
  try {
    return toEntry(await rpc.unary('Get', request, options));
  } catch (error) {
    if (isKeyNotFound(error)) return null;
    throw error;
  }
}

/** Keys that a call may name: what a process can hold, whatever an iterable that does not end would give. */
const MAX_KEYS = 4_194_304;

/** Whether these are keys, rather than one: text and bytes are iterables too. */
export function isKeys(keys: BytesInput | Iterable<BytesInput>): keys is Iterable<BytesInput> {
  return (
    typeof keys === 'object' &&
    (keys as object | null) !== null &&
    !types.isUint8Array(keys) &&
    Symbol.iterator in keys
  );
}

/** Checked keys of any iterable. Throws ArgumentError naming the one that is wrong. */
export function toKeys(keys: Iterable<BytesInput>): Uint8Array[] {
  if (!isKeys(keys)) {
    throw new ArgumentError(
      'keys',
      `keys must be an array, or another iterable of keys, not ${kindOf(keys)}`,
    );
  }
  const checked: Uint8Array[] = [];
  for (const key of keys) {
    const i = checked.length;
    if (i === MAX_KEYS) throw new ArgumentError('keys', `too many keys: a call takes at most ${MAX_KEYS}`);
    checked.push(toKey(key, () => `keys[${i}]`));
  }
  return checked;
}

export function bytesOf(keys: readonly Uint8Array[]): number {
  return keys.reduce((sum, { length }) => sum + length, 0);
}

export function bytesOfEntries(entries: readonly KeyValue[]): number {
  return entries.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
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
    const key = toKey(pair[0] as BytesInput, () => `key of entry ${i}`);
    const value = toValue(pair[1] as BytesInput, () => `value of entry ${i}`);
    if (seen.has(keyName(key))) throw new ArgumentError('entries', `the key of entry ${i} occurs twice`);
    seen.add(keyName(key));
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
