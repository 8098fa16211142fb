// A run of transactions, proven page by page: chain, tree and entries of each stretch under the head.
import type { Root } from '../../../verify/verifier.js';
import { readTxList } from '../../../verify/wire/answers.js';
import type { CallOptions } from '../../input/call-options.js';
import type { Rpc } from '../../net/rpc.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import { askDigests, askHeaderUnder } from '../../trust/trust-wire.js';
import { PageSize } from './pages.js';
import type { CheckedRange } from './pages.js';
import { provenEntries } from './proven-entries.js';
import { headerFields } from './transaction.js';
import type { VerifiedTransaction } from './verified-tx.js';
import { specOf } from './wanted.js';
import type { Wanted } from './wanted.js';
import { resultOf } from '../../results/result.js';

interface Verified {
  readonly session: Rpc;
  readonly trust: DatabaseTrust;
  readonly call: Call;
}

/** Makes each page a verified call of its own. */
export type EnterVerified = <T>(work: (verified: Verified) => Promise<T>) => Promise<T>;

/** Ends at the newest transaction, wherever `to` lies: at the newest state that the server proves to extend the head. */
export async function* verifiedTransactions(
  enter: EnterVerified,
  range: CheckedRange,
  wanted: Wanted,
): AsyncGenerator<VerifiedTransaction, void, undefined> {
  const { desc, to } = range;
  const size = new PageSize();
  let newest = await enter(newestTx);
  let next = range.from === undefined || (desc && range.from > newest) ? newest : range.from;
  for (;;) {
    if (!desc && next > newest && next <= to) newest = await enter(newestTx);
    const end = !desc && to > newest ? newest : to;
    const left = (desc ? next - end : end - next) + 1n;
    if (left < 1n || next < 1n) return;
    const count = size.next(left);
    const last = desc ? next : next + BigInt(count) - 1n;
    const stretch = { first: last - BigInt(count) + 1n, last };
    let page: Page;
    try {
      page = await enter((verified) => provePage(verified, stretch, wanted));
    } catch (error) {
      if (size.shrink(error, count)) continue;
      throw error;
    }
    yield* desc ? page.txs.reverse() : page.txs;
    size.learn(count, page.bytes);
    next = desc ? stretch.first - 1n : last + 1n;
  }
}

/** Tx of the newest state that the server proves now. */
async function newestTx({ trust, call }: Verified): Promise<bigint> {
  await trust.ready(call);
  const assured = trust.assureNow(call.operation);
  await call.deadline.race(assured, 'the server to prove that it extends what is trusted');
  return trust.headTx;
}

interface Stretch {
  readonly first: bigint;
  readonly last: bigint;
}

interface Page {
  readonly txs: VerifiedTransaction[];
  readonly bytes: number;
}

async function provePage(verified: Verified, { first, last }: Stretch, wanted: Wanted): Promise<Page> {
  const { session: rpc, trust, call } = verified;
  const { operation, startedAt, deadline } = call;
  await trust.ready(call);
  await trust.reach(call, last);
  const head = await trust.head(call);
  const count = Number(last - first) + 1;
  const asked = underWay(askDigests(rpc, first, count, deadline.left));
  const askedValues =
    wanted.entries === 'raw' ? underWay(askRaw(rpc, first, count, deadline.left)) : undefined;
  // First the one that names the head: if it fails, it says why.
  const proof = await trust.ask(call, head, () => askHeaderUnder(rpc, last, head, deadline.left));
  const digests = await asked;
  const values = await askedValues;

  const beside = values ? { values: true, digests } : {};
  const question = { kind: 'stretch', first, last, proof, ...beside } as const;
  const answer = values ?? digests;
  const checked = trust.check(operation, question, rootOf(head), answer, call.askedAt, deadline);
  await deadline.race(checked, 'its answer to be checked');
  await trust.ready(call);
  trust.countCalls(operation, startedAt, 1);

  const { root } = trust;
  const shown = values && readTxList(values, BigInt(count));
  const txs = readTxList(digests, BigInt(count)).map((whole, i) =>
    resultOf({
      ...headerFields(whole.header),
      entries: provenEntries(whole, shown?.[i], wanted),
      root,
    }),
  );
  return { txs, bytes: digests.length + (values?.length ?? 0) };
}

/** What goes wrong is told when it is waited for. */
function underWay(asked: Promise<Uint8Array>): Promise<Uint8Array> {
  asked.catch(() => undefined);
  return asked;
}

/** All kinds, so that what is not shown is withheld; which of them are wanted is for the caller's eyes only. */
function askRaw(rpc: Rpc, first: bigint, count: number, options: CallOptions): Promise<Uint8Array> {
  const spec = specOf({ entries: 'raw' });
  return rpc.raw('TxScan', { initialTx: first.toString(), limit: count, ...spec }, options);
}

function rootOf({ tx, alh }: Root): Root {
  return { tx, alh };
}
