// What is checked of the answer to the question for one transaction's header (VerifiableTxById, docs/protocol.md §17).
import { sortedLeaves } from '../../proof/entry-leaves.js';
import { ProofFailure } from '../../proof/failure.js';
import { assertTx } from '../asserts.js';
import { bindTx, checkEntries } from '../claims/bind-tx.js';
import type { Kind } from '../kind.js';
import { readEnds, readLeaves, writeEnds, writeLeaves } from '../pack/ends-packet.js';
import type { BoundEnds, Context } from '../terms.js';
import { readVerifiableTx } from '../wire/answers.js';
import { signedTarget } from './signature.js';

/**
 * Answer: VerifiableTx whose entries may be left out: proves the header of `tx` under the head. `leaves` = the answer
 * holds all its entries, and they are proven too.
 */
export interface TxQuestion {
  readonly kind: 'tx';
  readonly tx: bigint;
  readonly leaves?: boolean;
}

export interface TxProven extends BoundEnds {
  readonly kind: 'tx';
  /** Sorted leaves of the entries tree (`proof/entry-leaves`); when they were asked for. */
  readonly leaves?: Uint8Array;
}

/**
 * Proves the header of the requested transaction: that it lies on the head's history and, under the known empty
 * database, that this history starts at genesis. Entries in the answer are looked at only when their leaves are asked for.
 */
function checkTx(question: TxQuestion, context: Context, answer: Uint8Array): TxProven {
  const verifiableTx = readVerifiableTx(answer);
  const { id } = verifiableTx.tx.header;
  if (id !== question.tx) throw new ProofFailure('tx.id', 'another transaction than asked', question.tx, id);
  const { header, subject, target } = bindTx(question.tx, verifiableTx, context, { sinceGenesis: true });
  if (question.leaves !== true) return { kind: 'tx', subject, target };
  const { leaves } = checkEntries(verifiableTx.tx, header);
  return { kind: 'tx', subject, target, leaves: sortedLeaves(leaves) };
}

const TAG = 3;
const TAG_WITH_LEAVES = 10;
const PROVEN_TAG = 5;

export const tx: Kind<TxQuestion, TxProven> = {
  kind: 'tx',
  tags: [TAG, TAG_WITH_LEAVES],
  provenTags: [PROVEN_TAG],

  assert({ tx: id }) {
    assertTx(id, 1n, 'question.tx');
  },

  size: () => 9,
  write(writer, { tx: id, leaves }) {
    writer.u8(leaves === true ? TAG_WITH_LEAVES : TAG);
    writer.u64(id);
  },
  read: (reader, tag) => ({
    kind: 'tx',
    tx: reader.u64(),
    ...(tag === TAG_WITH_LEAVES && { leaves: true }),
  }),

  check: checkTx,

  writeProven(writer, proven, before) {
    writer.u8(PROVEN_TAG);
    writeEnds(writer, proven, before);
    writeLeaves(writer, proven.leaves);
  },
  readProven: (reader, _tag, _question, before) => ({
    kind: 'tx',
    ...readEnds(reader, before),
    ...readLeaves(reader),
  }),

  words: ({ tx: id }) => `the header of tx ${id.toString()}`,

  signed: (_question, { database }, answer) => signedTarget(database, readVerifiableTx(answer)),
};
