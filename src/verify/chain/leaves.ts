// What is checked of the entries (as digests) of transactions whose headers are proven already.
import { ProofFailure } from '../../proof/failure.js';
import { sortedLeaves } from '../../proof/entry-leaves.js';
import type { Proven, Question } from '../verifier.js';
import { readTxList } from '../wire/answers.js';
import { EntryColumns } from '../wire/entry-columns.js';
import { provenLeaves } from './whole-entries.js';

const columns = new EntryColumns();

/**
 * Proves that the answer holds all entries of each of the transactions: as many as the proven header says, no key
 * twice, hashing to the proven entries root. The headers in the answer play no part but their id.
 */
export function checkLeaves(
  { txs }: Extract<Question, { kind: 'leaves' }>,
  answer: Uint8Array,
): Extract<Proven, { kind: 'leaves' }> {
  const answered = readTxList(answer, BigInt(txs.length));
  if (answered.length !== txs.length) {
    throw new ProofFailure('leaves.count', 'transactions are missing', txs.length, answered.length);
  }
  const leaves = txs.map((facts, i) => {
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
  return { kind: 'leaves', leaves };
}
