// Records out of lines: key and value by their templates, or why there can never be one.
import { MAX_VALUE_BYTES } from '../../data/input.js';
import type { Line } from './lines.js';
import type { Template } from './template.js';

export const FORMATS = ['ndjson', 'lines'] as const;
export type Format = (typeof FORMATS)[number];

/** The longest key that immudb takes. */
const MAX_KEY_BYTES = 1023;

export interface Shape {
  readonly format: Format;
  readonly key: Template;
  readonly value: Template;
}

export type Made = readonly [key: Buffer, value: Buffer] | string;

/** A key and its value, or in words why the line gives none. `index`: how many records came before. */
export function recordOf({ bytes }: Line, index: number, { format, key, value }: Shape): Made {
  let whole: string;
  try {
    whole = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return 'it is no UTF-8';
  }
  let parsed: unknown;
  if (format === 'ndjson') {
    try {
      parsed = JSON.parse(whole);
    } catch {
      return 'it is no JSON';
    }
  }
  try {
    const fields = { whole, index, value: parsed };
    const made = [Buffer.from(key(fields)), Buffer.from(value(fields))] as const;
    if (made[0].length === 0) return 'its key is empty';
    if (made[0].length > MAX_KEY_BYTES) return `its key is longer than ${MAX_KEY_BYTES} bytes`;
    if (made[1].length > MAX_VALUE_BYTES) return `its value is longer than ${MAX_VALUE_BYTES} bytes`;
    return made;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Lines that are no record because there is nothing in them. */
export function isBlank({ bytes }: Line): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09);
}
