// `immu-ts tx export`: a whole transaction as replicas take it, as a file.
import { UsageError } from '../command.js';
import { idOf } from '../query-options.js';
import { visible } from '../../visible.js';
import { writeWholeFile } from '../whole-file.js';
import { verifiedCommand } from './connect.js';
import { jsonLine, rootWords } from './show.js';

export const txExportCommand = verifiedCommand({
  name: 'tx export',
  operand: 'TX',
  summary: 'Exports a transaction with all its entries and values, proven, as replicas take it.',
  options: {
    out: { type: 'string', value: 'FILE', says: 'into a new file; without it, to standard output' },
  },
  more: `Needs ADMIN. Values of documents and of what has expired, which tx does not show, are in it.
Exit code 1: there is no such transaction, by the server's word. 3: it is not proven, and nothing was written.`,
  check({ out, ...options }, [tx]) {
    if (tx === undefined) throw new UsageError('tx export takes the number of a transaction');
    idOf('TX', tx);
    if ((options as { json?: boolean }).json === true && out === undefined)
      throw new UsageError('--json goes with --out: standard output has the transaction');
  },
  async run({ client, values, words: [word = ''], io, call }) {
    const tx = idOf('TX', word);
    const verified = values.unverified ? null : await client.verifiedExportTx(tx, call);
    const found = values.unverified ? await client.exportTx(tx, call) : verified;
    if (!found) {
      await io.err.write(`there is no transaction ${word}, by the server's word\n`);
      if (values.json) await io.out.write('null\n');
      return 1;
    }
    const { bytes, entryCount, valuesTruncated } = found;
    const words = `tx ${word}, ${entryCount} ${entryCount === 1 ? 'entry' : 'entries'}${valuesTruncated ? ', values truncated' : ''}`;
    const proof = verified
      ? `verified: ${words}, proven under ${rootWords(verified.root)}`
      : `NOT VERIFIED, the server's word: ${words}`;
    if (values.out === undefined) {
      await io.out.bytes(bytes);
      await io.err.write(`${proof}\n`);
      return 0;
    }
    const { sha256 } = await writeWholeFile(values.out, (file) => file.bytes(bytes));
    const shown = { file: values.out, size: bytes.length, sha256, tx: word, entryCount, valuesTruncated };
    if (values.json) await io.out.write(jsonLine(verified !== null, shown));
    else await io.out.write(`${visible(values.out)}, SHA-256 ${sha256}\n${proof}\n`);
    return 0;
  },
});
