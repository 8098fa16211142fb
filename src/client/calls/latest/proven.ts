// What is proven of a key without a question, by all transactions up to the root that is followed to.
import { NotProvableError } from '../../../errors.js';
import { plainKey } from '../../../proof/entry.js';
import type { Root } from '../../../verify/verifier.js';
import { resultOf } from '../../results/result.js';
import { shownKey } from '../../results/readable.js';
import { unixSeconds } from '../../input/unix-seconds.js';
import type { LatestVersion } from '../../trust/latest/key-index.js';
import type { Latest } from '../../trust/latest/latest.js';

/**
 * Why a key has no value: it was never written, its newest version is a deletion, or has expired by our clock. `target-gone`: it is a
 * reference to a key that has none.
 */
export type AbsenceReason = 'never-written' | 'deleted' | 'expired' | 'target-gone';

/** A key that is proven to have no value. */
export interface ProvenAbsence {
  readonly key: Uint8Array;
  readonly value: null;
  readonly absent: AbsenceReason;
  /** What ended it (of a reference: the reference itself); absent where it was never written. */
  readonly tx?: bigint;
  /** Every transaction up to this root was followed: none of them has a newer version of the key. */
  readonly provenLatestAt: Root;
}

/** Null: it has an entry that is neither deleted nor expired. */
export function proveAbsent(latest: Latest, key: Uint8Array): ProvenAbsence | null {
  const version = latest.get(plainKey(key));
  if (!version) assertWhole(latest, key);
  const reason = reasonOf(version);
  return reason === undefined ? null : absenceOf(latest, key, version, reason);
}

/** The root as of which no version of a key is newer than `tx`; null: one is. */
export function unchangedSince(latest: Latest, key: Uint8Array, tx: bigint): Root | null {
  const { from, at } = latest;
  if (tx < from.tx)
    throw new NotProvableError(`the database is followed from tx ${from.tx.toString()} on, not from before`);
  const version = latest.get(plainKey(key));
  return version === undefined || version.tx <= tx ? at : null;
}

/** Why this version is no value; undefined: it is one, or a reference. */
export function reasonOf(version: LatestVersion | undefined): AbsenceReason | undefined {
  if (!version) return 'never-written';
  if (version.deleted) return 'deleted';
  const { expiresAt } = version;
  return expiresAt !== undefined && expiresAt <= unixSeconds() ? 'expired' : undefined;
}

export function absenceOf(
  { at }: Latest,
  key: Uint8Array,
  version: LatestVersion | undefined,
  absent: AbsenceReason,
): ProvenAbsence {
  const ended = version ? { tx: version.tx } : {};
  return resultOf({ key, value: null, absent, ...ended, provenLatestAt: at });
}

/** Everything was followed, from the first transaction on. */
export function isWhole({ from }: Latest): boolean {
  return from.tx === 0n;
}

/** Of a key that was not written since the database is followed nothing is known, unless all of it was followed. */
export function assertWhole(latest: Latest, key: Uint8Array): void {
  if (isWhole(latest)) return;
  throw new NotProvableError(
    `key ${shownKey(key)} was not written since tx ${latest.from.tx.toString()}, from which on the database is followed: what is latest of it is proven by following from genesis only`,
  );
}
