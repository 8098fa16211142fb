// verifiedGet of what is proven to be latest: a verified read, held against what was followed.
import { toHex } from '../../../proof/bytes.js';
import { keyName } from '../../../verify/key-name.js';
import type { Root } from '../../../verify/verifier.js';
import type { Rpc } from '../../net/rpc.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import type { VersionFacts } from '../../trust/latest/key-index.js';
import type { Latest } from '../../trust/latest/latest.js';
import { referenceNow } from '../kv/absence.js';
import { VerifiedEntry } from '../kv/verified-entry.js';
import { absenceOf, assertWhole, isWhole, reasonOf } from './proven.js';
import type { ProvenAbsence } from './proven.js';

/** An entry that is proven to be the latest of its key; through a reference that is not bound to a version, that of its target too. */
export class LatestEntry extends VerifiedEntry {
  /** Every transaction up to this root was followed: none of them has a newer version. */
  declare readonly provenLatestAt: Root;
  /**
   * How many versions of the entry's key there are with this one: proven. Absent where the database is not followed from genesis,
   * and behind a reference that is bound to a version.
   */
  declare readonly revision?: bigint;

  constructor(entry: VerifiedEntry, provenLatestAt: Root, revision: bigint | undefined) {
    const { key, value, timestamp, root, unproven, reference } = entry;
    super(key, value, entry, timestamp, root, unproven.revision, reference);
    this.provenLatestAt = provenLatestAt;
    if (revision !== undefined) this.revision = revision;
  }
}

/** A verified read of the key, which refuses what is older than what was followed when it began. */
export type Read = () => Promise<VerifiedEntry | null>;

export interface LatestRead {
  readonly trust: DatabaseTrust;
  readonly rpc: Rpc;
  readonly call: Call;
  readonly key: Uint8Array;
  /** Called at once, whatever else is found. */
  readonly first: Read;
  /** Asks once more: what was followed meanwhile is what the answer must not be older than. */
  readonly again: Read;
}

/**
 * Reads a key and proves that what is told is its latest, as of a root that is followed to, and that is not older than the head when
 * the call began. What has been written meanwhile is asked for again.
 */
export function latestGet(asked: LatestRead): Promise<LatestEntry | ProvenAbsence> {
  const { trust, key, first } = asked;
  const name = keyName(key);
  const before = trust.latestNow?.at;
  const version = trust.latestNow?.versionOf(name);
  return first().then((entry) => {
    const { latestNow, headTx } = trust;
    // Nothing was followed meanwhile, nor is there anything to be: what was found then is as it is.
    const isSame = latestNow !== undefined && latestNow.at === before && before.tx >= headTx;
    if (isSame && entry && version?.tx === entry.tx && !entry.reference && !latestNow.isEnded) {
      const revision = isWhole(latestNow) ? version.revision : undefined;
      if (isRevision(entry, revision)) return new LatestEntry(entry, before, revision);
    }
    return tellAsOf(asked, name, entry, before?.tx ?? 0n);
  });
}

/** `before`: all up to this tx had been followed when it was asked. */
async function tellAsOf(
  asked: LatestRead,
  name: string,
  first: VerifiedEntry | null,
  before: bigint,
): Promise<LatestEntry | ProvenAbsence> {
  const { trust, call, key, again } = asked;
  for (let entry = first; ; entry = await again()) {
    const { latest } = trust;
    // What the answer was proven under, and what ended a key that it does not have, is behind the head by now.
    const reached = latest.reach(call.deadline, trust.headTx);
    if (reached) await reached;
    const version = latest.versionOf(name);
    if (!version) assertWhole(latest, key);
    if (entry) {
      const told = await entryAsOf(asked, latest, entry, version);
      if (told) return told;
    } else {
      const reason = reasonOf(version);
      if (reason !== undefined) return absenceOf(latest, key, version, reason);
      // It was there when it was asked for, and is: null is what a reference to nothing is answered with.
      if (version && version.tx <= before) {
        const told = await targetGone(asked, latest, version);
        if (told) return told;
      }
    }
    before = latest.at.tx;
  }
}

/** Undefined: there is something newer. */
async function entryAsOf(
  { trust, call }: LatestRead,
  latest: Latest,
  entry: VerifiedEntry,
  version: VersionFacts | undefined,
): Promise<LatestEntry | undefined> {
  const { reference } = entry;
  const own = reference?.tx ?? entry.tx;
  if (!version || version.tx < own) throw new Error('a proven version of an indexed key was followed');
  if (version.tx > own) return undefined;
  if (reference && reference.atTx > 0n) return new LatestEntry(entry, latest.at, undefined);
  const shown = reference ? latest.versionOf(keyName(entry.key)) : version;
  if (!shown) assertWhole(latest, entry.key);
  if (shown?.tx !== entry.tx) return undefined;
  const told = new LatestEntry(entry, latest.at, isWhole(latest) ? shown.revision : undefined);
  return assertRevision(trust, call.operation, told);
}

/** What was shown as its revision is what was followed; 0 is said of none. */
export async function assertRevision(
  trust: DatabaseTrust,
  operation: string,
  entry: LatestEntry,
): Promise<LatestEntry> {
  const { revision, unproven } = entry;
  if (isRevision(entry, revision)) return entry;
  throw await trust.refuse(operation, {
    check: 'latest.revision',
    detail: `key ${toHex(entry.key)} was answered with another revision than its version of tx ${entry.tx.toString()} has`,
    expected: (revision as bigint).toString(),
    computed: unproven.revision.toString(),
    tx: entry.tx,
  });
}

/** Whether the server's word, where it gives one, is what is proven, where anything is. */
function isRevision({ unproven }: VerifiedEntry, proven: bigint | undefined): boolean {
  return proven === undefined || unproven.revision === proven || unproven.revision === 0n;
}

/** Proves that the key is a reference, and that what it leads to has no value as of the root that is followed to; undefined: no more. */
async function targetGone(
  { trust, rpc, call, key }: LatestRead,
  latest: Latest,
  { tx }: VersionFacts,
): Promise<ProvenAbsence | undefined> {
  const asking = { rpc, trust, known: trust.known, call: { ...call, counted: true } };
  const reference = await referenceNow(asking, key, tx);
  if (!reference) return undefined;
  const { key: target, atTx } = reference;
  const reached = latest.reach(call.deadline, trust.headTx);
  if (reached) await reached;
  const version = latest.versionOf(keyName(key));
  if (version?.tx !== tx) return undefined;
  if (atTx > 0n) return absenceOf(latest, key, version, 'target-gone');
  const behind = latest.versionOf(keyName(target));
  if (!behind) assertWhole(latest, target);
  return reasonOf(behind) === undefined ? undefined : absenceOf(latest, key, version, 'target-gone');
}
