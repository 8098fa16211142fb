// The primary key of a row as a caller names it: by the types of its columns, and of no other.
import { types } from 'node:util';
import { ArgumentError } from '../../../errors.js';
import { MAX_PK_BYTES, encodeKeyValue } from '../../../proof/sql/key-values.js';
import { encodeSqlKey } from '../../../proof/sql/raw-key.js';
import type { CellValue, SqlType } from '../../../proof/sql/types.js';
import { encodeValue } from '../../../proof/sql/values.js';
import { concatAll } from '../../../proof/bytes.js';
import type { SQLValue } from '../../../wire/messages.js';
import { kindOf } from '../../input/option-checks.js';
import type { ReadingSchema } from './schema.js';
import { SqlTimestamp, toTimestamp, toWireValue } from './values.js';
import type { SqlParam } from './values.js';

/** The value of a primary key of one column; of several, all of them in its order, or by their names. */
export type PrimaryKey = Exclude<SqlParam, null> | readonly SqlParam[] | Readonly<Record<string, SqlParam>>;

export interface RowKey {
  /** The raw key that is proven. */
  readonly rawKey: Uint8Array;
  /** Its values as rows hold them, in the order of the primary key. */
  readonly inRow: readonly Uint8Array[];
  /** The same as they are sent. */
  readonly pkValues: readonly SQLValue[];
}

/** Throws ArgumentError for a key that no row of the table has. */
export function toRowKey(schema: ReadingSchema, pk: PrimaryKey, name = 'pk'): RowKey {
  const columns = schema.primaryKey.map((id) => {
    const column = schema.columns.find((each) => each.id === id);
    if (!column)
      throw new ArgumentError(name, `${name}: the table has no column ${id}, which its primary key names`);
    return column;
  });
  const values = valuesOf(
    columns.map((column) => column.name),
    pk,
    name,
  );
  const cells = columns.map((column, i) => toCell(column.type, values[i], `${name}.${column.name}`));
  const parts = columns.map((column, i) => {
    try {
      return encodeKeyValue(column, cells[i] as CellValue);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const code = /^\d+ bytes/.test(error.message) ? 'LIMIT_EXCEEDED' : 'INVALID_ARGUMENT';
      throw new ArgumentError(`${name}.${column.name}`, `${name}.${column.name}: ${error.message}`, code);
    }
  });
  const key = concatAll(parts);
  if (key.length > MAX_PK_BYTES) {
    const what = `${name} takes ${key.length} bytes in a key; a primary key has at most ${MAX_PK_BYTES}`;
    throw new ArgumentError(name, what, 'LIMIT_EXCEEDED');
  }
  return {
    rawKey: encodeSqlKey({ kind: 'row', prefix: 'sql', table: schema.id, pk: key }),
    inRow: columns.map(({ type }, i) => encodeValue(type, cells[i] as CellValue)),
    pkValues: columns.map(({ type }, i) => wireOf(type, cells[i] as CellValue)),
  };
}

function valuesOf(names: readonly string[], pk: unknown, name: string): unknown[] {
  if (Array.isArray(pk)) {
    if (pk.length === names.length) return pk;
    throw new ArgumentError(name, `${name} has ${pk.length} values, and the primary key ${names.length}`);
  }
  if (!isNamed(pk)) {
    if (names.length === 1) return [pk];
    throw new ArgumentError(
      name,
      `${name} must be an array or an object: the primary key is (${names.join(', ')})`,
    );
  }
  const given = new Map(
    Object.entries(pk).map(([key, value]): [string, unknown] => [key.toLowerCase(), value]),
  );
  const surplus = [...given.keys()].find((key) => !names.includes(key));
  if (surplus !== undefined)
    throw new ArgumentError(name, `${name} names ${surplus}, which is not in the primary key`);
  return names.map((column) => {
    if (given.has(column)) return given.get(column);
    throw new ArgumentError(name, `${name} has no value for ${column}`);
  });
}

/** The natural value of the type: what a server would make of another one is not for this side to guess. */
export function toCell(type: SqlType, value: unknown, name: string): CellValue {
  const wrong = (wanted: string) =>
    new ArgumentError(name, `${name} is a ${type}: it must be ${wanted}, not ${kindOf(value)}`);
  switch (type) {
    case 'INTEGER':
      if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
      if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) throw wrong('a bigint of 64 bits');
      return value;
    case 'FLOAT':
      if (typeof value !== 'number') throw wrong('a number');
      return value;
    case 'BOOLEAN':
      if (typeof value !== 'boolean') throw wrong('a boolean');
      return value;
    case 'TIMESTAMP':
      return toTimestamp(value, name).micros;
    case 'BLOB':
      if (!types.isUint8Array(value)) throw wrong('a Uint8Array');
      return new Uint8Array(value);
    default:
      if (typeof value !== 'string' || !value.isWellFormed()) throw wrong('text');
      return value;
  }
}

/** The values of a key whose columns are not known yet. Throws ArgumentError for one by names: nothing says their order. */
export function untypedKey(pk: PrimaryKey): SQLValue[] {
  const isList = Array.isArray(pk);
  if (!isList && isNamed(pk)) {
    const what =
      "pk must be a value or an array where the schema is 'claimed': nothing says the order of names";
    throw new ArgumentError('pk', what);
  }
  const values: readonly unknown[] = isList ? (pk as readonly unknown[]) : [pk];
  return values.map((value, i) => toWireValue(value, isList ? `pk[${i}]` : 'pk'));
}

function isNamed(pk: unknown): pk is Record<string, unknown> {
  const isValue = types.isUint8Array(pk) || types.isDate(pk) || pk instanceof SqlTimestamp;
  return typeof pk === 'object' && pk !== null && !Array.isArray(pk) && !isValue;
}

function wireOf(type: SqlType, value: CellValue): SQLValue {
  if (type === 'TIMESTAMP') return { ts: (value as bigint).toString() };
  return type === 'FLOAT' ? { f: value as number } : toWireValue(value, 'pk');
}
