// What a follower adds to a verified read: that the entry is the latest version of its key, or that there is none, as of a head.
import { NotProvableError } from '../../../errors.js';
import { toHex } from '../../../proof/bytes.js';
import { plainKey } from '../../../proof/entry.js';
import type { Root } from '../../../verify/verifier.js';
import { unixSeconds } from '../../input/unix-seconds.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import type { LatestVersion } from '../../trust/latest/key-index.js';
import type { Latest } from '../../trust/latest/latest.js';
import { VerifiedEntry } from '../kv/verified-entry.js';

/** Why a key has no value. `target-gone`: it is a reference to what has none. */
export type AbsenceReason = 'never-written' | 'deleted' | 'expired' | 'target-gone';

/** An entry that is proven to be the latest of its key. */
export class LatestEntry extends VerifiedEntry {
  /** Every transaction up to this root was followed: none of them has a newer version of the key. */
  declare readonly provenLatestAt: Root;
  /** How many versions of the key (of the reference, where it is one) there were with this one: proven, not the server's word. */
  declare readonly revision: bigint;

  constructor(entry: VerifiedEntry, provenLatestAt: Root, revision: bigint) {
    const { key, value, timestamp, root, unproven, reference } = entry;
    super(key, value, entry, timestamp, root, unproven.revision, reference);
    this.provenLatestAt = provenLatestAt;
    this.revision = revision;
  }
}

/** A key that is proven to have no value. */
export interface ProvenAbsence {
  readonly key: Uint8Array;
  readonly value: null;
  readonly absent: AbsenceReason;
  /** What ended it; absent where it was never written. */
  readonly tx?: bigint;
  readonly provenLatestAt: Root;
}

/** A verified read of the key, which refuses what is older than what was followed when it began. */
export type Read = () => Promise<VerifiedEntry | null>;

/**
 * Reads a key and proves that what is told is its latest, as of a root that is followed to and not older than the entry. `first`
 * is called at once, whatever else is found.
 */
export async function latestGet(
  trust: DatabaseTrust,
  { deadline }: Call,
  key: Uint8Array,
  first: Read,
  again: Read,
): Promise<LatestEntry | ProvenAbsence> {
  const rawKey = plainKey(key);
  for (let read = first; ; read = again) {
    const before = trust.latestNow?.get(rawKey)?.tx;
    const entry = await read();
    const latest = trust.latest;
    const own = entry && (entry.reference?.tx ?? entry.tx);
    if (own !== null && own > latest.at.tx) await latest.reach(deadline, own);
    const { at } = latest;
    const version = latest.get(rawKey);
    if (!version) assertWhole(latest, key);
    if (!entry) {
      // Null was told behind the version known when it was asked for: where that one has a value, it is proven to lead nowhere.
      const absence = absenceOf(key, version, at, version?.tx === before ? 'target-gone' : undefined);
      if (absence) return absence;
    } else if (version && version.tx === own) return new LatestEntry(entry, at, version.revision);
    // Something newer was followed since it was asked for: what is read now must not be older than that.
  }
}

/**
 * Proves, without a question, that a key has no value as of the root that is followed to. Null when it has an entry that is
 * neither deleted nor expired.
 */
export function proveAbsent(latest: Latest, key: Uint8Array): ProvenAbsence | null {
  const version = latest.get(plainKey(key));
  if (!version) assertWhole(latest, key);
  return absenceOf(key, version, latest.at, undefined);
}

/** Of a key that was not written since it is followed nothing is known, unless all was followed. */
function assertWhole({ from }: Latest, key: Uint8Array): void {
  if (from.tx === 0n) return;
  throw new NotProvableError(
    `key ${toHex(key)} was not written since tx ${from.tx.toString()}, from which on the database is followed: what is latest of it is proven by following from genesis only`,
  );
}

/** `alive`: what it means when the key's newest entry is neither deleted nor expired; undefined: that it is not absent. */
function absenceOf(
  key: Uint8Array,
  version: LatestVersion | undefined,
  provenLatestAt: Root,
  alive: AbsenceReason | undefined,
): ProvenAbsence | null {
  if (!version) return { key, value: null, absent: 'never-written', provenLatestAt };
  const { tx, deleted, expiresAt } = version;
  const isOver = expiresAt !== undefined && expiresAt <= unixSeconds();
  const absent = deleted ? 'deleted' : isOver ? 'expired' : alive;
  return absent === undefined ? null : { key, value: null, absent, tx, provenLatestAt };
}

/** Whether no version of a key is newer than `tx`, as of the root that is followed to. */
export function unchangedSince(latest: Latest, key: Uint8Array, tx: bigint): boolean {
  if (tx < latest.from.tx)
    throw new NotProvableError(`the database is followed from tx ${latest.from.tx.toString()} on`);
  if (tx > latest.at.tx)
    throw new NotProvableError(`the database is followed to tx ${latest.at.tx.toString()} only`);
  const version = latest.get(plainKey(key));
  return version === undefined || version.tx <= tx;
}
