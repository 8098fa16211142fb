// What is checked of the answer to the question for one transaction's header (VerifiableTxById, docs/protocol.md §17).
import { sortedLeaves } from '../../proof/entry-leaves.js';
import { ProofFailure } from '../../proof/failure.js';
import type { Context, Proven, Question } from '../verifier.js';
import { readVerifiableTx } from '../wire/answers.js';
import { bindTx, checkEntries } from '../claims/bind-tx.js';

/**
 * Proves the header of the requested transaction: that it lies on the head's history and, under the known empty
 * database, that this history starts at genesis. Entries in the answer are looked at only when their leaves are asked for.
 */
export function checkTx(
  question: Extract<Question, { kind: 'tx' }>,
  context: Context,
  answer: Uint8Array,
): Extract<Proven, { kind: 'tx' }> {
  const verifiableTx = readVerifiableTx(answer);
  const { id } = verifiableTx.tx.header;
  if (id !== question.tx) throw new ProofFailure('tx.id', 'another transaction than asked', question.tx, id);
  const { header, subject, target } = bindTx(question.tx, verifiableTx, context, { sinceGenesis: true });
  if (question.leaves !== true) return { kind: 'tx', subject, target };
  const { leaves } = checkEntries(verifiableTx.tx, header);
  return { kind: 'tx', subject, target, leaves: sortedLeaves(leaves) };
}
