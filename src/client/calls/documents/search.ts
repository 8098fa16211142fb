// search, page by page, in one search that the server keeps open: no document twice, none left out, whatever others write meanwhile.
import { ServerError } from '../../../errors.js';
import { readSearch } from '../../../verify/wire/documents.js';
import type { ShownSearch } from '../../../verify/wire/documents.js';
import { isTooLarge } from '../../group/key-asker.js';
import type { CallOptions } from '../../input/call-options.js';
import { checkOptions } from '../../input/call-options.js';
import { whole } from '../../input/option-checks.js';
import type { Rpc } from '../../net/rpc.js';
import { isSearchLost } from '../../net/server-errors.js';
import { resultOf } from '../../results/result.js';
import type { TellNext } from '../scans/pages.js';
import { MAX_RESULTS } from '../scans/steps.js';
import { readPlain } from '../../results/plain-answer.js';
import { notAsked, plainDocument, shownId } from './document.js';
import type { Document } from './document.js';
import { QUERY_NAMES, queryOf } from './query.js';
import type { CheckedQuery, DocumentQuery } from './query.js';
import { searchRequest } from './requests.js';

/** `timeoutMs` is the deadline of each page, `signal` ends the whole. */
export interface SearchOptions extends DocumentQuery, CallOptions {
  /** Documents that are asked for at once, 1 to 2500; fewer where so many do not fit into a message. @default 100 */
  readonly pageSize?: number;
}

const PAGE_SIZE = 100;

/** What a search was asked for, checked. */
export interface SearchInput {
  readonly query: CheckedQuery;
  readonly pageSize: number;
}

export function searchInput(collection: string, options: SearchOptions): SearchInput {
  checkOptions(options, [...QUERY_NAMES, 'pageSize']);
  const { pageSize = PAGE_SIZE } = options;
  return { query: queryOf(collection, options), pageSize: whole('pageSize', pageSize, 1, MAX_RESULTS) };
}

/** Where a page of a search begins. */
export interface SearchStep {
  /** Empty: a new search. */
  readonly searchId: string;
  /** Documents before it. */
  readonly offset: number;
  readonly pageSize: number;
}

/** One page of the search as bytes, with what is behind it. Of its documents no more are read than were asked for. */
export interface SearchAnswer extends ShownSearch {
  readonly answer: Uint8Array;
  readonly next: SearchStep | undefined;
}

export function firstPage({ pageSize, query: { limit } }: SearchInput): SearchStep {
  return { searchId: '', offset: 0, pageSize: limit > 0 ? Math.min(pageSize, limit) : pageSize };
}

/**
 * Asks for a page; for a smaller one where it does not fit into a message; in a new search where the open one was lost. Throws
 * ProofFailure for an answer that cannot be read.
 */
export async function askPage(
  { query }: SearchInput,
  step: SearchStep,
  ask: (request: Uint8Array) => Promise<Uint8Array>,
): Promise<SearchAnswer> {
  let { searchId, pageSize } = step;
  const { offset } = step;
  for (;;) {
    const page = offset / pageSize + 1;
    let answer: Uint8Array;
    try {
      answer = await ask(searchRequest(query, { searchId, page, pageSize, keepOpen: true }));
    } catch (error) {
      if (searchId !== '' && isSearchLost(error)) searchId = '';
      else if (pageSize > 1 && error instanceof ServerError && isTooLarge(error))
        pageSize = smallerPage(offset, pageSize);
      else throw error;
      continue;
    }
    const shown = readSearch(answer, pageSize);
    const end = offset + shown.revisions.length;
    const isEnd =
      shown.searchId === '' || shown.revisions.length < pageSize || (query.limit > 0 && end >= query.limit);
    const next = isEnd ? undefined : { searchId: shown.searchId, offset: end, pageSize };
    return { ...shown, answer, next };
  }
}

/** Pages have numbers: what lies before them is a whole number of pages. */
function smallerPage(offset: number, pageSize: number): number {
  let smaller = pageSize >> 1;
  while (offset % smaller !== 0) smaller--;
  return smaller;
}

/** Has the server let go of a search that is not taken to its end. */
export async function endSearch(
  { query }: SearchInput,
  step: SearchStep,
  rpc: Rpc,
  options: CallOptions,
): Promise<void> {
  const { searchId, offset, pageSize } = step;
  // A page that is not there ends it at once.
  const page = offset / pageSize + 1;
  await rpc.raw(
    'SearchDocuments',
    searchRequest(query, { searchId, page, pageSize, keepOpen: false }),
    options,
  );
}

/** By the server's word. Throws TransportError for an answer that cannot be read. */
export async function askPlainPage(
  rpc: Rpc,
  input: SearchInput,
  step: SearchStep,
  options: CallOptions,
): Promise<SearchAnswer> {
  try {
    return await askPage(input, step, (request) => rpc.raw('SearchDocuments', request, options));
  } catch (error) {
    return readPlain(() => {
      throw error;
    });
  }
}

export async function searchPage(
  rpc: Rpc,
  input: SearchInput,
  step: SearchStep,
  options: CallOptions,
  tellNext: TellNext<SearchStep>,
): Promise<Document[]> {
  const { revisions, next } = await askPlainPage(rpc, input, step, options);
  tellNext(next);
  const { limit } = input.query;
  const taken = limit > 0 ? revisions.slice(0, limit - step.offset) : revisions;
  return taken.map(({ id, document }) => {
    if (!document) return notAsked('a document that it does not show');
    return resultOf({ id: shownId(id), document: plainDocument(document) });
  });
}
