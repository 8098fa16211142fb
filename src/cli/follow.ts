// The log as it grows: rows that any process appends to the store.
import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditLog, AuditRow, RootsQuery } from '../index.js';

/** How often the store is looked at: a look costs a fraction of a millisecond, and a person waits for it. */
const POLL_MS = 500;

/**
 * Rows behind row `after` that match, in order of seq, then further ones as they come, until `signal` is aborted. Between
 * rows it calls `idle`, where there is something to do meanwhile.
 */
export async function* follow(
  audit: AuditLog,
  query: Omit<RootsQuery, 'order' | 'limit' | 'after'>,
  after: bigint,
  { signal, idle }: { readonly signal: AbortSignal; readonly idle?: () => Promise<void> },
): AsyncGenerator<AuditRow> {
  let seen = after;
  const stopped = () => signal.aborted;
  while (!stopped()) {
    const newest = await newestSeq(audit);
    if (newest > seen) {
      // Rows that do not match are passed as well: they are not looked at again.
      for await (const row of audit.roots({ ...query, after: seen })) {
        if (stopped()) return;
        yield row;
        seen = row.seq;
      }
      if (newest > seen) seen = newest;
    }
    await idle?.();
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** 0 when the log is empty. */
export async function newestSeq(audit: AuditLog): Promise<bigint> {
  for await (const { seq } of audit.roots({ order: 'desc', limit: 1 })) return seq;
  return 0n;
}
