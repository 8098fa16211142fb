// Dual proofs: two headers are of one history, by tree and by chain (docs/protocol.md §11).
import { ProofFailure } from './failure.js';
import { assertDigest, assertId, assertSame, assertTerms } from './guard.js';
import { ZERO_HASH } from './hash.js';
import { alh } from './header.js';
import type { HistoryTree } from './tree/history-tree.js';
import { buildLinearProof, verifyLinearProof } from './linear.js';
import type { ChainAccess } from './linear.js';
import { buildLinearAdvance, verifyLinearAdvance } from './linear-advance.js';
import { leafHash, verifyConsistency, verifyInclusion, verifyLastInclusion } from './tree/merkle.js';
import type { DualProof, TxHeader } from './types.js';

/**
 * Which txs a dual proof is to connect. A hash that is given must have been accepted before (proven strictly, or
 * pinned); `null` = unknown, taken from the header that the proof brings.
 */
export interface DualProofEnds {
  readonly sourceTx: bigint;
  readonly sourceAlh: Uint8Array | null;
  readonly targetTx: bigint;
  readonly targetAlh: Uint8Array | null;
}

/** The hashes of both ends as the proof binds them. */
export interface ProvenEnds {
  readonly sourceAlh: Uint8Array;
  readonly targetAlh: Uint8Array;
}

/** Requires this proof's headers to be well-formed and to be the ones asked for; returns their hashes. */
export function verifyEnds(
  proof: { readonly sourceTxHeader: TxHeader; readonly targetTxHeader: TxHeader },
  ends: DualProofEnds,
  check: 'dual-proof' | 'dual-proof-v2',
): ProvenEnds {
  const { sourceTx, targetTx } = ends;
  if (ends.sourceAlh === null && ends.targetAlh === null && sourceTx !== targetTx) {
    throw new TypeError('a dual proof between two unknown txs proves nothing: give the hash of one');
  }
  assertId(sourceTx, `${check}.source`);
  assertId(targetTx, `${check}.target`);
  if (sourceTx > targetTx) {
    throw new ProofFailure(`${check}.order`, 'the source is newer than the target', targetTx, sourceTx);
  }
  const { sourceTxHeader: source, targetTxHeader: target } = proof;
  if (source.id !== sourceTx)
    throw new ProofFailure(`${check}.source`, 'header of another tx', sourceTx, source.id);
  if (target.id !== targetTx)
    throw new ProofFailure(`${check}.target`, 'header of another tx', targetTx, target.id);
  const sourceAlh = alh(source);
  const targetAlh = alh(target);
  if (ends.sourceAlh !== null) {
    assertDigest(ends.sourceAlh, `${check}.source-alh`);
    assertSame(sourceAlh, ends.sourceAlh, `${check}.source-alh`, 'not the source header that is trusted');
  }
  if (ends.targetAlh !== null) {
    assertDigest(ends.targetAlh, `${check}.target-alh`);
    assertSame(targetAlh, ends.targetAlh, `${check}.target-alh`, 'not the target header that is trusted');
  }
  if (sourceTx === targetTx) assertSame(sourceAlh, targetAlh, `${check}.ends`, 'one tx with two hashes');
  return { sourceAlh, targetAlh };
}

/**
 * Verifies a dual proof between `sourceTx` and `targetTx` (1 <= source <= target), strictly: every part has exactly
 * the length that the two headers demand, and is empty where they demand none.
 *
 * Proves: the source's tree is a prefix of the target's tree; the source is at its position in the target's tree
 * or linked to the target by the chain; the last leaf of the target's tree is linked to the target. It says nothing
 * about txs strictly between, except that whatever they are is fixed by the target's tree. With both hashes `null`
 * (only for source = target) it proves no more than that the header is consistent in itself.
 *
 * Tree lag (blTxId < id - 1; docs/protocol.md §11.4). Where 0 < target.blTxId < target.id - 1 and the source is newer than
 * target.blTxId, the chain part does not pass the tree's last leaf. The proof is then accepted only if both headers
 * commit to the same tree (source.blTxId = target.blTxId) and one of their hashes was given: whoever accepted that
 * hash strictly has seen the leaf tied to the chain. Otherwise it fails with `dual-proof.unbound-leaf`;
 * the caller can ask for a proof from tx target.blTxId instead, whose chain part does pass that leaf.
 */
