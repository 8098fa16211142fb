// Checkpoints: what commits to every row of a log up to one, its canonical bytes, and its signature.
//
// Version 1, in the terms of canonical.ts:
//
//   checkpoint = 18 bytes "immu-ts checkpoint" ‖ u8 1 ‖ 16 bytes store id ‖ u64 seq ‖ 32 bytes hash of row seq
//                ‖ i64 time ‖ u32 heads × ( bytes server ‖ bytes database ‖ u64 tx ‖ 32 bytes alh )
//                ‖ u32 identities × ( bytes address ‖ bytes server )
//
// Heads stand in the order of the bytes of server and database, identities in that of the address. At seq 0 the hash is
// the start of the store's chain (audit-row.ts). The signature is over these bytes: Ed25519, or ECDSA P-256 with SHA-256
// in DER. A checkpoint is named by the SHA-256 of these bytes.
import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { KeyObject } from 'node:crypto';
import { ArgumentError } from '../../errors.js';
import { equalBytes } from '../../proof/bytes.js';
import { HASH_SIZE, sha256 } from '../../proof/hash.js';
import { checkedBytes, checkedId, checkedText, isObject } from './audit-entry.js';
import type { Checkpoint, CheckpointVerdict, SigningKey } from '../audit-log.js';
import { bad } from './audit-query.js';
import { Canonical, CanonicalReader } from './canonical.js';

/** Bytes of a store id. */
export const STORE_ID_SIZE = 16;

const MAGIC = new TextEncoder().encode('immu-ts checkpoint');
const VERSION = 1;

/**
 * The canonical bytes of a checkpoint, without its signature: what is signed, hashed, printed or anchored elsewhere.
 * They name servers, databases and addresses: anchor their SHA-256 where these are secret.
 *
 * @throws ArgumentError naming the field that no checkpoint has
 */
export function checkpointBytes(checkpoint: Checkpoint): Uint8Array {
  const { storeId, seq, hash, time, heads, identities } = checkedCheckpoint(checkpoint);
  const out = new Canonical();
  out.raw(MAGIC).u8(VERSION).raw(storeId).u64(seq).raw(hash).i64(BigInt(time));
  out.u32(heads.length);
  for (const { server, database, tx, alh } of heads) out.text(server).text(database).u64(tx).raw(alh);
  out.u32(identities.length);
  for (const { address, server } of identities) out.text(address).text(server);
  return out.done().slice();
}

/** SHA-256 of the canonical bytes: the name of a checkpoint, short enough to be printed. */
export function checkpointHash(checkpoint: Checkpoint): Uint8Array {
  return sha256(checkpointBytes(checkpoint));
}

/**
 * The checkpoint that has these canonical bytes, with the signature that came with them.
 *
 * @throws ArgumentError `bytes` when they are not a checkpoint's
 */
export function parseCheckpoint(
  bytes: Uint8Array,
  signed: Pick<Checkpoint, 'signature' | 'keyFingerprint'> = {},
): Checkpoint {
  const given = checkedBytes('bytes', bytes);
  try {
    const reader = new CanonicalReader(given);
    if (!equalBytes(reader.raw(MAGIC.length), MAGIC)) throw new RangeError('they do not begin as such');
    const version = reader.u8();
    if (version !== VERSION) throw new RangeError(`their version is ${version}`);
    const fields = {
      storeId: reader.raw(STORE_ID_SIZE),
      seq: reader.u64(),
      hash: reader.raw(HASH_SIZE),
      time: Number(reader.i64()),
      heads: times(reader.u32(), () => ({
        server: reader.text(),
        database: reader.text(),
        tx: reader.u64(),
        alh: reader.raw(HASH_SIZE),
      })),
      identities: times(reader.u32(), () => ({ address: reader.text(), server: reader.text() })),
    };
    reader.end();
    return checkedCheckpoint({ ...fields, ...signed });
  } catch (error) {
    const words =
      error instanceof RangeError ? error.message : error instanceof ArgumentError ? error.message : '';
    if (!words) throw error;
    throw new ArgumentError('bytes', `bytes are not a checkpoint's: ${words}`);
  }
}

