// What is checked of the answer to the question for one transaction's header (VerifiableTxById, protocol file 02 §6).
import { ProofFailure } from '../../proof/failure.js';
import type { Context, Proven, Question } from '../verifier.js';
import { readVerifiableTx } from '../wire/answers.js';
import { bindTx } from './bind-tx.js';

/**
 * Proves the header of the requested transaction: that it lies on the head's history and, under the known empty
 * database, that this history starts at genesis. Entries in the answer, if any, are not looked at.
 */
export function checkTx(
  question: Extract<Question, { kind: 'tx' }>,
  context: Context,
  answer: Uint8Array,
): Extract<Proven, { kind: 'tx' }> {
  const verifiableTx = readVerifiableTx(answer);
  const { id } = verifiableTx.tx.header;
  if (id !== question.tx) throw new ProofFailure('tx.id', 'another transaction than asked', question.tx, id);
  const { subject, target } = bindTx(question.tx, verifiableTx, context, { sinceGenesis: true });
  return { kind: 'tx', subject, target };
}
