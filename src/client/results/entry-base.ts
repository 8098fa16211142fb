// What every entry can do, whatever call it comes from.
import { ImmuError } from '../../errors.js';
import { shownKey, textOf } from './readable.js';
import { Result } from './result.js';

/** Base of all entries. `JSON.stringify` and `console.log` show them readably. */
export abstract class EntryBase extends Result {
  declare readonly key: Uint8Array;
  declare readonly value: Uint8Array;

  constructor(key: Uint8Array, value: Uint8Array) {
    super();
    this.key = key;
    this.value = value;
  }

  /**
   * The value as text.
   *
   * @example
   * const entry = await client.verifiedGet('greeting');
   * console.log(entry?.text());
   * @throws ImmuError DECODE_FAILED, naming the key, when it is not UTF-8
   */
  text(): string {
    return textOf(this.value) ?? undecodable(this.key, 'is not UTF-8 text');
  }

  /**
   * The value as JSON. `T` is the caller's word: whether the value is of that type is not looked at.
   *
   * @example
   * const order = (await client.verifiedGet('order/17'))?.json<Order>();
   * @throws ImmuError DECODE_FAILED, naming the key, when it is not UTF-8 or not JSON
   */
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
  json<T = unknown>(): T {
    const text = this.text();
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      return undecodable(this.key, 'is not JSON', cause);
    }
  }

  /**
   * The key as text.
   *
   * @throws ImmuError DECODE_FAILED, naming the key in hex, when it is not UTF-8
   */
  keyText(): string {
    const text = textOf(this.key);
    if (text === undefined) throw new ImmuError('DECODE_FAILED', `key ${shownKey(this.key)} is not UTF-8`);
    return text;
  }
}

export function undecodable(key: Uint8Array, what: string, cause?: unknown): never {
  const options = cause === undefined ? {} : { cause };
  throw new ImmuError('DECODE_FAILED', `the value of key ${shownKey(key)} ${what}`, options);
}
