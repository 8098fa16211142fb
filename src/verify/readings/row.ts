// What is checked of the answer to the question for one row of SQL (VerifiableSQLGet). The key is made of a catalog that the client
// has by other means: what the answer says of the table proves nothing.
import { verifyEntryInclusion } from '../../proof/tree/entries-tree.js';
import { digestOf } from '../../proof/entry.js';
import { sortedLeaves } from '../../proof/entry-leaves.js';
import { ProofFailure } from '../../proof/failure.js';
import { sha256 } from '../../proof/hash.js';
import { isSqlDeletion } from '../../proof/sql/catalog-entry.js';
import { decodeSqlKey } from '../../proof/sql/raw-key.js';
import { toHex } from '../../proof/bytes.js';
import { assertBytes, assertTx } from '../asserts.js';
import { signedTarget } from '../chain/signature.js';
import { bindTx, checkEntries } from '../claims/bind-tx.js';
import type { Kind } from '../kind.js';
import { readEnds, readLeaves, writeEnds, writeLeaves } from '../pack/ends-packet.js';
import type { BoundEnds, Context } from '../terms.js';
import { readVerifiableRow } from '../wire/rows.js';
import { bytesWords } from '../words.js';
import { indexIn } from './asked.js';

/** Answer: VerifiableSQLEntry. `key`: the raw key of the row. `atTx` given = the entry must be from that tx, and may be a deletion. */
export interface RowQuestion {
  readonly kind: 'row';
  readonly key: Uint8Array;
  readonly atTx?: bigint;
}

/** `subject`: header of the tx that holds the row. */
export interface RowProven extends BoundEnds {
  readonly kind: 'row';
  /** The raw value: a row, and of a deletion the last one. */
  readonly value: Uint8Array;
  readonly deleted: boolean;
  /** Sorted leaves of the subject (`proof/entry-leaves`), when it has more entries than this one. */
  readonly leaves?: Uint8Array;
}

/**
 * Proves that the entry with this raw key, with its value, is in the transaction it is said to be in, and that this transaction lies
 * on the head's history. It is not proven that no newer one exists, nor which table has this id.
 */
function checkRow(question: RowQuestion, context: Context, answer: Uint8Array): RowProven {
  const { entry, verifiableTx, inclusionProof } = readVerifiableRow(answer);

  // 1. The version that was asked for; a deletion is none but where its transaction was named.
  const { key, atTx } = question;
  if (atTx !== undefined && entry.tx !== atTx)
    throw new ProofFailure('row.at-tx', 'the row is of another transaction than asked', atTx, entry.tx);
  const deleted = isSqlDeletion(entry.metadata);
  if (deleted && atTx === undefined) throw new ProofFailure('row.deleted', 'the row is a deletion');

  // 2. Its transaction lies on the head's history, and the answer holds all entries of that transaction.
  const { header, subject, target } = bindTx(entry.tx, verifiableTx, context);
  const { entries, leaves } = checkEntries(verifiableTx.tx, header);

  // 3. The row is one of them, and with this metadata and value it has the proven digest there.
  indexIn(entries, key, inclusionProof);
  const digest = digestOf(header.version, key, entry.metadata, sha256(entry.value));
  verifyEntryInclusion(inclusionProof, digest, header);
  return {
    kind: 'row',
    subject,
    target,
    value: entry.value,
    deleted,
    ...(leaves.length > 1 && { leaves: sortedLeaves(leaves) }),
  };
}

/** Of which table, and under which key. */
function rowWords(key: Uint8Array): string {
  try {
    const of = decodeSqlKey(key);
    if (of.kind === 'row') return `0x${toHex(of.pk.subarray(0, MAX_SHOWN))} of table ${of.table}`;
  } catch {
    // Of no table: shown as it is.
  }
  return bytesWords(key);
}

const MAX_SHOWN = 64;
const TAG = 80;
const TAG_AT_TX = 81;
const PROVEN_TAG = 80;

export const row: Kind<RowQuestion, RowProven> = {
  kind: 'row',
  tags: [TAG, TAG_AT_TX],
  provenTags: [PROVEN_TAG],

  assert({ key, atTx }) {
    assertBytes(key, 'question.key');
    if (atTx !== undefined) assertTx(atTx, 1n, 'question.atTx');
  },

  size: ({ key, atTx }) => 5 + 8 * Number(atTx !== undefined) + key.length,
  write(writer, { key, atTx }) {
    writer.u8(atTx === undefined ? TAG : TAG_AT_TX);
    if (atTx !== undefined) writer.u64(atTx);
    writer.bytes(key);
  },
  read(reader, tag) {
    const atTx = tag === TAG_AT_TX ? reader.u64() : undefined;
    return { kind: 'row', key: reader.bytes(), ...(atTx !== undefined && { atTx }) };
  },

  check: checkRow,

  writeProven(writer, proven, before) {
    writer.u8(PROVEN_TAG);
    writeEnds(writer, proven, before);
    writer.u8(Number(proven.deleted));
    writer.bytes(proven.value);
    writeLeaves(writer, proven.leaves);
  },
  readProven(reader, _tag, _question, before) {
    const ends = readEnds(reader, before);
    const deleted = reader.u8() === 1;
    return { kind: 'row', ...ends, deleted, value: reader.bytes(), ...readLeaves(reader) };
  },

  words({ key, atTx }) {
    return `the row ${rowWords(key)}${atTx === undefined ? '' : ` at tx ${atTx.toString()}`}`;
  },

  signed: (_question, { database }, answer) => signedTarget(database, readVerifiableRow(answer).verifiableTx),
};
