// SHA-256 as this package uses it: @noble/hashes, or another implementation of the same function put in by the host.
import { sha256 as noble } from '@noble/hashes/sha2.js';

/** SHA-256 (FIPS 180-4) of `data`: 32 bytes, the caller's to keep. `data` is neither changed nor kept. */
export type Sha256 = (data: Uint8Array) => Uint8Array;

/** Bytes of a digest. */
export const HASH_SIZE = 32;

const initial = noble.create();
const running = noble.create();

/**
 * Noble's SHA-256 with its state object reused instead of made anew, because most of our inputs are shorter than the
 * object is costly: per hash on Node 20, 33 bytes 440 ns instead of 900, 65 and 72 bytes 910 instead of 1310 (measured).
 * Safe because hashing is synchronous and every call starts from a copy of the initial state.
 */
function reusingNoble(data: Uint8Array): Uint8Array {
  return initial._cloneInto(running).update(data).digest();
}

let implementation: Sha256 = reusingNoble;

/** SHA-256 of `data` by the implementation now set for this thread. */
export function sha256(data: Uint8Array): Uint8Array {
  return implementation(data);
}

/**
 * Replaces the implementation for this thread, e.g. by the platform's; without an argument puts noble back. It must
 * be SHA-256: every proof depends on it. Throws Error if it gives another result for the empty input.
 */
export function setSha256(impl: Sha256 = reusingNoble): void {
  const probe = impl(new Uint8Array(0));
  if (probe.length !== HASH_SIZE || probe.some((byte, i) => byte !== EMPTY_HASH[i])) {
    throw new Error('not an implementation of SHA-256');
  }
  implementation = impl;
}

/** SHA-256 of nothing: alh of an empty database, root of an empty entries tree, hash of an empty value. */
export const EMPTY_HASH: Uint8Array = reusingNoble(new Uint8Array(0));

/** 32 zero bytes: the blRoot of a header that commits to no tree. */
export const ZERO_HASH: Uint8Array = new Uint8Array(HASH_SIZE);
