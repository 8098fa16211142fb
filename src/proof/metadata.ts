// Canonical bytes of transaction and entry metadata (docs/protocol.md §3, §4): what the hashes cover.
import { be16, be64, concatAll } from './bytes.js';
import { ProofFailure } from './failure.js';
import { assertId } from './guard.js';
import type { KVMetadata, TxMetadata } from './types.js';

const TX_TRUNCATED = 0x00;
const TX_EXTRA = 0x01;
const KV_DELETED = 0x00;
const KV_EXPIRES_AT = 0x01;
const KV_NON_INDEXABLE = 0x02;

/** Longest `extra` the format allows, in bytes. */
export const MAX_TX_EXTRA = 256;

const NOTHING = new Uint8Array(0);

/**
 * Canonical bytes of tx metadata (docs/protocol.md §3): attributes in ascending code order; absent ones are skipped, so no
 * attributes = no bytes. Rejects an `extra` over 256 bytes and a truncation id out of range.
 */
export function encodeTxMetadata(metadata: TxMetadata | undefined): Uint8Array {
  if (!metadata) return NOTHING;
  const { truncatedTxId, extra } = metadata;
  const parts: Uint8Array[] = [];
  if (truncatedTxId !== undefined) {
    assertId(truncatedTxId, 'tx-metadata.truncated');
    parts.push(new Uint8Array([TX_TRUNCATED]), be64(truncatedTxId));
  }
  if (extra !== undefined && extra.length > 0) {
    if (extra.length > MAX_TX_EXTRA) {
      throw new ProofFailure('tx-metadata.extra', 'too long', `at most ${MAX_TX_EXTRA} bytes`, extra.length);
    }
    parts.push(new Uint8Array([TX_EXTRA]), be16(extra.length), extra);
  }
  return concatAll(parts);
}

/** Canonical bytes of entry metadata (docs/protocol.md §4), at most 11. Absent, empty and all-false are the same: none. */
export function encodeKVMetadata(metadata: KVMetadata | undefined): Uint8Array {
  if (!metadata) return NOTHING;
  const { deleted, expiresAt, nonIndexable } = metadata;
  if (deleted !== true && expiresAt === undefined && nonIndexable !== true) return NOTHING;
  const parts: Uint8Array[] = [];
  if (deleted === true) parts.push(new Uint8Array([KV_DELETED]));
  if (expiresAt !== undefined) {
    if (BigInt.asIntN(64, expiresAt) !== expiresAt) {
      throw new ProofFailure('kv-metadata.expires-at', 'not a 64-bit time', 'int64', expiresAt);
    }
    parts.push(new Uint8Array([KV_EXPIRES_AT]), be64(expiresAt));
  }
  if (nonIndexable === true) parts.push(new Uint8Array([KV_NON_INDEXABLE]));
  return concatAll(parts);
}

/** Inverse of {@link encodeTxMetadata}; rejects anything that is not canonical. */
export function decodeTxMetadata(bytes: Uint8Array): TxMetadata {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const metadata: { truncatedTxId?: bigint; extra?: Uint8Array } = {};
  let at = 0;
  let last = -1;
  while (at < bytes.length) {
    const code = view.getUint8(at);
    if (code <= last) throw new ProofFailure('tx-metadata.order', 'attribute codes must ascend', last, code);
    last = code;
    at += 1;
    if (code === TX_TRUNCATED && at + 8 <= bytes.length) {
      metadata.truncatedTxId = view.getBigUint64(at);
      assertId(metadata.truncatedTxId, 'tx-metadata.truncated');
      at += 8;
    } else if (code === TX_EXTRA && at + 2 <= bytes.length) {
      const length = view.getUint16(at);
      at += 2;
      if (length < 1 || length > MAX_TX_EXTRA || at + length > bytes.length) {
        throw new ProofFailure('tx-metadata.extra', 'bad length', `1..${MAX_TX_EXTRA}`, length);
      }
      metadata.extra = bytes.slice(at, at + length);
      at += length;
    } else {
      throw new ProofFailure('tx-metadata.attribute', 'unknown or cut off', undefined, code);
    }
  }
  return metadata;
}

/** Inverse of {@link encodeKVMetadata}; rejects anything that is not canonical. */
export function decodeKVMetadata(bytes: Uint8Array): KVMetadata {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const metadata: { deleted?: boolean; expiresAt?: bigint; nonIndexable?: boolean } = {};
  let at = 0;
  let last = -1;
  while (at < bytes.length) {
    const code = view.getUint8(at);
    if (code <= last) throw new ProofFailure('kv-metadata.order', 'attribute codes must ascend', last, code);
    last = code;
    at += 1;
    if (code === KV_DELETED) metadata.deleted = true;
    else if (code === KV_EXPIRES_AT && at + 8 <= bytes.length) {
      metadata.expiresAt = view.getBigInt64(at);
      at += 8;
    } else if (code === KV_NON_INDEXABLE) metadata.nonIndexable = true;
    else throw new ProofFailure('kv-metadata.attribute', 'unknown or cut off', undefined, code);
  }
  return metadata;
}
