// Preconditions of a write: reading them from the request, and holding them against the database.
import { plainKey } from '../../proof/entry.js';
import type { Database } from '../engine/database.js';
import { LedgerRefusal, refuse } from '../errors.js';
import { isExpired } from './lookup.js';
import { bytes, id } from '../wire/messages.js';
import type { WirePrecondition } from '../wire/messages.js';

type Condition = 'KeyMustExist' | 'KeyMustNotExist' | 'KeyNotModifiedAfterTxID';

export interface Precondition {
  readonly condition: Condition;
  /** Raw key. */
  readonly key: Uint8Array;
  readonly afterTx: bigint;
}

/** Reads one precondition. Throws when none is set or it has no key. */
export function readPrecondition(wire: WirePrecondition): Precondition {
  if (wire.keyMustExist) return precondition('KeyMustExist', wire.keyMustExist.key);
  if (wire.keyMustNotExist) return precondition('KeyMustNotExist', wire.keyMustNotExist.key);
  const unmodified = wire.keyNotModifiedAfterTX;
  if (unmodified) return precondition('KeyNotModifiedAfterTxID', unmodified.key, id(unmodified.txID));
  throw refuse.invalidPrecondition('null');
}

function precondition(condition: Condition, key: Uint8Array | undefined, afterTx = 0n): Precondition {
  if (bytes(key).length === 0) throw refuse.invalidPrecondition('null key');
  return { condition, key: plainKey(bytes(key)), afterTx };
}

/** Throws when a precondition could never be checked. */
export function validatePrecondition(db: Database, { condition, key, afterTx }: Precondition): void {
  if (key.length > db.limits.maxKeyBytes) throw refuse.invalidPrecondition('max key length exceeded');
  if (condition === 'KeyNotModifiedAfterTxID' && afterTx === 0n) {
    throw refuse.invalidPrecondition('invalid transaction ID');
  }
}

/** As for Set and SetReference, which put their own words before those of the validation. */
export function readPreconditions(
  db: Database,
  wire: readonly WirePrecondition[] | undefined,
): Precondition[] {
  return (wire ?? []).map((one) => {
    const read = readPrecondition(one);
    try {
      validatePrecondition(db, read);
    } catch (error) {
      if (error instanceof LedgerRefusal) throw refuse.invalidPrecondition(error.message);
      throw error;
    }
    return read;
  });
}

export function assertPreconditionCount(db: Database, preconditions: readonly Precondition[]): void {
  if (preconditions.length > db.limits.maxTxEntries)
    throw refuse.invalidPrecondition('too many preconditions');
}

/** Throws when a precondition does not hold now. */
export function checkPreconditions(db: Database, preconditions: readonly Precondition[]): void {
  for (const one of preconditions) if (!holds(db, one)) throw refuse.preconditionFailed(one.condition);
}

function holds(db: Database, { condition, key, afterTx }: Precondition): boolean {
  const latest = db.index.latest(key);
  if (condition === 'KeyNotModifiedAfterTxID') {
    // Looks at the newest entry, be it deleted or expired.
    return !latest || BigInt(db.log.txOfEntry(latest.entry)) <= afterTx;
  }
  const metadata = latest && db.log.metadata(latest.entry);
  const exists = latest !== undefined && metadata?.deleted !== true && !isExpired(metadata);
  return exists === (condition === 'KeyMustExist');
}
