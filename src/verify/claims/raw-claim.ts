// A claim of an entry as it is stored: by its raw key, metadata and raw value, whatever it is an entry of.
import { concatBytes } from '../../proof/bytes.js';
import { entryLeaf } from '../../proof/entry.js';
import { ProofFailure } from '../../proof/failure.js';
import { assertId } from '../../proof/guard.js';
import { decodeKVMetadata, encodeKVMetadata } from '../../proof/metadata.js';
import type { KVMetadata } from '../../proof/types.js';
import { CLAIM_VERSION } from './claim.js';
import type { Claim } from './claim.js';

/** An entry as it is stored. */
export interface RawEntry {
  readonly key: Uint8Array;
  readonly metadata?: KVMetadata;
  readonly value: Uint8Array;
}

export function rawClaim(tx: bigint, { key, metadata, value }: RawEntry): Claim {
  assertId(tx, 'claim.tx');
  const leaf = entryLeaf(CLAIM_VERSION, key, metadata, value);
  const claim = { tx, leaf, key, value, isReference: false, isRaw: true, unprovenRevision: 0n } as const;
  return metadata ? { ...claim, metadata } : claim;
}

/** What is kept of an entry beside its key, as evidence has it: `u8 length ‖ metadata ‖ value`. */
export function shownRaw({ metadata, value }: RawEntry): Uint8Array {
  const attributes = encodeKVMetadata(metadata);
  return concatBytes(new Uint8Array([attributes.length]), attributes, value);
}

/** Inverse of {@link shownRaw}. Throws ProofFailure. */
export function readShownRaw(key: Uint8Array, shown: Uint8Array): RawEntry {
  const length = shown[0] ?? 0;
  if (shown.length < 1 + length)
    throw new ProofFailure('wire.truncated', 'an entry is cut off', 1 + length, shown.length);
  const value = shown.subarray(1 + length);
  if (length === 0) return { key, value };
  return { key, metadata: decodeKVMetadata(shown.subarray(1, 1 + length)), value };
}
