// `immu-ts documents get`: one document.
import type { Document, ImmuClient } from '../../index.js';
import { UsageError } from '../command.js';
import { verifiedCommand } from '../data/connect.js';
import { jsonLine, rootWords } from '../data/show.js';
import { assertVerified, follow } from '../latest/following.js';
import { idOf } from '../query-options.js';
import { wordOf } from './input.js';
import { lineOf, proofWords } from './show.js';

export const documentsGetCommand = verifiedCommand({
  name: 'documents get',
  operand: 'COLLECTION',
  second: 'ID',
  summary: 'Reads a document and proves it: as JSON on standard output, what is proven on standard error.',
  options: {
    'at-tx': { type: 'string', value: 'TX', says: 'the version that this transaction wrote' },
    latest: {
      type: 'boolean',
      says: 'proven to be the latest: every transaction of the database is read first',
    },
  },
  more: `Exit code 1: there is no such document, by the server's word (with --latest: proven). 3: the answer is not proven.`,
  check({ 'at-tx': atTx, latest, ...options }, [collection, id]) {
    wordOf('COLLECTION', collection);
    wordOf('ID', id);
    if (latest && atTx !== undefined) throw new UsageError('--latest goes without --at-tx');
    assertVerified('--latest', latest, options);
    if (atTx === undefined) return;
    idOf('--at-tx', atTx);
    if ((options as { unverified?: boolean }).unverified === true)
      throw new UsageError('--at-tx goes without --unverified');
  },
  async run({ client, values, words: [name = '', id = ''], io, call }) {
    if (values.latest) {
      await follow(client, {}, io, call);
      const told = await client.documents.verifiedGet(name, id, { ...call, latest: true });
      const asOf = `the latest as of ${rootWords(told.provenLatestAt)}`;
      if (values.json) await io.out.write(jsonLine(true, told));
      else if (told.document) await io.out.write(`${lineOf(told.document)}\n`);
      if (told.document) {
        if (!values.json) await io.err.write(`${proofWords(told)}, ${asOf}\n`);
        return 0;
      }
      await io.err.write(`there is no document ${JSON.stringify(id)}, proven: ${told.absent}, ${asOf}\n`);
      return 1;
    }
    const atTx = values['at-tx'];
    const options = { ...call, ...(atTx !== undefined && { atTx: idOf('--at-tx', atTx) }) };
    const found = values.unverified
      ? await plain(client, name, id, call)
      : await client.documents.verifiedGet(name, id, options);
    if (!found) {
      await io.err.write(`there is no document ${JSON.stringify(id)}, by the server's word\n`);
      if (values.json) await io.out.write('null\n');
      return 1;
    }
    await io.out.write(values.json ? jsonLine(!values.unverified, found) : `${lineOf(found.document)}\n`);
    if (!values.json) await io.err.write(`${proofWords(found)}\n`);
    return 0;
  },
});

/** By the server's word: found by its id. */
async function plain(
  { documents }: ImmuClient,
  collection: string,
  id: string,
  call: { readonly signal: AbortSignal },
): Promise<Document | null> {
  const { idField } = await documents.collection(collection, call);
  for await (const found of documents.search(collection, { ...call, where: { [idField]: id }, limit: 1 }))
    return found;
  return null;
}
