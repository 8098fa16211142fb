// Keys and values as callers give them: bytes, or text that is taken as UTF-8.
import { types } from 'node:util';
import { ArgumentError } from '../errors.js';
import { kindOf } from './option-checks.js';
import { copyBytes, utf8Bytes } from './pooled-bytes.js';

export type BytesInput = Uint8Array | string;

/** User keys: the server's 1024 less its prefix byte. */
export const MAX_KEY_BYTES = 1023;
/** User values: the server's 32 MiB less its prefix byte. */
export const MAX_VALUE_BYTES = 32 * 1024 * 1024 - 1;

/** A key of 1 to 1023 bytes. Throws ArgumentError naming `name`. */
export function toKey(input: BytesInput, name: string): Uint8Array {
  const key = toBytes(input, name, MAX_KEY_BYTES);
  if (key.length === 0) throw new ArgumentError(name, `${name} must not be empty`);
  return key;
}

/** A value of up to 32 MiB less one byte. Throws ArgumentError naming `name`. */
export function toValue(input: BytesInput, name: string): Uint8Array {
  return toBytes(input, name, MAX_VALUE_BYTES);
}

/** A copy that nobody else can change, so that what is verified is what was sent. */
function toBytes(input: unknown, name: string, max: number): Uint8Array {
  if (typeof input === 'string') {
    if (!input.isWellFormed())
      throw new ArgumentError(name, `${name} holds a lone surrogate: it has no UTF-8 form`);
    const bytes = utf8Bytes(input);
    if (bytes.length > max) throw tooLong(name, bytes.length, max);
    return bytes;
  }
  // Not `instanceof`: arrays made in another realm (a test runner's, say) are as good.
  if (!types.isUint8Array(input)) {
    throw new ArgumentError(name, `${name} must be a Uint8Array or a string, not ${kindOf(input)}`);
  }
  if (input.length > max) throw tooLong(name, input.length, max);
  return copyBytes(input);
}

function tooLong(name: string, length: number, max: number): ArgumentError {
  return new ArgumentError(name, `${name} has ${length} bytes; at most ${max} are allowed`);
}
