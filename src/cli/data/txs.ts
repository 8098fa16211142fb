// `immu-ts txs`: transactions one after another.
import type { Transaction } from '../../index.js';
import type { Column } from '../format/columns.js';
import { hex, isoTime } from '../format/row-columns.js';
import { countOf, idOf } from '../query-options.js';
import { verifiedCommand } from './connect.js';
import { list, sayListed } from './listing.js';
import { entriesOf } from './tx.js';

const COLUMNS: readonly Column<Transaction>[] = [
  { name: 'tx', value: ({ tx }) => tx.toString(), width: 8, align: 'right' },
  {
    name: 'written',
    value: ({ timestamp }) => (timestamp > 0n ? isoTime(Number(timestamp) * 1000) : null),
    width: 24,
  },
  { name: 'entries', value: ({ entryCount }) => entryCount, width: 7, align: 'right' },
  { name: 'alh', value: ({ alh }) => hex(alh), width: 64 },
];

export const txsCommand = verifiedCommand({
  name: 'txs',
  summary: 'Lists transactions, proven: that none between them is left out, too.',
  options: {
    from: { type: 'string', value: 'TX', says: 'the first one' },
    to: { type: 'string', value: 'TX', says: 'the last one' },
    desc: { type: 'boolean', says: 'the newest ones first' },
    limit: { type: 'string', value: 'N', says: 'at most so many' },
    entries: {
      type: 'string',
      value: 'NAME',
      says: 'with --json: raw (entries with values), digests (with their hashes), or none',
      default: 'none',
    },
  },
  more: 'That there is none behind the last one is the word of the server. Exit code 3: one is not proven.',
  check: (options) => void rangeOf(options),
  async run({ client, values, io, call }) {
    const { limit, ...range } = rangeOf(values);
    const options = { ...range, ...call };
    const verified = !values.unverified;
    const txs: AsyncIterable<Transaction> = verified
      ? client.verifiedTransactions(options)
      : client.transactions(options);
    const count = await list(io, first(txs, limit), COLUMNS, { json: values.json, verified });
    const left = 'but not that there is nothing newer';
    await sayListed(io, count, ['transaction', 'transactions'], { verified, left });
    return 0;
  },
});

interface RangeWords {
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly desc: boolean;
  readonly limit: string | undefined;
  readonly entries: string;
}

/** @throws UsageError */
function rangeOf({ from, to, desc, limit, entries }: RangeWords) {
  return {
    entries: entriesOf(entries),
    ...(from !== undefined && { from: idOf('--from', from) }),
    ...(to !== undefined && { to: idOf('--to', to) }),
    ...(desc && { desc }),
    limit: limit === undefined ? Infinity : countOf('limit', limit),
  };
}

async function* first<T>(items: AsyncIterable<T>, count: number): AsyncGenerator<T> {
  if (count === 0) return;
  let left = count;
  for await (const item of items) {
    yield item;
    left -= 1;
    if (left === 0) return;
  }
}
