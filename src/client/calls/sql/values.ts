// Values of SQL as callers have them: what statements are given, and what rows hold.
import { ArgumentError, TransportError } from '../../../errors.js';
import type { SqlType } from '../../../proof/sql/types.js';
import { MAX_INTEGER, MIN_INTEGER } from '../../../proof/sql/values.js';
import type { SQLValue } from '../../../wire/messages.js';
import { INSPECT } from '../../results/readable.js';
import { copyBytes } from '../../input/pooled-bytes.js';
import { kindOf } from '../../input/option-checks.js';
import { types } from 'node:util';

const MICROS_PER_MS = 1000n;

/** A TIMESTAMP as immudb has it, to the microsecond. */
export class SqlTimestamp {
  /** Microseconds since 1970, from -2^63 to 2^63-1. */
  readonly micros: bigint;

  /** @internal Users make one with `sql.timestamp`. */
  constructor(micros: bigint) {
    this.micros = micros;
  }

  /** To the millisecond, which is what a Date can hold; of a time that no Date reaches it is an invalid one. */
  toDate(): Date {
    return new Date(Number(floorMs(this.micros)));
  }

  /** ISO 8601 with six digits of a second, in UTC; microseconds as a number, where no Date reaches the time. */
  toString(): string {
    const date = this.toDate();
    if (Number.isNaN(date.getTime())) return `${this.micros.toString()}µs`;
    const below = this.micros - floorMs(this.micros) * MICROS_PER_MS;
    return date.toISOString().replace('Z', `${below.toString().padStart(3, '0')}Z`);
  }

  toJSON(): string {
    return this.toString();
  }

  /** @internal */
  [INSPECT](): string {
    return `SqlTimestamp ${this.toString()}`;
  }
}

function floorMs(micros: bigint): bigint {
  const ms = micros / MICROS_PER_MS;
  return micros < 0n && micros % MICROS_PER_MS !== 0n ? ms - 1n : ms;
}

/**
 * A value in a row. INTEGER: bigint; FLOAT: number; BOOLEAN: boolean; VARCHAR, UUID and JSON: text; BLOB: bytes; TIMESTAMP:
 * {@link SqlTimestamp}; NULL: null.
 */
export type SqlValue = bigint | number | boolean | string | Uint8Array | SqlTimestamp | null;

/** A row by the names of its columns. */
export type SqlRow = Readonly<Record<string, SqlValue>>;

/**
 * A value that a statement is given. A number that is a safe integer goes as an INTEGER, which FLOAT columns take too; every other
 * one as a FLOAT, which INTEGER columns cut off. A Date has milliseconds; a text is also what JSON, UUID and TIMESTAMP columns take.
 */
export type SqlParam = bigint | number | boolean | string | Uint8Array | Date | SqlTimestamp | null;

/** Throws ArgumentError naming `name`. */
export function toWireValue(value: unknown, name: string): SQLValue {
  switch (typeof value) {
    case 'bigint':
      if (value < MIN_INTEGER || value > MAX_INTEGER)
        throw new ArgumentError(name, `${name} must be from -2^63 to 2^63-1`);
      return { n: value.toString() };
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? { n: value.toString() } : { f: value };
    case 'boolean':
      return { b: value };
    case 'string':
      if (!value.isWellFormed())
        throw new ArgumentError(name, `${name} holds a lone surrogate: it has no UTF-8 form`);
      return { s: value };
    case 'object':
      return objectValue(value, name);
    case 'undefined':
      throw new ArgumentError(name, `${name} is undefined; NULL is null`);
    default:
      throw new ArgumentError(name, `${name} cannot be a ${typeof value}`);
  }
}

function objectValue(value: object | null, name: string): SQLValue {
  if (value === null) return { null: 'NULL_VALUE' };
  if (types.isUint8Array(value)) return { bs: copyBytes(value) };
  if (value instanceof SqlTimestamp) return { ts: value.micros.toString() };
  if (types.isDate(value)) return { ts: microsOf(value, name).toString() };
  throw new ArgumentError(
    name,
    `${name} cannot be ${kindOf(value)}: an object is given as the text that JSON.stringify makes of it`,
  );
}

function microsOf(date: Date, name: string): bigint {
  const ms = date.getTime();
  if (Number.isNaN(ms)) throw new ArgumentError(name, `${name} is an invalid Date`);
  return BigInt(ms) * MICROS_PER_MS;
}

const ISO = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,6}))?Z$/;

/** A point in time: microseconds since 1970, a Date, or ISO 8601 in UTC with up to six digits of a second. Throws ArgumentError. */
export function toTimestamp(value: unknown, name: string): SqlTimestamp {
  if (value instanceof SqlTimestamp) return value;
  if (types.isDate(value)) return new SqlTimestamp(microsOf(value, name));
  if (typeof value === 'bigint') {
    if (value >= MIN_INTEGER && value <= MAX_INTEGER) return new SqlTimestamp(value);
    throw new ArgumentError(name, `${name} must be from -2^63 to 2^63-1 microseconds`);
  }
  const [, second, fraction = ''] = (typeof value === 'string' && ISO.exec(value)) || [];
  const ms = second === undefined ? NaN : Date.parse(`${second}Z`);
  if (Number.isNaN(ms)) {
    throw new ArgumentError(
      name,
      `${name} must be microseconds as a bigint, a Date, or text such as 2026-01-02T03:04:05.678901Z`,
    );
  }
  return new SqlTimestamp(BigInt(ms) * MICROS_PER_MS + BigInt(fraction.padEnd(6, '0')));
}

/** Which member of a message a value of a type is in. */
const MEMBERS: Readonly<Record<SqlType, keyof SQLValue>> = {
  INTEGER: 'n',
  BOOLEAN: 'b',
  VARCHAR: 's',
  BLOB: 'bs',
  UUID: 's',
  TIMESTAMP: 'ts',
  FLOAT: 'f',
  JSON: 's',
};

/** A value as the server has written it, by the type of its column where that is known. */
export function fromWireValue(value: SQLValue, type?: SqlType): SqlValue {
  const { null: none, n, s, b, bs, ts, f } = value;
  if (none !== undefined) return null;
  // JSON of a value that is no text is a value of another kind: a number, a boolean.
  if (type !== undefined && type !== 'JSON' && value[MEMBERS[type]] === undefined)
    throw notSql(`a ${type} that is none`);
  if (n !== undefined) return BigInt(n);
  if (s !== undefined) return s;
  if (b !== undefined) return b;
  if (bs !== undefined) return copyBytes(bs);
  if (ts !== undefined) return new SqlTimestamp(BigInt(ts));
  if (f !== undefined) return f;
  throw notSql('a value of no kind');
}

/** For answers that cannot be to what was asked. */
export function notSql(what: string): TransportError {
  return new TransportError('UNAVAILABLE', `the server answered with ${what}`);
}
