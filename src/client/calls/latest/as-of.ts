// What keys held as of a root that was followed to, whatever was written since: read together, and one by one where it has changed.
import { plainKey } from '../../../proof/entry.js';
import { toHex } from '../../../proof/bytes.js';
import { NotProvableError } from '../../../errors.js';
import type { CallOptions } from '../../input/call-options.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import { FewAtATime } from '../../trust/known/few-at-a-time.js';
import type { LatestVersion } from '../../trust/latest/key-index.js';
import type { Latest } from '../../trust/latest/latest.js';
import type { RangeView } from '../../trust/latest/ranges.js';
import { referenceNow } from '../kv/absence.js';
import { VerifiedEntry } from '../kv/verified-entry.js';
import type { VerifiedReference } from '../kv/verified-entry.js';
import { bytesOf } from '../kv/kv.js';
import type { PageRoom } from '../scans/verified-page.js';
import { verifiedGet } from '../kv/verified-get.js';
import { LatestEntry, assertRevision } from './latest-get.js';
import { isWhole, reasonOf } from './proven.js';

/** The doors of a database, as these calls go through them. */
export interface Doors {
  enterVerified<T>(
    operation: string,
    options: CallOptions,
    own: readonly string[],
    work: (room: PageRoom) => Promise<T>,
  ): Promise<T>;
  shareVerified<T>(
    operation: string,
    options: CallOptions,
    own: readonly string[],
    bytes: number,
    start: (calls: TogetherReads, trust: DatabaseTrust, call: Call) => Promise<T>,
  ): Promise<T>;
}

/** Reads that share requests. */
export interface TogetherReads {
  verifiedGetAll(
    trust: DatabaseTrust,
    call: Call,
    keys: readonly Uint8Array[],
  ): Promise<(VerifiedEntry | null)[]>;
}

/** Keys in order as of one root, and what reads of them are made with. To be closed. */
export class AsOf {
  readonly room: Doors;
  readonly operation: string;
  readonly latest: Latest;
  readonly view: RangeView;

  constructor(room: Doors, operation: string, latest: Latest, view: RangeView) {
    this.room = room;
    this.operation = operation;
    this.latest = latest;
    this.view = view;
  }

  /**
   * As of a root that is not older than the head when it is called, nor than `at`.
   *
   * @throws NotProvableError where the database is not followed from genesis on, with its keys in order
   */
  static begin(room: Doors, operation: string, options: CallOptions, at = 0n): Promise<AsOf> {
    return room.enterVerified(operation, options, [], async (verified) => {
      const latest = await followed(verified, at);
      const view = latest.view();
      if (!view)
        throw new NotProvableError(
          `${operation}: keys are not kept in order: follow({ ordered: true }) keeps them`,
        );
      verified.trust.countCalls(operation, verified.call.startedAt, 1);
      return new AsOf(room, operation, latest, view);
    });
  }

  /** What each key held, in the order of the rows. Null: a reference that leads to nothing, or what has expired by now. */
  async read(rows: readonly VersionOfKey[], options: CallOptions): Promise<(LatestEntry | null)[]> {
    if (rows.length === 0) return [];
    const keys = rows.map(({ key }) => key);
    const { room, operation } = this;
    const found = await room.shareVerified(
      operation,
      options,
      [],
      bytesOf(keys),
      async (calls, trust, call) => {
        const entries = await calls.verifiedGetAll(trust, call, keys);
        if (trust.latestNow !== this.latest) throw trust.forgotten();
        return Promise.all(rows.map(async (row, i) => this.#told(row, entries[i] ?? null, trust)));
      },
    );
    const few = new FewAtATime(CHANGED_AT_A_TIME);
    const changed = (row: VersionOfKey) => few.run(() => this.readVersion(row.key, row.version, options));
    return Promise.all(rows.map(async (row, i) => found[i] ?? changed(row)));
  }

  /** One version of a key, which need not be its newest. Null: see {@link read}. */
  readVersion(
    key: Uint8Array,
    version: Pick<LatestVersion, 'tx' | 'expiresAt'> & { readonly revision?: bigint },
    options: CallOptions,
  ): Promise<LatestEntry | null> {
    return this.room.enterVerified(this.operation, options, [], async (verified) => {
      const { session, trust } = verified;
      if (trust.latestNow !== this.latest) throw trust.forgotten();
      const call = { ...verified.call, counted: true };
      const { tx, revision } = version;
      const entry = await verifiedGet(session, trust, call, key, { atTx: tx });
      if (entry && (!entry.reference || entry.reference.atTx > 0n))
        return new LatestEntry(entry, this.view.at, entry.reference ? undefined : revision);
      if (entry?.reference) return this.#targetOf(verified, entry.reference, entry.key);
      // It has no value any more: by its time, or for what it refers to has none.
      const reference = await referenceNow({ rpc: session, trust, known: trust.known, call }, key, tx);
      if (!reference || reference.atTx > 0n) return null;
      return this.#targetOf(verified, { key, tx, atTx: 0n }, reference.key);
    });
  }

  /** What was read now, where that is what it was; undefined: it has changed. */
  async #told(
    { version }: VersionOfKey,
    entry: VerifiedEntry | null,
    trust: DatabaseTrust,
  ): Promise<LatestEntry | undefined> {
    if (!entry) return undefined;
    const { reference } = entry;
    if ((reference ?? entry).tx !== version.tx) return undefined;
    if (reference && reference.atTx > 0n) return new LatestEntry(entry, this.view.at, undefined);
    const shown = reference ? this.view.get(plainKey(entry.key)) : version;
    if (shown?.tx !== entry.tx) return undefined;
    return assertRevision(trust, this.operation, new LatestEntry(entry, this.view.at, shown.revision));
  }

  async #targetOf(
    { session, trust, call }: PageRoom,
    reference: VerifiedReference,
    target: Uint8Array,
  ): Promise<LatestEntry | null> {
    const version = this.view.get(plainKey(target));
    if (reasonOf(version) !== undefined || !version) return null;
    const entry = await verifiedGet(session, trust, { ...call, counted: true }, target, { atTx: version.tx });
    if (entry && !entry.reference) {
      const { key, value, timestamp, root, unproven } = entry;
      const through = new VerifiedEntry(key, value, entry, timestamp, root, unproven.revision, reference);
      return new LatestEntry(through, this.view.at, version.revision);
    }
    if (reasonOf(version) !== undefined) return null;
    const detail = `key ${toHex(target)} is not shown as of tx ${version.tx.toString()}, which wrote it`;
    throw await trust.refuse(call.operation, { check: 'latest.missing', detail, tx: version.tx });
  }
}

/** Read one by one at a time. */
const CHANGED_AT_A_TIME = 8;

export interface VersionOfKey {
  readonly key: Uint8Array;
  readonly version: LatestVersion;
}

/**
 * What is followed, up to the head and to `at`.
 *
 * @throws NotProvableError where the database is not followed from genesis on
 */
export async function followed({ trust, call }: PageRoom, at: bigint): Promise<Latest> {
  await trust.ready(call);
  const { latest, headTx } = trust;
  if (!isWhole(latest))
    throw new NotProvableError(
      `${call.operation}: the database is followed from tx ${latest.from.tx.toString()} on: that nothing is missing is proven by following from genesis only`,
    );
  const reached = latest.reach(call.deadline, at > headTx ? at : headTx);
  if (reached) await reached;
  return latest;
}
