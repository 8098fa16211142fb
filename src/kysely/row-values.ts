// Values of proven rows, compared as immudb compares them: NULL is like NULL, and below everything else.
import type { SqlRow, SqlValue, VerifiedSchema } from '../index.js';
import { NotProvableError } from '../errors.js';

type Type = VerifiedSchema['columns'][number]['type'];
/** In a form that has an order. */
type Comparable = bigint | number | boolean | Uint8Array | null;

/** The columns of a table by their names, with their types. */
export type ColumnTypes = ReadonlyMap<string, Type>;

export function typesOf({ columns }: VerifiedSchema): ColumnTypes {
  return new Map(columns.map(({ name, type }) => [name, type]));
}

/** Both as rows have them. */
export function isSameValue(proven: SqlValue | undefined, shown: SqlValue | undefined): boolean {
  if (isBytes(proven) && isBytes(shown)) return Buffer.compare(proven, shown) === 0;
  const [time, other] = [microsOf(proven), microsOf(shown)];
  if (time !== undefined || other !== undefined) return time === other;
  return Object.is(proven, shown);
}

export function typeOf(types: ColumnTypes, column: string): Type {
  const type = types.get(column);
  if (type !== undefined) return type;
  throw new NotProvableError(`${column} is no column of the table: what it stands for cannot be proven`);
}

export function valueIn(row: SqlRow, column: string): SqlValue {
  return (Object.hasOwn(row, column) ? row[column] : null) ?? null;
}

/** Below zero, zero, above zero. Throws NotProvableError for what this side cannot say the order of. */
export function compare(a: Comparable, b: Comparable): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  if (isBytes(a) && isBytes(b)) return Buffer.compare(a, b);
  if (Number.isNaN(a) || Number.isNaN(b)) throw new NotProvableError('NaN has no place in an order');
  return Number(a > b) - Number(a < b);
}

/** A value of a column of this type. Throws NotProvableError for one of another kind, which the server would convert. */
export function comparable(type: Type, value: unknown): Comparable {
  if (value === null) return null;
  switch (type) {
    case 'INTEGER':
      if (typeof value === 'bigint') return value;
      if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
      break;
    case 'FLOAT':
      if (typeof value === 'number') return value;
      break;
    case 'BOOLEAN':
      if (typeof value === 'boolean') return value;
      break;
    case 'VARCHAR':
      if (typeof value === 'string') return Buffer.from(value);
      break;
    case 'UUID':
      if (typeof value === 'string') return Buffer.from(value.toLowerCase());
      break;
    case 'BLOB':
      if (isBytes(value)) return value;
      break;
    case 'TIMESTAMP': {
      const micros = microsOf(value);
      if (micros !== undefined) return micros;
      break;
    }
    case 'JSON':
  }
  throw new NotProvableError(
    `a condition on a ${type} is proven for values of that type: this is ${typeof value}`,
  );
}

function microsOf(value: unknown): bigint | undefined {
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? undefined : BigInt(value.getTime()) * 1000n;
  if (typeof value !== 'object' || value === null || !('micros' in value)) return undefined;
  return typeof value.micros === 'bigint' ? value.micros : undefined;
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}
