// `immu-ts reference`: a key whose reads lead to another one.
import { UsageError } from '../command.js';
import { idOf } from '../query-options.js';
import { KEY_OPTIONS, verifiedCommand } from './connect.js';
import { keyOf } from './input.js';
import { showWrite } from './show.js';

export const referenceCommand = verifiedCommand({
  name: 'reference',
  operand: 'KEY',
  second: 'TO',
  summary: 'Lets reads of KEY lead to TO, which must hold a value, and proves that exactly this was written.',
  options: {
    'at-tx': {
      type: 'string',
      value: 'TX',
      says: 'to the value that this transaction wrote, for good; default: its newest one',
    },
    ...KEY_OPTIONS,
  },
  more: `KEY must hold no value of its own. Exit code 1: TO is not there, or is a reference itself, by the server's word.
3: the server's answer does not prove the write.`,
  check({ 'at-tx': atTx, ...options }, words) {
    endsOf(words, options);
    if (atTx !== undefined) idOf('--at-tx', atTx);
  },
  async run({ client, values, words, io, call }) {
    const { key, to } = endsOf(words, values);
    const atTx = values['at-tx'];
    const options = { ...call, ...(atTx !== undefined && { atTx: idOf('--at-tx', atTx) }) };
    const write = values.unverified
      ? await client.setReference(key, to, options)
      : await client.verifiedSetReference(key, to, options);
    await showWrite(io, values.json, write);
    return 0;
  },
});

/** @throws UsageError */
function endsOf([key, to]: readonly string[], options: { readonly base64: boolean }) {
  if (key === undefined || to === undefined) throw new UsageError('reference takes KEY and TO');
  return { key: keyOf(key, options), to: keyOf(to, options) };
}
