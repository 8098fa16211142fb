// Keys and values as callers give them: bytes, or text that is taken as UTF-8.
import { ArgumentError } from '../errors.js';

export type BytesInput = Uint8Array | string;

/** User keys: the server's 1024 less its prefix byte. */
export const MAX_KEY_BYTES = 1023;
/** User values: the server's 32 MiB less its prefix byte. */
export const MAX_VALUE_BYTES = 32 * 1024 * 1024 - 1;

const encoder = new TextEncoder();

/** A key of 1 to 1023 bytes. Throws ArgumentError naming `name`. */
export function toKey(input: BytesInput, name: string): Uint8Array {
  const key = toBytes(input, name);
  if (key.length === 0) throw new ArgumentError(name, `${name} must not be empty`);
  if (key.length > MAX_KEY_BYTES) {
    throw new ArgumentError(name, `${name} has ${key.length} bytes; at most ${MAX_KEY_BYTES} are allowed`);
  }
  return key;
}

/** A value of up to 32 MiB less one byte. Throws ArgumentError naming `name`. */
export function toValue(input: BytesInput, name: string): Uint8Array {
  const value = toBytes(input, name);
  if (value.length > MAX_VALUE_BYTES) {
    throw new ArgumentError(
      name,
      `${name} has ${value.length} bytes; at most ${MAX_VALUE_BYTES} are allowed`,
    );
  }
  return value;
}

/** A copy that nobody else can change, so that what is verified is what was sent. */
function toBytes(input: unknown, name: string): Uint8Array {
  if (typeof input === 'string') {
    if (!input.isWellFormed())
      throw new ArgumentError(name, `${name} holds a lone surrogate: it has no UTF-8 form`);
    return encoder.encode(input);
  }
  if (input instanceof Uint8Array) return Uint8Array.from(input);
  const type = input === null ? 'null' : Array.isArray(input) ? 'an array' : typeof input;
  throw new ArgumentError(name, `${name} must be a Uint8Array or a string, not ${type}`);
}
