// Linear advance proofs: txs that were only chained when a header was made are in the later tree (docs/protocol.md §10).
import { ProofFailure } from './failure.js';
import { assertDigest, assertId, assertSame, assertTerms } from './guard.js';
import { alhFrom, innerHash } from './header.js';
import type { HistoryTree } from './tree/history-tree.js';
import type { ChainAccess } from './linear.js';
import { leafHash, verifyInclusion } from './tree/merkle.js';
import type { LinearAdvanceProof } from './types.js';

const CHECK = 'linear-advance';

/**
 * Verifies that the txs start+1 … end-1 of the chain that ends at tx `end` with hash `alhEnd` are the leaves
 * start+1 … end-1 of the tree (`root`, `size`). Needed where a header's tree is shorter than its chain (lag): what lay
 * between was only chained, and the later tree must hold those same hashes.
 *
 * Requires end >= start. For end <= start + 1 there is nothing between: then no proof may be given.
 */
export function verifyLinearAdvance(
  proof: LinearAdvanceProof | undefined,
  start: bigint,
  end: bigint,
  alhEnd: Uint8Array,
  root: Uint8Array,
  size: bigint,
): void {
  assertId(start, `${CHECK}.range`, 0n);
  assertId(end, `${CHECK}.range`, 0n);
  if (end < start) throw new ProofFailure(`${CHECK}.range`, 'ends before it starts', start, end);
  if (end <= start + 1n) {
    const given = proof ? proof.linearProofTerms.length + proof.inclusionProofs.length : 0;
    if (given > 0) throw new ProofFailure(`${CHECK}.terms`, 'a proof of nothing', 0, given);
    return;
  }
  if (!proof)
    throw new ProofFailure(`${CHECK}.missing`, 'txs that are only chained are not shown in the tree');
  assertDigest(alhEnd, `${CHECK}.end`);
  const count = Number(end - start);
  assertTerms(proof.linearProofTerms, count, `${CHECK}.terms`);
  if (proof.inclusionProofs.length !== count - 1) {
    const got = proof.inclusionProofs.length;
    throw new ProofFailure(`${CHECK}.inclusions`, 'not one path per tx', count - 1, got);
  }
  const [first, ...inner] = proof.linearProofTerms as readonly [Uint8Array, ...Uint8Array[]];
  let hash = first;
  let id = start + 1n;
  for (const [k, path] of proof.inclusionProofs.entries()) {
    verifyInclusion(path, id, size, leafHash(hash), root, `${CHECK}.inclusion`);
    id += 1n;
    hash = alhFrom(id, hash, inner[k] as Uint8Array);
  }
  assertSame(hash, alhEnd, `${CHECK}.end`, 'ends in another hash');
}

/** Builds the proof for start..end against the tree of `size` leaves; undefined where none is needed. */
export function buildLinearAdvance(
  start: bigint,
  end: bigint,
  size: bigint,
  tree: HistoryTree,
  chain: ChainAccess,
): LinearAdvanceProof | undefined {
  if (end <= start + 1n) return undefined;
  const linearProofTerms = [chain.alhOf(start + 1n)];
  const inclusionProofs: Uint8Array[][] = [];
  for (let id = start + 1n; id < end; id++) {
    inclusionProofs.push(tree.inclusion(id, size));
    linearProofTerms.push(innerHash(chain.headerOf(id + 1n)));
  }
  return { linearProofTerms, inclusionProofs };
}
