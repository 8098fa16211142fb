// The implementations of SHA-256 that are measured beside each other, and a count of how often they are called.
import * as crypto from 'node:crypto';
import { setSha256 } from '#dist/proof/hash.js';
import type { Sha256 } from '#dist/proof/hash.js';

const createHash: Sha256 = (data) => crypto.createHash('sha256').update(data).digest();

/** node:crypto's one-shot hash, where this Node has it (20.12, 21.7). Its buffer output is slower than hex. */
const oneShot: Sha256 | undefined =
  typeof crypto.hash === 'function'
    ? (data) => Buffer.from(crypto.hash('sha256', data, 'hex'), 'hex')
    : undefined;

export interface Hasher {
  readonly name: string;
  readonly use: () => void;
}

export const HASHERS: readonly Hasher[] = [
  { name: 'noble', use: () => setSha256() },
  { name: 'node:crypto createHash', use: () => setSha256(createHash) },
  ...(oneShot ? [{ name: 'node:crypto hash', use: () => setSha256(oneShot) }] : []),
];

/** How many hashes `work` makes. */
export function hashesOf(work: () => void): number {
  let hashes = 0;
  setSha256((data) => {
    hashes += 1;
    return createHash(data);
  });
  hashes = 0;
  work();
  setSha256();
  return hashes;
}
