// Answers questions about the log of the store in memory. They may be the log's own rows: whoever hands them out copies them.
import type { AuditGap, AuditStats, LoggedDatabase, StatsQuery } from '../audit-log.js';
import type { AuditRow, RootsQuery, TrustKey } from '../audit-types.js';
import { copyRoot } from '../log/audit-entry.js';
import { GapFinder } from '../log/audit-gaps.js';
import type { CheckedGapsQuery } from '../log/audit-gaps.js';
import { BOOK_KEEPING, defined, isHeadMove, matcher } from '../log/audit-query.js';
import { StatsBuilder, sumsOf, unitOf } from '../log/audit-stats.js';
import { byName, nameOf } from '../log/log-state.js';
import type { AskedRequest } from '../log/requests.js';
import type { MemoryLog } from './memory-log.js';
import { takeCheckpoint, verifyLog } from './memory-verify.js';

/** Rows copied at a time. */
const PAGE_ROWS = 64;

type Elsewhere =
  'bind' | 'rebind' | 'head' | 'identity' | 'headers' | 'keepHeaders' | 'dropHeaders' | 'headerList';

/** What is asked about rows, and commitments to them. */
export type LogRequest = Exclude<AskedRequest, { readonly kind: Elsewhere | 'archive' | 'archives' }>;

export function answerFrom(log: MemoryLog, request: LogRequest): unknown {
  switch (request.kind) {
    case 'page':
      return pageOf(log, request.query);
    case 'row':
      return log.at(request.seq);
    case 'evidence':
      return log.at(request.seq)?.evidence ?? null;
    case 'latest':
      return latestRoot(log, request.filter);
    case 'rootAt':
      return rootAt(log, request.tx, request.filter);
    case 'conflict':
      return log.index.findConflict(request.root);
    case 'databases':
      return databasesOf(log);
    case 'stats':
      return statsOf(log, request.query);
    case 'gaps':
      return gapsOf(log, request.query);
    case 'verify':
      return verifyLog(log, request.options);
    case 'checkpoint':
      return takeCheckpoint(log, request.key);
    case 'checkpoints': {
      const { after, limit } = request;
      return log.checkpoints.filter(({ seq }) => after === null || seq > after).slice(0, limit);
    }
  }
}

function pageOf({ rows }: MemoryLog, query: RootsQuery): AuditRow[] {
  const matches = matcher(query);
  const down = query.order === 'desc';
  const limit = Math.min(query.limit ?? PAGE_ROWS, PAGE_ROWS);
  let at = down ? rows.length - 1 : 0;
  if (query.after !== undefined) {
    const after = Math.min(Number(query.after), rows.length + 1);
    at = down ? after - 2 : after;
  }
  const page: AuditRow[] = [];
  for (let row = rows[at]; row && page.length < limit; row = rows[(at += down ? -1 : 1)]) {
    if (matches(row)) page.push(row);
  }
  return page;
}

function latestRoot({ rows }: MemoryLog, filter: Partial<TrustKey>): AuditRow | null {
  const matches = matcher(filter);
  return rows.findLast((row) => isHeadMove(row.outcome) && matches(row)) ?? null;
}

function rootAt(log: MemoryLog, highest: bigint, filter: Partial<TrustKey>): AuditRow | null {
  const matches = matcher(filter);
  let found: AuditRow | null = null;
  for (const row of log.rows) {
    if (!isHeadMove(row.outcome) || !matches(row) || row.tx > highest) continue;
    if (row.seq < log.index.forgottenAt(row)) continue;
    if (!found || row.tx >= found.tx) found = row;
  }
  return found;
}

function databasesOf({ rows, index }: MemoryLog): LoggedDatabase[] {
  const found = new Map<string, LoggedDatabase>();
  for (const row of rows) {
    if (row.database === '' || BOOK_KEEPING.includes(row.outcome)) continue;
    const { server, database, tx } = row;
    const before = found.get(nameOf(row)) ?? { rows: 0, tx: null };
    const txs = isHeadMove(row.outcome) ? widened(before.tx, tx) : before.tx;
    const head = index.head(row);
    found.set(nameOf(row), {
      ...{ server, database, rows: before.rows + 1, tx: txs },
      head: head && copyRoot(head),
    });
  }
  return [...found.values()].sort(byName);
}

function statsOf(
  { rows }: MemoryLog,
  query: Required<Pick<StatsQuery, 'bucket'>> & StatsQuery,
): AuditStats[] {
  const matches = matcher(query);
  const builder = new StatsBuilder(query.bucket);
  const unit = unitOf(query.bucket);
  for (const row of rows) {
    if (matches(row)) builder.add(Math.floor(row.verifiedAt / unit), row.outcome, sumsOf(row));
  }
  return builder.done();
}

function gapsOf({ rows }: MemoryLog, query: CheckedGapsQuery): readonly AuditGap[] {
  const { server, database } = query;
  const matches = matcher({ ...defined<Partial<TrustKey>>({ server, database }), outcome: 'all' });
  const finder = new GapFinder(query);
  for (const row of rows) if (matches(row) && !finder.feed(row)) break;
  return finder.gaps;
}

function widened(txs: LoggedDatabase['tx'], tx: bigint): LoggedDatabase['tx'] {
  if (!txs) return { first: tx, last: tx };
  return { first: tx < txs.first ? tx : txs.first, last: tx > txs.last ? tx : txs.last };
}
