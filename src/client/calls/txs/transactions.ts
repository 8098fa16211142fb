// A run of transactions by the server's word, page by page.
import { readTxList } from '../../../verify/wire/answers.js';
import type { CallOptions } from '../../input/call-options.js';
import type { Rpc } from '../../net/rpc.js';
import { claimedState } from '../admin/server-info.js';
import { PageSize } from './pages.js';
import type { CheckedRange } from './pages.js';
import { readPlain } from '../../results/plain-answer.js';
import { notAsked, transactionOf } from './transaction.js';
import type { Transaction } from './transaction.js';
import { specOf } from './wanted.js';
import type { Wanted } from './wanted.js';

/** Asks for each page as a call of its own. */
export type Enter = <T>(work: (rpc: Rpc, options: CallOptions) => Promise<T>) => Promise<T>;

/** Ends at the newest transaction, wherever `to` lies. */
export async function* transactions(
  enter: Enter,
  range: CheckedRange,
  wanted: Wanted,
): AsyncGenerator<Transaction, void, undefined> {
  const { desc } = range;
  const size = new PageSize();
  let next = desc ? await newest(enter, range) : (range.from ?? 1n);
  for (;;) {
    const left = (desc ? next - range.to : range.to - next) + 1n;
    if (left < 1n || next < 1n) return;
    const count = size.next(left);
    let page: Page;
    try {
      page = await enter((rpc, options) => askPage(rpc, { first: next, count, desc, wanted }, options));
    } catch (error) {
      if (size.shrink(error, count)) continue;
      throw error;
    }
    yield* page.txs;
    if (page.txs.length < count) return;
    size.learn(count, page.bytes);
    next += BigInt(desc ? -count : count);
  }
}

/** Where the newest one lies below `from`, it is begun there. */
async function newest(enter: Enter, { from }: CheckedRange): Promise<bigint> {
  const { tx } = await enter(claimedState);
  return from === undefined || from > tx ? tx : from;
}

interface Asked {
  readonly first: bigint;
  readonly count: number;
  readonly desc: boolean;
  readonly wanted: Wanted;
}

interface Page {
  readonly txs: readonly Transaction[];
  readonly bytes: number;
}

/** By the server's word: fewer than `count` where there are no more. */
export async function askPage(
  rpc: Rpc,
  { first, count, desc, wanted }: Asked,
  options: CallOptions,
): Promise<Page> {
  const request = { initialTx: first.toString(), limit: count, desc, ...specOf(wanted) };
  const answer = await rpc.raw('TxScan', request, options);
  const txs = readPlain(() =>
    readTxList(answer, BigInt(count)).map((shown, i) => {
      const expected = first + BigInt(desc ? -i : i);
      const { id } = shown.header;
      if (id !== expected) notAsked(`tx ${id.toString()} in place of tx ${expected.toString()}`);
      return transactionOf(shown, wanted);
    }),
  );
  return { txs, bytes: answer.length };
}
