// What is checked of the answer to the question for one transaction's header (VerifiableTxById, docs/protocol.md §17).
import { ArgumentError } from '../../errors.js';
import { sortedLeaves } from '../../proof/entry-leaves.js';
import { ProofFailure } from '../../proof/failure.js';
import { assertBytes, assertTx } from '../asserts.js';
import { bindTx, checkEntries } from '../claims/bind-tx.js';
import type { Kind } from '../kind.js';
import { readEnds, readLeaves, writeEnds, writeLeaves } from '../pack/ends-packet.js';
import type { BoundEnds, Context } from '../terms.js';
import { noCounts } from '../stretch-counts.js';
import { readShownTx, readVerifiableTx } from '../wire/answers.js';
import type { LazyTx } from '../wire/answers.js';
import { EntryColumns } from '../wire/entry-columns.js';
import { signedTarget } from './signature.js';
import { checkValues } from './whole-entries.js';

const columns = new EntryColumns();
const shownColumns = new EntryColumns();

/**
 * Answer: VerifiableTx whose entries may be left out: proves the header of `tx` under the head. `leaves` = the answer
 * holds all its entries, and they are proven too. `values`: a Tx, those entries of it whose values the server shows, each of
 * which must be the one that was hashed.
 */
export interface TxQuestion {
  readonly kind: 'tx';
  readonly tx: bigint;
  readonly leaves?: boolean;
  readonly values?: Uint8Array;
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
  const { values } = question;
  if (question.leaves !== true && !values) return { kind: 'tx', subject, target };
  const { leaves } = checkEntries(verifiableTx.tx, header);
  if (values) checkShown(verifiableTx.tx, answer, values, context.now);
  return { kind: 'tx', subject, target, leaves: sortedLeaves(leaves) };
}

/** Each value is that of an entry, in their order, and hashes to what the entry says. */
function checkShown(whole: LazyTx, answer: Uint8Array, values: Uint8Array, now: bigint): void {
  columns.read(whole);
  shownColumns.read(readShownTx(values));
  const shown = { bytes: values, entries: shownColumns };
  checkValues({ bytes: answer, entries: columns }, shown, noCounts(), whole.header.id, now);
}

const TAG = 3;
const TAG_WITH_LEAVES = 10;
const TAG_WITH_VALUES = 40;
const PROVEN_TAG = 5;

export const tx: Kind<TxQuestion, TxProven> = {
  kind: 'tx',
  tags: [TAG, TAG_WITH_LEAVES, TAG_WITH_VALUES],
  provenTags: [PROVEN_TAG],

  assert({ tx: id, leaves, values }) {
    assertTx(id, 1n, 'question.tx');
    if (values) assertBytes(values, 'question.values');
    if (values && leaves !== true)
      throw new ArgumentError('question.values', 'values are held against all entries: ask for their leaves');
  },

  size: ({ values }) => 9 + (values ? 4 + values.length : 0),
  write(writer, { tx: id, leaves, values }) {
    writer.u8(values ? TAG_WITH_VALUES : leaves === true ? TAG_WITH_LEAVES : TAG);
    writer.u64(id);
    if (values) writer.bytes(values);
  },
  read: (reader, tag) => ({
    kind: 'tx',
    tx: reader.u64(),
    ...(tag !== TAG && { leaves: true }),
    ...(tag === TAG_WITH_VALUES && { values: reader.bytes() }),
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

  words: ({ tx: id, values }) =>
    values ? `tx ${id.toString()}, with values` : `the header of tx ${id.toString()}`,

  signed: (_question, { database }, answer) => signedTarget(database, readVerifiableTx(answer)),
};
