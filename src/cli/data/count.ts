// `immu-ts count`: how many keys there are, by the server's word, or proven.
import { COMPLETE_OPTION, assertVerified, follow } from '../latest/following.js';
import { KEY_OPTIONS, verifiedCommand } from './connect.js';
import { keyOf } from './input.js';
import { jsonLine, rootWords } from './show.js';

export const countCommand = verifiedCommand({
  name: 'count',
  operand: 'PREFIX',
  summary: "Counts the keys that begin with PREFIX (all, where there is none), by the server's word.",
  options: { ...KEY_OPTIONS, ...COMPLETE_OPTION },
  more: 'Deleted and expired keys are counted too. Proven with --complete only.',
  check(options, [prefix]) {
    if (prefix !== undefined) keyOf(prefix, options);
    assertVerified('--complete', options.complete, options);
  },
  async run({ client, values, words: [prefix], io, call }) {
    const asked = prefix === undefined ? undefined : keyOf(prefix, values);
    if (values.complete) {
      await follow(client, { ordered: true }, io, call);
      const proven = await client.verifiedCount(asked ?? '', call);
      const { count, provenLatestAt } = proven;
      await io.out.write(values.json ? jsonLine(true, proven) : `${count.toString()}\n`);
      await io.err.write(`verified as of ${rootWords(provenLatestAt)}; deleted keys are counted too\n`);
      return 0;
    }
    const count = await (asked === undefined ? client.countAll(call) : client.count(asked, call));
    if (values.json) {
      await io.out.write(jsonLine(false, { count: count.toString() }));
      return 0;
    }
    await io.out.write(`${count.toString()}\n`);
    await io.err.write("NOT VERIFIED, the server's word; deleted keys are counted too\n");
    return 0;
  },
});
