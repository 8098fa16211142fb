// `immu-ts documents search`: documents of a collection.
import type { Document, DocumentQuery, VerifiedDocument } from '../../index.js';
import { verifiedCommand } from '../data/connect.js';
import { list, sayListed } from '../data/listing.js';
import type { Column } from '../format/columns.js';
import { countOf } from '../query-options.js';
import { jsonOption, wordOf } from './input.js';
import { lineOf } from './show.js';

type Found = Document | VerifiedDocument;

const COLUMNS: readonly Column<Found>[] = [
  { name: 'id', value: ({ id }) => id, width: 32 },
  { name: 'tx', value: (found) => ('root' in found ? found.tx.toString() : null), width: 8, align: 'right' },
  { name: 'document', value: ({ document }) => lineOf(document), width: 0 },
];

/** Options of commands that say which documents. */
export const QUERY_OPTIONS = {
  where: {
    type: 'string',
    value: 'JSON',
    says: 'e.g. {"age":{"GE":18},"city":"Graz"}; a list of such: any of them',
  },
  order: { type: 'string', value: 'FIELD', says: 'in the order of this field' },
  desc: { type: 'boolean', says: 'with --order: the last ones first' },
  limit: { type: 'string', value: 'N', says: 'at most so many' },
} as const;

interface QueryWords {
  readonly where: string | undefined;
  readonly order: string | undefined;
  readonly desc: boolean;
  readonly limit: string | undefined;
}

/** As the client takes it, which checks the rest. @throws UsageError */
export function queryOf({ where, order, desc, limit }: QueryWords): DocumentQuery {
  const asked = jsonOption('where', where) as DocumentQuery['where'];
  return {
    ...(asked !== undefined && { where: asked }),
    ...(order !== undefined && { orderBy: { field: order, desc } }),
    ...(limit !== undefined && { limit: countOf('limit', limit) }),
  };
}

export const documentsSearchCommand = verifiedCommand({
  name: 'documents search',
  operand: 'COLLECTION',
  summary: 'Lists the documents of a collection that match, each proven, and found to match.',
  options: QUERY_OPTIONS,
  more: `That none is left out cannot be proven. Exit code 1: there is none, by the server's word.
Exit code 3: a document is not proven; nothing behind it is shown.`,
  check(options, [collection]) {
    wordOf('COLLECTION', collection);
    queryOf(options);
  },
  async run({ client, values, words: [name = ''], io, call }) {
    const options = { ...queryOf(values), ...call };
    const verified = !values.unverified;
    const found: AsyncIterable<Found> = verified
      ? client.documents.verifiedSearch(name, options)
      : client.documents.search(name, options);
    const count = await list(io, found, COLUMNS, { json: values.json, verified });
    await sayListed(io, count, ['document', 'documents'], {
      verified,
      left: 'but not that none is left out',
    });
    return count > 0 ? 0 : 1;
  },
});
