// The shorter dual proof that the document calls carry: by tree alone (docs/protocol.md §12).
import { ProofFailure } from './failure.js';
import { assertSame, assertTerms } from './guard.js';
import { verifyEnds } from './dual-proof.js';
import type { DualProofEnds, ProvenEnds } from './dual-proof.js';
import type { HistoryTree } from './tree/history-tree.js';
import { leafHash, verifyConsistency, verifyInclusion } from './tree/merkle.js';
import type { DualProofV2, TxHeader } from './types.js';

function assertNoLag(header: TxHeader): void {
  if (header.blTxId !== header.id - 1n) {
    const detail = 'the header commits to a shorter tree';
    throw new ProofFailure('dual-proof-v2.lag', detail, header.id - 1n, header.blTxId);
  }
}

/**
 * Verifies a proof by tree between `sourceTx` and `targetTx` (1 <= source <= target, neither with tree lag).
 *
 * Proves: the source's tree is a prefix of the target's tree and the source is at its position in it. It has no
 * chain part: unless target = source + 1, nothing ties target.prevAlh to the last leaf of the target's tree; a normal
 * dual proof for the same pair does. A target whose hash was not given is no more than a header that commits to
 * such a tree. Which hashes may be `null`: as for verifyDualProof.
 */
export function verifyDualProofV2(proof: DualProofV2, ends: DualProofEnds): ProvenEnds {
  const proven = verifyEnds(proof, ends, 'dual-proof-v2');
  const { sourceAlh } = proven;
  const { sourceTxHeader: source, targetTxHeader: target, inclusionProof, consistencyProof } = proof;
  assertNoLag(source);
  assertNoLag(target);
  const s = source.id;
  const tb = target.blTxId;
  if (s === target.id) {
    assertTerms(inclusionProof, 0, 'dual-proof-v2.inclusion');
    assertTerms(consistencyProof, 0, 'dual-proof-v2.consistency');
    return proven;
  }
  const leaf = leafHash(sourceAlh);
  verifyInclusion(inclusionProof, s, tb, leaf, target.blRoot, 'dual-proof-v2.inclusion');
  const [older, olderRoot] = s === 1n ? [1n, leaf] : [s - 1n, source.blRoot];
  verifyConsistency(consistencyProof, older, tb, olderRoot, target.blRoot, 'dual-proof-v2.consistency');
  if (s === tb) {
    const detail = 'tree and chain have different predecessors';
    assertSame(target.prevAlh, sourceAlh, 'dual-proof-v2.tree-leaf', detail);
  }
  return proven;
}

/** Builds the proof by tree between two headers of one chain. Requires source.id <= target.id and no lag in either. */
export function buildDualProofV2(source: TxHeader, target: TxHeader, tree: HistoryTree): DualProofV2 {
  assertNoLag(source);
  assertNoLag(target);
  if (source.id > target.id) {
    throw new RangeError(`tx ${source.id.toString()} is newer than tx ${target.id.toString()}`);
  }
  const proves = source.id < target.id;
  const older = source.id === 1n ? 1n : source.id - 1n;
  return {
    sourceTxHeader: source,
    targetTxHeader: target,
    inclusionProof: proves ? tree.inclusion(source.id, target.blTxId) : [],
    consistencyProof: proves ? tree.consistency(older, target.blTxId) : [],
  };
}
