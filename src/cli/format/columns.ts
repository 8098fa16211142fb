// What is shown of a thing, column by column: one list, from which the table, the CSV and the JSON of it come.

export type Cell = string | number | boolean | null | undefined;

export interface Column<T> {
  /** Key in JSON, first line of CSV, heading of the table. */
  readonly name: string;
  /** As JSON and CSV have it: ids and hashes are text, since a JSON number is exact only below 2^53. */
  readonly value: (item: T) => Cell;
  /** Width in the table; absent = the table leaves it out. */
  readonly width?: number;
  /** As the table has it, where that is shorter. */
  readonly shown?: (item: T) => string;
  readonly align?: 'right';
}

/** The fields of a JSON object: what is undefined is left out. */
export function fieldsOf<T>(columns: readonly Column<T>[], item: T): Record<string, Cell> {
  return Object.fromEntries(columns.map(({ name, value }) => [name, value(item)]));
}
