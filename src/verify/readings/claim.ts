// One claim of a plain read proven from scratch: what the entry's own transaction says, under the head. This is how a
// claim that contradicts what is known is shown to be wrong, by bytes that anyone can check again.
import { equalBytes } from '../../proof/bytes.js';
import { ProofFailure } from '../../proof/failure.js';
import { assertBytes, assertKey, assertTx } from '../asserts.js';
import { signedTarget } from '../chain/signature.js';
import { bindTx, checkEntries } from '../claims/bind-tx.js';
import { claimsOf, leafOf } from '../claims/claim.js';
import type { Claim } from '../claims/claim.js';
import { rawClaim, readShownRaw } from '../claims/raw-claim.js';
import { otherReading, versionOf } from '../claims/version.js';
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
  /** How it was shown. `raw`: `key` is a raw key, `shown` its metadata and raw value. @default as the value of its key */
  readonly as?: 'version' | 'raw';
}

export interface ClaimProven extends BoundEnds {
  readonly kind: 'claim';
}

/**
 * Proves that the entry shown for `key` (or, for a reference, the reference or the entry it leads to: whichever is of
 * `tx`) is in transaction `tx`, and that this transaction lies on the head's history.
 */
function checkClaim(question: ClaimQuestion, context: Context, answer: Uint8Array): ClaimProven {
  const { tx } = question;
  const ofTx = claimsIn(question, context).filter(([{ tx: claimed }]) => claimed === tx);
  if (ofTx.length === 0) throw new ProofFailure('claim.tx', 'the entry is of another transaction', tx);

  const verifiableTx = readVerifiableTx(answer);
  const { header, subject, target } = bindTx(tx, verifiableTx, context, { sinceGenesis: true });
  const { leaves } = checkEntries(verifiableTx.tx, header);
  for (const [claim, otherwise] of ofTx) {
    const leaf = leafOf(claim, header.version);
    const other = otherwise && leafOf(otherwise, header.version);
    if (!leaves.some((each) => equalBytes(each, leaf) || (other && equalBytes(each, other)))) {
      throw new ProofFailure('claim.entry', 'the transaction has no such entry of this key', undefined, leaf);
    }
  }
  return { kind: 'claim', subject, target };
}

/** What is claimed, and what each claim may mean otherwise. */
function claimsIn(
  { key, tx, shown, as }: ClaimQuestion,
  { now }: Context,
): (readonly [Claim, (Claim | undefined)?])[] {
  if (as === 'raw') return [[rawClaim(tx, readShownRaw(key, shown))]];
  const entry = readShownEntry(shown);
  if (as === 'version') {
    const version = versionOf(key, entry, now);
    if (version.kind === 'expired')
      throw new ProofFailure('history.expired', 'a version without its value claims nothing by itself');
    return [[version.claim, otherReading(version)?.claim]];
  }
  const outcome = claimsOf(key, entry, now);
  return outcome.kind === 'value' ? [[outcome.claim]] : [[outcome.claim], [outcome.target]];
}

/** The question whether a claim holds, as it is put to its transaction. */
export function claimQuestion({
  key,
  claim: { tx },
  shown,
  as,
}: Pick<ClaimQuestion, 'key' | 'shown' | 'as'> & { readonly claim: { readonly tx: bigint } }): ClaimQuestion {
  return { kind: 'claim', key, tx, shown, ...(as && { as }) };
}

const TAG = 6;
const TAG_VERSION = 33;
const TAG_RAW = 71;
const TAG_AS = { version: TAG_VERSION, raw: TAG_RAW };
const PROVEN_TAG = 8;

export const claim: Kind<ClaimQuestion, ClaimProven> = {
  kind: 'claim',
  tags: [TAG, TAG_VERSION, TAG_RAW],
  provenTags: [PROVEN_TAG],

  assert({ key, tx, shown }) {
    assertKey(key, 'question.key');
    assertTx(tx, 1n, 'question.tx');
    assertBytes(shown, 'question.shown');
  },

  size: ({ key, shown }) => 9 + 8 + key.length + shown.length,
  write(writer, { tx, key, shown, as }) {
    writer.u8(as ? TAG_AS[as] : TAG);
    writer.u64(tx);
    writer.bytes(key);
    writer.bytes(shown);
  },
  read: (reader, tag) => ({
    kind: 'claim',
    tx: reader.u64(),
    key: reader.bytes(),
    shown: reader.bytes(),
    ...(tag === TAG_VERSION && { as: 'version' }),
    ...(tag === TAG_RAW && { as: 'raw' }),
  }),

  check: checkClaim,

  writeProven(writer, proven, before) {
    writer.u8(PROVEN_TAG);
    writeEnds(writer, proven, before);
  },
  readProven: (reader, _tag, _question, before) => ({ kind: 'claim', ...readEnds(reader, before) }),

  words: ({ key, tx, as }) =>
    as === 'raw'
      ? `the entry ${bytesWords(key)} in tx ${tx.toString()}`
      : `key ${bytesWords(key)} in tx ${tx.toString()}, as ${as === 'version' ? 'its history' : 'a plain read'} showed it`,

  signed: (_question, { database }, answer) => signedTarget(database, readVerifiableTx(answer)),
};
