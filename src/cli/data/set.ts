// `immu-ts set`: one value, from the command line or from standard input.
import { UsageError } from '../command.js';
import { KEY_OPTIONS, verifiedCommand } from './connect.js';
import { EXPIRY_OPTIONS, expiryOf } from './expiry.js';
import { STDIN, keyOf, readInput } from './input.js';
import { showWrite } from './show.js';

export const setCommand = verifiedCommand({
  name: 'set',
  operand: 'KEY',
  second: 'VALUE',
  summary: 'Writes a value and proves that exactly it was written. VALUE - : the bytes of standard input.',
  options: {
    ...EXPIRY_OPTIONS,
    'if-absent': { type: 'boolean', says: 'only where there is no such key (exit code 1: there is)' },
    'if-present': { type: 'boolean', says: 'only where there is such a key (exit code 1: there is none)' },
    ...KEY_OPTIONS,
  },
  more: `Exit code 3: the server's answer does not prove the write. OUTCOME_UNKNOWN: it may have been written; read it back.
That the server looked whether the key is there is its word: no proof covers it.`,
  check({ 'if-absent': ifAbsent, 'if-present': ifPresent, ...options }, [key, value]) {
    keyOf(key, options);
    if (value === undefined) throw new UsageError('set takes KEY and VALUE (- reads standard input)');
    if (ifAbsent && ifPresent) throw new UsageError('--if-absent goes without --if-present');
    expiryOf(options);
  },
  async run({ client, values, words: [word, value = ''], io, call }) {
    const key = keyOf(word, values);
    const bytes = value === STDIN ? await readInput(io, 'the value') : value;
    const expiresAt = expiryOf(values);
    const precondition = values['if-absent']
      ? { mustNotExist: key }
      : values['if-present'] && { mustExist: key };
    const options = {
      ...call,
      ...(expiresAt !== undefined && { metadata: { expiresAt } }),
      ...(precondition && { preconditions: [precondition] }),
    };
    const write = values.unverified
      ? await client.set(key, bytes, options)
      : await client.verifiedSet(key, bytes, options);
    await showWrite(io, values.json, write);
    return 0;
  },
});
