// Traditional reads on their own, what a write is told, and the keys that calls are given: what the server says, unverified.
import { types } from 'node:util';
import { ArgumentError, TransportError } from '../../../errors.js';
import { toKey } from '../../input/bytes-input.js';
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
import { isKeyNotFound } from '../../net/server-errors.js';

/** A write by the server's word. */
export interface Write {
  readonly tx: bigint;
  /** Header time in unix seconds; 0 when the database leaves it out. */
  readonly timestamp: bigint;
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
export function toKeys(keys: Iterable<BytesInput>, max = MAX_KEYS): Uint8Array[] {
  if (!isKeys(keys)) {
    throw new ArgumentError(
      'keys',
      `keys must be an array, or another iterable of keys, not ${kindOf(keys)}`,
    );
  }
  const checked: Uint8Array[] = [];
  for (const key of keys) {
    const i = checked.length;
    if (i === max) throw new ArgumentError('keys', `too many keys: a call takes at most ${max}`);
    checked.push(toKey(key, () => `keys[${i}]`));
  }
  return checked;
}

export function bytesOf(keys: readonly Uint8Array[]): number {
  return keys.reduce((sum, { length }) => sum + length, 0);
}
