// Whether a document is what a query asks for, by its columns: as the server compares them, null below all.
import { compareBytes, fromHex } from '../bytes.js';
import type { CellValue, SqlType } from '../sql/types.js';
import { textBytes } from '../sql/values.js';
import { uuidDigits } from './document.js';

export type ComparisonOperator = 'EQ' | 'NE' | 'LT' | 'LE' | 'GT' | 'GE' | 'LIKE' | 'NOT_LIKE';

/** What a column is compared with. */
export type Compared = null | boolean | number | string;

/** -1, 0 or 1: where the one is in order beside the other. `undefined`: null. Requires values of the column's type. */
export function compareCells(type: SqlType, a: CellValue | undefined, b: CellValue | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  switch (type) {
    case 'VARCHAR':
    case 'JSON':
      return Math.sign(compareBytes(textBytes(a as string), textBytes(b as string)));
    case 'BLOB':
      return Math.sign(compareBytes(a as Uint8Array, b as Uint8Array));
    case 'UUID':
      return Math.sign(compareBytes(fromHex(uuidDigits(a as string)), fromHex(uuidDigits(b as string))));
    default:
      // NaN is below whatever it is compared with, itself included.
      return a === b ? 0 : a > b ? 1 : -1;
  }
}

/** What a query's value is in a column of this type. Throws RangeError for one that it cannot be compared with. */
export function comparable(type: SqlType, value: Compared): CellValue | undefined {
  if (value === null) return undefined;
  switch (type) {
    case 'INTEGER':
      if (typeof value !== 'number' || !(Math.abs(value) < 2 ** 63))
        throw new RangeError('a number below 2^63');
      return BigInt(Math.trunc(value));
    case 'FLOAT':
      if (typeof value !== 'number') throw new RangeError('a number');
      return value;
    case 'BOOLEAN':
      if (typeof value !== 'boolean') throw new RangeError('a boolean');
      return value;
    case 'UUID':
      if (typeof value !== 'string' || !/^[0-9a-f]{32}$/.test(uuidDigits(value)))
        throw new RangeError('a UUID');
      return value;
    case 'BLOB':
      if (typeof value !== 'string') throw new RangeError('an id in hex');
      return fromHex(value);
    default:
      if (typeof value !== 'string') throw new RangeError('a string');
      return value;
  }
}

/** Requires what {@link comparable} gives. */
export function holds(
  type: SqlType,
  operator: ComparisonOperator,
  cell: CellValue | undefined,
  value: CellValue | undefined,
): boolean {
  if (operator === 'LIKE' || operator === 'NOT_LIKE') {
    const like = typeof cell === 'string' && isLike(likePattern(value as string), cell);
    return like === (operator === 'LIKE');
  }
  const order = compareCells(type, cell, value);
  switch (operator) {
    case 'EQ':
      return order === 0;
    case 'NE':
      return order !== 0;
    case 'LT':
      return order < 0;
    case 'LE':
      return order <= 0;
    case 'GT':
      return order > 0;
    case 'GE':
      return order >= 0;
  }
}

/** A part of a pattern: a character that stands for itself, any one, or any number of them. */
type LikePart = string | typeof ONE | typeof ANY;
const ONE = 1;
const ANY = 2;

/**
 * `%`: any characters, `_`: one, neither of them a line feed; `\%` and `\_`: themselves. Throws RangeError for another use of `\`,
 * of which nobody knows what a server takes it for.
 */
export function likePattern(pattern: string): readonly LikePart[] {
  const parts = pattern.match(/\\[\s\S]?|[\s\S]/gu) ?? [];
  return parts.map((part) => {
    if (part === '%') return ANY;
    if (part === '_') return ONE;
    if (!part.startsWith('\\')) return part;
    if (part !== '\\%' && part !== '\\_') throw new RangeError('"\\" before what is neither "%" nor "_"');
    return part.slice(1);
  });
}

/** In steps of length times length at most: each part takes as little as it can, and the last `%` the rest. */
export function isLike(parts: readonly LikePart[], text: string): boolean {
  const chars = Array.from(text);
  let at = 0;
  let part = 0;
  let anyAt = -1;
  let anyPart = -1;
  while (at < chars.length) {
    const now = parts[part];
    if (now === ANY) {
      anyPart = part++;
      anyAt = at;
    } else if (now === chars[at] || (now === ONE && chars[at] !== '\n')) {
      part++;
      at++;
    } else if (anyPart >= 0 && chars[anyAt] !== '\n') {
      part = anyPart + 1;
      at = ++anyAt;
    } else return false;
  }
  while (parts[part] === ANY) part++;
  return part === parts.length;
}
