// `immu-ts documents audit`: the versions of a document, with who wrote them and when.
import type { DocumentRevision, VerifiedRevision } from '../../index.js';
import { verifiedCommand } from '../data/connect.js';
import { list, sayListed } from '../data/listing.js';
import type { Column } from '../format/columns.js';
import { isoTime } from '../format/row-columns.js';
import { countOf } from '../query-options.js';
import { wordOf } from './input.js';
import { lineOf } from './show.js';

type Version = DocumentRevision | VerifiedRevision;

const COLUMNS: readonly Column<Version>[] = [
  { name: 'tx', value: ({ tx }) => tx.toString(), width: 8, align: 'right' },
  { name: 'written', value: ({ timestamp }) => isoTime(Number(timestamp) * 1000), width: 24 },
  { name: 'by', value: ({ user = '' }) => user, width: 16 },
  {
    name: 'document',
    value: ({ deleted, document }) => (deleted ? '(deleted)' : document ? lineOf(document) : null),
    width: 0,
  },
];

export const documentsAuditCommand = verifiedCommand({
  name: 'documents audit',
  operand: 'COLLECTION',
  second: 'ID',
  summary: 'Lists the versions of a document, deletions too, the oldest first, each proven.',
  options: {
    desc: { type: 'boolean', says: 'the last ones first' },
    limit: { type: 'string', value: 'N', says: 'at most so many' },
  },
  more: `That no version is left out cannot be proven. Exit code 1: there is none, by the server's word.
Exit code 3: a version is not proven; nothing behind it is shown.`,
  check({ limit }, [collection, id]) {
    wordOf('COLLECTION', collection);
    wordOf('ID', id);
    if (limit !== undefined) countOf('limit', limit);
  },
  async run({ client, values, words: [name = '', id = ''], io, call }) {
    const { desc, limit } = values;
    const options = { ...call, desc, ...(limit !== undefined && { limit: countOf('limit', limit) }) };
    const verified = !values.unverified;
    const versions: AsyncIterable<Version> = verified
      ? client.documents.verifiedAudit(name, id, options)
      : client.documents.audit(name, id, options);
    const count = await list(io, versions, COLUMNS, { json: values.json, verified });
    await sayListed(io, count, ['version', 'versions'], { verified, left: 'but not that none is left out' });
    return count > 0 ? 0 : 1;
  },
});
