// What a server signs when it signs its state (docs/protocol.md §13). Checking the signature needs a platform: not here.
import { be32, be64, concatBytes } from './bytes.js';
import { assertDigest, assertId } from './guard.js';

/**
 * The bytes over which a state signature is made: ECDSA with SHA-256, ASN.1 DER.
 *
 * @param database our own name of the selected database, never one that the server answered with
 * @param tx 0 only for the empty database, whose alh is the hash of nothing
 */
export function stateToSign(database: string, tx: bigint, alh: Uint8Array): Uint8Array {
  assertId(tx, 'signature.tx', 0n);
  assertDigest(alh, 'signature.alh');
  const name = new TextEncoder().encode(database);
  return concatBytes(be32(name.length), name, be64(tx), alh);
}