/** A copy of the checkpoint with the fields we know. @throws ArgumentError naming the field that no checkpoint has */
export function checkedCheckpoint(checkpoint: Checkpoint): Checkpoint {
  if (!isObject(checkpoint)) bad('checkpoint', 'must be a checkpoint');
  const { storeId, seq, hash, time, heads, identities, signature, keyFingerprint } = checkpoint;
  if (!Number.isSafeInteger(time)) bad('checkpoint.time', 'must be unix milliseconds');
  return {
    storeId: checkedBytes('checkpoint.storeId', storeId, STORE_ID_SIZE),
    seq: checkedId('checkpoint.seq', seq),
    hash: checkedBytes('checkpoint.hash', hash, HASH_SIZE),
    time,
    heads: listOf<Checkpoint['heads'][number]>('checkpoint.heads', heads).map((head) => ({
      server: checkedText('checkpoint.heads', head.server),
      database: checkedText('checkpoint.heads', head.database),
      tx: checkedId('checkpoint.heads', head.tx),
      alh: checkedBytes('checkpoint.heads', head.alh, HASH_SIZE),
    })),
    identities: listOf<Checkpoint['identities'][number]>('checkpoint.identities', identities).map(
      ({ address, server }) => ({
        address: checkedText('checkpoint.identities', address),
        server: checkedText('checkpoint.identities', server),
      }),
    ),
    ...(signature && { signature: checkedBytes('checkpoint.signature', signature) }),
    ...(keyFingerprint && {
      keyFingerprint: checkedBytes('checkpoint.keyFingerprint', keyFingerprint, HASH_SIZE),
    }),
  };
}

/** The checkpoint with a signature by `key`. Requires a key from {@link checkedKeyObject}. */
export function signCheckpoint(checkpoint: Checkpoint, key: KeyObject): Checkpoint {
  const signature = sign(digestOf(key), checkpointBytes(checkpoint), key);
  return {
    ...checkpoint,
    signature: new Uint8Array(signature),
    keyFingerprint: fingerprint(createPublicKey(key)),
  };
}

/**
 * Checks a checkpoint's signature, offline. Says nothing about a log: `audit.verify({ checkpoint })` does.
 *
 * @param publicKey Ed25519 or ECDSA P-256, as a KeyObject or in PEM
 * @throws ArgumentError when one of them is not what it should be
 * @example
 * const checkpoint = await store.audit.checkpoint({ key: privateKey });
 * verifyCheckpoint(checkpoint, publicKey); // { ok: true }
 */
export function verifyCheckpoint(checkpoint: Checkpoint, publicKey: SigningKey): CheckpointVerdict {
  const bytes = checkpointBytes(checkpoint);
  const key = checkedPublicKey(publicKey);
  const { signature, keyFingerprint } = checkpoint;
  if (!signature) return { ok: false, finding: 'the checkpoint is not signed' };
  if (keyFingerprint && !equalBytes(keyFingerprint, fingerprint(key))) {
    return { ok: false, finding: 'the checkpoint was signed by another key' };
  }
  // Whatever cannot be read as a signature is none.
  if (verify(digestOf(key), bytes, key, signature)) return { ok: true };
  return { ok: false, finding: 'the signature is not that of this checkpoint by this key' };
}

/** @throws ArgumentError `key` unless it is a private key for Ed25519 or ECDSA P-256 */
export function checkedSigningKey(key: SigningKey): KeyObject {
  const given = keyObject('key', key, (pem) => createPrivateKey(pem));
  if (given.type !== 'private') bad('key', 'must be a private key');
  assertKind('key', given);
  return given;
}

function checkedPublicKey(key: SigningKey): KeyObject {
  const given = keyObject('publicKey', key, (pem) => createPublicKey(pem));
  if (given.type !== 'public') bad('publicKey', 'must be a public key');
  assertKind('publicKey', given);
  return given;
}

/** @throws ArgumentError `field`, never with a word of the key */
export function keyObject(field: string, key: unknown, read: (pem: string) => KeyObject): KeyObject {
  if (key instanceof KeyObject) return key;
  if (typeof key !== 'string') bad(field, 'must be a KeyObject or a key in PEM');
  try {
    return read(key);
  } catch {
    // Not with the cause: it may quote the key.
    return bad(field, 'is not a key in PEM');
  }
}

function assertKind(field: string, key: KeyObject): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519' || (type === 'ec' && details?.namedCurve === 'prime256v1')) return;
  bad(field, 'must be a key for Ed25519 or ECDSA P-256');
}

function digestOf(key: KeyObject): 'sha256' | null {
  return key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
}

function fingerprint(publicKey: KeyObject): Uint8Array {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return new Uint8Array(createHash('sha256').update(spki).digest());
}

function listOf<T extends object>(field: string, list: readonly T[]): readonly T[] {
  const given: unknown = list;
  if (!Array.isArray(given) || given.some((item) => !isObject(item)))
    bad(field, 'must be an array of objects');
  return list;
}

function times<T>(count: number, read: () => T): T[] {
  const all: T[] = [];
  // A count that is not true ends with the bytes.
  for (let i = 0; i < count; i++) all.push(read());
  return all;
}
