// What a server is bound by: roots that it signed. Two of them over one transaction of one database, with different hashes, nobody
// but the holder of the key can have made.
import { createHash } from 'node:crypto';
import { equalBytes, toHex } from '../proof/bytes.js';
import { ProofFailure } from '../proof/failure.js';
import { checkStateSignature } from './chain/signature.js';
import { kindOf } from './kinds.js';
import type { Root, Signed } from './terms.js';
import type { Job } from './verifier.js';

export type { Signed } from './terms.js';

/** A root, and whose signature over it and the name of the database is valid. */
export interface SignedRoot extends Root {
  readonly database: string;
  /** SHA-256 of the SPKI of the key, hex. */
  readonly keyFingerprint: string;
}

/** One transaction of one database, signed with two hashes by one key. */
export interface TwoHashes {
  readonly database: string;
  readonly tx: bigint;
  /** Hex. */
  readonly alhs: readonly [string, string];
  readonly keyFingerprint: string;
}

/** The root when the key's signature over it is valid, else undefined. `publicKey`: SPKI DER. */
export function signedRoot({ database, tx, alh, signature }: Signed, publicKey: Uint8Array) {
  try {
    checkStateSignature({ database, publicKey }, { tx, alh }, signature);
  } catch (error) {
    if (error instanceof ProofFailure) return undefined;
    throw error;
  }
  const keyFingerprint = createHash('sha256').update(publicKey).digest('hex');
  return { database, tx, alh, keyFingerprint } satisfies SignedRoot;
}

/** The root that an answer carries with its signature; whether that is valid is for {@link signedRoot} to say. */
export function rootWithSignature({ question, context, answer }: Job): Signed | undefined {
  try {
    return kindOf(question).signed?.(question, context, answer);
  } catch (error) {
    if (error instanceof ProofFailure) return undefined;
    throw error;
  }
}

/** The first two that cannot both be of one history; undefined: there are none. */
export function twoHashesIn(roots: readonly SignedRoot[]): TwoHashes | undefined {
  const seen = new Map<string, SignedRoot>();
  for (const root of roots) {
    const { database, tx, keyFingerprint } = root;
    const name = JSON.stringify([database, tx.toString(), keyFingerprint]);
    const other = seen.get(name);
    if (!other) seen.set(name, root);
    else if (!equalBytes(other.alh, root.alh))
      return { database, tx, keyFingerprint, alhs: [toHex(other.alh), toHex(root.alh)] };
  }
  return undefined;
}
