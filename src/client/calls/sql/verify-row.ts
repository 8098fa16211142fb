// A row that came by any other way, such as a driver of PostgreSQL, held against the proven one.
import { isDeepStrictEqual } from 'node:util';
import { ArgumentError } from '../../../errors.js';
import type { SqlType } from '../../../proof/sql/types.js';
import { kindOf, optionsObject } from '../../input/option-checks.js';
import type { ReadingSchema } from './schema.js';
import { toTimestamp } from './values.js';
import type { SqlRow, SqlTimestamp, SqlValue } from './values.js';
import type { VerifiedRow } from './verified-get.js';

/** What became of a row that was held against the proven one. */
export interface RowComparison {
  /** Every column that the row has is as it is proven. Columns that it has not are not looked at. */
  readonly matches: boolean;
  /** Columns that are not; those that the table has not among them. */
  readonly differences: readonly {
    readonly column: string;
    readonly proven: SqlValue | undefined;
    readonly given: unknown;
  }[];
  /** Null: the server says that there is no such row. */
  readonly proven: VerifiedRow | null;
}

/** Rows that are compared have fewer columns. */
const MAX_COLUMNS = 65_536;

/** Throws ArgumentError for what is no row. */
export function checkRow(row: unknown): readonly (readonly [string, unknown])[] {
  optionsObject('row', row);
  const columns = Object.entries(row);
  if (columns.length === 0)
    throw new ArgumentError('row', 'row has no columns: there is nothing to be compared');
  if (columns.length > MAX_COLUMNS)
    throw new ArgumentError('row', `row has ${columns.length} columns`, 'LIMIT_EXCEEDED');
  return columns;
}

export function compareRow(
  given: readonly (readonly [string, unknown])[],
  proven: VerifiedRow,
  types: ReadonlyMap<string, SqlType>,
): RowComparison {
  const { values } = proven;
  const differences = given
    .filter(([name, value]) => {
      const column = name.toLowerCase();
      const type = types.get(column);
      return type === undefined || !isSame(type, valueOf(values, column), value);
    })
    .map(([column, value]) => ({ column, proven: valueOf(values, column.toLowerCase()), given: value }));
  return { matches: differences.length === 0, differences, proven };
}

function valueOf(values: SqlRow, column: string): SqlValue | undefined {
  return Object.hasOwn(values, column) ? values[column] : undefined;
}

/** Drivers have values in forms of their own: what is compared is what they mean. */
function isSame(type: SqlType, proven: SqlValue | undefined, given: unknown): boolean {
  if (proven === null || proven === undefined) return given === null || given === undefined;
  if (given === null || given === undefined) return false;
  switch (type) {
    case 'INTEGER':
      if (typeof given !== 'bigint' && typeof given !== 'number' && typeof given !== 'string') return false;
      return given.toString() === (proven as bigint).toString();
    case 'FLOAT':
      return Object.is(proven, typeof given === 'string' ? Number(given) : given);
    case 'UUID':
      return typeof given === 'string' && given.toLowerCase() === proven;
    case 'TIMESTAMP':
      return isSameTime(proven as SqlTimestamp, given);
    case 'JSON':
      return isSameJson(proven as string, given);
    default:
      return isDeepStrictEqual(plain(given), plain(proven));
  }
}

/** Buffers are bytes like others. */
function plain(value: unknown): unknown {
  return value instanceof Uint8Array ? Uint8Array.from(value) : value;
}

/** A Date has no microseconds: those of the proven time are then not compared. */
function isSameTime(proven: SqlTimestamp, given: unknown): boolean {
  try {
    if (given instanceof Date) return proven.toDate().getTime() === given.getTime();
    return toTimestamp(given, kindOf(given)).micros === proven.micros;
  } catch {
    return false;
  }
}

/** By value, with numbers as JavaScript has them: servers write JSON anew, and drivers read it. */
function isSameJson(proven: string, given: unknown): boolean {
  try {
    const stored: unknown = JSON.parse(proven);
    if (isDeepStrictEqual(stored, given)) return true;
    return typeof given === 'string' && isDeepStrictEqual(stored, JSON.parse(given));
  } catch {
    return proven === given;
  }
}

export function typesOf({ columns }: Pick<ReadingSchema, 'columns'>): Map<string, SqlType> {
  return new Map(columns.map(({ name, type }) => [name, type]));
}
