// `immu-ts zscan`: the members of a sorted set.
import type { ProvenMember, VerifiedZEntry, ZEntry } from '../../../index.js';
import type { Column } from '../../format/columns.js';
import { COMPLETE_OPTION, assertVerified, completeOptions } from '../../latest/following.js';
import { KEY_OPTIONS, verifiedCommand } from '../connect.js';
import { keyOf } from '../input.js';
import { LIST_OPTIONS, list, listOptions, sayListed } from '../listing.js';
import type { ListWords } from '../listing.js';
import { cellOf } from '../show.js';
import { scoreOf } from './scores.js';

type Member = ZEntry | VerifiedZEntry | ProvenMember;

const COLUMNS: readonly Column<Member>[] = [
  { name: 'score', value: (member) => wordsOf(scoreIn(member)), width: 12, align: 'right' },
  { name: 'key', value: ({ key }) => cellOf(key), width: 24 },
  { name: 'tx', value: ({ entry }) => entry.tx.toString(), width: 8, align: 'right' },
  { name: 'value', value: ({ entry }) => cellOf(entry.value), width: 0 },
];

export const zScanCommand = verifiedCommand({
  name: 'zscan',
  operand: 'SET',
  summary: 'Lists the members of a sorted set, with what their keys hold, which is proven.',
  options: {
    ...LIST_OPTIONS,
    min: { type: 'string', value: 'SCORE', says: 'the smallest score (a negative one: --min=-1.5)' },
    max: { type: 'string', value: 'SCORE', says: 'the greatest score' },
    ...KEY_OPTIONS,
    ...COMPLETE_OPTION,
  },
  more: `The order is the server's: negative scores stand behind all others, -1 before -2, and bounds are meant so too.
That a key is a member, with which score, and that none is left out is proven with --complete only.
Exit code 3: a value is not proven; nothing behind it is shown.`,
  check(options, [set]) {
    keyOf(set, options);
    zScanOptions(options);
    assertVerified('--complete', options.complete, options);
  },
  async run({ client, values, words: [word], io, call }) {
    const set = keyOf(word, values);
    const options = { ...zScanOptions(values), ...call };
    const verified = !values.unverified;
    const complete = await completeOptions(client, values, io, call);
    const members: AsyncIterable<Member> = complete
      ? client.verifiedZScan(set, { ...options, ...complete })
      : verified
        ? client.verifiedZScan(set, options)
        : client.zScan(set, options);
    const count = await list(io, members, COLUMNS, { json: values.json, verified });
    const left = complete
      ? 'that it is a member with its score, and that none is left out'
      : "but that it is a member, and its score, are the server's word";
    await sayListed(io, count, ['member', 'members'], { verified, left });
    return 0;
  },
});

interface ZScanWords extends ListWords {
  readonly min: string | undefined;
  readonly max: string | undefined;
}

/** @throws UsageError */
function zScanOptions(words: ZScanWords) {
  const { min, max } = words;
  return {
    ...listOptions(words),
    ...(min !== undefined && { minScore: scoreOf('--min', min) }),
    ...(max !== undefined && { maxScore: scoreOf('--max', max) }),
  };
}

function scoreIn(member: Member): number {
  return 'unproven' in member ? member.unproven.score : member.score;
}

function wordsOf(score: number): string {
  return Object.is(score, -0) ? '-0' : String(score);
}
