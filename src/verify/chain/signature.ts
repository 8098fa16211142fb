// The state signature: ECDSA P-256 over SHA-256 of (database, tx, alh), docs/protocol.md §13.
import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { ArgumentError } from '../../errors.js';
import { ProofFailure } from '../../proof/failure.js';
import { stateToSign } from '../../proof/signature.js';
import { alh } from '../../proof/header.js';
import type { Context, Root, Signed } from '../terms.js';
import type { VerifiableTx } from '../wire/answers.js';

/** Parsing a key costs about as much as checking a signature; a process knows a handful of keys. */
const MAX_CACHED_KEYS = 64;
const keys = new Map<string, KeyObject>();

/**
 * Requires, when a key is configured, a signature of that key over (our name of the database, `root`).
 * Without a configured key nothing is required and nothing is looked at. The public key that servers send along
 * plays no part.
 */
export function checkStateSignature(
  context: Pick<Context, 'database' | 'publicKey'>,
  root: Root,
  signature: Uint8Array | undefined,
): void {
  if (context.publicKey === undefined) return;
  if (signature === undefined || signature.length === 0) {
    throw new ProofFailure('signature.missing', 'a key is configured, but the state is not signed');
  }
  const key = stateKey(context.publicKey);
  const signed = stateToSign(context.database, root.tx, root.alh);
  // A signature that is no DER at all is simply not valid: verify says false, it does not throw.
  if (!verify('sha256', signed, { key, dsaEncoding: 'der' }, signature)) {
    throw new ProofFailure(
      'signature.invalid',
      'not by the configured key over our database name and this state',
    );
  }
}

/** The newer end of a dual proof with the signature that came with it, which may not be valid; undefined without one. */
export function signedTarget(database: string, { dualProof, signature }: VerifiableTx): Signed | undefined {
  const { targetTxHeader } = dualProof;
  return signature && { database, tx: targetTxHeader.id, alh: alh(targetTxHeader), signature };
}

/**
 * The P-256 key in this SPKI (DER), parsed once.
 *
 * @throws ArgumentError when it is no such key: a configuration mistake, not a statement about a server
 */
export function stateKey(spki: Uint8Array): KeyObject {
  const name = Buffer.from(spki.buffer, spki.byteOffset, spki.byteLength).toString('latin1');
  const known = keys.get(name);
  if (known) return known;
  const key = parse(spki);
  if (keys.size >= MAX_CACHED_KEYS) keys.clear();
  keys.set(name, key);
  return key;
}

function parse(spki: Uint8Array): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  } catch (cause) {
    throw new ArgumentError('publicKey', `the state key is not a public key in SPKI form: ${String(cause)}`);
  }
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new ArgumentError('publicKey', 'the state key is not a P-256 key');
  }
  return key;
}
