// What the parts of a job must be. A bad one is our caller's mistake: an argument error that names it.
import { ArgumentError } from '../errors.js';
import { MAX_ID, equalBytes } from '../proof/bytes.js';
import { EMPTY_HASH, HASH_SIZE } from '../proof/hash.js';
import type { Root } from './terms.js';

export function assertRoot({ tx, alh }: Root, name: string): void {
  assertTx(tx, 0n, `${name}.tx`);
  assertDigest(alh, `${name}.alh`);
  if (tx === 0n && !equalBytes(alh, EMPTY_HASH)) {
    throw new ArgumentError(`${name}.alh`, 'tx 0 is the empty database: its hash is the hash of nothing');
  }
}

export function assertTx(tx: bigint, min: bigint, name: string): void {
  if (typeof tx !== 'bigint' || tx < min || tx > MAX_ID) {
    throw new ArgumentError(name, `must be a bigint from ${min.toString()} to 2^63-1`);
  }
}

export function assertKey(key: Uint8Array, name: string): void {
  assertBytes(key, name);
  if (key.length === 0) throw new ArgumentError(name, 'a key has at least one byte');
}

export function assertDigest(digest: Uint8Array, name: string): void {
  assertBytes(digest, name);
  if (digest.length !== HASH_SIZE) throw new ArgumentError(name, `must be ${HASH_SIZE} bytes`);
}

export function assertBytes(bytes: Uint8Array, name: string): void {
  if (!(bytes instanceof Uint8Array)) throw new ArgumentError(name, 'must be a Uint8Array');
}
