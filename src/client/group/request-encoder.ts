// A request to write, put into its wire form entry by entry: the bytes that are sent are the bytes that are checked.
import { types } from 'node:util';
import type { KVMetadata } from '../../proof/types.js';
import type { SentEntry } from '../../verify/wire/requests.js';
import { MAX_KEY_BYTES, MAX_VALUE_BYTES } from '../input/bytes-input.js';
import type { BytesInput } from '../input/bytes-input.js';

/** Tag and length of each of a KeyValue's parts, at most: tags are one byte, lengths at most five; and its metadata. */
const FRAME_BYTES = 3 * 6 + 24;
/** The bytes that a number takes, and its tag, at most. */
const NUMBER_BYTES = 11;
const KEY = 0x0a;
const VALUE = 0x12;
const METADATA = 0x1a;
/** Up to here a loop puts text down faster than the platform does (measured). */
const MAX_LOOP = 40;
/** What text of one UTF-16 unit may take. */
const MAX_UNIT_BYTES = 3;
/** Room for that many times longer text is not made on a guess. */
const MAX_GUESSED = 64 * 1024;

export class RequestEncoder {
  #bytes: Uint8Array<ArrayBuffer>;
  #at = 0;
  #keyStart = 0;
  #keyEnd = 0;
  #valueLength = 0;

  constructor(size = 16 * 1024) {
    this.#bytes = new Uint8Array(size);
  }

  get length(): number {
    return this.#at;
  }

  /** A KeyValue as the field with this tag. */
  entry(tag: number, { key, value, metadata }: SentEntry): void {
    this.#reserve(key.length + value.length + FRAME_BYTES);
    const keyPart = 1 + varintLength(key.length) + key.length;
    const valuePart = value.length === 0 ? 0 : 1 + varintLength(value.length) + value.length;
    const metadataPart = metadata === undefined ? 0 : 2 + metadataLength(metadata);
    this.#bytes[this.#at++] = tag;
    this.#varint(keyPart + valuePart + metadataPart);
    this.#part(KEY, key);
    if (value.length > 0) this.#part(VALUE, value);
    if (metadata !== undefined) this.#metadata(metadata);
  }

  /**
   * A KeyValue without metadata as the field with this tag, from what a caller gave, copied once. False, and nothing is put,
   * where it has to be looked at first: text beyond ASCII, and what is no key or no value.
   */
  pair(tag: number, key: BytesInput, value: BytesInput): boolean {
    const keyLength = lengthOf(key);
    const valueLength = lengthOf(value);
    if (keyLength < 1 || keyLength > MAX_KEY_BYTES || valueLength < 0 || valueLength > MAX_VALUE_BYTES)
      return false;
    this.#reserve(room(key, keyLength) + room(value, valueLength) + FRAME_BYTES);
    const start = this.#at;
    const valuePart = valueLength === 0 ? 0 : 1 + varintLength(valueLength) + valueLength;
    this.#bytes[this.#at++] = tag;
    this.#varint(1 + varintLength(keyLength) + keyLength + valuePart);
    this.#bytes[this.#at++] = KEY;
    this.#varint(keyLength);
    this.#keyStart = this.#at;
    let isPut = this.#put(key, keyLength);
    this.#keyEnd = this.#at;
    if (isPut && valueLength > 0) {
      this.#bytes[this.#at++] = VALUE;
      this.#varint(valueLength);
      isPut = this.#put(value, valueLength);
    }
    this.#valueLength = valueLength;
    if (!isPut) this.#at = start;
    return isPut;
  }

  /** Where the key of the last {@link pair} is, and how long its value is. */
  get keyStart(): number {
    return this.#keyStart;
  }

  get keyEnd(): number {
    return this.#keyEnd;
  }

  get valueLength(): number {
    return this.#valueLength;
  }

  /** The bytes that it is put into, behind it what comes next: other ones when it has grown. */
  get buffer(): Uint8Array {
    return this.#bytes;
  }

  /** Makes room for so much more at once. */
  expect(length: number): void {
    this.#reserve(length);
  }

  /** Takes back what was put behind there. */
  cut(length: number): void {
    this.#at = length;
  }

