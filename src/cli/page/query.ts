// The filter of the page: what its form asks for, as a query and as the address of another view of the same rows.
import type { RootsFilter } from '../../index.js';
import { QUERY_OPTIONS, queryOf } from '../query-options.js';
import type { QueryWords } from '../query-options.js';

export interface Filter {
  /** As they were typed; what was left empty is not there. */
  readonly words: QueryWords;
  readonly query: RootsFilter;
}

/** @throws UsageError naming the word that cannot be meant */
export function filterOf(parameters: URLSearchParams, nowMs: number): Filter {
  const words = wordsOf(parameters);
  return { words, query: queryOf(words, nowMs) };
}

/** The words alone: a form with a mistake in it is shown again as it was. */
export function wordsOf(parameters: URLSearchParams): QueryWords {
  const names = Object.keys(QUERY_OPTIONS) as (keyof QueryWords)[];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = parameters.get(name)?.trim() ?? '';
      return value === '' ? [] : [[name, value]];
    }),
  );
}

/** `path` with these words; undefined leaves a word out. */
export function link(path: string, words: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(words).filter((pair): pair is [string, string] => pair[1] !== undefined);
  const search = new URLSearchParams(given).toString();
  return search === '' ? path : `${path}?${search}`;
}
