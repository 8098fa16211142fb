// What writes are stored as: raw key and raw value of each entry, as they are hashed.
import { plainKey, plainValue, referenceValue, sortedSetKey } from '../../proof/entry.js';
import type { SentEntry, SentMember, SentOp, SentReference, SentVersion } from '../wire/requests.js';

export interface Stored {
  readonly rawKey: Uint8Array;
  readonly rawValue: Uint8Array;
}

/** Deletions and members of sorted sets store no value at all, not even the byte before one. */
const NOTHING: Uint8Array = new Uint8Array(0);

export function storedEntry({ key, value }: SentEntry): Stored {
  return { rawKey: plainKey(key), rawValue: plainValue(value) };
}

export function storedDeletion(key: Uint8Array): Stored {
  return { rawKey: plainKey(key), rawValue: NOTHING };
}

export function storedReference({ key, to, atTx }: SentReference, tx: bigint): Stored {
  return { rawKey: plainKey(key), rawValue: referenceValue(storedVersion(atTx, tx), to) };
}

export function storedMember({ set, score, key, atTx }: SentMember, tx: bigint): Stored {
  return { rawKey: sortedSetKey(set, score, key, storedVersion(atTx, tx)), rawValue: NOTHING };
}

export function storedOp(op: SentOp, tx: bigint): Stored {
  if ('set' in op) return storedEntry(op.set);
  return 'reference' in op ? storedReference(op.reference, tx) : storedMember(op.zAdd, tx);
}

/** The tx that is stored for a version: of what is bound to its own tx, that. */
function storedVersion(atTx: SentVersion, tx: bigint): bigint {
  return atTx === 'thisTx' ? tx : atTx;
}
