// Reads protobuf where it lies: no copies, no schema, and nothing believed. Answers are attacker-controlled.
// Strict where the format is lax: groups, wrong wire types, numbers out of range and cut-off data are refused.
import { MAX_ID } from '../../proof/bytes.js';
import { ProofFailure } from '../../proof/failure.js';
import { HASH_SIZE } from '../../proof/hash.js';

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;
/** A 64-bit varint has at most this many bytes, and the last of them holds a single bit. */
const MAX_VARINT_BYTES = 10;
const MAX_FIELD = 0x1fff_ffff;
const MAX_INT32 = 0x7fff_ffff;

/**
 * A cursor over one message: `bytes[start, end)`. Call {@link next} for the number of the next field (0 at the
 * end), then exactly one of the reading methods, or {@link skip}. Every failure is a `ProofFailure('wire.…')`.
 */
export class WireReader {
  readonly #bytes: Uint8Array;
  #end: number;
  #at: number;
  #wireType = 0;
  // The last varint, in limbs of 28, 28 and 8 bits: plain numbers, so that nothing is allocated for a tag.
  #low = 0;
  #middle = 0;
  #high = 0;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Field number of the next field, 0 at the end of the message. */
  next(): number {
    if (this.#at === this.#end) return 0;
    this.#varint();
    const field = Math.floor(this.#number() / 8);
    if (field < 1 || field > MAX_FIELD)
      throw new ProofFailure('wire.field', 'field number out of range', undefined, field);
    this.#wireType = this.#low & 7;
    return field;
  }

  /** Passes over the field's content, whatever it is. */
  skip(): void {
    if (this.#wireType === VARINT) this.#varint();
    else if (this.#wireType === LENGTH) this.#advance(this.#length());
    else if (this.#wireType === FIXED64) this.#advance(8);
    else if (this.#wireType === FIXED32) this.#advance(4);
    else
      throw new ProofFailure('wire.group', 'groups are not part of this protocol', undefined, this.#wireType);
  }

  /** A transaction id or another count that is stored as a signed 64-bit number: 0..2^63-1. */
  id(name: string): bigint {
    this.#scalar(name);
    const value = this.#unsigned();
    if (value > MAX_ID) throw new ProofFailure('wire.id', `${name}: out of range`, '0..2^63-1', value);
    return value;
  }

  int64(name: string): bigint {
    this.#scalar(name);
    return BigInt.asIntN(64, this.#unsigned());
  }

  /** An int32 that counts something: 0..2^31-1. */
  count(name: string): number {
    this.#scalar(name);
    if (this.#number() > MAX_INT32) {
      throw new ProofFailure(
        'wire.count',
        `${name}: out of range`,
        '0..2^31-1',
        BigInt.asIntN(64, this.#unsigned()),
      );
    }
    return this.#number();
  }

  bool(name: string): boolean {
    this.#scalar(name);
    if (this.#number() > 1) {
      throw new ProofFailure('wire.bool', `${name}: neither true nor false`, '0 or 1', this.#unsigned());
    }
    return this.#low === 1;
  }

  /** A float64. */
  double(name: string): number {
    this.#expect(FIXED64, name);
    const start = this.#at;
    this.#advance(8);
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + start, 8).getFloat64(0, true);
  }

  /** A view, not a copy. */
  bytes(name: string): Uint8Array {
    const start = this.#delimited(name);
    return this.#bytes.subarray(start, this.#at);
  }

  /** A view of exactly 32 bytes. */
  digest(name: string): Uint8Array {
    const start = this.digestSpan(name);
    return this.#bytes.subarray(start, this.#at);
  }

  /** Reader of the embedded message that this field holds. */
  message(name: string): WireReader {
    const start = this.#delimited(name);
    return new WireReader(this.#bytes, start, this.#at);
  }

  /** Where the cursor stands, counted from the start of the bytes that the reader was made for. */
  get at(): number {
    return this.#at;
  }

  /** Passes over a length-delimited field and returns where its content starts; it ends {@link at} the cursor. */
  span(name: string): number {
    return this.#delimited(name);
  }

  /** The same for a field of exactly 32 bytes. */
  digestSpan(name: string): number {
    const start = this.#delimited(name);
    if (this.#at - start !== HASH_SIZE) this.#notDigest(name, start);
    return start;
  }

  /** Goes into the embedded message that this field holds. Give what it returns to {@link leave} at its end. */
  enter(name: string): number {
    const start = this.#delimited(name);
    const outer = this.#end;
    this.#end = this.#at;
    this.#at = start;
    return outer;
  }

  leave(outer: number): void {
    this.#at = this.#end;
    this.#end = outer;
  }

  /** A second cursor, standing where this one stands. */
  fork(): WireReader {
    return new WireReader(this.#bytes, this.#at, this.#end);
  }

  #notDigest(name: string, start: number): never {
    throw new ProofFailure('wire.digest', `${name}: a digest has 32 bytes`, HASH_SIZE, this.#at - start);
  }

  #scalar(name: string): void {
    this.#expect(VARINT, name);
    this.#varint();
  }

  /** Passes over a length-delimited field; returns where its content starts. It ends at the cursor. */
  #delimited(name: string): number {
    this.#expect(LENGTH, name);
    const length = this.#length();
    const start = this.#at;
    this.#advance(length);
    return start;
  }

  #expect(wireType: number, name: string): void {
    if (this.#wireType !== wireType)
      throw new ProofFailure('wire.type', `${name}: wrong wire type`, wireType, this.#wireType);
  }

  #length(): number {
    this.#varint();
    return this.#number();
  }

  #advance(length: number): void {
    if (length > this.#end - this.#at) {
      throw new ProofFailure(
        'wire.truncated',
        'a field reaches beyond the end',
        this.#end - this.#at,
        length,
      );
    }
    this.#at += length;
  }

  #varint(): void {
    let low = 0;
    let middle = 0;
    let high = 0;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      if (this.#at >= this.#end) throw new ProofFailure('wire.truncated', 'a number is cut off');
      const byte = this.#bytes[this.#at++] as number;
      const bits = byte & 0x7f;
      if (i < 4) low |= bits << (7 * i);
      else if (i < 8) middle |= bits << (7 * (i - 4));
      else high |= bits << (7 * (i - 8));
      if (byte < 0x80) {
        if (high > 0xff) break;
        this.#low = low;
        this.#middle = middle;
        this.#high = high;
        return;
      }
    }
    throw new ProofFailure('wire.varint', 'a number is longer than 64 bits');
  }

  /** The last varint as a number: exact below 2^53, and callers compare it with far smaller bounds. */
  #number(): number {
    return this.#high === 0 ? this.#low + this.#middle * 0x1000_0000 : Infinity;
  }

  #unsigned(): bigint {
    if (this.#high === 0 && this.#middle < 0x200_0000) return BigInt(this.#number());
    return BigInt(this.#low) | (BigInt(this.#middle) << 28n) | (BigInt(this.#high) << 56n);
  }
}

/** For an embedded message that may occur once: a second one would be merged by lax readers, hiding the first. */
export function onlyOnce(earlier: unknown, name: string): void {
  if (earlier !== undefined) throw new ProofFailure('wire.repeated', `${name}: occurs twice`);
}

/** For a field that must be there. */
export function present<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new ProofFailure('wire.missing', `${name}: not in the answer`);
  return value;
}

/** For a digest that must be there: an absent one is an empty one on the wire. */
export function presentDigest(value: Uint8Array | undefined, name: string): Uint8Array {
  if (value === undefined)
    throw new ProofFailure('wire.digest', `${name}: a digest has 32 bytes`, HASH_SIZE, 0);
  return value;
}
