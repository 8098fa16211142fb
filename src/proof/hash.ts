// SHA-256 as this package uses it: @noble/hashes, or another implementation of the same function put in by the host.
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';

/** SHA-256 (FIPS 180-4) of `data`: 32 bytes, the caller's to keep. */
export type Sha256 = (data: Uint8Array) => Uint8Array;

export const HASH_SIZE = 32;

let implementation: Sha256 = nobleSha256;

export function sha256(data: Uint8Array): Uint8Array {
  return implementation(data);
}

/** Replaces the implementation for this thread, e.g. by the platform's. It must be SHA-256: proofs depend on it. */
export function setSha256(impl: Sha256 = nobleSha256): void {
  implementation = impl;
}

/** SHA-256 of nothing: alh of an empty database, root of an empty entries tree, hash of an empty value. */
export const EMPTY_HASH: Uint8Array = nobleSha256(new Uint8Array(0));

/** 32 zero bytes: the blRoot of a header that commits to no tree. */
export const ZERO_HASH: Uint8Array = new Uint8Array(HASH_SIZE);
