// Conditions over proven rows, as the server computes them: NULL is less than every value and equal to itself, so that every comparison
// is true or false.
import { compareBytes } from '../../../../proof/bytes.js';
import type { CellValue, SqlType } from '../../../../proof/sql/types.js';
import { SqlTimestamp } from '../values.js';
import type { SqlValue } from '../values.js';
import type { Comparison, Condition, Operand } from './condition-reader.js';
import { notComputed } from './lexer.js';
import { readerOf } from './scope.js';
import type { JoinedRow, Reader, Scope } from './scope.js';

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

/** Whether a row meets a condition. Throws NotProvableError for what is not computed, ImmuError NOT_FOUND for a column that is not there. */
export function compiled(scope: Scope, condition: Condition): (row: JoinedRow) => boolean {
  switch (condition.kind) {
    case 'and': {
      const parts = condition.parts.map((part) => compiled(scope, part));
      return (row) => parts.every((holds) => holds(row));
    }
    case 'or': {
      const parts = condition.parts.map((part) => compiled(scope, part));
      return (row) => parts.some((holds) => holds(row));
    }
    case 'not': {
      const part = compiled(scope, condition.part);
      return (row) => !part(row);
    }
    case 'compare': {
      const { by, left, right } = condition;
      const compare = comparing(scope, left, right);
      const [a, b, holds] = [reading(scope, left), reading(scope, right), HOLDS[by]];
      return (row) => holds(compare(a(row), b(row)));
    }
  }
}

function reading(scope: Scope, operand: Operand): Reader {
  if (operand.kind === 'column') return readerOf(scope.find(operand));
  const value = cellOf(operand.value);
  return () => value;
}

function cellOf(value: SqlValue): CellValue | null {
  return value instanceof SqlTimestamp ? value.micros : value;
}

function comparing(scope: Scope, left: Operand, right: Operand): Compare {
  const [a, b] = [classOf(scope, left), classOf(scope, right)];
  // NULL is compared with everything.
  if (a === null || b === null) return comparators[a ?? b ?? 'number'];
  if (a === b) return comparators[a];
  throw notComputed(`a comparison of ${a} with ${b}`);
}

/** Null: of NULL. */
function classOf(scope: Scope, operand: Operand): Class | null {
  if (operand.kind === 'column') return classOfType(scope.find(operand).column.type);
  const { value } = operand;
  if (value === null) return null;
  if (typeof value === 'bigint' || typeof value === 'number') return 'number';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'boolean') return 'boolean';
  return value instanceof SqlTimestamp ? 'timestamp' : 'blob';
}

function classOfType(type: SqlType): Class {
  const found = CLASSES[type];
  if (!found) throw notComputed(`a comparison of ${type}`);
  return found;
}

/** How values of a type are ordered. */
export function orderOf(type: SqlType): Compare {
  const kind = classOfType(type);
  return kind === 'number' ? orderNumbers : comparators[kind];
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
