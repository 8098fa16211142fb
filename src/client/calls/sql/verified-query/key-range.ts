// Which keys the rows that meet a condition can be stored under: what need not be read is not.
import { concatAll } from '../../../../proof/bytes.js';
import { encodeKeyValue, hasOwnKey } from '../../../../proof/sql/key-values.js';
import { encodeSqlKey } from '../../../../proof/sql/raw-key.js';
import type { CellValue, ColumnType, SqlPrefix } from '../../../../proof/sql/types.js';
import { narrowed, prefixRange } from '../../../trust/latest/ranges.js';
import type { KeyRange } from '../../../trust/latest/ranges.js';
import { SqlTimestamp } from '../values.js';
import type { SqlValue } from '../values.js';
import { conjuncts } from './condition-reader.js';
import type { Compared, Comparison, Condition } from './condition-reader.js';
import type { Scope, ScopeTable } from './scope.js';

/** All rows of a table, or of a collection. */
export function rowsRange(prefix: SqlPrefix, table: number): Required<KeyRange> {
  const from = rowsPrefix(table, prefix);
  // No prefix of rows is all bytes 255.
  return { from, to: prefixRange(from).to as Uint8Array };
}

function rowsPrefix(table: number, prefix: SqlPrefix = 'sql'): Uint8Array {
  // Of a key with one byte behind it.
  const key = encodeSqlKey({ kind: 'row', prefix, table, pk: new Uint8Array(1) });
  return key.subarray(0, key.length - 1);
}

/**
 * The rows of one of the tables that can meet all of these conditions: by values of the first columns of its primary key, and a range of
 * the next one.
 */
export function rangeOf(scope: Scope, at: number, where: Condition | undefined): KeyRange {
  const { schema } = scope.tables[at] as ScopeTable;
  const all = conjuncts(where).flatMap((each) => keyBound(scope, at, each));
  let prefix = rowsPrefix(schema.id);
  for (const id of schema.primaryKey) {
    const column = schema.columns.find((each) => each.id === id);
    if (!column) break;
    const own = all.filter((each) => each.id === id);
    const equal = own.find(({ by }) => by === '=');
    const key = equal && keyOf(column, equal.value);
    if (key) {
      prefix = concatAll([prefix, key]);
      continue;
    }
    return own.reduce((range, each) => narrowed(range, bound(prefix, column, each)), prefixRange(prefix));
  }
  return prefixRange(prefix);
}

/** A comparison of a column of the table with a value. */
interface KeyBound {
  /** Of the column. */
  readonly id: number;
  readonly by: Comparison;
  readonly value: SqlValue;
}

const TURNED: Readonly<Record<Comparison, Comparison>> = {
  '=': '=',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

function keyBound(scope: Scope, at: number, { by, left, right }: Compared): KeyBound[] {
  const isTurned = left.kind === 'value';
  const [column, value] = isTurned ? [right, left] : [left, right];
  if (column.kind !== 'column' || value.kind !== 'value') return [];
  const found = scope.find(column);
  return found.at === at ? [{ id: found.column.id, by: isTurned ? TURNED[by] : by, value: value.value }] : [];
}

/** Types whose keys have the order of their values. Those of FLOAT have not, for NaN; those of TIMESTAMP beyond 2262 neither. */
const ORDERED = new Set(['INTEGER', 'VARCHAR', 'BLOB', 'BOOLEAN', 'UUID']);

function bound(prefix: Uint8Array, column: ColumnType, { by, value }: KeyBound): KeyRange {
  const key = ORDERED.has(column.type) ? keyOf(column, value) : undefined;
  if (!key) return {};
  const { from, to } = prefixRange(concatAll([prefix, key]));
  switch (by) {
    case '<':
      return from ? { to: from } : {};
    case '<=':
      return to ? { to } : {};
    case '>':
      return to ? { from: to } : {};
    case '>=':
      return from ? { from } : {};
    default:
      return {};
  }
}

/** Undefined: that of rows that are equal is not this one alone. */
function keyOf(column: ColumnType, value: SqlValue): Uint8Array | undefined {
  const cell = cellOf(column, value);
  if (cell === undefined) return undefined;
  try {
    return encodeKeyValue(column, cell);
  } catch (error) {
    // Longer than any value of it.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function cellOf({ type }: ColumnType, value: SqlValue): CellValue | undefined {
  if (value instanceof SqlTimestamp)
    return type === 'TIMESTAMP' && hasOwnKey(value.micros) ? value.micros : undefined;
  switch (type) {
    case 'INTEGER':
      return typeof value === 'bigint' ? value : undefined;
    case 'FLOAT':
      // 0 and -0 are equal, and have keys of their own.
      return typeof value === 'number' && value !== 0 && !Number.isNaN(value) ? value : undefined;
    case 'VARCHAR':
      return typeof value === 'string' ? value : undefined;
    case 'BOOLEAN':
      return typeof value === 'boolean' ? value : undefined;
    case 'BLOB':
      return value instanceof Uint8Array ? value : undefined;
    default:
      return undefined;
  }
}
