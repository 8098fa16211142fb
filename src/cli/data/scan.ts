// `immu-ts scan`: the entries of a range of keys.
import type { Entry, VerifiedEntry } from '../../index.js';
import type { Column } from '../format/columns.js';
import { COMPLETE_OPTION, assertVerified, completeOptions } from '../latest/following.js';
import { KEY_OPTIONS, verifiedCommand } from './connect.js';
import { keyOf } from './input.js';
import { LIST_OPTIONS, leftOut, list, listOptions, sayListed } from './listing.js';
import type { ListWords } from './listing.js';
import { cellOf } from './show.js';

const COLUMNS: readonly Column<Entry | VerifiedEntry>[] = [
  { name: 'tx', value: ({ tx }) => tx.toString(), width: 8, align: 'right' },
  { name: 'key', value: ({ key, reference }) => cellOf(reference?.key ?? key), width: 24 },
  { name: 'value', value: ({ value }) => cellOf(value), width: 0 },
];

export const scanCommand = verifiedCommand({
  name: 'scan',
  operand: 'PREFIX',
  summary: 'Lists the entries whose keys begin with PREFIX (all, where there is none), each proven.',
  options: {
    ...LIST_OPTIONS,
    from: { type: 'string', value: 'KEY', says: 'starts at this key' },
    to: { type: 'string', value: 'KEY', says: 'ends with this key' },
    ...KEY_OPTIONS,
    ...COMPLETE_OPTION,
  },
  more: `That no entry is left out is proven with --complete only.
Exit code 3: an entry is not proven; nothing behind it is shown.`,
  check(options, [prefix]) {
    scanOptions(options, prefix);
    assertVerified('--complete', options.complete, options);
  },
  async run({ client, values, words: [prefix], io, call }) {
    const options = { ...scanOptions(values, prefix), ...call };
    const verified = !values.unverified;
    const complete = await completeOptions(client, values, io, call);
    const entries: AsyncIterable<Entry | VerifiedEntry> = complete
      ? client.verifiedScan({ ...options, ...complete })
      : verified
        ? client.verifiedScan(options)
        : client.scan(options);
    const count = await list(io, entries, COLUMNS, { json: values.json, verified });
    await sayListed(io, count, ['entry', 'entries'], { verified, left: leftOut(values.complete) });
    return 0;
  },
});

interface ScanWords extends ListWords {
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly base64: boolean;
}

/** @throws UsageError */
function scanOptions(words: ScanWords, prefix: string | undefined) {
  const { from, to } = words;
  return {
    ...listOptions(words),
    ...(prefix !== undefined && prefix !== '' && { prefix: keyOf(prefix, words) }),
    ...(from !== undefined && { seekKey: keyOf(from, words), inclusiveSeek: true }),
    ...(to !== undefined && { endKey: keyOf(to, words), inclusiveEnd: true }),
  };
}
