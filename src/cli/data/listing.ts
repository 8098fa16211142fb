// Results one by one, as they come: a table for people, one JSON object a line for programs.
import { countOf } from '../query-options.js';
import type { Io } from '../command.js';
import type { Column } from '../format/columns.js';
import { formatNamed, print } from '../format/formats.js';
import { jsonLine } from './show.js';

/** Options of commands that list. */
export const LIST_OPTIONS = {
  desc: { type: 'boolean', says: 'the last ones first' },
  limit: { type: 'string', value: 'N', says: 'at most so many' },
  offset: { type: 'string', value: 'N', says: 'without the first N' },
} as const;

export interface ListWords {
  readonly desc: boolean;
  readonly limit: string | undefined;
  readonly offset: string | undefined;
}

/** As the client takes them. @throws UsageError */
export function listOptions({ desc, limit, offset }: ListWords) {
  return {
    ...(desc && { desc }),
    ...(limit !== undefined && { limit: countOf('limit', limit) }),
    ...(offset !== undefined && { offset: countOf('offset', offset) }),
  };
}

/** Prints all, and returns how many. */
export async function list<T extends object>(
  { out }: Io,
  items: AsyncIterable<T> | Iterable<T>,
  columns: readonly Column<T>[],
  { json, verified }: { readonly json: boolean; readonly verified: boolean },
): Promise<number> {
  const format = json
    ? { begin: '', item: (item: T) => jsonLine(verified, item), end: '' }
    : formatNamed('table', columns);
  return print(items, format, out);
}

/** Whether what was listed is proven, on standard error: `left` says what even then is not. */
export async function sayListed(
  { err }: Io,
  count: number,
  [one, many]: readonly [string, string],
  { verified, left }: { readonly verified: boolean; readonly left: string },
): Promise<void> {
  const words = verified ? `verified: each is proven, ${left}` : "NOT VERIFIED, the server's word";
  await err.write(`${count} ${count === 1 ? one : many}, ${words}\n`);
}