export function verifyDualProof(proof: DualProof, ends: DualProofEnds): ProvenEnds {
  const proven = verifyEnds(proof, ends, 'dual-proof');
  const { sourceAlh, targetAlh } = proven;
  const { sourceTxHeader: source, targetTxHeader: target, targetBlTxAlh } = proof;
  const { id: s, blTxId: sb } = source;
  const { id: t, blTxId: tb } = target;
  assertDigest(targetBlTxAlh, 'dual-proof.tree-leaf');

  if (s < tb) {
    const leaf = leafHash(sourceAlh);
    verifyInclusion(proof.inclusionProof, s, tb, leaf, target.blRoot, 'dual-proof.inclusion');
  } else {
    assertTerms(proof.inclusionProof, 0, 'dual-proof.inclusion');
  }

  if (sb > 0n) {
    const { consistencyProof } = proof;
    verifyConsistency(consistencyProof, sb, tb, source.blRoot, target.blRoot, 'dual-proof.consistency');
  } else {
    assertTerms(proof.consistencyProof, 0, 'dual-proof.consistency');
  }

  if (tb > 0n) {
    const leaf = leafHash(targetBlTxAlh);
    verifyLastInclusion(proof.lastInclusionProof, tb, leaf, target.blRoot, 'dual-proof.last-inclusion');
    bindTreeLeaf(proof, ends, sourceAlh);
  } else {
    assertTerms(proof.lastInclusionProof, 0, 'dual-proof.last-inclusion');
    assertSame(targetBlTxAlh, ZERO_HASH, 'dual-proof.tree-leaf', 'a leaf of an empty tree');
  }

  const { linearProof: chain, linearAdvanceProof: advance } = proof;
  if (s < tb) {
    verifyLinearProof(chain, tb, t, targetBlTxAlh, targetAlh, 'dual-proof.linear');
    verifyLinearAdvance(advance, sb, s, sourceAlh, target.blRoot, tb);
  } else {
    verifyLinearProof(chain, s, t, sourceAlh, targetAlh, 'dual-proof.linear');
    verifyLinearAdvance(advance, sb, tb, targetBlTxAlh, target.blRoot, tb);
  }
  return proven;
}

/** Ties the last leaf of the target's tree to a hash that this client knows or just computed (docs/protocol.md §11.2). */
function bindTreeLeaf(proof: DualProof, ends: DualProofEnds, sourceAlh: Uint8Array): void {
  const { sourceTxHeader: source, targetTxHeader: target, targetBlTxAlh: leaf } = proof;
  const tb = target.blTxId;
  if (tb === target.id - 1n) {
    assertSame(leaf, target.prevAlh, 'dual-proof.tree-leaf', 'tree and chain have different predecessors');
  }
  if (source.id === tb) {
    assertSame(leaf, sourceAlh, 'dual-proof.tree-leaf', 'tree and source have different hashes');
  }
  // With source <= tb the chain part starts at the leaf and ends in the target, which ties it.
  if (tb < target.id - 1n && source.id > tb) {
    const accepted = source.blTxId === tb && (ends.sourceAlh !== null || ends.targetAlh !== null);
    if (!accepted) {
      throw new ProofFailure(
        'dual-proof.unbound-leaf',
        "nothing ties the tree's last leaf to the chain",
        tb,
        source.id,
      );
    }
  }
}

/**
 * Builds the dual proof between two headers of one chain. Requires source.id <= target.id, a tree that holds at least
 * target.blTxId leaves and source.blTxId <= target.blTxId.
 */
export function buildDualProof(
  source: TxHeader,
  target: TxHeader,
  tree: HistoryTree,
  chain: ChainAccess,
): DualProof {
  const { id: s, blTxId: sb } = source;
  const { id: t, blTxId: tb } = target;
  if (s > t) throw new RangeError(`tx ${s.toString()} is newer than tx ${t.toString()}`);
  const advance = buildLinearAdvance(sb, s < tb ? s : tb, tb, tree, chain);
  return {
    sourceTxHeader: source,
    targetTxHeader: target,
    inclusionProof: s < tb ? tree.inclusion(s, tb) : [],
    consistencyProof: sb > 0n ? tree.consistency(sb, tb) : [],
    targetBlTxAlh: tb > 0n ? chain.alhOf(tb) : ZERO_HASH.slice(),
    lastInclusionProof: tb > 0n ? tree.lastInclusion(tb) : [],
    linearProof: buildLinearProof(s < tb ? tb : s, t, chain),
    ...(advance ? { linearAdvanceProof: advance } : {}),
  };
}
