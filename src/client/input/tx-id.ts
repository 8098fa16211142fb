// Transaction ids as callers give them.
import { ArgumentError } from '../../errors.js';
import { wrongType } from './option-checks.js';

/** From 1 to 2^63-1. Throws ArgumentError naming `name`. */
export function txId(name: string, tx: unknown): bigint {
  if (typeof tx !== 'bigint') wrongType(name, 'a bigint from 1 to 2^63-1', tx);
  if (tx < 1n || BigInt.asIntN(64, tx) !== tx)
    throw new ArgumentError(name, `${name} must be a bigint from 1 to 2^63-1, not ${tx.toString()}`);
  return tx;
}
