// Linear proofs: the chain of alhs from one tx to a later one (docs/protocol.md §9).
import { ProofFailure } from './failure.js';
import { assertDigest, assertId, assertSame, assertTerms } from './guard.js';
import { alhFrom, innerHash } from './header.js';
import type { LinearProof, TxHeader } from './types.js';

/** What building proofs needs to read of a chain. */
export interface ChainAccess {
  headerOf(tx: bigint): TxHeader;
  alhOf(tx: bigint): Uint8Array;
}

/**
 * Verifies that tx `t` with hash `alhT` is reached from tx `s` with hash `alhS` by t - s steps of the chain.
 * Requires 1 <= s <= t and exactly t - s + 1 terms. Binds the hashes of the txs between them, not their contents.
 */
export function verifyLinearProof(
  proof: LinearProof,
  s: bigint,
  t: bigint,
  alhS: Uint8Array,
  alhT: Uint8Array,
  check: 'linear-proof' | 'dual-proof.linear' = 'linear-proof',
): void {
  assertId(s, `${check}.source`);
  assertId(t, `${check}.target`);
  if (s > t) throw new ProofFailure(`${check}.order`, 'the source is newer than the target', t, s);
  if (proof.sourceTxId !== s) {
    throw new ProofFailure(`${check}.source`, 'proof from another tx', s, proof.sourceTxId);
  }
  if (proof.targetTxId !== t) {
    throw new ProofFailure(`${check}.target`, 'proof to another tx', t, proof.targetTxId);
  }
  assertDigest(alhS, `${check}.source`);
  assertDigest(alhT, `${check}.target`);
  assertTerms(proof.terms, Number(t - s + 1n), `${check}.terms`);
  const [first, ...inner] = proof.terms as readonly [Uint8Array, ...Uint8Array[]];
  assertSame(first, alhS, `${check}.start`, 'starts at another hash');
  let hash = first;
  let id = s;
  for (const term of inner) hash = alhFrom(++id, hash, term);
  assertSame(hash, alhT, `${check}.end`, 'ends in another hash');
}

/** Builds the linear proof from tx `s` to tx `t`. Requires 1 <= s <= t and a chain that has both. */
export function buildLinearProof(s: bigint, t: bigint, chain: ChainAccess): LinearProof {
  assertId(s, 'linear-proof.source');
  if (s > t) throw new RangeError(`tx ${s.toString()} is newer than tx ${t.toString()}`);
  const terms = [chain.alhOf(s)];
  for (let id = s + 1n; id <= t; id++) terms.push(innerHash(chain.headerOf(id)));
  return { sourceTxId: s, targetTxId: t, terms };
}
