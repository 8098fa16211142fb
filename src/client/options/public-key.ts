// The server's state key as callers give it, and as the checks need it.
import { createHash, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { ArgumentError } from '../../errors.js';
import { bytesOrText } from '../input/option-checks.js';

export interface StateKey {
  /** SPKI DER. */
  readonly spki: Uint8Array;
  /** SHA-256 of `spki`. */
  readonly fingerprint: Uint8Array;
}

/** PEM (`PUBLIC KEY`) or SPKI DER of a P-256 key. Throws ArgumentError (`serverPublicKey`). */
export function parsePublicKey(key: string | Uint8Array): StateKey {
  const given = Buffer.from(bytesOrText('serverPublicKey', key));
  const pem = given.toString('latin1');
  let parsed: KeyObject;
  try {
    // Node would make a public key of a private one, or of a certificate: most likely the wrong file was given.
    if (pem.includes('-----BEGIN') && !pem.includes('-----BEGIN PUBLIC KEY-----'))
      throw new Error('another PEM');
    parsed = createPublicKey(pem.includes('-----BEGIN') ? pem : { key: given, format: 'der', type: 'spki' });
  } catch {
    throw new ArgumentError(
      'serverPublicKey',
      'serverPublicKey is neither PEM ("PUBLIC KEY") nor SPKI DER of a public key',
    );
  }
  if (parsed.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new ArgumentError('serverPublicKey', 'serverPublicKey must be a P-256 key');
  }
  const spki = new Uint8Array(parsed.export({ type: 'spki', format: 'der' }));
  return { spki, fingerprint: new Uint8Array(createHash('sha256').update(spki).digest()) };
}
