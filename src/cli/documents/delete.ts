// `immu-ts documents delete`: the documents that match.
import { UsageError } from '../command.js';
import { verifiedCommand } from '../data/connect.js';
import { jsonLine, rootWords } from '../data/show.js';
import { wordOf } from './input.js';
import { QUERY_OPTIONS, queryOf } from './search.js';

export const documentsDeleteCommand = verifiedCommand({
  name: 'documents delete',
  operand: 'COLLECTION',
  summary: 'Deletes the documents that match, and proves the deletion of each; at most 1024 at a time.',
  options: QUERY_OPTIONS,
  more: `--where is needed: {} is all documents of the collection. With --unverified the server does not say which they were.
Exit code 3: a document that was to be deleted is not. OUTCOME_UNKNOWN: they may be deleted; search for them.`,
  check(options, [collection]) {
    wordOf('COLLECTION', collection);
    if (options.where === undefined)
      throw new UsageError('documents delete takes --where ({}: all documents)');
    queryOf(options);
  },
  async run({ client, values, words: [name = ''], io, call }) {
    const query = queryOf(values);
    if (values.unverified) {
      await client.documents.delete(name, query, call);
      await io.out.write(values.json ? jsonLine(false, {}) : "deleted by the server's word: NOT VERIFIED\n");
      return 0;
    }
    const result = await client.documents.verifiedDelete(name, query, call);
    if (values.json) {
      await io.out.write(jsonLine(true, result));
      return 0;
    }
    for (const { id, tx } of result.deleted) await io.out.write(`${id} tx ${tx.toString()}\n`);
    const { length } = result.deleted;
    const documents = `${length} ${length === 1 ? 'document' : 'documents'}`;
    await io.err.write(`${documents} deleted and verified, proven under ${rootWords(result.root)}\n`);
    return 0;
  },
});
