// A request to write, put into its wire form entry by entry: the bytes that are sent are the bytes that are checked.
import type { KVMetadata } from '../../proof/types.js';
import type { SentEntry } from '../../verify/wire/requests.js';

/** Tag and length of each of a KeyValue's parts, at most: tags are one byte, lengths at most five; and its metadata. */
const FRAME_BYTES = 3 * 6 + 24;
/** The bytes that a number takes, and its tag, at most. */
const NUMBER_BYTES = 11;
const KEY = 0x0a;
const VALUE = 0x12;
const METADATA = 0x1a;

export class RequestEncoder {
  #bytes: Uint8Array<ArrayBuffer>;
  #at = 0;

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
