// What can be asked of the audit log: checked once, for every store.
import { ArgumentError } from '../errors.js';
import { MAX_ID } from '../proof/bytes.js';
import type { AuditOutcome, AuditRow, RootsQuery } from './root-store.js';

export const OUTCOMES: readonly AuditOutcome[] = [
  'root',
  'first-use',
  'pinned',
  'calls',
  'failure',
  'fork',
  'rollback',
  'identity-change',
  'forget',
];

/** Outcomes whose row made its root the head. */
export const HEAD_MOVES: readonly AuditOutcome[] = ['root', 'first-use', 'pinned'];

export function isHeadMove(outcome: AuditOutcome): boolean {
  return HEAD_MOVES.includes(outcome);
}

/** Throws ArgumentError naming the part of the query that makes no sense. */
export function checkQuery(query: RootsQuery): void {
  for (const field of ['server', 'database', 'operation'] as const) {
    if (query[field] !== undefined && typeof query[field] !== 'string') bad(field, 'must be a string');
  }
  range(
    'txRange',
    query.txRange,
    (value) => typeof value === 'bigint' && value >= 0n && value <= MAX_ID,
    'bigints below 2^63',
  );
  range('timeRange', query.timeRange, (value) => Number.isSafeInteger(value), 'unix milliseconds');
  for (const outcome of outcomesOf(query)) {
    if (!OUTCOMES.includes(outcome)) bad('outcome', `has no kind ${JSON.stringify(outcome)}`);
  }
  if (query.order !== undefined && !['asc', 'desc'].includes(query.order))
    bad('order', "must be 'asc' or 'desc'");
  if (query.limit !== undefined && (!Number.isSafeInteger(query.limit) || query.limit < 0)) {
    bad('limit', 'must be an integer of 0 or more');
  }
}

/** The outcomes asked for; none = all. */
export function outcomesOf({ outcome }: RootsQuery): readonly AuditOutcome[] {
  if (outcome === undefined) return [];
  return typeof outcome === 'string' ? [outcome] : outcome;
}

/** Tells for a row whether the query asks for it. */
export function matcher(query: RootsQuery): (row: AuditRow) => boolean {
  checkQuery(query);
  const { server, database, operation, txRange, timeRange } = query;
  const outcomes = outcomesOf(query);
  return (row) =>
    (server === undefined || row.server === server) &&
    (database === undefined || row.database === database) &&
    (operation === undefined || row.operation === operation) &&
    (outcomes.length === 0 || outcomes.includes(row.outcome)) &&
    row.tx >= (txRange?.from ?? 0n) &&
    row.tx <= (txRange?.to ?? MAX_ID) &&
    row.verifiedAt >= (timeRange?.from ?? -Infinity) &&
    row.verifiedAt <= (timeRange?.to ?? Infinity);
}

function range(
  field: string,
  value: { readonly from?: unknown; readonly to?: unknown } | undefined,
  fits: (value: unknown) => boolean,
  wanted: string,
): void {
  if (value === undefined) return;
  if (typeof value !== 'object' || (value as object | null) === null) bad(field, 'must be { from, to }');
  for (const end of [value.from, value.to])
    if (end !== undefined && !fits(end)) bad(field, `must hold ${wanted}`);
}

function bad(field: string, what: string): never {
  throw new ArgumentError(field, `${field} ${what}`);
}
