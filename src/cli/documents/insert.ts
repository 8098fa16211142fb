// `immu-ts documents insert`: documents from JSON.
import type { DocumentInput } from '../../index.js';
import { UsageError } from '../command.js';
import { verifiedCommand } from '../data/connect.js';
import { jsonLine, rootWords } from '../data/show.js';
import { jsonIn, wordOf } from './input.js';

export const documentsInsertCommand = verifiedCommand({
  name: 'documents insert',
  operand: 'COLLECTION',
  second: 'FILE',
  summary:
    'Stores the documents in a JSON file (one object, or a list) in one transaction, and proves them. - : standard input.',
  options: {},
  more: `Their ids, one a line, are written to standard output.
Exit code 3: the server's answer does not prove it. OUTCOME_UNKNOWN: they may be stored; search for them.`,
  check(_options, [collection, file]) {
    wordOf('COLLECTION', collection);
    if (file === undefined)
      throw new UsageError('documents insert takes COLLECTION and FILE (- reads standard input)');
  },
  async run({ client, values, words: [name = '', file = ''], io, call }) {
    // The client looks at what it is given, and says which part of it is none.
    const documents = (await jsonIn(file, io)) as DocumentInput | readonly DocumentInput[];
    const verified = values.unverified
      ? undefined
      : await client.documents.verifiedInsert(name, documents, call);
    const written = verified ?? (await client.documents.insert(name, documents, call));
    if (values.json) {
      await io.out.write(jsonLine(verified !== undefined, written));
      return 0;
    }
    await io.out.write(`${written.ids.join('\n')}\n`);
    const tx = `tx ${written.tx.toString()}`;
    const words = verified
      ? `${tx} is written and verified, proven under ${rootWords(verified.root)}`
      : `${tx} is written by the server's word: NOT VERIFIED`;
    await io.err.write(`${words}\n`);
    return 0;
  },
});
