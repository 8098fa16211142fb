// Transaction headers and their hash, the alh (docs/protocol.md §2).
import { ProofFailure } from './failure.js';
import { assertCount, assertDigest, assertId } from './guard.js';
import { EMPTY_HASH, HASH_SIZE, ZERO_HASH, sha256 } from './hash.js';
import { encodeTxMetadata } from './metadata.js';
import { MAX_TIME, MIN_TIME, equalBytes } from './bytes.js';
import type { TxHeader } from './types.js';

/** Most entries a header can count: 16 bits in version 0, 32 bits in version 1. */
const MAX_ENTRIES = [0xffff, 0xffff_ffff] as const;

/**
 * Requires a well-formed header: digests of 32 bytes, version 0 or 1, no metadata in version 0, ids in
 * 1..2^63-1, blTxId < id, blRoot zero exactly when blTxId is 0, tx 1 following the hash of nothing, and no
 * entries only in a truncation tx (whose eH is then the hash of nothing). Says nothing about who wrote it.
 */
export function assertHeader(h: TxHeader): void {
  assertId(h.id, 'header.id');
  assertDigest(h.prevAlh, 'header.prev-alh');
  assertDigest(h.eH, 'header.entries-root');
  assertDigest(h.blRoot, 'header.tree-root');
  if (typeof h.ts !== 'bigint' || h.ts < MIN_TIME || h.ts > MAX_TIME) {
    throw new ProofFailure('header.ts', 'not a time', '-(2^63-1)..2^63-1', h.ts);
  }
  if (h.version !== 0 && h.version !== 1) {
    throw new ProofFailure('header.version', 'unknown version', '0 or 1', h.version);
  }
  assertCount(h.nentries, 0, MAX_ENTRIES[h.version], 'header.nentries');
  assertId(h.blTxId, 'header.tree-size', 0n);
  if (h.blTxId >= h.id) throw new ProofFailure('header.tree-size', 'must be below the id', h.id, h.blTxId);
  if ((h.blTxId === 0n) !== equalBytes(h.blRoot, ZERO_HASH)) {
    throw new ProofFailure('header.tree-root', 'zero exactly when the tree is empty', h.blTxId, h.blRoot);
  }
  if (h.id === 1n && !equalBytes(h.prevAlh, EMPTY_HASH)) {
    throw new ProofFailure('header.prev-alh', 'tx 1 follows nothing', EMPTY_HASH, h.prevAlh);
  }
  if (h.version === 0 && h.metadata && encodeTxMetadata(h.metadata).length > 0) {
    throw new ProofFailure('header.metadata', 'version 0 carries no metadata');
  }
  if (h.nentries === 0) {
    // Version 0 has nowhere to say so: a truncation of such a database is a tx without entries, and nothing else.
    if (h.version !== 0 && h.metadata?.truncatedTxId === undefined) {
      throw new ProofFailure('header.nentries', 'no entries without truncation', 1, 0);
    }
    if (!equalBytes(h.eH, EMPTY_HASH)) {
      throw new ProofFailure('header.entries-root', 'no entries hash to nothing', EMPTY_HASH, h.eH);
    }
  }
}

// One scratch buffer per preimage, safe because everything here is synchronous and sha256 keeps no reference.
// Inner: ts 8, version 2, at most 2 + 268 + 4 for metadata and count, eH 32, blTxId 8, blRoot 32.
const inner = new Uint8Array(356);
const innerView = new DataView(inner.buffer);
const inner0 = inner.subarray(0, 84);
const inner1 = inner.subarray(0, 88);
const outer = new Uint8Array(72);
const outerView = new DataView(outer.buffer);

/** Hash of all of a header but its id and its predecessor. Rejects a header that is not well-formed. */
export function innerHash(h: TxHeader): Uint8Array {
  assertHeader(h);
  innerView.setBigInt64(0, h.ts);
  innerView.setUint16(8, h.version);
  let at = 10;
  if (h.version === 0) {
    innerView.setUint16(at, h.nentries);
    at += 2;
  } else {
    const metadata = encodeTxMetadata(h.metadata);
    innerView.setUint16(at, metadata.length);
    inner.set(metadata, at + 2);
    at += 2 + metadata.length;
    innerView.setUint32(at, h.nentries);
    at += 4;
  }
  inner.set(h.eH, at);
  at += HASH_SIZE;
  innerView.setBigUint64(at, h.blTxId);
  inner.set(h.blRoot, at + 8);
  at += 8 + HASH_SIZE;
  return sha256(at === 88 ? inner1 : at === 84 ? inner0 : inner.subarray(0, at));
}

/** One step of the chain: alh of tx `id` from its predecessor's alh and its own inner hash. */
export function alhFrom(id: bigint, prevAlh: Uint8Array, innerHashOfId: Uint8Array): Uint8Array {
  assertId(id, 'header.id');
  assertDigest(prevAlh, 'header.prev-alh');
  assertDigest(innerHashOfId, 'header.inner-hash');
  outerView.setBigUint64(0, id);
  outer.set(prevAlh, 8);
  outer.set(innerHashOfId, 40);
  return sha256(outer);
}

/**
 * Accumulative linear hash of a header: fixes the header, and through prevAlh every header before it.
 * Rejects a header that is not well-formed.
 */
export function alh(h: TxHeader): Uint8Array {
  return alhFrom(h.id, h.prevAlh, innerHash(h));
}
