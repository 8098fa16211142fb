// Prints results as a table that can be pasted into README.md.

export interface Line {
  readonly [column: string]: string | number;
}

export function printTable(title: string, lines: readonly Line[]): void {
  const columns = Object.keys(lines[0] ?? {});
  const row = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  console.log(`\n### ${title}\n`);
  console.log(row(columns));
  console.log(row(columns.map(() => '---')));
  for (const line of lines) console.log(row(columns.map((column) => line[column] ?? '')));
}

/** Thousands separated by a thin space would not align in a terminal: a plain one does. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en').replaceAll(',', ' ');
}

export function ratio(value: number): string {
  return value >= 10 ? value.toFixed(0) : value.toFixed(2);
}
