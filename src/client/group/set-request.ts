// A SetRequest put into its wire form entry by entry: the bytes that are sent are the bytes that are checked.

/** Tag and length of each of a KeyValue's parts, at most: tags are one byte, lengths at most five. */
const FRAME_BYTES = 3 * 6;
const KVS = 0x0a;
const KEY = 0x0a;
const VALUE = 0x12;

export class SetRequestEncoder {
  #bytes: Uint8Array<ArrayBuffer>;
  #at = 0;

  constructor(size = 16 * 1024) {
    this.#bytes = new Uint8Array(size);
  }

  get length(): number {
    return this.#at;
  }

  add(key: Uint8Array, value: Uint8Array): void {
    this.#reserve(key.length + value.length + FRAME_BYTES);
    const keyPart = 1 + varintLength(key.length) + key.length;
    const valuePart = value.length === 0 ? 0 : 1 + varintLength(value.length) + value.length;
    this.#bytes[this.#at++] = KVS;
    this.#varint(keyPart + valuePart);
    this.#part(KEY, key);
    if (value.length > 0) this.#part(VALUE, value);
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

  #varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#at++] = rest;
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#at + length));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest >>>= 7) length++;
  return length;
}
