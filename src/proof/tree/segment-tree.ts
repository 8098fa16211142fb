// A segment of alhs held against a tree by audit paths of its ends (RFC 6962 §2.1.1; docs/protocol.md §8.5).
import { ProofFailure } from '../failure.js';
import { assertDigest, assertId, assertSame } from '../guard.js';
import { leafHash, nodeHash, verifyInclusion } from './merkle.js';

/** Audit paths of a segment's first and last leaf; which of them are needed: see {@link verifySegmentInTree}. */
export interface SegmentPaths {
  readonly first?: readonly Uint8Array[];
  readonly last?: readonly Uint8Array[];
}

export interface SegmentTree {
  /** Number of leaves. */
  readonly size: bigint;
  readonly root: Uint8Array;
}

/** An audit path read level by level, on which a leaf has a sibling at its left, at its right, or none. */
class PathCursor {
  readonly #terms: readonly Uint8Array[];
  #used = 0;
  #sibling: Uint8Array | undefined;

  constructor(terms: readonly Uint8Array[]) {
    this.#terms = terms;
  }

  /** Moves to the level on which the leaf's ancestor has this index and the last node has index `last`. */
  enter(index: bigint, last: bigint): void {
    const hasSibling = (index & 1n) === 1n || index < last;
    this.#sibling = hasSibling ? this.#terms[this.#used++] : undefined;
  }

  /** Of the leaf's ancestor: at its left where that has an odd index. */
  get sibling(): Uint8Array | undefined {
    return this.#sibling;
  }
}

function pathCursor(
  terms: readonly Uint8Array[] | undefined,
  position: bigint,
  leaf: Uint8Array,
  tree: SegmentTree,
): PathCursor | undefined {
  if (!terms) return undefined;
  verifyInclusion(terms, position, tree.size, leaf, tree.root, 'segment.path');
  return new PathCursor(terms);
}

/**
 * Verifies that leaves `firstTx`, `firstTx + 1`, … of the tree are exactly these alhs, every one at its position:
 * the leaves are folded upwards, the nodes outside the segment come from the audit paths of its ends, and the top
 * must be the root. About two hashes per alh. Says nothing about leaves outside the segment, and nothing about where the
 * root comes from: it must be the blRoot of a proven header and `size` that header's blTxId.
 *
 * Nodes left of the segment come from the path of its first leaf, nodes right of it from the path of its last leaf; where
 * both ends have the same ancestor, either path serves. So the path of the last leaf alone is enough when the segment
 * starts at the left edge of the smallest complete subtree that holds it (e.g. `firstTx - 1` a multiple of 1024 and at most
 * 1024 alhs, or firstTx = 1), and no path at all when the segment is the whole tree. A node that no path
 * supplies fails with `segment.path-missing`. Every given path is verified in itself too.
 */
export function verifySegmentInTree(
  alhs: readonly Uint8Array[],
  firstTx: bigint,
  tree: SegmentTree,
  paths: SegmentPaths,
): void {
  assertId(firstTx, 'segment.first');
  assertId(tree.size, 'segment.tree-size');
  assertDigest(tree.root, 'segment.tree-root');
  const lastTx = firstTx + BigInt(alhs.length) - 1n;
  if (lastTx > tree.size) throw new ProofFailure('segment.last', 'beyond the tree', tree.size, lastTx);
  let nodes = alhs.map((hash) => leafHash(hash));
  const firstLeaf = nodes[0];
  const lastLeaf = nodes[nodes.length - 1];
  if (!firstLeaf || !lastLeaf) throw new ProofFailure('segment.empty', 'no alhs', 1, 0);
  const first = pathCursor(paths.first, firstTx, firstLeaf, tree);
  const last = pathCursor(paths.last, lastTx, lastLeaf, tree);

  let from = firstTx - 1n;
  let to = lastTx - 1n;
  for (let end = tree.size - 1n; end > 0n; end >>= 1n, from >>= 1n, to >>= 1n) {
    first?.enter(from, end);
    last?.enter(to, end);
    const joined = from === to;
    const above: Uint8Array[] = [];
    let at = 0;
    if ((from & 1n) === 1n) {
      above.push(nodeHash(outside(first?.sibling, joined ? last?.sibling : undefined), nodeAt(nodes, 0)));
      at = 1;
    }
    for (; at + 1 < nodes.length; at += 2) above.push(nodeHash(nodeAt(nodes, at), nodeAt(nodes, at + 1)));
    if (at < nodes.length) {
      const node = nodeAt(nodes, at);
      // The last node of an odd level has no sibling and moves up as it is.
      above.push(
        to === end ? node : nodeHash(node, outside(last?.sibling, joined ? first?.sibling : undefined)),
      );
    }
    nodes = above;
  }
  assertSame(nodeAt(nodes, 0), tree.root, 'segment.root', 'chain and tree are two histories');
}

function outside(own: Uint8Array | undefined, shared: Uint8Array | undefined): Uint8Array {
  const node = own ?? shared;
  if (!node) throw new ProofFailure('segment.path-missing', 'no path supplies a node beside the segment');
  return node;
}

function nodeAt(nodes: readonly Uint8Array[], index: number): Uint8Array {
  const node = nodes[index];
  if (!node) throw new ProofFailure('segment.root', 'no such node');
  return node;
}
