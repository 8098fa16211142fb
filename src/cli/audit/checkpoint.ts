// `immu-ts audit checkpoint`: commits to the log as it stands, for keeping elsewhere.
import { readFile } from 'node:fs/promises';
import { checkpointHash } from '../../audit.js';
import { command } from '../command.js';
import { hex } from '../format/row-columns.js';
import { STORE_OPTION, openStore } from '../store-option.js';
import { writeWholeFile } from '../whole-file.js';
import { formatCheckpointFile } from './checkpoint-file.js';

export const checkpointCommand = command({
  name: 'audit checkpoint',
  summary:
    'Commits to every row of the log so far; keep the file where nobody who can write the store can write.',
  options: {
    ...STORE_OPTION,
    key: { type: 'string', value: 'PEM', says: 'private key file to sign with: Ed25519 or ECDSA P-256' },
    out: { type: 'string', value: 'FILE', says: 'a new file; without it standard output' },
  },
  more: `Says the SHA-256 of the checkpoint: 32 bytes to be printed, published or anchored in place of the whole.
The store keeps the checkpoint as well. immu-ts audit verify --checkpoint FILE holds the log against it.`,
  async run({ store: path, key, out: file }, _operand, { out, err }) {
    const pem = key === undefined ? undefined : await readFile(key, 'utf8');
    await using store = await openStore(path);
    const checkpoint = await store.audit.checkpoint(pem === undefined ? {} : { key: pem });
    const text = formatCheckpointFile(checkpoint);
    if (file === undefined) await out.write(text);
    else await writeWholeFile(file, (part) => part.write(text));
    const name = hex(checkpointHash(checkpoint));
    await err.write(`checkpoint of rows 1 to ${checkpoint.seq.toString()}, SHA-256 ${name}\n`);
    return 0;
  },
});
