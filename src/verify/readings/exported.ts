// What is checked of an exported transaction (exportTx) beside the proof of its header (VerifiableTxById): it is that transaction,
// to its last entry and value.
import { ProofFailure } from '../../proof/failure.js';
import { assertSame } from '../../proof/guard.js';
import { alh } from '../../proof/header.js';
import { verifyEntries } from '../../proof/tree/entries-tree.js';
import { assertBytes, assertTx } from '../asserts.js';
import { signedTarget } from '../chain/signature.js';
import { bindTx } from '../claims/bind-tx.js';
import type { Kind } from '../kind.js';
import { readEnds, writeEnds } from '../pack/ends-packet.js';
import type { BoundEnds, Context } from '../terms.js';
import { readVerifiableTx } from '../wire/answers.js';
import { readExport } from '../wire/exported-tx.js';

/** Answer: the payload of an export of `tx`. `proof`: the VerifiableTx that proves its header under the head. */
export interface ExportedQuestion {
  readonly kind: 'exported';
  readonly tx: bigint;
  readonly proof: Uint8Array;
}

export interface ExportedProven extends BoundEnds {
  readonly kind: 'exported';
}

/**
 * Proves that the export is transaction `tx` of the head's history: its header hashes to the proven hash, and its entries,
 * with their values or, where those are truncated, with their hashes, are exactly those that the header commits to.
 */
function checkExported(
  { tx, proof }: ExportedQuestion,
  context: Context,
  answer: Uint8Array,
): ExportedProven {
  const { header, entries } = readExport(answer);
  if (header.id !== tx) throw new ProofFailure('tx.id', 'another transaction than asked', tx, header.id);
  const { subject, target } = bindTx(tx, readVerifiableTx(proof), context, { sinceGenesis: true });
  assertSame(alh(header), subject.alh, 'export.header', 'the exported header is not the proven one');
  verifyEntries(header, entries);
  return { kind: 'exported', subject, target };
}

const TAG = 41;
const PROVEN_TAG = 41;

export const exported: Kind<ExportedQuestion, ExportedProven> = {
  kind: 'exported',
  tags: [TAG],
  provenTags: [PROVEN_TAG],

  assert({ tx, proof }) {
    assertTx(tx, 1n, 'question.tx');
    assertBytes(proof, 'question.proof');
  },

  size: ({ proof }) => 9 + 4 + proof.length,
  write(writer, { tx, proof }) {
    writer.u8(TAG);
    writer.u64(tx);
    writer.bytes(proof);
  },
  read: (reader) => ({ kind: 'exported', tx: reader.u64(), proof: reader.bytes() }),

  check: checkExported,

  writeProven(writer, proven, before) {
    writer.u8(PROVEN_TAG);
    writeEnds(writer, proven, before);
  },
  readProven: (reader, _tag, _question, before) => ({ kind: 'exported', ...readEnds(reader, before) }),

  words: ({ tx }) => `an export of tx ${tx.toString()}`,

  signed: ({ proof }, { database }) => signedTarget(database, readVerifiableTx(proof)),
};
