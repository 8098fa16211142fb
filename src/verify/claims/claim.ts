// One claim of a plain read proven from scratch: what the entry's own transaction says, under the head. This is how a
// claim that contradicts what is known is shown to be wrong, by bytes that anyone can check again.
import { ProofFailure } from '../../proof/failure.js';
import { entryLeaf, plainKey, plainLeaf } from '../../proof/entry.js';
import { equalBytes } from '../../proof/bytes.js';
import type { Claim, Context, Proven, Question } from '../verifier.js';
import { readShownEntry, readVerifiableTx } from '../wire/answers.js';
import { bindTx, checkEntries } from './bind-tx.js';
import { CLAIM_VERSION, claimsOf } from '../readings/claims.js';

/**
 * Proves that the entry shown for `key` (or, for a reference, the reference or the entry it leads to: whichever is of
 * `tx`) is in transaction `tx`, and that this transaction lies on the head's history.
 */
export function checkClaim(
  question: Extract<Question, { kind: 'claim' }>,
  context: Context,
  answer: Uint8Array,
): Extract<Proven, { kind: 'claim' }> {
  const { key, tx, shown } = question;
  const outcome = claimsOf(key, readShownEntry(shown), context.now);
  if (outcome.kind !== 'value' && outcome.kind !== 'reference')
    throw new Error('unreachable: claimsOf throws');
  const claims = outcome.kind === 'value' ? [outcome.claim] : [outcome.claim, outcome.target];
  const ofTx = claims.filter((claim) => claim.tx === tx);
  if (ofTx.length === 0) throw new ProofFailure('claim.tx', 'the entry is of another transaction', tx);

  const verifiableTx = readVerifiableTx(answer);
  const { header, subject, target } = bindTx(tx, verifiableTx, context, { sinceGenesis: true });
  const { leaves } = checkEntries(verifiableTx.tx, header);
  for (const claim of ofTx) {
    const leaf = leafOf(claim, header.version);
    if (!leaves.some((candidate) => equalBytes(candidate, leaf))) {
      throw new ProofFailure('claim.entry', 'the transaction has no such entry of this key', undefined, leaf);
    }
  }
  return { kind: 'claim', subject, target };
}

/** Leaf of a claim in the entries tree of a tx with this header version. */
export function leafOf({ leaf, key, value, isReference, metadata }: Claim, version: number): Uint8Array {
  if (version === CLAIM_VERSION) return leaf;
  return isReference
    ? entryLeaf(version, plainKey(key), metadata, value)
    : plainLeaf(version, key, metadata, value);
}
