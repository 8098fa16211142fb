// `immu-ts zadd`: a member of a sorted set.
import { UsageError } from '../../command.js';
import { idOf } from '../../query-options.js';
import { KEY_OPTIONS, verifiedCommand } from '../connect.js';
import { keyOf } from '../input.js';
import { scoreOf } from './scores.js';
import { showWrite } from '../show.js';

export const zAddCommand = verifiedCommand({
  name: 'zadd',
  operand: 'SET',
  second: 'SCORE',
  third: 'KEY',
  summary: 'Puts a key, which must hold a value, into a sorted set and proves that exactly this was written.',
  options: {
    'at-tx': { type: 'string', value: 'TX', says: 'for the value that this transaction wrote, for good' },
    ...KEY_OPTIONS,
  },
  more: `A negative score stands behind --, after all options: immu-ts zadd --json -- SET -1.5 KEY
Exit code 1: KEY is not there, by the server's word. 3: the server's answer does not prove the write.`,
  check({ 'at-tx': atTx, ...options }, words) {
    placeOf(words, options);
    if (atTx !== undefined) idOf('--at-tx', atTx);
  },
  async run({ client, values, words, io, call }) {
    const { set, score, key } = placeOf(words, values);
    const atTx = values['at-tx'];
    const options = { ...call, ...(atTx !== undefined && { atTx: idOf('--at-tx', atTx) }) };
    const write = values.unverified
      ? await client.zAdd(set, score, key, options)
      : await client.verifiedZAdd(set, score, key, options);
    await showWrite(io, values.json, write);
    return 0;
  },
});

/** @throws UsageError */
function placeOf([set, score, key]: readonly string[], options: { readonly base64: boolean }) {
  if (set === undefined || score === undefined || key === undefined)
    throw new UsageError('zadd takes SET, SCORE and KEY');
  return { set: keyOf(set, options), score: scoreOf('SCORE', score), key: keyOf(key, options) };
}
