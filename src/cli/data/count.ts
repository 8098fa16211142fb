// `immu-ts count`: how many keys there are, which no server can prove.
import { KEY_OPTIONS, serverCommand } from './connect.js';
import { keyOf } from './input.js';
import { jsonLine } from './show.js';

export const countCommand = serverCommand({
  name: 'count',
  operand: 'PREFIX',
  summary: "Counts the keys that begin with PREFIX (all, where there is none), by the server's word.",
  options: KEY_OPTIONS,
  more: 'Deleted and expired keys are counted too. There is no proof of it: immu-ts scan lists what is there, proven.',
  check(options, [prefix]) {
    if (prefix !== undefined) keyOf(prefix, options);
  },
  async run({ client, values, words: [prefix], io, call }) {
    const count = await (prefix === undefined
      ? client.countAll(call)
      : client.count(keyOf(prefix, values), call));
    if (values.json) {
      await io.out.write(jsonLine(false, { count: count.toString() }));
      return 0;
    }
    await io.out.write(`${count.toString()}\n`);
    await io.err.write("NOT VERIFIED, the server's word; deleted keys are counted too\n");
    return 0;
  },
});
