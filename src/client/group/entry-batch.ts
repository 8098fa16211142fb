// Entries that are put straight into the request of their transaction: nothing is made for one of them but its bytes there.
import { keyName } from '../../verify/key-name.js';
import { toKey, toValue } from '../input/bytes-input.js';
import type { ArgumentName, BytesInput } from '../input/bytes-input.js';
import { encodeCondition } from './encode-condition.js';
import { KeyTable } from './key-table.js';
import type { NamedKeys } from './key-table.js';
import { RequestEncoder } from './request-encoder.js';

/** Names of the key and the value that are put in, for errors. */
export interface PairNames {
  readonly key: ArgumentName;
  readonly value: ArgumentName;
}

const FIRST_BYTES = 1024;
/** Room is not made for more than this on a guess. */
const MAX_EXPECTED = 1024 * 1024;
const KEY_VALUES = 0x0a;
const PRECONDITIONS = 0x1a;

/** A Set of plain entries as it grows, with or without the condition that none of their keys is there. */
export class EntryBatch {
  readonly #request: RequestEncoder;
  readonly #keys = new KeyTable();
  /** Where in the request each entry ends, and of how many bytes keys and values are to there. */
  #ends = new Int32Array(16);
  #sums = new Int32Array(16);

  /** `requestBytes`: about how long it will most likely be. `mustNotExist`: nothing is written where one of its keys is there. */
  constructor(
    requestBytes = FIRST_BYTES,
    readonly mustNotExist = false,
  ) {
    this.#request = new RequestEncoder(withSlack(requestBytes));
  }

  get count(): number {
    return this.#keys.count;
  }

  /** Of its keys and values. */
  get bytes(): number {
    return this.bytesTo(this.count);
  }

  get requestBytes(): number {
    return this.#request.length;
  }

  /**
   * Puts an entry behind the others; false when its key is there already: nothing has changed then.
   *
   * @throws ArgumentError for what is no key or no value
   */
  add(key: BytesInput, value: BytesInput, names: PairNames): boolean {
    const request = this.#request;
    const before = request.length;
    if (!request.pair(KEY_VALUES, key, value))
      request.pair(KEY_VALUES, toKey(key, names.key), toValue(value, names.value));
    const { keyStart, keyEnd, valueLength } = request;
    if (!this.#keys.add(request.buffer, keyStart, keyEnd)) {
      request.cut(before);
      return false;
    }
    const place = this.count - 1;
    if (place === this.#ends.length) this.#grow();
    this.#ends[place] = request.length;
    this.#sums[place] = this.bytesTo(place) + keyEnd - keyStart + valueLength;
    return true;
  }

  /**
   * There will most likely be so many entries, about as long as those so far. A request that grows by itself leaves as many bytes
   * to the garbage collector as it has: they are not on its heap, and make it look through all of that (measured).
   */
  expect(count: number): void {
    const { length } = this.#request;
    if (this.count > 0 && count > this.count)
      this.#request.expect(withSlack((length / this.count) * (count - this.count)));
  }

  /** Bytes of keys and values of the entries before this place. */
  bytesTo(place: number): number {
    return place === 0 ? 0 : (this.#sums[place - 1] as number);
  }

  /** The request that sets the entries from `from` to before `to`. A view that stays as it is while nothing is added. */
  request(from = 0, to: number = this.count): Uint8Array {
    const start = from === 0 ? 0 : (this.#ends[from - 1] as number);
    const entries = this.#request.finish().subarray(start, to === 0 ? 0 : this.#ends[to - 1]);
    return this.mustNotExist ? this.#conditional(entries, from, to) : entries;
  }

  #conditional(entries: Uint8Array, from: number, to: number): Uint8Array {
    const request = new RequestEncoder(2 * entries.length);
    request.append(entries);
    for (let i = from; i < to; i++)
      encodeCondition(request, PRECONDITIONS, { kind: 'mustNotExist', key: this.key(i) });
    return request.finish();
  }

  /** A key, the caller's own. */
  key(place: number): Uint8Array {
    return new Uint8Array(this.#request.finish().subarray(this.#keys.start(place), this.#keys.end(place)));
  }

  /** `name`: by `keyName`. */
  has(name: string): boolean {
    return this.#keys.has(this.#request.finish(), name);
  }

  meets(other: EntryBatch): boolean {
    return this.#keys.meets(this.#request.finish(), other.#keys, other.#request.finish());
  }

  /** By `keyName`. */
  names(from = 0, to: number = this.count): Iterable<string> {
    return this.#keys.names(this.#request.finish(), from, to);
  }

  /** The keys alone: nothing else of the request is kept by them. */
  keys(from = 0, to: number = this.count): NamedKeys {
    const request = this.#request.finish();
    const ends = new Int32Array(to - from);
    let length = 0;
    for (let i = from; i < to; i++) ends[i - from] = length += this.#keys.end(i) - this.#keys.start(i);
    const bytes = new Uint8Array(length);
    for (let i = from, at = 0; i < to; i++)
      for (let j = this.#keys.start(i); j < this.#keys.end(i); j++) bytes[at++] = request[j] as number;
    return new Keys(bytes, ends);
  }

  #grow(): void {
    const length = 4 * this.#ends.length;
    const ends = new Int32Array(length);
    const sums = new Int32Array(length);
    ends.set(this.#ends);
    sums.set(this.#sums);
    this.#ends = ends;
    this.#sums = sums;
  }
}

/** What is a little longer than expected needs no other room. */
function withSlack(bytes: number): number {
  return Math.min(MAX_EXPECTED, Math.ceil(bytes + (bytes >> 4)) + FIRST_BYTES);
}

class Keys implements NamedKeys {
  readonly #bytes: Uint8Array;
  readonly #ends: Int32Array;

  constructor(bytes: Uint8Array, ends: Int32Array) {
    this.#bytes = bytes;
    this.#ends = ends;
  }

  get count(): number {
    return this.#ends.length;
  }

  *names(): Generator<string, void, undefined> {
    let start = 0;
    for (const end of this.#ends) {
      yield keyName(this.#bytes.subarray(start, end));
      start = end;
    }
  }
}
