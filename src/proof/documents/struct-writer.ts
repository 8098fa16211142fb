// Documents as bytes: protobuf's Struct, and as much of protobuf as the messages around it take.
import { isFields } from './values.js';
import type { DocumentFields, DocumentValue } from './values.js';

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;

const encoder = new TextEncoder();

/** A message, field by field. Fields that are not written are absent, which is what protobuf takes defaults for. */
export class MessageWriter {
  #bytes = new Uint8Array(256);
  #at = 0;

  /** A whole number from 0 to 2^53-1, or a bigint from 0 to 2^64-1. */
  number(field: number, value: number | bigint): this {
    return this.#tag(field, VARINT).#varint(value);
  }

  flag(field: number, value: boolean): this {
    return this.number(field, value ? 1 : 0);
  }

  double(field: number, value: number): this {
    this.#tag(field, FIXED64);
    const at = this.#reserve(8);
    new DataView(this.#bytes.buffer).setFloat64(at, value, true);
    return this;
  }

  text(field: number, value: string): this {
    return this.bytes(field, encoder.encode(value));
  }

  /** Bytes, or a message that is written already. */
  bytes(field: number, value: Uint8Array): this {
    this.#tag(field, LENGTH).#varint(value.length);
    const at = this.#reserve(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  /** A message in this one. */
  message(field: number, write: (writer: MessageWriter) => void): this {
    this.#tag(field, LENGTH);
    const start = this.#at;
    write(this);
    // Its length comes first and is known last: most are short, and have a byte of it.
    const length = this.#at - start;
    const room = varintSize(length);
    this.#reserve(room);
    this.#bytes.copyWithin(start + room, start, start + length);
    this.#at = start;
    this.#varint(length);
    this.#at = start + room + length;
    return this;
  }

  get length(): number {
    return this.#at;
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  #tag(field: number, wireType: number): this {
    return this.#varint(field * 8 + wireType);
  }

  #varint(value: number | bigint): this {
    if (typeof value === 'bigint') {
      let left = BigInt.asUintN(64, value);
      for (; left > 0x7fn; left >>= 7n) this.#byte(Number(left & 0x7fn) | 0x80);
      return this.#byte(Number(left));
    }
    let left = value;
    for (; left > 0x7f; left = Math.floor(left / 128)) this.#byte((left % 128) | 0x80);
    return this.#byte(left);
  }

  #byte(value: number): this {
    const at = this.#reserve(1);
    this.#bytes[at] = value;
    return this;
  }

  #reserve(length: number): number {
    const at = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#at, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return at;
  }
}

function varintSize(value: number): number {
  let size = 1;
  for (let left = value; left > 0x7f; left = Math.floor(left / 128)) size++;
  return size;
}

/** A Struct. Requires values that are such, nested no deeper than the stack allows. */
export function encodeStruct(fields: DocumentFields): Uint8Array {
  const writer = new MessageWriter();
  writeStruct(writer, fields);
  return writer.finish();
}

/** A Value. */
export function encodeValue(value: DocumentValue): Uint8Array {
  const writer = new MessageWriter();
  writeValue(writer, value);
  return writer.finish();
}

/** The fields of a Struct, into the message that it is. */
export function writeStruct(writer: MessageWriter, fields: DocumentFields): void {
  for (const name of Object.keys(fields)) {
    writer.message(1, (entry) => {
      entry.text(1, name).message(2, (value) => writeValue(value, fields[name] as DocumentValue));
    });
  }
}

function writeValue(writer: MessageWriter, value: DocumentValue): void {
  if (value === null) writer.number(1, 0);
  else if (typeof value === 'number') writer.double(2, value);
  else if (typeof value === 'string') writer.text(3, value);
  else if (typeof value === 'boolean') writer.flag(4, value);
  else if (isFields(value)) writer.message(5, (struct) => writeStruct(struct, value));
  else {
    writer.message(6, (list) => {
      for (const each of value) list.message(1, (item) => writeValue(item, each));
    });
  }
}
