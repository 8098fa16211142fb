// What is checked of the entries (as digests) of transactions whose headers are proven already.
import { ArgumentError } from '../../errors.js';
import { ProofFailure } from '../../proof/failure.js';
import { sortedLeaves } from '../../proof/entry-leaves.js';
import { assertDigest, assertTx } from '../asserts.js';
import type { Kind } from '../kind.js';
import type { Context } from '../terms.js';
import { readTxList } from '../wire/answers.js';
import { EntryColumns } from '../wire/entry-columns.js';
import { provenLeaves } from './whole-entries.js';

/** Answer: TxList of these consecutive, proven txs with all their entries as digests. */
export interface LeavesQuestion {
  readonly kind: 'leaves';
  readonly txs: readonly TxFacts[];
}

/** What the proof of an entry needs of its tx's proven header. */
export interface TxFacts {
  readonly tx: bigint;
  readonly version: number;
  readonly nentries: number;
  readonly eH: Uint8Array;
}

/** Sorted leaves of each of the txs, in their order. */
export interface LeavesProven {
  readonly kind: 'leaves';
  readonly leaves: readonly Uint8Array[];
}

const columns = new EntryColumns();

/**
 * Proves that the answer holds all entries of each of the transactions: as many as the proven header says, no key
 * twice, hashing to the proven entries root. The headers in the answer play no part but their id.
 */
function checkLeaves({ txs }: LeavesQuestion, _context: Context, answer: Uint8Array): LeavesProven {
  const answered = readTxList(answer, BigInt(txs.length));
  if (answered.length !== txs.length) {
    throw new ProofFailure('leaves.count', 'transactions are missing', txs.length, answered.length);
  }
  const sorted = txs.map((facts, i) => {
    const tx = answered[i];
    if (tx?.header.id !== facts.tx) {
      throw new ProofFailure('leaves.tx', 'another transaction than asked', facts.tx, tx?.header.id);
    }
    if (tx.entryCount !== facts.nentries) {
      throw new ProofFailure(
        'entries.count',
        'not the number the header says',
        facts.nentries,
        tx.entryCount,
      );
    }
    columns.read(tx);
    return sortedLeaves(provenLeaves(facts, { bytes: answer, entries: columns }));
  });
  return { kind: 'leaves', leaves: sorted };
}

const TAG = 9;
const FACTS_SIZE = 8 + 1 + 4 + 32;
const PROVEN_TAG = 11;

export const leaves: Kind<LeavesQuestion, LeavesProven> = {
  kind: 'leaves',
  tags: [TAG],
  provenTags: [PROVEN_TAG],

  assert({ txs }) {
    if (txs.length === 0)
      throw new ArgumentError('question.txs', 'leaves are those of at least one transaction');
    for (const { tx, eH } of txs) {
      assertTx(tx, 1n, 'question.txs');
      assertDigest(eH, 'question.txs');
    }
  },

  size: ({ txs }) => 5 + FACTS_SIZE * txs.length,
  write(writer, { txs }) {
    writer.u8(TAG);
    writer.u32(txs.length);
    for (const { tx, version, nentries, eH } of txs) {
      writer.u64(tx);
      writer.u8(version);
      writer.u32(nentries);
      writer.raw(eH);
    }
  },
  read(reader) {
    const txs: TxFacts[] = [];
    for (let left = reader.u32(); left > 0; left--) {
      txs.push({ tx: reader.u64(), version: reader.u8(), nentries: reader.u32(), eH: reader.digest() });
    }
    return { kind: 'leaves', txs };
  },

  check: checkLeaves,

  writeProven(writer, proven) {
    writer.u8(PROVEN_TAG);
    for (const sorted of proven.leaves) writer.bytes(sorted);
  },
  readProven: (reader, _tag, { txs }) => ({ kind: 'leaves', leaves: txs.map(() => reader.bytes()) }),

  words({ txs }) {
    const [first] = txs;
    return `the entries of ${txs.length} transactions from tx ${first ? first.tx.toString() : '?'} on`;
  },
};
