// What a proven answer about a transaction says of the history tree: how it has grown, in the form that witnesses read.
import { toRfcConsistency, verifyRfcConsistency } from '../../proof/heads/consistency.js';
import type { TreeAt } from '../terms.js';
import { readVerifiableTx } from '../wire/answers.js';

export interface TreeStep {
  /** The tree that the older header of the answer commits to. */
  readonly older: TreeAt;
  /** That of the newer one. */
  readonly newer: TreeAt;
  /** Consistency proof between them, in RFC 6962's form. */
  readonly proof: readonly Uint8Array[];
}

/**
 * Requires an answer that was proven to the question for a tx (kind `tx`): both of its headers are then bound to the head, and
 * the trees by them. The proof is verified once more as a witness will.
 *
 * @throws ProofFailure
 */
export function treeStep(answer: Uint8Array): TreeStep {
  const { sourceTxHeader, targetTxHeader, consistencyProof } = readVerifiableTx(answer).dualProof;
  const older = { size: sourceTxHeader.blTxId, root: sourceTxHeader.blRoot };
  const newer = { size: targetTxHeader.blTxId, root: targetTxHeader.blRoot };
  const proof = toRfcConsistency(consistencyProof, older.size, newer.size);
  verifyRfcConsistency(proof, older.size, newer.size, older.root, newer.root);
  return { older, newer, proof };
}
