// Values as keys hold them: their order as bytes is that of the values.
import { be32, concatAll } from '../bytes.js';
import { ProofFailure } from '../failure.js';
import type { CellValue, ColumnType, SqlType } from './types.js';
import { MAX_INTEGER, MIN_INTEGER, decodeValue, encodeValue } from './values.js';

const NULL = 0x20;
const VALUE = 0x80;
const SIGN = 0x80;
const NANOS_PER_MICRO = 1000n;

/** Most bytes of the values of a primary key: keys in the index of SQL have 1024, with 11 and every byte of it twice. */
export const MAX_PK_BYTES = 506;

/**
 * Bytes of a value in a key, by its bytes in a row (which are taken to be well-formed): nothing is lost on the way, whatever the value.
 * Throws RangeError for a type that keys have not, and for more bytes than the column takes.
 */
export function keyBytes({ type, maxLength }: ColumnType, inRow: Uint8Array): Uint8Array {
  switch (type) {
    case 'INTEGER':
      return flipped(inRow, false);
    case 'BOOLEAN':
    case 'UUID':
      return concatAll([new Uint8Array([VALUE]), inRow]);
    case 'TIMESTAMP': {
      const micros = new DataView(inRow.buffer, inRow.byteOffset).getBigInt64(0);
      return flipped(encodeValue('INTEGER', BigInt.asIntN(64, micros * NANOS_PER_MICRO)), false);
    }
    case 'FLOAT':
      return flipped(inRow, ((inRow[0] ?? 0) & SIGN) !== 0);
    case 'VARCHAR':
    case 'BLOB': {
      if (maxLength < 1) throw new RangeError(`${type} without a length is no key`);
      if (inRow.length > maxLength) {
        throw new RangeError(`${inRow.length} bytes where ${type}[${maxLength}] takes ${maxLength}`);
      }
      const out = new Uint8Array(1 + maxLength + 4);
      out[0] = VALUE;
      out.set(inRow, 1);
      out.set(be32(inRow.length), 1 + maxLength);
      return out;
    }
    case 'JSON':
      throw new RangeError('JSON is no key');
  }
}

/** A number of 8 bytes with its first bit the other way round, or `all` of them. */
function flipped(bytes: Uint8Array, all: boolean): Uint8Array {
  const out = new Uint8Array(9);
  out[0] = VALUE;
  out.set(bytes, 1);
  if (all) for (let i = 1; i < 9; i++) out[i] = (out[i] ?? 0) ^ 0xff;
  else out[1] = (out[1] ?? 0) ^ SIGN;
  return out;
}

/** {@link keyBytes} of a value. Throws RangeError also for a value that the type has not. */
export function encodeKeyValue(column: ColumnType, value: CellValue): Uint8Array {
  return keyBytes(column, encodeValue(column.type, value));
}

/** The values of a primary key as it is stored, in the order of the key's columns. Throws RangeError as {@link encodeKeyValue} does. */
export function encodePrimaryKey(columns: readonly ColumnType[], values: readonly CellValue[]): Uint8Array {
  if (values.length !== columns.length) {
    throw new RangeError(`${values.length} values where the primary key has ${columns.length}`);
  }
  return concatAll(columns.map((column, i) => encodeKeyValue(column, values[i] as CellValue)));
}

/**
 * The values in a key, in the order of its columns: inverse of {@link encodePrimaryKey}. `nullable`: as entries of secondary indexes
 * are, in which a value may be NULL. A NaN has forgotten its bits. Throws ProofFailure for everything else.
 */
export function decodeKeyValues(
  columns: readonly ColumnType[],
  bytes: Uint8Array,
  nullable: true,
): (CellValue | null)[];
export function decodeKeyValues(
  columns: readonly ColumnType[],
  bytes: Uint8Array,
  nullable?: false,
): CellValue[];
export function decodeKeyValues(
  columns: readonly ColumnType[],
  bytes: Uint8Array,
  nullable = false,
): (CellValue | null)[] {
  let at = 0;
  const values = columns.map((column) => {
    const first = bytes[at];
    if (first === NULL && nullable) {
      at += 1;
      return null;
    }
    if (first !== VALUE) throw new ProofFailure('sql-key.mark', 'no value of a key begins so', VALUE, first);
    const length = lengthOf(column);
    if (at + 1 + length > bytes.length) {
      throw new ProofFailure('sql-key.length', 'a key that ends early', at + 1 + length, bytes.length);
    }
    const value = decodeKeyValue(column, bytes.subarray(at + 1, at + 1 + length));
    at += 1 + length;
    return value;
  });
  if (at !== bytes.length) throw new ProofFailure('sql-key.length', 'a key that goes on', at, bytes.length);
  return values;
}

const LENGTHS: Readonly<Record<SqlType, number>> = {
  INTEGER: 8,
  BOOLEAN: 1,
  UUID: 16,
  TIMESTAMP: 8,
  FLOAT: 8,
  VARCHAR: 4,
  BLOB: 4,
  JSON: 0,
};

function lengthOf({ type, maxLength }: ColumnType): number {
  const hasOwn = type === 'VARCHAR' || type === 'BLOB';
  if (type === 'JSON' || (hasOwn && maxLength < 1)) {
    throw new ProofFailure('sql-key.type', 'no key has such a column', undefined, `${type}[${maxLength}]`);
  }
  return LENGTHS[type] + (hasOwn ? maxLength : 0);
}

function decodeKeyValue({ type, maxLength }: ColumnType, bytes: Uint8Array): CellValue {
  switch (type) {
    case 'INTEGER':
      return decodeValue(type, flipped(bytes, false).subarray(1));
    case 'TIMESTAMP': {
      const nanos = decodeValue('INTEGER', flipped(bytes, false).subarray(1)) as bigint;
      if (nanos % NANOS_PER_MICRO !== 0n) {
        // Written by a time that nanoseconds of 64 bits do not reach: several times have this key.
        throw new ProofFailure('sql-key.timestamp', 'a key of no microsecond from 1677 to 2262', 0n, nanos);
      }
      return nanos / NANOS_PER_MICRO;
    }
    case 'FLOAT':
      return decodeValue(type, flipped(bytes, ((bytes[0] ?? 0) & SIGN) === 0).subarray(1));
    case 'VARCHAR':
    case 'BLOB': {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const length = view.getUint32(maxLength);
      if (length > maxLength) {
        throw new ProofFailure('sql-key.length', 'longer than its column', maxLength, length);
      }
      if (bytes.subarray(length, maxLength).some((byte) => byte !== 0)) {
        throw new ProofFailure('sql-key.padding', 'zeros come after a value', length);
      }
      return decodeValue(type, bytes.subarray(0, length));
    }
    default:
      return decodeValue(type, bytes);
  }
}

/** Whether a TIMESTAMP's key is its own: of one outside of 1677..2262 another time has the same. */
export function hasOwnKey(micros: bigint): boolean {
  const nanos = micros * NANOS_PER_MICRO;
  return nanos >= MIN_INTEGER && nanos <= MAX_INTEGER;
}
