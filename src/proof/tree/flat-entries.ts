// The entries tree over plain entries that lie in one buffer, one behind the other in a request: their leaves and the root above
// them, without an array of their own for any of it. The same hashes as in entry.ts and entries-tree.ts, which say what they are.
import { ProofFailure } from '../failure.js';
import { EMPTY_HASH, HASH_SIZE, sha256, sha256Into } from '../hash.js';
import { encodeKVMetadata } from '../metadata.js';
import type { KVMetadata } from '../types.js';
import { MAX_RAW_KEY, plainValue } from '../entry.js';

const PREFIX = 1;
/** Longer values are hashed where they are, after their prefix was put before a copy of them. */
const MAX_SHORT_VALUE = 4096;
/** Up to here a loop copies faster than a view is made (measured). */
const MAX_LOOP = 128;
/** Version, length and bytes of the metadata, and length of the key, at most; the rest is the key. */
const MAX_FRAME = 64;

// Safe because everything here is synchronous and no implementation keeps what it hashes.
const rawValue = new Uint8Array(PREFIX + MAX_SHORT_VALUE);
const digestBytes = new Uint8Array(MAX_FRAME + MAX_RAW_KEY + HASH_SIZE);
const leafBytes = new Uint8Array(PREFIX + HASH_SIZE);
const nodeBytes = new Uint8Array(PREFIX + 2 * HASH_SIZE);
nodeBytes[0] = 0x01;

/** Leaves of plain entries, in their order. */
export class FlatLeaves {
  #leaves: Uint8Array;
  #count = 0;

  /** `expected`: how many there will be; more are taken. */
  constructor(
    readonly headerVersion: number,
    expected = 1024,
  ) {
    if (headerVersion !== 0 && headerVersion !== 1)
      throw new ProofFailure('entry.version', 'unknown header version', '0 or 1', headerVersion);
    this.#leaves = new Uint8Array(expected * HASH_SIZE);
  }

  get count(): number {
    return this.#count;
  }

  /** The entry that a plain set of these user bytes stores: key and value are places in `bytes`. */
  add(
    bytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    metadata: KVMetadata | undefined,
  ): void {
    const rawKeyLength = PREFIX + keyEnd - keyStart;
    if (rawKeyLength > MAX_RAW_KEY)
      throw new ProofFailure('entry.key', 'bad length of raw key', `1..${MAX_RAW_KEY}`);
    let at = 0;
    if (this.headerVersion === 1) at = frame(metadata, rawKeyLength);
    else if (metadata !== undefined && encodeKVMetadata(metadata).length > 0)
      throw new ProofFailure('entry.metadata', 'version 0 carries no metadata');
    digestBytes[at++] = 0x00;
    at = copy(bytes, keyStart, keyEnd, digestBytes, at);
    hashValue(bytes, valueStart, valueEnd, at);
    sha256Into(leafBytes, PREFIX, digestBytes, at + HASH_SIZE);
    const place = this.#count * HASH_SIZE;
    if (place === this.#leaves.length) this.#grow();
    sha256Into(this.#leaves, place, leafBytes, leafBytes.length);
    this.#count += 1;
  }

  /** Root of the tree over them. Once, and last: they are hashed in place. */
  root(): Uint8Array {
    const level = this.#leaves;
    let count = this.#count;
    if (count === 0) return EMPTY_HASH;
    while (count > 1) {
      const pairs = count >>> 1;
      for (let i = 0; i < pairs; i++) {
        copy(level, 2 * i * HASH_SIZE, 2 * (i + 1) * HASH_SIZE, nodeBytes, PREFIX);
        sha256Into(level, i * HASH_SIZE, nodeBytes, nodeBytes.length);
      }
      // An odd last one moves up unchanged.
      if (count % 2 === 1) copy(level, (count - 1) * HASH_SIZE, count * HASH_SIZE, level, pairs * HASH_SIZE);
      count -= pairs;
    }
    return level.slice(0, HASH_SIZE);
  }

  #grow(): void {
    const larger = new Uint8Array(Math.max(1024 * HASH_SIZE, 2 * this.#leaves.length));
    larger.set(this.#leaves);
    this.#leaves = larger;
  }
}

/** What comes before the raw key in the digest of version 1; returns its length. */
function frame(metadata: KVMetadata | undefined, rawKeyLength: number): number {
  let at = 2;
  let length = 0;
  if (metadata !== undefined) {
    const attributes = encodeKVMetadata(metadata);
    length = attributes.length;
    digestBytes.set(attributes, at);
    at += length;
  }
  digestBytes[0] = 0;
  digestBytes[1] = length;
  digestBytes[at] = rawKeyLength >>> 8;
  digestBytes[at + 1] = rawKeyLength & 0xff;
  return at + 2;
}

/** Puts the hash of the raw value behind the key. */
function hashValue(bytes: Uint8Array, start: number, end: number, at: number): void {
  if (end - start > MAX_SHORT_VALUE) {
    digestBytes.set(sha256(plainValue(bytes.subarray(start, end))), at);
    return;
  }
  rawValue[0] = 0x00;
  sha256Into(digestBytes, at, rawValue, copy(bytes, start, end, rawValue, PREFIX));
}

/** Returns where the copy ends. */
function copy(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
  const length = end - start;
  if (length > MAX_LOOP) to.set(from.subarray(start, end), at);
  else for (let i = 0; i < length; i++) to[at + i] = from[start + i] as number;
  return at + length;
}
