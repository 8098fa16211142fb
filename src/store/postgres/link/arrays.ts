// Arrays in PostgreSQL's binary format, which takes neither the server nor us to write numbers and bytes as text and read them
// again. Their elements must be of the very type that the statement has them of.

/** Of types, as every server numbers them. */
const OID = { int8: 20, int2: 21, int4: 23, bytea: 17, float8: 701 } as const;
const HEADER_SIZE = 20;
const EMPTY_SIZE = 12;
const LENGTH_SIZE = 4;
const NULL_LENGTH = -1;

export type Numeric = 'int8' | 'int4' | 'int2' | 'float8';

const SIZES: Readonly<Record<Numeric, number>> = { int8: 8, int4: 4, int2: 2, float8: 8 };

/** Numbers of one type; null stands for no value. */
export function numbersOf(type: Numeric, values: readonly (bigint | number | null)[]): Buffer {
  const size = SIZES[type];
  const out = begin(OID[type], values.length, values.length * (LENGTH_SIZE + size));
  let at = HEADER_SIZE;
  for (const value of values) {
    at = out.writeInt32BE(value === null ? NULL_LENGTH : size, at);
    if (value === null) continue;
    if (type === 'int8') at = out.writeBigInt64BE(BigInt(value), at);
    else if (type === 'float8') at = out.writeDoubleBE(Number(value), at);
    else at = out.writeIntBE(Number(value), at, size);
  }
  return done(out, at, values.length);
}

/** Bytes; null stands for no value. */
export function byteaArray(values: readonly (Uint8Array | null)[]): Buffer {
  let length = 0;
  for (const value of values) length += LENGTH_SIZE + (value?.length ?? 0);
  const out = begin(OID.bytea, values.length, length);
  let at = HEADER_SIZE;
  for (const value of values) {
    at = out.writeInt32BE(value ? value.length : NULL_LENGTH, at);
    if (!value) continue;
    out.set(value, at);
    at += value.length;
  }
  return done(out, at, values.length);
}

/** One dimension, which begins at 1; nulls may be in it. */
function begin(oid: number, count: number, length: number): Buffer {
  const out = Buffer.allocUnsafe(HEADER_SIZE + length);
  out.writeInt32BE(count === 0 ? 0 : 1, 0);
  out.writeInt32BE(count === 0 ? 0 : 1, 4);
  out.writeInt32BE(oid, 8);
  out.writeInt32BE(count, 12);
  out.writeInt32BE(1, 16);
  return out;
}

/** An empty array has no dimension. */
function done(out: Buffer, length: number, count: number): Buffer {
  return out.subarray(0, count === 0 ? EMPTY_SIZE : length);
}
