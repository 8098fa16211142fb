// Records out of lines: key and value by their templates, or why there can never be one.
import { MAX_VALUE_BYTES } from '../../data/input.js';
import type { Line } from './lines.js';
import type { Template } from './template.js';
import { utf8, utf8OfLatin1 } from './utf8.js';

export const FORMATS = ['ndjson', 'csv', 'lines'] as const;
export type Format = (typeof FORMATS)[number];

/** The longest key that immudb takes. */
const MAX_KEY_BYTES = 1023;
const BLANK = [0x20, 0x09];

export interface Shape {
  readonly format: Format;
  /** Between the fields of CSV. */
  readonly delimiter: string;
  readonly key: Template;
  readonly value: Template;
}

export type Made = readonly [key: Buffer, value: Buffer] | string;

/** A key and its value, or in words why the line gives none. `index`: how many records came before. */
export function recordOf(line: Line, index: number, { format, key, value }: Shape): Made {
  try {
    const fields = { ...contentOf(line, format), index };
    const made = [Buffer.from(key(fields)), Buffer.from(value(fields))] as const;
    if (made[0].length === 0) return 'its key is empty';
    if (made[0].length > MAX_KEY_BYTES) return `its key is longer than ${MAX_KEY_BYTES} bytes`;
    if (made[1].length > MAX_VALUE_BYTES) return `its value is longer than ${MAX_VALUE_BYTES} bytes`;
    return made;
  } catch (error) {
    return (error as Error).message;
  }
}

/** @throws Error, which says what is wrong with the line */
function contentOf(
  { bytes, cells }: Line,
  format: Format,
): { readonly whole: string; readonly value: unknown } {
  if (cells) {
    const { names, values } = cells;
    if (names.length !== values.length)
      throw new Error(`it has ${values.length} fields, and the header ${names.length}`);
    const value = Object.fromEntries(names.map((name, i) => [name, utf8OfLatin1(values[i] ?? '')]));
    return { whole: JSON.stringify(value), value };
  }
  const whole = utf8(bytes);
  if (format === 'lines') return { whole, value: undefined };
  try {
    return { whole, value: JSON.parse(whole) };
  } catch (cause) {
    throw new Error('it is no JSON', { cause });
  }
}

/** Lines that are no record because there is nothing in them. */
export function isBlank({ bytes }: Line): boolean {
  return bytes.every((byte) => BLANK.includes(byte));
}
