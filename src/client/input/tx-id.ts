// Ids of transactions that callers hand in.
import { ArgumentError } from '../../errors.js';

export function txId(name: string, tx: unknown): asserts tx is bigint {
  if (typeof tx !== 'bigint' || tx < 1n || BigInt.asIntN(64, tx) !== tx)
    throw new ArgumentError(name, `${name} must be a bigint from 1 to 2^63-1`);
}
