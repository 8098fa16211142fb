// Deletes keys, plain and proven.
import { ArgumentError } from '../../../errors.js';
import { keyName } from '../../../verify/key-name.js';
import { wireMethod } from '../../../wire/schema.js';
import { toKey } from '../../input/bytes-input.js';
import type { BytesInput } from '../../input/bytes-input.js';
import type { CallOptions } from '../../input/call-options.js';
import type { Rpc } from '../../net/rpc.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import { DELETED } from '../../trust/known/newest-versions.js';
import { writeAlone } from '../../trust/write.js';
import type { VerifiedWrite } from '../../trust/write.js';
import { MAX_TX_ENTRIES, isKeys, toKeys, writeOf } from './kv.js';
import type { Write } from './kv.js';

/** One key, or up to 1024 distinct ones. Throws ArgumentError naming the one that is wrong. */
export function toDeletedKeys(keys: BytesInput | Iterable<BytesInput>): Uint8Array[] {
  if (!isKeys(keys)) return [toKey(keys, 'key')];
  const checked = toKeys(keys);
  if (checked.length === 0 || checked.length > MAX_TX_ENTRIES)
    throw new ArgumentError('keys', `one transaction deletes 1 to ${MAX_TX_ENTRIES} keys`);
  const names = new Set<string>();
  checked.forEach((key, i) => {
    if (names.has(keyName(key))) throw new ArgumentError('keys', `keys[${i}] occurs twice`);
    names.add(keyName(key));
  });
  return checked;
}

export async function deleteKeys(
  rpc: Rpc,
  keys: readonly Uint8Array[],
  options: CallOptions,
): Promise<Write> {
  return writeOf(await rpc.unary('Delete', { keys }, options));
}

/** Deletes keys in one transaction that holds nothing else, and proves that it holds exactly these deletions. */
export function verifiedDelete(
  rpc: Rpc,
  trust: DatabaseTrust,
  call: Call,
  keys: readonly Uint8Array[],
): Promise<VerifiedWrite> {
  const request = new Uint8Array(wireMethod('Delete').requestSerialize({ keys }));
  const question = { kind: 'deleted', request } as const;
  return writeAlone(
    rpc,
    trust,
    call,
    { question, names: keys.map(keyName), end: DELETED, calls: 1 },
    (options) => rpc.raw('Delete', request, options),
  );
}
