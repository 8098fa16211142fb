// Transaction ids as callers give them.
import { ArgumentError } from '../../errors.js';

/** From 1 to 2^63-1. Throws ArgumentError naming `name`. */
export function txId(name: string, tx: unknown): bigint {
  if (typeof tx !== 'bigint' || tx < 1n || BigInt.asIntN(64, tx) !== tx)
    throw new ArgumentError(name, `${name} must be a bigint from 1 to 2^63-1`);
  return tx;
}
