// What is checked of a stretch of whole transactions (TxScan) and the proof of its last one (VerifiableTxById): everything
// that is in them. Stretches are checked each on its own, in any order; side by side they are the database.
import { ArgumentError } from '../../errors.js';
import { HASH_SIZE } from '../../proof/hash.js';
import { verifySegmentEnding } from '../../proof/chain.js';
import { ProofFailure } from '../../proof/failure.js';
import { assertSame } from '../../proof/guard.js';
import type { TxHeader } from '../../proof/types.js';
import { assertBytes, assertDigest, assertTx } from '../asserts.js';
import { bindTx } from '../claims/bind-tx.js';
import type { Kind } from '../kind.js';
import { noCounts, readCounts, writeCounts } from '../stretch-counts.js';
import type { MutableCounts, StretchCounts } from '../stretch-counts.js';
import type { Context } from '../terms.js';
import { readTxList, readVerifiableTx, type LazyTx } from '../wire/answers.js';
import { EntryColumns } from '../wire/entry-columns.js';
import { signedTarget } from './signature.js';
import { RowWriter } from './rows.js';
import { checkStretchTrees } from './stretch-trees.js';
import { checkValues, checkWholeEntries } from './whole-entries.js';

/** Most transactions that are checked in one go. A TxScan gives 2500 at most. */
export const STRETCH_TXS = 2048;

/**
 * Answer: TxList of txs `first … last`, all of them, with all their entries: everything in them is checked. `proof`:
 * the VerifiableTx that proves `last` under the head; `after`: alh of `first - 1`, when it is known.
 *
 * `values`: the entries come with their raw values, which are hashed too. Servers leave some of them out; then the same
 * txs as digests are in `digests`.
 */
export interface StretchQuestion {
  readonly kind: 'stretch';
  readonly first: bigint;
  readonly last: bigint;
  readonly proof: Uint8Array;
  readonly after?: Uint8Array;
  readonly values?: boolean;
  readonly digests?: Uint8Array;
  /** What is proven of every entry is wanted as rows (`rows.ts`). */
  readonly rows?: boolean;
}

export type StretchProven =
  | {
      readonly kind: 'stretch';
      /** Alh of the tx before the first, as the first names it. */
      readonly prevAlh: Uint8Array;
      /** Alh of the last. */
      readonly alh: Uint8Array;
      readonly counts: StretchCounts;
      /** Values of txs up to this one were given up: a header among these says so. 0: none does. */
      readonly truncatedUpTo: bigint;
      /** Where they were wanted. */
      readonly rows?: Uint8Array;
    }
  /** Entries are missing beside their values: nothing was checked. Ask again, with `digests`. */
  | { readonly kind: 'short-stretch' };

const columns = new EntryColumns();
const shownColumns = new EntryColumns();
const rowWriter = new RowWriter();

/**
 * Proves all of txs `first … last`:
 *
 * 1. the header of `last` lies on the head's history (or goes on from it, where the stretch does);
 * 2. the headers are consecutive, each linked to the one before, and end in that proven hash (and follow `after`, when
 *    it is known): so they are what the chain holds;
 * 3. every header commits to the root of the history tree over the txs before it, and that tree is the head's own;
 * 4. every transaction has exactly the entries that its header commits to, and no key twice;
 * 5. with values: each value that is shown is the one that was hashed.
 *
 * 3 is not possible for headers whose tree ends before `first` (tree lag), and for headers that no tree of the head
 * reaches yet: those are counted as not checked.
 */
function checkStretch(question: StretchQuestion, context: Context, answer: Uint8Array): StretchProven {
  const { first, last, proof, after, values = false, digests } = question;
  const { now } = context;
  const { subject, dualProof } = bindLast(proof, last, context);

  const whole = digests ?? answer;
  const txs = readTxs(whole, first, last, 'stretch');
  // Entries left out beside values are no lie yet: as digests they must all be there.
  if (values && !digests && txs.some((tx) => tx.entryCount < tx.header.nentries))
    return { kind: 'short-stretch' };
  const headers = txs.map(({ header }) => header);
  const alhs = verifySegmentEnding(headers, subject.alh);
  const prevAlh = headers[0]?.prevAlh as Uint8Array;
  if (after) assertSame(prevAlh, after, 'stretch.after', 'the first tx does not follow the one before it');

  const counts = noCounts();
  counts.txs = txs.length;
  checkStretchTrees(headers, alhs, dualProof, counts);
  rowWriter.begin();
  txs.forEach((tx, i) => {
    columns.read(tx);
    checkWholeEntries(tx.header, { bytes: whole, entries: columns }, counts, now);
    if (question.rows === true) rowWriter.add(alhs[i] as Uint8Array, whole, columns);
    if (values && !digests) {
      const own = { bytes: whole, entries: columns };
      checkValues(own, own, counts, tx.header.id, now);
    }
  });
  if (digests) {
    const shown = readTxs(answer, first, last, 'stretch.values');
    checkShownValues(txs, digests, shown, answer, counts, now);
  }
  return {
    kind: 'stretch',
    prevAlh,
    alh: subject.alh,
    counts,
    truncatedUpTo: truncatedUpTo(headers),
    ...(question.rows === true && { rows: rowWriter.take() }),
  };
}

function bindLast(proof: Uint8Array, last: bigint, context: Context) {
  const verifiableTx = readVerifiableTx(proof);
  const { subject } = bindTx(last, verifiableTx, context);
  return { subject, dualProof: verifiableTx.dualProof };
}

