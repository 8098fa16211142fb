// What is proven of a key without a question, by all transactions up to the root that is followed to.
import { NotProvableError } from '../../../errors.js';
import { keyName } from '../../../verify/key-name.js';
import type { Root } from '../../../verify/verifier.js';
import { Result } from '../../results/result.js';
import { shownKey } from '../../results/readable.js';
import { unixSeconds } from '../../input/unix-seconds.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import type { VersionFacts } from '../../trust/latest/key-index.js';
import type { Latest } from '../../trust/latest/latest.js';

/**
 * Why a key has no value: it was never written, its newest version is a deletion, or has expired by our clock. `target-gone`: it is a
 * reference to a key that has none.
 */
export type AbsenceReason = 'never-written' | 'deleted' | 'expired' | 'target-gone';

/** A key that is proven to have no value. */
export class ProvenAbsence extends Result {
  declare readonly key: Uint8Array;
  declare readonly value: null;
  declare readonly absent: AbsenceReason;
  /** What ended it (of a reference: the reference itself); absent where it was never written. */
  declare readonly tx?: bigint;
  /** Every transaction up to this root was followed: none of them has a newer version of the key. */
  declare readonly provenLatestAt: Root;

  constructor(key: Uint8Array, absent: AbsenceReason, tx: bigint | undefined, provenLatestAt: Root) {
    super();
    this.key = key;
    this.value = null;
    this.absent = absent;
    if (tx !== undefined) this.tx = tx;
    this.provenLatestAt = provenLatestAt;
  }
}

/** Null: it has an entry that is neither deleted nor expired. */
export function proveAbsent(latest: Latest, key: Uint8Array): ProvenAbsence | null {
  const version = latest.versionOf(keyName(key));
  if (!version) assertWhole(latest, key);
  const reason = reasonOf(version);
  return reason === undefined ? null : absenceOf(latest, key, version, reason);
}

/** The root as of which no version of a key is newer than `tx`; null: one is. */
export function unchangedSince(latest: Latest, key: Uint8Array, tx: bigint): Root | null {
  const { from, at } = latest;
  if (tx < from.tx)
    throw new NotProvableError(`the database is followed from tx ${from.tx.toString()} on, not from before`);
  const version = latest.versionOf(keyName(key));
  return version === undefined || version.tx <= tx ? at : null;
}

/** Why this version is no value; undefined: it is one, or a reference. */
export function reasonOf(version: VersionFacts | undefined): AbsenceReason | undefined {
  if (!version) return 'never-written';
  if (version.deleted) return 'deleted';
  const { expiresAt } = version;
  return expiresAt !== undefined && expiresAt <= unixSeconds() ? 'expired' : undefined;
}

export function absenceOf(
  { at }: Latest,
  key: Uint8Array,
  version: VersionFacts | undefined,
  absent: AbsenceReason,
): ProvenAbsence {
  return new ProvenAbsence(key, absent, version?.tx, at);
}

/** Everything was followed, from the first transaction on. */
export function isWhole({ from }: Latest): boolean {
  return from.tx === 0n;
}

/** What is followed from the first transaction on; undefined: nothing is. */
export function followedNow({ latestNow }: DatabaseTrust): Latest | undefined {
  return latestNow && isWhole(latestNow) && !latestNow.isEnded ? latestNow : undefined;
}

/** Of a key that was not written since the database is followed nothing is known, unless all of it was followed. */
export function assertWhole(latest: Latest, key: Uint8Array): void {
  if (isWhole(latest)) return;
  throw new NotProvableError(
    `key ${shownKey(key)} was not written since tx ${latest.from.tx.toString()}, from which on the database is followed: what is latest of it is proven by following from genesis only`,
  );
}
