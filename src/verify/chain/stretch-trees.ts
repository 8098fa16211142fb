// The history trees that the headers of a stretch commit to: grown from the stretch itself, and held against the head's.
import { equalBytes } from '../../proof/bytes.js';
import { ProofFailure } from '../../proof/failure.js';
import { assertSame } from '../../proof/guard.js';
import { Frontier } from '../../proof/tree/frontier.js';
import { peaksLeftOf, peaksOfPrefix } from '../../proof/tree/path-peaks.js';
import type { DualProof, TxHeader } from '../../proof/types.js';
import type { MutableCounts } from '../stretch-counts.js';

/** Every header's tree root, and that the tree they grow is the head's. */
export function checkStretchTrees(
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
