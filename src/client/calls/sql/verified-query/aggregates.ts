// COUNT, SUM, MIN, MAX and AVG over proven rows, as the server computes them: NULLs are passed over; sums of integers wrap around at 64
// bits; an average of integers is cut off. Over no row at all the value is the zero of its type, over NULLs alone it is NULL.
import type { CellValue, SqlType } from '../../../../proof/sql/types.js';
import { orderOf } from './condition.js';
import { notComputed } from './lexer.js';
import { readerOf } from './scope.js';
import type { JoinedRow, Reader, Scope } from './scope.js';
import type { Aggregate } from './select.js';

/** A value that is being computed over the rows of one group. */
export interface Running {
  take(row: JoinedRow): void;
  result(): CellValue | null;
}

/** What computes an aggregate. */
export interface Computed {
  readonly type: SqlType;
  begin(): Running;
  /** Over no row. */
  readonly ofNothing: CellValue;
}

/** Microseconds of 0001-01-01. */
const ZERO_TIME = -62_135_596_800_000_000n;
const ZEROS: Readonly<Record<Exclude<SqlType, 'JSON'>, CellValue>> = {
  INTEGER: 0n,
  FLOAT: 0,
  VARCHAR: '',
  BOOLEAN: false,
  BLOB: new Uint8Array(0),
  TIMESTAMP: ZERO_TIME,
  UUID: '00000000-0000-0000-0000-000000000000',
};

/** Throws NotProvableError for what is not computed, ImmuError NOT_FOUND for a column that is not there. */
export function computed(scope: Scope, { by, column }: Aggregate): Computed {
  if (!column) return { type: 'INTEGER', begin: () => counting(() => true), ofNothing: 0n };
  const found = scope.find(column);
  const { type } = found.column;
  const read = readerOf(found);
  if (type === 'JSON') throw notComputed(`${by} of JSON`);
  if (by === 'COUNT')
    return { type: 'INTEGER', begin: () => counting((row) => read(row) !== null), ofNothing: 0n };
  const ofNothing = ZEROS[type];
  if (by === 'MIN' || by === 'MAX') return { type, begin: () => extreme(by, type, read), ofNothing };
  if (type !== 'INTEGER' && type !== 'FLOAT') throw notComputed(`${by} of ${type}`);
  return { type, begin: () => summing(by === 'AVG', read), ofNothing };
}

function counting(counts: (row: JoinedRow) => boolean): Running {
  let count = 0n;
  return {
    take: (row) => {
      if (counts(row)) count++;
    },
    result: () => count,
  };
}

function extreme(by: 'MIN' | 'MAX', type: SqlType, read: Reader): Running {
  const compare = orderOf(type);
  const sign = by === 'MIN' ? 1 : -1;
  let best: CellValue | null = null;
  return {
    take: (row) => {
      const value = read(row);
      if (value === null) return;
      // Which one the server gives depends on where it stands among the others.
      if (Number.isNaN(value)) throw notComputed(`${by} of a NaN`);
      if (best === null || compare(value, best) * sign < 0) best = value;
    },
    result: () => best,
  };
}

function summing(isAverage: boolean, read: Reader): Running {
  let sum: bigint | number | null = null;
  let count = 0;
  return {
    take: (row) => {
      const value = read(row) as bigint | number | null;
      if (value === null) return;
      count++;
      if (typeof value === 'bigint') sum = BigInt.asIntN(64, ((sum ?? 0n) as bigint) + value);
      // The first one as it is: -0 stays.
      else sum = sum === null ? value : (sum as number) + value;
    },
    result: () => {
      if (!isAverage || sum === null) return sum;
      return typeof sum === 'bigint' ? sum / BigInt(count) : sum / count;
    },
  };
}
