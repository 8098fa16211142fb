// Keys and values as callers give them: bytes, or text that is taken as UTF-8.
import { types } from 'node:util';
import { ArgumentError } from '../../errors.js';
import { kindOf } from './option-checks.js';
import { copyBytes, utf8Bytes } from './pooled-bytes.js';

export type BytesInput = Uint8Array | string;

/** User keys: the server's 1024 less its prefix byte. */
export const MAX_KEY_BYTES = 1023;
/** User values: the server's 32 MiB less its prefix byte. Streams bring them there. */
export const MAX_VALUE_BYTES = 32 * 1024 * 1024 - 1;
/** A request is 32 MiB at most: so much of it is for the longest key, a precondition on it, and what frames them. */
const BESIDE_VALUE_BYTES = 4096;
/** The largest value that one request brings there, whatever its key. */
export const MAX_SENT_VALUE_BYTES = 32 * 1024 * 1024 - BESIDE_VALUE_BYTES;
/** Entries that an immudb takes in a transaction by default, and preconditions. */
export const MAX_TX_ENTRIES = 1024;

/** What an error calls an argument; as a function where there are many, and the name would be made for nothing. */
export type ArgumentName = string | (() => string);

/** Whether this is meant as one key or value, rather than as several. */
export function isBytesInput(input: unknown): input is BytesInput {
  return typeof input === 'string' || types.isUint8Array(input);
}

/** A key of 1 to 1023 bytes. Throws ArgumentError naming `name`. */
export function toKey(input: BytesInput, name: ArgumentName): Uint8Array {
  const key = toBytes(input, name, MAX_KEY_BYTES);
  if (key.length === 0) throw wrong(name, 'must not be empty');
  return key;
}

/** The beginning of keys: empty for all of them. Throws ArgumentError naming `name`. */
export function toPrefix(input: BytesInput, name: ArgumentName): Uint8Array {
  return toBytes(input, name, MAX_KEY_BYTES);
}

/** A value of up to 32 MiB less 4 KiB: larger ones go by stream. Throws ArgumentError naming `name`. */
export function toValue(input: BytesInput, name: ArgumentName): Uint8Array {
  return toBytes(input, name, MAX_SENT_VALUE_BYTES);
}

/** A copy that nobody else can change, so that what is verified is what was sent. */
function toBytes(input: unknown, name: ArgumentName, max: number): Uint8Array {
  if (typeof input === 'string') {
    if (!input.isWellFormed()) throw wrong(name, 'holds a lone surrogate: it has no UTF-8 form');
    const bytes = utf8Bytes(input);
    if (bytes.length > max) throw tooLong(name, bytes.length, max);
    return bytes;
  }
  // Not `instanceof`: arrays made in another realm (a test runner's, say) are as good.
  if (!types.isUint8Array(input)) {
    throw wrong(name, `must be a Uint8Array or a string, not ${kindOf(input)}`);
  }
  if (input.length > max) throw tooLong(name, input.length, max);
  return copyBytes(input);
}

function tooLong(name: ArgumentName, length: number, max: number): ArgumentError {
  return wrong(name, `has ${length} bytes; at most ${max} are allowed`);
}

function wrong(name: ArgumentName, what: string): ArgumentError {
  const text = typeof name === 'string' ? name : name();
  return new ArgumentError(text, `${text} ${what}`);
}
