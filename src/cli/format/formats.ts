// The four ways to print things one by one: none of them has to know what comes later.
import { UsageError } from '../command.js';
import type { Output } from '../output.js';
import { fieldsOf } from './columns.js';
import type { Cell, Column } from './columns.js';
import { shortened, visible } from '../../visible.js';

export const FORMATS = ['table', 'json', 'ndjson', 'csv'] as const;
export type FormatName = (typeof FORMATS)[number];

export interface Format<T> {
  readonly begin: string;
  item(item: T, index: number): string;
  readonly end: string;
}

/** Longest text in the last column of a table; `show` and the other formats have all of it. */
const MAX_SHOWN_CHARS = 100;
// JSON escapes what is below U+0020 itself, so that a line break is its own. The rest may stand in it, but does things to a
// terminal: see visible.ts.
const RISKY_IN_JSON = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

export function formatNamed<T>(name: FormatName, columns: readonly Column<T>[]): Format<T> {
  switch (name) {
    case 'table':
      return table(columns);
    case 'json':
      return {
        begin: '[',
        item: (item, i) => `${i === 0 ? '' : ','}\n${jsonText(fieldsOf(columns, item))}`,
        end: '\n]\n',
      };
    case 'ndjson':
      return { begin: '', item: (item) => `${jsonText(fieldsOf(columns, item))}\n`, end: '' };
    case 'csv':
      return {
        begin: csvLine(columns.map(({ name: heading }) => heading)),
        item: (item) => csvLine(columns.map(({ value }) => value(item))),
        end: '',
      };
  }
}

/** @throws UsageError */
export function formatName(text: string): FormatName {
  const name = FORMATS.find((known) => known === text);
  if (!name) throw new UsageError(`--format is one of ${FORMATS.join(', ')}, not ${JSON.stringify(text)}`);
  return name;
}

/** Prints what comes as it comes; stops when nobody reads any longer. Returns how many were printed. */
export async function print<T>(
  items: AsyncIterable<T> | Iterable<T>,
  format: Format<T>,
  out: Output,
): Promise<number> {
  let count = 0;
  await out.add(format.begin);
  for await (const item of items) {
    await out.add(format.item(item, count));
    count += 1;
    if (out.gone) break;
  }
  await out.write(format.end);
  return count;
}

/** A result whose column has the name of the method that makes JSON of it has no such method. */
const integersAsText = (_: string, value: unknown) => (typeof value === 'bigint' ? value.toString() : value);

/** JSON that is safe to print: the same value for whoever parses it. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, integersAsText, indent).replaceAll(
    RISKY_IN_JSON,
    // By its code units: JSON knows no others.
    (char) =>
      Array.from({ length: char.length }, (_, i) => char.charCodeAt(i).toString(16).padStart(4, '0'))
        .map((unit) => `\\u${unit}`)
        .join(''),
  );
}

/**
 * One line of CSV as RFC 4180 has it. Text that a spreadsheet would run as a formula gets an apostrophe in front: whoever
 * needs every byte takes one of the JSON formats.
 */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

function csvCell(cell: Cell): string {
  if (cell === null || cell === undefined) return '';
  let text = String(cell);
  if (/^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text)) text = `'${text}`;
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function table<T>(columns: readonly Column<T>[]): Format<T> {
  const shown = columns.filter(({ width }) => width !== undefined);
  const line = (cells: readonly string[]) =>
    `${cells
      .map((cell, i) => padded(cell, shown[i]))
      .join('  ')
      .trimEnd()}\n`;
  return {
    begin: line(shown.map(({ name }) => name)),
    item: (item) => line(shown.map((column) => cellText(column, item))),
    end: '',
  };
}

function cellText<T>({ value, shown }: Column<T>, item: T): string {
  const cell = value(item);
  const text = shown ? shown(item) : cell === null || cell === undefined ? '-' : String(cell);
  return visible(shortened(text, MAX_SHOWN_CHARS));
}

function padded(text: string, column: { width?: number; align?: 'right' } | undefined): string {
  const width = column?.width ?? 0;
  return column?.align === 'right' ? text.padStart(width) : text.padEnd(width);
}
