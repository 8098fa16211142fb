// Values as rows hold them: the bytes of each type, strictly.
import { be64, toHex } from '../bytes.js';
import { ProofFailure } from '../failure.js';
import type { CellValue, SqlType } from './types.js';

const encoder = new TextEncoder();
// `ignoreBOM`: a mark at the beginning is text like any other, and would be lost.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const MIN_INTEGER = -(2n ** 63n);
export const MAX_INTEGER = 2n ** 63n - 1n;

const FALSE = new Uint8Array([0]);
const TRUE = new Uint8Array([1]);
const UUID_FORM = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** UTF-8 of well-formed text: a half of a surrogate pair has none. Throws RangeError. */
export function textBytes(text: string): Uint8Array {
  if (!text.isWellFormed()) throw new RangeError('text that is not well-formed Unicode');
  return encoder.encode(text);
}

/** Throws ProofFailure where the bytes are no UTF-8. */
export function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new ProofFailure('sql-value.text', 'text that is no UTF-8', 'UTF-8', toHex(bytes.subarray(0, 32)));
  }
}

/** Bytes of a value in a row. Throws RangeError for a value that the type has not. */
export function encodeValue(type: SqlType, value: CellValue): Uint8Array {
  switch (type) {
    case 'INTEGER':
    case 'TIMESTAMP':
      if (typeof value !== 'bigint') throw wrongType(type, 'a bigint');
      if (value < MIN_INTEGER || value > MAX_INTEGER) throw new RangeError(`${type} has 64 bits`);
      return be64(value);
    case 'BOOLEAN':
      if (typeof value !== 'boolean') throw wrongType(type, 'a boolean');
      return value ? TRUE.slice() : FALSE.slice();
    case 'VARCHAR':
    case 'JSON':
      if (typeof value !== 'string') throw wrongType(type, 'text');
      return textBytes(value);
    case 'BLOB':
      if (!(value instanceof Uint8Array)) throw wrongType(type, 'bytes');
      return value.slice();
    case 'UUID':
      if (typeof value !== 'string') throw wrongType(type, 'text');
      return uuidBytes(value);
    case 'FLOAT': {
      if (typeof value !== 'number') throw wrongType(type, 'a number');
      const bits = new Uint8Array(8);
      new DataView(bits.buffer).setFloat64(0, value);
      return bits;
    }
  }
}

/** Inverse of {@link encodeValue}. Throws ProofFailure for bytes that are no value of the type. */
export function decodeValue(type: SqlType, bytes: Uint8Array): CellValue {
  return valueIn(
    type,
    bytes,
    new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    0,
    bytes.length,
  );
}

/** The same of `length` bytes of a row from `at` on: nothing is made but the value. `view`: of the same row. */
export function valueIn(
  type: SqlType,
  row: Uint8Array,
  view: DataView,
  at: number,
  length: number,
): CellValue {
  switch (type) {
    case 'INTEGER':
    case 'TIMESTAMP':
      assertLength(type, length, 8);
      return view.getBigInt64(at);
    case 'BOOLEAN': {
      assertLength(type, length, 1);
      const byte = view.getUint8(at);
      if (byte > 1) throw new ProofFailure('sql-value.boolean', 'neither true nor false', '0 or 1', byte);
      return byte === 1;
    }
    case 'VARCHAR':
    case 'JSON':
      return textOf(row.subarray(at, at + length));
    case 'BLOB':
      return row.slice(at, at + length);
    case 'UUID':
      assertLength(type, length, 16);
      return uuidText(row.subarray(at, at + length));
    case 'FLOAT':
      assertLength(type, length, 8);
      return view.getFloat64(at);
  }
}

function assertLength(type: SqlType, length: number, wanted: number): void {
  if (length !== wanted) {
    throw new ProofFailure('sql-value.length', `not as long as ${type} is`, wanted, length);
  }
}

function wrongType(type: SqlType, wanted: string): RangeError {
  return new RangeError(`${type} takes ${wanted}`);
}

/** Throws RangeError for text that is no UUID, such as 6b0b2fd2-0000-4000-8000-00000000abcd, in either case. */
function uuidBytes(text: string): Uint8Array {
  if (!UUID_FORM.test(text)) throw new RangeError('text that is no UUID');
  const digits = text.replaceAll('-', '');
  return Uint8Array.from({ length: 16 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

export function uuidText(bytes: Uint8Array): string {
  const hex = toHex(bytes);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
