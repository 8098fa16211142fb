// `immu-ts absent`: proves that a key has no value.
import { KEY_OPTIONS } from '../data/connect.js';
import { keyOf } from '../data/input.js';
import { jsonLine, rootWords } from '../data/show.js';
import { follow, followingCommand } from './following.js';

export const absentCommand = followingCommand({
  name: 'absent',
  operand: 'KEY',
  summary:
    'Proves that a key has no value: never written, deleted or expired, as of a root that is followed to.',
  options: KEY_OPTIONS,
  more: `Reads and proves every transaction of the database first (digests, no values).
Exit code 0: it is proven to have none. 1: it has one. 3: what the server shows is not proven.`,
  check(options, [key]) {
    keyOf(key, options);
  },
  async run({ client, values, words: [word], io, call }) {
    const key = keyOf(word, values);
    await follow(client, {}, io, call);
    // Through a reference, too: what it leads to may be gone.
    const found = await client.verifiedGet(key, { latest: true, ...call });
    if (values.json) await io.out.write(jsonLine(true, found));
    if (found.value !== null) {
      if (!values.json) await io.out.write(`the key has a value, of tx ${found.tx.toString()}\n`);
      return 1;
    }
    if (!values.json) await io.out.write(`${found.absent}\n`);
    await io.err.write(`verified as of ${rootWords(found.provenLatestAt)}\n`);
    return 0;
  },
});
