// Conditions over proven rows, as the server computes them: NULL is less than every value and equal to itself, so that every comparison
// is true or false.
import { ImmuError } from '../../../../errors.js';
import { compareBytes } from '../../../../proof/bytes.js';
import type { Row } from '../../../../proof/sql/row.js';
import type { CellValue, ColumnType, SqlType } from '../../../../proof/sql/types.js';
import type { ReadingSchema } from '../schema.js';
import { SqlTimestamp } from '../values.js';
import type { SqlValue } from '../values.js';
import { notComputed } from './lexer.js';
import type { Comparison, Condition, Operand } from './select.js';

export type Cells = Row['cells'];
/** What a column, or a constant, is in a row; null: NULL. */
export type Reader = (cells: Cells) => CellValue | null;
export type Compare = (a: CellValue | null, b: CellValue | null) => number;

/** Values that can be compared with each other. */
type Class = 'number' | 'text' | 'blob' | 'boolean' | 'timestamp' | 'uuid';

const CLASSES: Readonly<Record<SqlType, Class | undefined>> = {
  INTEGER: 'number',
  FLOAT: 'number',
  VARCHAR: 'text',
  BLOB: 'blob',
  BOOLEAN: 'boolean',
  TIMESTAMP: 'timestamp',
  UUID: 'uuid',
  JSON: undefined,
};

const HOLDS: Readonly<Record<Comparison, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '!=': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/** @throws ImmuError NOT_FOUND for a column that the table has not */
export function columnNamed(
  { columns }: Pick<ReadingSchema, 'columns'>,
  name: string,
): ColumnType & { readonly id: number; readonly name: string } {
  const column = columns.find((each) => each.name === name);
  if (!column) throw new ImmuError('NOT_FOUND', `the table has no column ${name}`);
  return column;
}

/** Whether a row meets a condition. Throws NotProvableError for what is not computed, ImmuError NOT_FOUND for a column that is not there. */
export function compiled(schema: ReadingSchema, condition: Condition): (cells: Cells) => boolean {
  switch (condition.kind) {
    case 'and': {
      const parts = condition.parts.map((part) => compiled(schema, part));
      return (cells) => parts.every((holds) => holds(cells));
    }
    case 'or': {
      const parts = condition.parts.map((part) => compiled(schema, part));
      return (cells) => parts.some((holds) => holds(cells));
    }
    case 'not': {
      const part = compiled(schema, condition.part);
      return (cells) => !part(cells);
    }
    case 'compare': {
      const { by, left, right } = condition;
      const compare = comparing(schema, left, right);
      const [a, b, holds] = [readerOf(schema, left), readerOf(schema, right), HOLDS[by]];
      return (cells) => holds(compare(a(cells), b(cells)));
    }
  }
}

function readerOf(schema: ReadingSchema, operand: Operand): Reader {
  if (operand.kind === 'column') {
    const { id } = columnNamed(schema, operand.name);
    return (cells) => cells.get(id)?.value ?? null;
  }
  const value = cellOf(operand.value);
  return () => value;
}

function cellOf(value: SqlValue): CellValue | null {
  return value instanceof SqlTimestamp ? value.micros : value;
}

function comparing(schema: ReadingSchema, left: Operand, right: Operand): Compare {
  const [a, b] = [classOf(schema, left), classOf(schema, right)];
  // NULL is compared with everything.
  if (a === null || b === null) return comparators[a ?? b ?? 'number'];
  if (a === b) return comparators[a];
  throw notComputed(`a comparison of ${a} with ${b}`);
}

/** Null: of NULL. */
function classOf(schema: ReadingSchema, operand: Operand): Class | null {
  if (operand.kind === 'column') return classOfColumn(schema, operand.name);
  const { value } = operand;
  if (value === null) return null;
  if (typeof value === 'bigint' || typeof value === 'number') return 'number';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'boolean') return 'boolean';
  return value instanceof SqlTimestamp ? 'timestamp' : 'blob';
}

function classOfColumn(schema: ReadingSchema, name: string): Class {
  const { type } = columnNamed(schema, name);
  const found = CLASSES[type];
  if (!found) throw notComputed(`a comparison of ${type}`);
  return found;
}

/** How a column is ordered. */
export function orderOf(
  schema: ReadingSchema,
  name: string,
): { readonly read: Reader; readonly compare: Compare } {
  const kind = classOfColumn(schema, name);
  const compare = kind === 'number' ? orderNumbers : comparators[kind];
  return { read: readerOf(schema, { kind: 'column', name }), compare };
}

function nullsFirst<T extends CellValue>(compare: (a: T, b: T) => number): Compare {
  return (a, b) => {
    if (a === null) return b === null ? 0 : -1;
    return b === null ? 1 : compare(a as T, b as T);
  };
}

const comparators: Readonly<Record<Class, Compare>> = {
  number: nullsFirst(compareNumbers),
  text: nullsFirst<string>((a, b) => (a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b)))),
  blob: nullsFirst<Uint8Array>(compareBytes),
  boolean: nullsFirst<boolean>((a, b) => Number(a) - Number(b)),
  timestamp: nullsFirst<bigint>((a, b) => (a === b ? 0 : a < b ? -1 : 1)),
  // Lower-case text of all bytes.
  uuid: nullsFirst<string>((a, b) => (a === b ? 0 : a < b ? -1 : 1)),
};

/** An integer beside a float is one: as the server has it. A NaN is neither equal nor greater. */
function compareNumbers(a: bigint | number, b: bigint | number): number {
  if (typeof a === 'bigint' && typeof b === 'bigint') return a === b ? 0 : a < b ? -1 : 1;
  if (typeof a === 'bigint') return -compareFloats(b as number, Number(a));
  return compareFloats(a, Number(b));
}

/** A NaN stands before all numbers: an order needs a place for it. */
const orderNumbers = nullsFirst<bigint | number>((a, b) => {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
  return compareNumbers(a, b);
});

function compareFloats(a: number, b: number): number {
  if (a === b) return 0;
  return a > b ? 1 : -1;
}
