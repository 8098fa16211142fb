// `immu-ts set`: one value, from the command line or from standard input.
import { UsageError } from '../command.js';
import { KEY_OPTIONS, verifiedCommand } from './connect.js';
import { STDIN, keyOf, readInput } from './input.js';
import { showWrite } from './show.js';

export const setCommand = verifiedCommand({
  name: 'set',
  operand: 'KEY',
  second: 'VALUE',
  summary: 'Writes a value and proves that exactly it was written. VALUE - : the bytes of standard input.',
  options: KEY_OPTIONS,
  more: `Exit code 3: the server's answer does not prove the write. OUTCOME_UNKNOWN: it may have been written; read it back.`,
  check(options, [key, value]) {
    keyOf(key, options);
    if (value === undefined) throw new UsageError('set takes KEY and VALUE (- reads standard input)');
  },
  async run({ client, values, words: [word, value = ''], io, call }) {
    const key = keyOf(word, values);
    const bytes = value === STDIN ? await readInput(io, 'the value') : value;
    const write = values.unverified
      ? await client.set(key, bytes, call)
      : await client.verifiedSet(key, bytes, call);
    await showWrite(io, values.json, write);
    return 0;
  },
});