/** All of them and nothing else; that each is the next one is checked along the chain. */
function readTxs(
  answer: Uint8Array,
  first: bigint,
  last: bigint,
  check: 'stretch' | 'stretch.values',
): LazyTx[] {
  const count = last - first + 1n;
  const txs = readTxList(answer, count);
  if (BigInt(txs.length) !== count) {
    throw new ProofFailure(`${check}.count`, 'transactions are missing', count, txs.length);
  }
  const id = txs[0]?.header.id;
  if (id !== first) {
    throw new ProofFailure(`${check}.first`, 'the transactions start at another one', first, id);
  }
  return txs;
}

/** A truncation gives up values of what came before it. */
function truncatedUpTo(headers: readonly TxHeader[]): bigint {
  let highest = 0n;
  for (const { id, metadata } of headers) {
    const upTo = metadata?.truncatedTxId ?? 0n;
    if (upTo > highest && upTo < id) highest = upTo;
  }
  return highest;
}

function checkShownValues(
  txs: readonly LazyTx[],
  bytes: Uint8Array,
  shown: readonly LazyTx[],
  shownBytes: Uint8Array,
  counts: MutableCounts,
  now: bigint,
): void {
  txs.forEach((tx, i) => {
    const beside = shown[i] as LazyTx;
    const { id } = tx.header;
    if (beside.header.id !== id) {
      throw new ProofFailure('stretch.values.tx', 'values of another transaction', id, beside.header.id);
    }
    columns.read(tx);
    shownColumns.read(beside);
    checkValues({ bytes, entries: columns }, { bytes: shownBytes, entries: shownColumns }, counts, id, now);
  });
}

const TAG = 11;
const AFTER = 1;
const VALUES = 2;
const DIGESTS = 4;
const ROWS = 8;
const WHOLE = 12;
const SHORT = 13;
const WHOLE_WITH_ROWS = 60;

export const stretch: Kind<StretchQuestion, StretchProven> = {
  kind: 'stretch',
  tags: [TAG],
  provenTags: [WHOLE, SHORT, WHOLE_WITH_ROWS],

  assert({ first, last, proof, after, values, digests }, { head }) {
    assertTx(first, 1n, 'question.first');
    assertTx(last, first, 'question.last');
    if (last - first >= BigInt(STRETCH_TXS))
      throw new ArgumentError('question.last', `a stretch has at most ${STRETCH_TXS} transactions`);
    // Its last header must be proven from something: by itself it would prove nothing.
    if (head === null || (head.tx < last && (head.tx + 1n !== first || head.tx === 0n)))
      throw new ArgumentError('context.head', 'a stretch lies at or below a head, or goes on from it');
    assertBytes(proof, 'question.proof');
    if (after) assertDigest(after, 'question.after');
    if (digests) assertBytes(digests, 'question.digests');
    if (digests && values !== true)
      throw new ArgumentError('question.digests', 'digests beside the answer are for answers with values');
  },

  size: ({ proof, after, digests }) =>
    18 + (after ? HASH_SIZE : 0) + 4 + proof.length + (digests ? 4 + digests.length : 0),
  write(writer, { first, last, proof, after, values, digests, rows }) {
    writer.u8(TAG);
    writer.u64(first);
    writer.u64(last);
    writer.u8(
      (after ? AFTER : 0) |
        (values === true ? VALUES : 0) |
        (digests ? DIGESTS : 0) |
        (rows === true ? ROWS : 0),
    );
    if (after) writer.raw(after);
    writer.bytes(proof);
    if (digests) writer.bytes(digests);
  },
  read(reader) {
    const first = reader.u64();
    const last = reader.u64();
    const flags = reader.u8();
    const after = (flags & AFTER) !== 0 ? reader.digest() : undefined;
    const proof = reader.bytes();
    const digests = (flags & DIGESTS) !== 0 ? reader.bytes() : undefined;
    return {
      kind: 'stretch',
      first,
      last,
      proof,
      ...(after && { after }),
      ...((flags & VALUES) !== 0 && { values: true }),
      ...(digests && { digests }),
      ...((flags & ROWS) !== 0 && { rows: true }),
    };
  },

  check: checkStretch,

  writeProven(writer, proven) {
    if (proven.kind === 'short-stretch') {
      writer.u8(SHORT);
      return;
    }
    writer.u8(proven.rows ? WHOLE_WITH_ROWS : WHOLE);
    writer.raw(proven.prevAlh);
    writer.raw(proven.alh);
    writeCounts(writer, proven.counts);
    writer.u64(proven.truncatedUpTo);
    if (proven.rows) writer.bytes(proven.rows);
  },
  readProven(reader, tag) {
    if (tag === SHORT) return { kind: 'short-stretch' };
    const prevAlh = reader.digest();
    const alh = reader.digest();
    const counts = readCounts(reader);
    const whole = { kind: 'stretch', prevAlh, alh, counts, truncatedUpTo: reader.u64() } as const;
    return tag === WHOLE_WITH_ROWS ? { ...whole, rows: reader.bytes() } : whole;
  },

  words: ({ first, last, values }) =>
    `everything in txs ${first.toString()} to ${last.toString()}${values === true ? ', with values' : ''}`,

  signed: ({ proof }, { database }) => signedTarget(database, readVerifiableTx(proof)),
};
