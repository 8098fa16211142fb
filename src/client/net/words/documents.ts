// The server's words about documents and collections (server-words.ts has the others, and reads them).
import type { ServerWords } from './word.js';

/** All of the document service. */
const DOCUMENTS = /Collections?$|^(Add|Remove)Field$|^(Create|Delete)Index$|Documents?$/;
export const DOCUMENT_WORDS: readonly ServerWords[] = [
  {
    words: 'tbtree: offset out of range',
    on: /^AuditDocument$/,
    code: 'NOT_FOUND',
    says: 'there are no more versions of the document',
    kind: 'no-more-entries',
  },
  {
    words: 'document not found',
    on: DOCUMENTS,
    code: 'NOT_FOUND',
    says: 'there is no such document',
    kind: 'document-not-found',
  },
  {
    words: 'document reader not found',
    on: /^SearchDocuments$/,
    code: 'SERVER_REFUSED',
    says: 'the server has let go of the search',
    kind: 'search-lost',
  },
  {
    words: 'collection does not exist',
    on: DOCUMENTS,
    code: 'NOT_FOUND',
    says: 'there is no such collection',
  },
  {
    words: /^(field|column) does not exist/,
    on: DOCUMENTS,
    code: 'NOT_FOUND',
    says: 'the collection has no such field',
  },
  { words: 'index not found', on: DOCUMENTS, code: 'NOT_FOUND', says: 'the collection has no such index' },
  {
    words: /^(collection|field|index) already exists/,
    on: DOCUMENTS,
    code: 'PRECONDITION_FAILED',
    says: 'it is there already',
  },
  {
    words: 'cannot drop column',
    on: DOCUMENTS,
    code: 'PRECONDITION_FAILED',
    says: 'an index has this field',
  },
  {
    words: 'unique index creation is only supported on empty',
    on: DOCUMENTS,
    code: 'PRECONDITION_FAILED',
    says: 'there are documents already',
  },
  {
    // A unique index, or documents under it.
    words: 'conflict due to uniqueness',
    on: DOCUMENTS,
    code: 'CONFLICT',
    says: 'another document has these values in a unique index, or was written just then',
  },
  {
    words: 'max length exceeded',
    on: DOCUMENTS,
    code: 'LIMIT_EXCEEDED',
    says: 'an indexed value is too long',
  },
];
