// Reads documents: protobuf's Struct, strictly. What is read is bound by a hash, or is a server's word: neither is believed.
import { ProofFailure } from '../failure.js';
import { MAX_READ_DEPTH, setField } from './values.js';
import type { DocumentFields, DocumentValue } from './values.js';

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;

// `ignoreBOM`: a mark at the beginning is text like any other, and would be lost.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The document that these bytes are. Throws ProofFailure for everything that no server writes for one. */
export function decodeStruct(bytes: Uint8Array): DocumentFields {
  const cursor = new Cursor(bytes);
  return cursor.struct(bytes.length, 1);
}

class Cursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Ends where the message does: at `end`. */
  struct(end: number, depth: number): DocumentFields {
    if (depth > MAX_READ_DEPTH) fail('nested too deep', MAX_READ_DEPTH, depth);
    const fields: Record<string, DocumentValue> = {};
    while (this.#at < end) {
      const entryEnd = this.#message(1, end);
      let name: string | undefined;
      let value: DocumentValue | undefined;
      while (this.#at < entryEnd) {
        const tag = this.#varint(entryEnd);
        if (tag === tagOf(1, LENGTH) && name === undefined) name = this.#text(entryEnd);
        else if (tag === tagOf(2, LENGTH) && value === undefined)
          value = this.#value(this.#length(entryEnd), depth);
        else fail('a field of an entry that it has not, or has already', undefined, tag);
      }
      // An empty name, and a value of nothing, are not on the wire.
      name ??= '';
      if (Object.hasOwn(fields, name)) fail('a field occurs twice', undefined, name);
      setField(fields, name, value ?? null);
    }
    return fields;
  }

  #value(end: number, depth: number): DocumentValue {
    if (this.#at === end) return null;
    const value = this.#kind(this.#varint(end), end, depth);
    if (this.#at !== end) fail('a value is two at once');
    return value;
  }

  #kind(tag: number, end: number, depth: number): DocumentValue {
    switch (tag) {
      case tagOf(1, VARINT):
        if (this.#varint(end) !== 0) fail('a null that is none');
        return null;
      case tagOf(2, FIXED64):
        return this.#double(end);
      case tagOf(3, LENGTH):
        return this.#text(end);
      case tagOf(4, VARINT): {
        const flag = this.#varint(end);
        if (flag > 1) fail('neither true nor false', undefined, flag);
        return flag === 1;
      }
      case tagOf(5, LENGTH):
        return this.struct(this.#length(end), depth + 1);
      case tagOf(6, LENGTH):
        return this.#list(this.#length(end), depth + 1);
      default:
        return fail('a value of no known kind', undefined, tag);
    }
  }

  #list(end: number, depth: number): DocumentValue[] {
    if (depth > MAX_READ_DEPTH) fail('nested too deep', MAX_READ_DEPTH, depth);
    const list: DocumentValue[] = [];
    while (this.#at < end) list.push(this.#value(this.#message(1, end), depth));
    return list;
  }

  /** End of the message that the next field, which must be this one, holds. */
  #message(field: number, end: number): number {
    const tag = this.#varint(end);
    if (tag !== tagOf(field, LENGTH)) fail('a field that is not part of it', tagOf(field, LENGTH), tag);
    return this.#length(end);
  }

  #length(end: number): number {
    const length = this.#varint(end);
    if (length > end - this.#at) fail('a field reaches beyond the end', end - this.#at, length);
    return this.#at + length;
  }

  #text(end: number): string {
    const textEnd = this.#length(end);
    const start = this.#at;
    this.#at = textEnd;
    try {
      return decoder.decode(this.#bytes.subarray(start, textEnd));
    } catch {
      return fail('text that is no UTF-8');
    }
  }

  #double(end: number): number {
    const at = this.#at;
    if (end - at < 8) fail('a number is cut off', 8, end - at);
    this.#at += 8;
    return this.#view.getFloat64(at, true);
  }

  /** Of up to five bytes: no length or tag in here has more. */
  #varint(end: number): number {
    let value = 0;
    for (let i = 0; i < 5; i++) {
      if (this.#at >= end) fail('a number is cut off');
      const byte = this.#bytes[this.#at++] as number;
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    return fail('a number is too long');
  }
}

function tagOf(field: number, wireType: number): number {
  return field * 8 + wireType;
}

function fail(what: string, expected?: number, computed?: number | string): never {
  throw new ProofFailure('document.struct', what, expected, computed);
}
