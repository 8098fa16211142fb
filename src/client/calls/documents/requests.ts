// Requests of the document service that hold documents, in their wire form: any name and any number arrives as it was given.
import { MessageWriter, writeStruct } from '../../../proof/documents/struct-writer.js';
import type { DocumentFields } from '../../../proof/documents/values.js';
import { writeQuery } from './query.js';
import type { CheckedQuery } from './query.js';

export function insertRequest(collection: string, documents: readonly DocumentFields[]): Uint8Array {
  const writer = new MessageWriter().text(1, collection);
  for (const document of documents) writer.message(2, (struct) => writeStruct(struct, document));
  return writer.finish();
}

export function replaceRequest(query: CheckedQuery, document: DocumentFields): Uint8Array {
  return new MessageWriter()
    .message(1, (asked) => writeQuery(asked, query))
    .message(2, (struct) => writeStruct(struct, document))
    .finish();
}

/** Of a CountDocuments or a DeleteDocuments. */
export function queryRequest(query: CheckedQuery): Uint8Array {
  return new MessageWriter().message(1, (asked) => writeQuery(asked, query)).finish();
}

export interface SearchPage {
  /** Of the search that is kept open; empty: a new one. */
  readonly searchId: string;
  readonly page: number;
  readonly pageSize: number;
  readonly keepOpen: boolean;
}

export function searchRequest(
  query: CheckedQuery,
  { searchId, page, pageSize, keepOpen }: SearchPage,
): Uint8Array {
  const writer = new MessageWriter();
  if (searchId !== '') writer.text(1, searchId);
  else writer.message(2, (asked) => writeQuery(asked, query));
  return writer.number(3, page).number(4, pageSize).flag(5, keepOpen).finish();
}
