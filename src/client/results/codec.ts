// Values of a user's own type: how they become bytes, and are made of bytes again.
import { ArgumentError } from '../../errors.js';
import { undecodable } from './entry-base.js';
import type { EntryBase } from './entry-base.js';

/**
 * How values are written and read. What `encode` gives is what is hashed and proven, so the same value should give the same bytes.
 *
 * @example
 * const dates: Codec<Date> = {
 *   encode: (date) => date.toISOString(),
 *   decode: (bytes) => new Date(new TextDecoder().decode(bytes)),
 * };
 */
export interface Codec<T> {
  /** Bytes of a value, or text that is taken as UTF-8. What it throws refuses the call before anything is sent. */
  encode(value: T): Uint8Array | string;
  /** The value of these bytes, which are not its own: it must not change or keep them. */
  decode(bytes: Uint8Array): T;
}

/** An entry with its value as the codec has it. */
export type Decoded<E, T> = E & {
  /**
   * The value, decoded when it is first looked at, and then kept.
   *
   * @throws ImmuError DECODE_FAILED, naming the key, when the codec cannot make one of its bytes
   */
  readonly decoded: T;
};

export function encoded<T>(codec: Codec<T>, value: T, name = 'value'): Uint8Array | string {
  try {
    return codec.encode(value);
  } catch (cause) {
    throw new ArgumentError(name, `${name} cannot be encoded by the codec`, 'INVALID_ARGUMENT', { cause });
  }
}

/** Gives an entry its decoded value. It is no field of its own: neither JSON nor a comparison has it. */
export function withDecoded<E extends EntryBase, T>(codec: Codec<T>, entry: E): Decoded<E, T> {
  let kept: { readonly value: T } | undefined;
  const get = () => (kept ??= { value: decode(codec, entry) }).value;
  return Object.defineProperty(entry, 'decoded', { get }) as Decoded<E, T>;
}

function decode<T>(codec: Codec<T>, { key, value }: EntryBase): T {
  try {
    return codec.decode(value);
  } catch (cause) {
    return undecodable(key, 'cannot be decoded by the codec', cause);
  }
}