  bytes(tag: number, bytes: Uint8Array): void {
    this.#reserve(bytes.length + NUMBER_BYTES);
    this.#part(tag, bytes);
  }

  /** A number that is not negative. */
  id(tag: number, value: bigint): void {
    this.#reserve(NUMBER_BYTES);
    this.#bytes[this.#at++] = tag;
    this.#bigVarint(value);
  }

  flag(tag: number): void {
    this.#reserve(2);
    this.#bytes[this.#at++] = tag;
    this.#bytes[this.#at++] = 1;
  }

  double(tag: number, value: number): void {
    this.#reserve(9);
    this.#bytes[this.#at++] = tag;
    new DataView(this.#bytes.buffer).setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  /** An embedded message begins: what it returns is given to {@link close} at its end. */
  open(tag: number): number {
    this.#reserve(2);
    this.#bytes[this.#at++] = tag;
    return ++this.#at;
  }

  close(start: number): void {
    const length = this.#at - start;
    const more = varintLength(length) - 1;
    if (more > 0) {
      this.#reserve(more);
      this.#bytes.copyWithin(start + more, start, this.#at);
    }
    this.#at = start - 1;
    this.#varint(length);
    this.#at += length;
  }

  /** Fields that are in their wire form already. */
  append(fields: Uint8Array): void {
    this.#reserve(fields.length);
    this.#bytes.set(fields, this.#at);
    this.#at += fields.length;
  }

  /** The request: a view that stays as it is while nothing is added. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  /** False for text that is not ASCII. */
  #put(input: BytesInput, length: number): boolean {
    const start = this.#at;
    this.#at += length;
    if (typeof input !== 'string') {
      this.#bytes.set(input, start);
      return true;
    }
    if (length > MAX_LOOP) {
      const { buffer } = this.#bytes;
      return Buffer.from(buffer, start, MAX_UNIT_BYTES * length).write(input, 'utf8') === length;
    }
    for (let i = 0; i < length; i++) {
      const unit = input.charCodeAt(i);
      if (unit > 0x7f) return false;
      this.#bytes[start + i] = unit;
    }
    return true;
  }

  #part(tag: number, bytes: Uint8Array): void {
    this.#bytes[this.#at++] = tag;
    this.#varint(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #metadata(metadata: KVMetadata): void {
    this.#bytes[this.#at++] = METADATA;
    this.#bytes[this.#at++] = metadataLength(metadata);
    const { expiresAt, nonIndexable } = metadata;
    if (expiresAt !== undefined) {
      this.#bytes[this.#at++] = 0x12;
      this.#bytes[this.#at++] = 1 + bigVarintLength(expiresAt);
      this.#bytes[this.#at++] = 0x08;
      this.#bigVarint(expiresAt);
    }
    if (nonIndexable === true) {
      this.#bytes[this.#at++] = 0x18;
      this.#bytes[this.#at++] = 1;
    }
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#at++] = rest;
  }

  #bigVarint(value: bigint): void {
    let rest = value;
    while (rest > 0x7fn) {
      this.#bytes[this.#at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#at++] = Number(rest);
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#at + length));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** Bytes of what is bytes, or ASCII; -1 for long text, and for what is neither bytes nor text. */
function lengthOf(input: unknown): number {
  if (typeof input === 'string') return input.length <= MAX_GUESSED ? input.length : -1;
  return types.isUint8Array(input) ? input.length : -1;
}

/** Bytes that putting it down may write to: the loop stops where text is not ASCII. */
function room(input: BytesInput, length: number): number {
  return typeof input === 'string' && length > MAX_LOOP ? MAX_UNIT_BYTES * length : length;
}

/** Without those that mark a deletion: a value is never one. */
function metadataLength({ expiresAt, nonIndexable }: KVMetadata): number {
  return (expiresAt === undefined ? 0 : 3 + bigVarintLength(expiresAt)) + (nonIndexable === true ? 2 : 0);
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest >>>= 7) length++;
  return length;
}

function bigVarintLength(value: bigint): number {
  let length = 1;
  for (let rest = value; rest > 0x7fn; rest >>= 7n) length++;
  return length;
}
