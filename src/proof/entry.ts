// Raw keys, raw values and digests of entries (docs/protocol.md §5, §6).
import { be64, concatBytes } from './bytes.js';
import { ProofFailure } from './failure.js';
import { assertDigest, assertId } from './guard.js';
import { HASH_SIZE, runningSha256, sha256, sha256Of } from './hash.js';
import type { RunningSha256 } from './hash.js';
import { leafHash } from './tree/merkle.js';
import { encodeKVMetadata } from './metadata.js';
import type { KVMetadata, TxEntry } from './types.js';

const KIND_KEY_VALUE = new Uint8Array([0x00]);
const KIND_SORTED_SET = new Uint8Array([0x01]);
const VALUE_PLAIN = new Uint8Array([0x00]);
const VALUE_REFERENCE = new Uint8Array([0x01]);

/** Longest raw key the digest format can express, in bytes; servers allow 1024 unless configured. */
export const MAX_RAW_KEY = 0xffff;

/** Raw key of a user key. */
export function plainKey(key: Uint8Array): Uint8Array {
  return concatBytes(KIND_KEY_VALUE, key);
}

/** Raw value of a user value. (A deletion stores no bytes at all, not even this prefix.) */
export function plainValue(value: Uint8Array): Uint8Array {
  return concatBytes(VALUE_PLAIN, value);
}

/** The hash of {@link plainValue} of a value that comes in pieces. */
export function runningValueHash(): RunningSha256 {
  const running = runningSha256();
  running.update(VALUE_PLAIN);
  return running;
}

/** Raw value of a reference to user key `key`, bound to the value at `atTx`; 0 = unbound. Rejects a key that none can be. */
export function referenceValue(atTx: bigint, key: Uint8Array): Uint8Array {
  assertId(atTx, 'entry.at-tx', 0n);
  if (key.length < 1 || key.length >= MAX_RAW_KEY) {
    throw new ProofFailure('entry.reference-key', 'bad length of key', `1..${MAX_RAW_KEY - 1}`, key.length);
  }
  return concatBytes(VALUE_REFERENCE, be64(atTx), KIND_KEY_VALUE, key);
}

/** Raw key of a member of a sorted set; its raw value is empty. `atTx` 0 = unbound. */
export function sortedSetKey(set: Uint8Array, score: number, key: Uint8Array, atTx: bigint): Uint8Array {
  assertId(atTx, 'entry.at-tx', 0n);
  const bits = new Uint8Array(8);
  new DataView(bits.buffer).setFloat64(0, score);
  return concatBytes(
    KIND_SORTED_SET,
    be64(BigInt(set.length)),
    set,
    bits,
    be64(BigInt(key.length + 1)),
    KIND_KEY_VALUE,
    key,
    be64(atTx),
  );
}

// Room for metadata (13), a key of the usual limit, its length and a hash; longer keys get a buffer of their own.
const scratch = new Uint8Array(2048);

/**
 * Digest of an entry as it goes into the entries tree of a tx with header version `headerVersion`.
 *
 * @param key raw key, kind prefix included, 1..65535 bytes
 * @param hValue SHA-256 of the raw value
 * Rejects metadata in version 0, where no hash would cover it.
 */
export function digestOf(
  headerVersion: number,
  key: Uint8Array,
  metadata: KVMetadata | undefined,
  hValue: Uint8Array,
): Uint8Array {
  if (headerVersion !== 0 && headerVersion !== 1) {
    throw new ProofFailure('entry.version', 'unknown header version', '0 or 1', headerVersion);
  }
  // A longer key would wrap its 16-bit length and could then share a preimage with a shorter one.
  if (!(key instanceof Uint8Array) || key.length < 1 || key.length > MAX_RAW_KEY) {
    throw new ProofFailure('entry.key', 'bad length of raw key', `1..${MAX_RAW_KEY}`);
  }
  assertDigest(hValue, 'entry.value-hash');
  const attributes = encodeKVMetadata(metadata);
  if (headerVersion === 0 && attributes.length > 0) {
    throw new ProofFailure('entry.metadata', 'version 0 carries no metadata');
  }
  const length = (headerVersion === 0 ? 0 : 4 + attributes.length) + key.length + HASH_SIZE;
  const out = length <= scratch.length ? scratch : new Uint8Array(length);
  let at = 0;
  if (headerVersion === 1) {
    out[0] = 0;
    out[1] = attributes.length;
    out.set(attributes, 2);
    at = 2 + attributes.length;
    out[at] = key.length >>> 8;
    out[at + 1] = key.length & 0xff;
    at += 2;
  }
  out.set(key, at);
  out.set(hValue, at + key.length);
  return sha256Of(out, length);
}

/** {@link digestOf} of a stored entry. */
export function entryDigest(headerVersion: number, entry: TxEntry): Uint8Array {
  return digestOf(headerVersion, entry.key, entry.metadata, entry.hValue);
}

// The raw form of short keys and values, made here instead of in arrays of their own: reads and writes hash one of each.
const rawKey = new Uint8Array(1024);
const rawValue = new Uint8Array(4096);

/** {@link entryLeaf} of the entry that a plain set of `key` and `value` (user bytes) stores. */
export function plainLeaf(
  headerVersion: number,
  key: Uint8Array,
  metadata: KVMetadata | undefined,
  value: Uint8Array,
): Uint8Array {
  let hValue: Uint8Array;
  if (value.length < rawValue.length) {
    rawValue.set(value, 1);
    hValue = sha256Of(rawValue, value.length + 1);
  } else {
    hValue = sha256(plainValue(value));
  }
  return leafHash(digestOf(headerVersion, rawKeyOf(key), metadata, hValue));
}

/** Valid until the next call. */
function rawKeyOf(key: Uint8Array): Uint8Array {
  if (key.length >= rawKey.length) return plainKey(key);
  rawKey.set(key, 1);
  return rawKey.subarray(0, key.length + 1);
}

/** Leaf in the entries tree of the entry with this raw key, metadata and raw value. */
export function entryLeaf(
  headerVersion: number,
  key: Uint8Array,
  metadata: KVMetadata | undefined,
  rawValue: Uint8Array,
): Uint8Array {
  return leafHash(digestOf(headerVersion, key, metadata, sha256(rawValue)));
}
