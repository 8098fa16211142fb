// Roots that callers hand in.
import { ArgumentError } from '../../errors.js';
import type { Root } from '../../verify/verifier.js';

/** A copy. Throws ArgumentError naming the input. */
export function toRoot(name: string, value: unknown): Root {
  if (typeof value !== 'object' || value === null)
    throw new ArgumentError(name, `${name} must be a root: { tx, alh }`);
  const { tx, alh } = value as Partial<Root>;
  if (typeof tx !== 'bigint' || tx < 0n || BigInt.asIntN(64, tx) !== tx)
    throw new ArgumentError(name, `${name}.tx must be a bigint from 0 to 2^63-1`);
  if (!(alh instanceof Uint8Array) || alh.length !== 32)
    throw new ArgumentError(name, `${name}.alh must be 32 bytes`);
  return { tx, alh: new Uint8Array(alh) };
}
