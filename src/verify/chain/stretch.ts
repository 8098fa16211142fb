// What is checked of a stretch of whole transactions (TxScan) and the proof of its last one (VerifiableTxById): everything
// that is in them. Stretches are checked each on its own, in any order; side by side they are the database.
import { equalBytes } from '../../proof/bytes.js';
import { verifySegmentEnding } from '../../proof/chain.js';
import { ProofFailure } from '../../proof/failure.js';
import { Frontier } from '../../proof/tree/frontier.js';
import { assertSame } from '../../proof/guard.js';
import { peaksLeftOf, peaksOfPrefix } from '../../proof/tree/path-peaks.js';
import type { DualProof, TxHeader } from '../../proof/types.js';
import { noCounts } from '../stretch-counts.js';
import type { MutableCounts } from '../stretch-counts.js';
import type { Context, Proven, Question } from '../verifier.js';
import { readTxList, readVerifiableTx, type LazyTx } from '../wire/answers.js';
import { EntryColumns } from '../wire/entry-columns.js';
import { bindTx } from '../claims/bind-tx.js';
import { checkValues, checkWholeEntries } from './whole-entries.js';

type StretchQuestion = Extract<Question, { kind: 'stretch' }>;

const columns = new EntryColumns();
const shownColumns = new EntryColumns();

/**
 * Proves all of txs `first … last`:
 *
 * 1. the header of `last` lies on the head's history;
 * 2. the headers are consecutive, each linked to the one before, and end in that proven hash (and follow `after`, when
 *    it is known): so they are what the chain holds;
 * 3. every header commits to the root of the history tree over the txs before it, and that tree is the head's own;
 * 4. every transaction has exactly the entries that its header commits to, and no key twice;
 * 5. with values: each value that is shown is the one that was hashed.
 *
 * 3 is not possible for headers whose tree ends before `first` (tree lag), and for headers that no tree of the head
 * reaches yet: those are counted as not checked.
 */
export function checkStretch(
  question: StretchQuestion,
  context: Context,
  answer: Uint8Array,
): Extract<Proven, { kind: 'stretch' | 'short-stretch' }> {
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
  checkTrees(headers, alhs, dualProof, counts);
  for (const tx of txs) {
    columns.read(tx);
    checkWholeEntries(tx.header, { bytes: whole, entries: columns }, counts, now);
    if (values && !digests) {
      const own = { bytes: whole, entries: columns };
      checkValues(own, own, counts, tx.header.id, now);
    }
  }
  if (digests) {
    const shown = readTxs(answer, first, last, 'stretch.values');
    checkShownValues(txs, digests, shown, answer, counts, now);
  }
  return { kind: 'stretch', prevAlh, alh: subject.alh, counts, truncatedUpTo: truncatedUpTo(headers) };
}

function bindLast(proof: Uint8Array, last: bigint, context: Context) {
  const verifiableTx = readVerifiableTx(proof);
  const { subject } = bindTx(last, verifiableTx, context);
  return { subject, dualProof: verifiableTx.dualProof };
}

/** All of them and nothing else; that each is the next one is checked along the chain. */
function readTxs(answer: Uint8Array, first: bigint, last: bigint, check: string): LazyTx[] {
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

/** Every header's tree root, and that the tree they grow is the head's. */
function checkTrees(
  headers: readonly TxHeader[],
  alhs: readonly Uint8Array[],
  dualProof: DualProof,
  counts: MutableCounts,
): void {
  const [{ id: first }] = headers as readonly [TxHeader, ...TxHeader[]];
  const start = startPeaks(first, first + BigInt(headers.length) - 1n, dualProof);
  if (!start) {
    counts.treeRootsNotChecked += headers.length;
    return;
  }
  const before = first - 1n;
  const frontier = Frontier.from({ size: before, peaks: start });
  /** Roots over the first `before`, `before + 1`, … txs: a header with tree lag commits to an older one. */
  const roots: Uint8Array[] = [];
  headers.forEach((header, i) => {
    roots.push(frontier.root());
    const { id, blTxId, blRoot } = header;
    if (blTxId >= before) {
      const detail = `tx ${id.toString()} commits to another tree than the one over the txs before it`;
      assertSame(roots[Number(blTxId - before)] as Uint8Array, blRoot, 'stretch.tree-root', detail);
      counts.treeRoots++;
    } else if (blTxId === 0n) {
      // No tree, and the root of none: the header is well-formed.
      counts.treeRoots++;
    } else {
      counts.treeRootsNotChecked++;
    }
    if (i < headers.length - 1) frontier.append(alhs[i] as Uint8Array);
  });
  assertInHead(frontier, roots, dualProof);
}

interface Path {
  readonly leaf: bigint;
  /** Leaves of the tree. */
  readonly size: bigint;
  readonly terms: readonly Uint8Array[];
}

/** The path of the stretch's last leaf in the head's tree, or of the leaf before it when it is the head itself. */
function pathInHead(last: bigint, { targetTxHeader: head, ...proof }: DualProof): Path | undefined {
  const { blTxId: size } = head;
  if (last < size) return { leaf: last, size, terms: proof.inclusionProof };
  // What a tree's last leaf is was tied to the chain together with the proof.
  return size > 0n ? { leaf: size, size, terms: proof.lastInclusionProof } : undefined;
}

/** Peaks of the head's tree over the txs before `first`; undefined where this proof does not show them. */
function startPeaks(first: bigint, last: bigint, dualProof: DualProof): Uint8Array[] | undefined {
  const before = first - 1n;
  if (before === 0n) return [];
  const path = pathInHead(last, dualProof);
  if (!path) return undefined;
  const peaks = peaksLeftOf(path.terms, path.leaf, path.size);
  if (path.leaf > before) return peaksOfPrefix(peaks, path.leaf - 1n, before);
  if (path.leaf < before) return undefined;
  const frontier = Frontier.from({ size: path.leaf - 1n, peaks });
  frontier.append(dualProof.targetBlTxAlh);
  return [...frontier.peaks];
}

/**
 * The tree that was grown here is the head's: the peaks before the stretch's last leaf are those that the head's tree has, or,
 * where that tree does not reach so far, it is a root on the way. So it holds every leaf that was appended.
 */
function assertInHead(frontier: Frontier, roots: readonly Uint8Array[], dualProof: DualProof): void {
  const last = frontier.size + 1n;
  const { blTxId: size, blRoot } = dualProof.targetTxHeader;
  if (last <= size) {
    const { terms } = pathInHead(last, dualProof) as Path;
    const grown = frontier.peaks;
    const inHead = peaksLeftOf(terms, last, size);
    if (!inHead.every((peak, i) => equalBytes(peak, grown[i] as Uint8Array)))
      throw new ProofFailure('stretch.tree', 'chain and tree are two histories');
    return;
  }
  const before = last - BigInt(roots.length);
  const root = roots[Number(size - before)];
  if (root) assertSame(root, blRoot, 'stretch.tree', 'chain and tree are two histories');
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
