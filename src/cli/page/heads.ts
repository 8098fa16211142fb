// Where each database of the log stands: the trusted head, how far everything was followed, what witnesses have cosigned, and
// whatever speaks against the server since trust began.
import type { AuditLog, AuditRow, LoggedDatabase, TrustKey } from '../../index.js';
import { followedIn, witnessesIn } from '../../audit.js';
import type { FollowedTo, ShownToWitnesses } from '../../audit.js';
import type { Witnessed } from './witnesses.js';

/** Databases that are shown: each costs some questions to the store. */
export const MAX_HEADS = 24;
/** Rows of a follower that are looked at: those about its file say nothing of how far it is. */
const FOLLOW_ROWS = 8;
/** A head of each origin is looked for in so many. */
const WITNESS_ROWS = 16;

/** What speaks of a history that is not the one that was trusted. */
const ALARMS = ['fork', 'rollback', 'identity-change'] as const;

export interface Followed extends FollowedTo {
  readonly row: AuditRow;
}

/** What came of the newest head of an origin that was shown to witnesses. */
export interface Shown extends ShownToWitnesses {
  readonly row: AuditRow;
}

export interface DatabaseHeads extends LoggedDatabase {
  /** The row that moved the trusted head last; null where it has been archived, or nothing is trusted. */
  readonly trusted: AuditRow | null;
  readonly followed: Followed | null;
  /** The follower was refused something since: what it says stands still. */
  readonly followRefused: AuditRow | null;
  readonly shown: readonly Shown[];
  /** Heads with cosignatures, newest first. */
  readonly witnessed: readonly Witnessed[];
  /** The newest row that says that the server has two histories, has lost some, or is another; since trust was last forgotten. */
  readonly alarm: AuditRow | null;
}

/** @param witnessed of all databases */
export async function headsOf(
  audit: AuditLog,
  { server, database }: Partial<TrustKey>,
  witnessed: readonly Witnessed[],
): Promise<{ readonly heads: readonly DatabaseHeads[]; readonly more: number }> {
  const all = (await audit.databases()).filter(
    (each) =>
      each.database !== '' &&
      (server === undefined || each.server === server) &&
      (database === undefined || each.database === database),
  );
  const heads: DatabaseHeads[] = [];
  for (const each of all.slice(0, MAX_HEADS)) {
    const isOfIt = ({ row }: Witnessed) => row.server === each.server && row.database === each.database;
    heads.push(await headsIn(audit, each, witnessed.filter(isOfIt)));
  }
  return { heads, more: all.length - heads.length };
}

async function headsIn(
  audit: AuditLog,
  logged: LoggedDatabase,
  witnessed: readonly Witnessed[],
): Promise<DatabaseHeads> {
  const key = { server: logged.server, database: logged.database };
  const newest = (query: Parameters<AuditLog['roots']>[0]) => first(audit, { ...key, ...query });
  const forgotten = (await newest({ outcome: 'forget' }))?.seq ?? 0n;
  // What was found out under trust that was dropped says nothing of what is trusted now.
  const since = <T extends AuditRow>(row: T | null): T | null => (row && row.seq > forgotten ? row : null);
  const [trusted, alarm, refused, followed, shown] = await Promise.all([
    logged.head ? audit.latest(key) : null,
    newest({ outcome: ALARMS }),
    newest({ outcome: ['failure', ...ALARMS], operation: 'follow' }),
    followedBy(audit, key),
    shownTo(audit, key),
  ]);
  const followedSince = followed && followed.row.seq > forgotten ? followed : null;
  const refusedSince = since(refused);
  return {
    ...{ ...logged, trusted, followed: followedSince, alarm: since(alarm) },
    followRefused: refusedSince && refusedSince.seq > (followedSince?.row.seq ?? 0n) ? refusedSince : null,
    shown: shown.filter(({ row }) => row.seq > forgotten),
    witnessed: witnessed.filter(({ row }) => row.seq > forgotten),
  };
}

async function first(audit: AuditLog, query: Parameters<AuditLog['roots']>[0]): Promise<AuditRow | null> {
  for await (const row of audit.roots({ ...query, order: 'desc', limit: 1 })) return row;
  return null;
}

async function followedBy(audit: AuditLog, key: TrustKey): Promise<Followed | null> {
  const query = { ...key, operation: 'follow', outcome: 'calls', order: 'desc', limit: FOLLOW_ROWS } as const;
  for await (const row of audit.roots(query)) {
    const followed = followedIn(row);
    if (followed) return { ...followed, row };
  }
  return null;
}

/** The newest of each origin, newest first. */
async function shownTo(audit: AuditLog, key: TrustKey): Promise<Shown[]> {
  const query = {
    ...{ ...key, operation: 'publishHead.witnesses', outcome: 'calls' as const },
    ...{ order: 'desc' as const, limit: WITNESS_ROWS },
  };
  const found = new Map<string, Shown>();
  for await (const row of audit.roots(query)) {
    const shown = witnessesIn(row);
    if (shown && !found.has(shown.origin)) found.set(shown.origin, { ...shown, row });
  }
  return [...found.values()];
}
