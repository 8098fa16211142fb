// Segments of headers: walked by the chain, and held against the history tree while walking (docs/protocol.md §19.2).
import { ProofFailure } from './failure.js';
import type { Frontier } from './tree/frontier.js';
import { assertDigest, assertId, assertSame } from './guard.js';
import { alh } from './header.js';
import type { TxHeader } from './types.js';

export { verifySegmentInTree } from './tree/segment-tree.js';
export type { SegmentPaths, SegmentTree } from './tree/segment-tree.js';

export interface ChainPoint {
  /** 0 with the hash of nothing: before tx 1. */
  readonly tx: bigint;
  readonly alh: Uint8Array;
}

/** Requires consecutive ids and links; returns the alh of every header. */
function walk(headers: readonly TxHeader[], after: ChainPoint): Uint8Array[] {
  const alhs: Uint8Array[] = [];
  let id = after.tx;
  let previous = after.alh;
  for (const header of headers) {
    id += 1n;
    if (header.id !== id) throw new ProofFailure('chain.id', 'not the next tx', id, header.id);
    const hash = alh(header);
    assertSame(header.prevAlh, previous, 'chain.prev-alh', `tx ${id.toString()} follows another tx`);
    alhs.push(hash);
    previous = hash;
  }
  return alhs;
}

/**
 * Verifies that `headers` are the txs after.tx + 1, after.tx + 2, … each linked to the one before it, and returns
 * their alhs. Without more this ties the segment to its past only: whoever knows `after` can invent a future, so the
 * last alh must be proven before anything in the segment counts.
 *
 * With `frontier` (over leaves 1..after.tx) the segment is held against the history tree too: its alhs are appended,
 * and before the last one is, the root must be the blRoot of the last header. One root is enough: it binds every leaf
 * under it, so the tree that the last header commits to holds exactly the segment's alhs (the last one's own excepted)
 * at their positions, behind exactly the leaves of the frontier. The blRoots of the headers in between are not compared
 * here; no proof is ever made under them unless they become an end of a dual proof, which fails if they differ from the
 * tree. `roots: 'every'` compares each of them (an audit wants to know; about log2(id) / 2 more hashes per header).
 * The headers whose root is compared must have no tree lag. On success the frontier stands at the last header;
 * on failure it is unchanged.
 */
export function verifySegment(
  headers: readonly TxHeader[],
  after: ChainPoint,
  frontier?: Frontier,
  options: { readonly roots?: 'last' | 'every' } = {},
): Uint8Array[] {
  assertId(after.tx, 'chain.after', 0n);
  assertDigest(after.alh, 'chain.after');
  const alhs = walk(headers, after);
  if (frontier) {
    if (frontier.size !== after.tx) {
      throw new ProofFailure('chain.frontier', 'the frontier is of another tx', after.tx, frontier.size);
    }
    const next = frontier.clone();
    for (const [i, header] of headers.entries()) {
      const compared = options.roots === 'every' || i === headers.length - 1;
      if (compared) {
        if (header.blTxId !== header.id - 1n) {
          throw new ProofFailure(
            'chain.lag',
            'the header commits to a shorter tree',
            header.id - 1n,
            header.blTxId,
          );
        }
        assertSame(next.root(), header.blRoot, 'chain.tree-root', 'chain and tree are two histories');
      }
      const hash = alhs[i];
      if (hash) next.append(hash);
    }
    frontier.moveTo(next);
  }
  return alhs;
}

/**
 * Verifies that `headers` are consecutive txs, each linked to the one before it, the last of which has the proven hash
 * `endAlh`; returns their alhs. An alh fixes its whole past, so all of them are proven. Requires at least one header.
 * The first header's prevAlh is then the proven alh of the tx before the segment.
 */
export function verifySegmentEnding(headers: readonly TxHeader[], endAlh: Uint8Array): Uint8Array[] {
  const [first] = headers;
  if (!first) throw new ProofFailure('chain.empty', 'no headers', 1, 0);
  assertId(first.id, 'chain.id');
  assertDigest(first.prevAlh, 'chain.prev-alh');
  assertDigest(endAlh, 'chain.end');
  const alhs = walk(headers, { tx: first.id - 1n, alh: first.prevAlh });
  const last = alhs[alhs.length - 1];
  if (last) assertSame(last, endAlh, 'chain.end', 'the segment ends in another hash');
  return alhs;
}
