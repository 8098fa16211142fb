// Prints results as a table in Markdown, and records it.
import { recordTable } from './record.js';

export interface Line {
  readonly [column: string]: string | number;
}

export function printTable(title: string, lines: readonly Line[]): void {
  recordTable({ title, lines });
  console.log(`\n### ${title}\n\n${tableText(lines)}`);
}

export function tableText(lines: readonly Line[]): string {
  const columns = Object.keys(lines[0] ?? {});
  const row = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  const body = lines.map((line) => row(columns.map((column) => line[column] ?? '')));
  return [row(columns), row(columns.map(() => '---')), ...body].join('\n');
}

/** Thousands separated by a thin space would not align in a terminal: a plain one does. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en').replaceAll(',', ' ');
}

export function ratio(value: number): string {
  return value >= 10 ? value.toFixed(0) : value.toFixed(2);
}
