// Exported transactions made by the test: in immudb's own format, with or without their values.
import { be16, be32, be64, concatBytes } from '#dist/proof/bytes.js';
import { sha256 } from '#dist/proof/hash.js';
import { encodeKVMetadata, encodeTxMetadata } from '#dist/proof/metadata.js';
import type { TxHeader } from '#dist/proof/types.js';
import type { StoredEntry, TestChain } from './test-chain.js';

export interface Exported {
  header: TxHeader;
  entries: StoredEntry[];
  truncated: boolean;
}

/** To be tampered with. */
export function exported(chain: TestChain, n: bigint, truncated = false): Exported {
  const { header, entries } = chain.tx(n);
  return { header: { ...header }, entries: entries.map((entry) => ({ ...entry })), truncated };
}

export function exportBytes({ header, entries, truncated }: Exported): Uint8Array {
  const head = headerBytes(header);
  const parts = entries.flatMap(({ key, metadata, value }) => {
    const attributes = encodeKVMetadata(metadata);
    const stored = truncated ? sha256(value) : value;
    return [be16(key.length), key, be16(attributes.length), attributes, be32(stored.length), stored];
  });
  const flag = new Uint8Array([0, 1, truncated ? 1 : 0]);
  return concatBytes(be32(head.length), head, ...parts, flag);
}

/** The payload as it is streamed. */
export function framed(payload: Uint8Array): Uint8Array {
  return concatBytes(be64(BigInt(payload.length)), payload);
}

function headerBytes({
  id,
  prevAlh,
  ts,
  version,
  metadata,
  nentries,
  eH,
  blTxId,
  blRoot,
}: TxHeader): Uint8Array {
  const extra = encodeTxMetadata(metadata);
  const middle = version === 0 ? be16(nentries) : concatBytes(be16(extra.length), extra, be32(nentries));
  return concatBytes(be64(id), prevAlh, be64(ts), be16(version), middle, eH, be64(blTxId), blRoot);
}
