// `immu-ts delete`: keys, in one transaction.
import { UsageError } from '../command.js';
import { KEY_OPTIONS, verifiedCommand } from './connect.js';
import { keyOf } from './input.js';
import { showWrite } from './show.js';

export const deleteCommand = verifiedCommand({
  name: 'delete',
  operand: 'KEY',
  many: true,
  summary: 'Deletes keys in one transaction, all or none, and proves that exactly they were deleted.',
  options: KEY_OPTIONS,
  more: `Their history stays. Exit code 1: one of them is not there, and nothing was deleted. 3: the deletion is not proven.`,
  check(options, words) {
    if (words.length === 0) throw new UsageError('delete takes one KEY or more');
    for (const word of words) keyOf(word, options);
  },
  async run({ client, values, words, io, call }) {
    const keys = words.map((word) => keyOf(word, values));
    const write = values.unverified
      ? await client.delete(keys, call)
      : await client.verifiedDelete(keys, call);
    await showWrite(io, values.json, write);
    return 0;
  },
});
