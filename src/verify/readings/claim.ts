// One claim of a plain read proven from scratch: what the entry's own transaction says, under the head. This is how a
// claim that contradicts what is known is shown to be wrong, by bytes that anyone can check again.
import { equalBytes } from '../../proof/bytes.js';
import { ProofFailure } from '../../proof/failure.js';
import { assertBytes, assertKey, assertTx } from '../asserts.js';
import { signedTarget } from '../chain/signature.js';
import { bindTx, checkEntries } from '../claims/bind-tx.js';
import { claimsOf, leafOf } from '../claims/claim.js';
import type { Kind } from '../kind.js';
import { readEnds, writeEnds } from '../pack/ends-packet.js';
import type { BoundEnds, Context } from '../terms.js';
import { readShownEntry, readVerifiableTx } from '../wire/answers.js';
import { bytesWords } from '../words.js';

/** Answer: VerifiableTx of `tx` with all its entries: proves that the claim in `shown` (a raw Entry) about `key` holds. */
export interface ClaimQuestion {
  readonly kind: 'claim';
  readonly key: Uint8Array;
  readonly tx: bigint;
  readonly shown: Uint8Array;
}

export interface ClaimProven extends BoundEnds {
  readonly kind: 'claim';
}

/**
 * Proves that the entry shown for `key` (or, for a reference, the reference or the entry it leads to: whichever is of
 * `tx`) is in transaction `tx`, and that this transaction lies on the head's history.
 */
function checkClaim(question: ClaimQuestion, context: Context, answer: Uint8Array): ClaimProven {
  const { key, tx, shown } = question;
  const outcome = claimsOf(key, readShownEntry(shown), context.now);
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

const TAG = 6;
const PROVEN_TAG = 8;

export const claim: Kind<ClaimQuestion, ClaimProven> = {
  kind: 'claim',
  tags: [TAG],
  provenTags: [PROVEN_TAG],

  assert({ key, tx, shown }) {
    assertKey(key, 'question.key');
    assertTx(tx, 1n, 'question.tx');
    assertBytes(shown, 'question.shown');
  },

  size: ({ key, shown }) => 9 + 8 + key.length + shown.length,
  write(writer, { tx, key, shown }) {
    writer.u8(TAG);
    writer.u64(tx);
    writer.bytes(key);
    writer.bytes(shown);
  },
  read: (reader) => ({ kind: 'claim', tx: reader.u64(), key: reader.bytes(), shown: reader.bytes() }),

  check: checkClaim,

  writeProven(writer, proven, before) {
    writer.u8(PROVEN_TAG);
    writeEnds(writer, proven, before);
  },
  readProven: (reader, _tag, _question, before) => ({ kind: 'claim', ...readEnds(reader, before) }),

  words: ({ key, tx }) => `key ${bytesWords(key)} in tx ${tx.toString()}, as a plain read showed it`,

  signed: (_question, { database }, answer) => signedTarget(database, readVerifiableTx(answer)),
};
