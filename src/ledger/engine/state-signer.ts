// Signs states as a server with a signing key does (docs/protocol.md §13).
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { stateToSign } from '../../proof/signature.js';
import { ArgumentError } from '../../errors.js';
import type { WireSignature } from '../wire/messages.js';

export class StateSigner {
  readonly #key: KeyObject;
  readonly #point: Uint8Array;

  /** @param privateKey EC private key, PEM */
  constructor(privateKey: string | Buffer) {
    this.#key = createPrivateKey(privateKey);
    const jwk = createPublicKey(this.#key).export({ format: 'jwk' });
    if (jwk.kty !== 'EC' || jwk.x === undefined || jwk.y === undefined) {
      throw new ArgumentError('signingKey', 'states are signed with an EC key');
    }
    this.#point = Buffer.concat([
      new Uint8Array([4]),
      Buffer.from(jwk.x, 'base64url'),
      Buffer.from(jwk.y, 'base64url'),
    ]);
  }

  /** Public key as PEM, for the client's configuration. */
  get publicKeyPem(): string {
    return createPublicKey(this.#key).export({ type: 'spki', format: 'pem' }).toString();
  }

  sign(database: string, tx: bigint, alh: Uint8Array): WireSignature {
    const signature = sign('sha256', stateToSign(database, tx, alh), { key: this.#key, dsaEncoding: 'der' });
    return { publicKey: this.#point, signature };
  }
}
