// How many keys there are: the server's word.
import { toPrefix } from '../../input/bytes-input.js';
import type { BytesInput } from '../../input/bytes-input.js';
import type { CallOptions } from '../../input/call-options.js';
import type { Rpc } from '../../net/rpc.js';

/** Throws ArgumentError. */
export function countedPrefix(prefix: BytesInput): Uint8Array {
  return toPrefix(prefix, 'prefix');
}

export async function count(rpc: Rpc, prefix: Uint8Array, call: CallOptions): Promise<bigint> {
  return BigInt((await rpc.unary('Count', { prefix }, call)).count ?? 0);
}

export async function countAll(rpc: Rpc, call: CallOptions): Promise<bigint> {
  return BigInt((await rpc.unary('CountAll', {}, call)).count ?? 0);
}
