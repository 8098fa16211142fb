// Where the queue of an audit in ranges is: a file, or a schema of PostgreSQL.
import { SqliteAuditQueue } from '../../audit.js';
import type { AuditQueue, AuditTask, TxRange } from '../../audit.js';
import { isPostgresUrl } from '../../store/postgres-url.js';
import { addressesOf } from '../../store/postgres/link/address.js';
import { loadPostgres } from '../store-option.js';

export type OpenQueue = AuditQueue & AsyncDisposable;

export async function makeQueue(
  place: string,
  task: AuditTask,
  ranges: readonly TxRange[],
): Promise<OpenQueue> {
  if (!isPostgresUrl(place)) return SqliteAuditQueue.make(place, task, ranges);
  const { PostgresAuditQueue } = await loadPostgres('a queue');
  return PostgresAuditQueue.make(place, task, ranges);
}

export async function openQueue(place: string): Promise<OpenQueue> {
  if (!isPostgresUrl(place)) return SqliteAuditQueue.open(place);
  const { PostgresAuditQueue } = await loadPostgres('a queue');
  return PostgresAuditQueue.open(place);
}

/** As it may be shown. */
export function queueLabel(place: string): string {
  return isPostgresUrl(place) ? (addressesOf(place)[0]?.label ?? '') : place;
}
