// The commands about documents.
import type { Listed } from '../command.js';

export const DOCUMENT_COMMANDS: readonly Listed[] = [
  {
    name: 'documents list',
    summary: "collections of documents, by the server's word",
    load: async () => (await import('./list.js')).documentsListCommand,
  },
  {
    name: 'documents get',
    summary: 'one document, verified',
    load: async () => (await import('./get.js')).documentsGetCommand,
  },
  {
    name: 'documents insert',
    summary: 'stores documents from JSON, verified',
    load: async () => (await import('./insert.js')).documentsInsertCommand,
  },
  {
    name: 'documents search',
    summary: 'documents of a collection, verified',
    load: async () => (await import('./search.js')).documentsSearchCommand,
  },
  {
    name: 'documents audit',
    summary: 'versions of a document, verified',
    load: async () => (await import('./audit.js')).documentsAuditCommand,
  },
  {
    name: 'documents delete',
    summary: 'deletes documents, verified',
    load: async () => (await import('./delete.js')).documentsDeleteCommand,
  },
];
