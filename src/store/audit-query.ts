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

/** A copy of the query with the fields we know. @throws ArgumentError naming the part that makes no sense */
export function checkedQuery(query: RootsQuery = {}): RootsQuery {
  if (typeof query !== 'object' || (query as object | null) === null) bad('query', 'must be an object');
  const copy = defined<RootsQuery>({
    server: query.server,
    database: query.database,
    txRange: copyRange('txRange', query.txRange),
    timeRange: copyRange('timeRange', query.timeRange),
    operation: query.operation,
    outcome: typeof query.outcome === 'object' ? Array.from(query.outcome) : query.outcome,
    order: query.order,
    limit: query.limit,
  });
  checkQuery(copy);
  return copy;
}

function checkQuery(query: RootsQuery): void {
  for (const field of ['server', 'database', 'operation'] as const) {
    const text: unknown = query[field];
    if (text !== undefined && !(typeof text === 'string' && text.isWellFormed())) {
      bad(field, 'must be a well-formed string');
    }
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
  if (outcome === undefined || outcome === 'all') return [];
  return typeof outcome === 'string' ? [outcome] : outcome;
}

/** Tells for a row whether a checked query asks for it. */
export function matcher(query: RootsQuery): (row: AuditRow) => boolean {
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

type Range = { readonly from?: unknown; readonly to?: unknown } | undefined;

function range(field: string, value: Range, fits: (value: unknown) => boolean, wanted: string): void {
  for (const end of [value?.from, value?.to]) {
    if (end !== undefined && !fits(end)) bad(field, `must hold ${wanted}`);
  }
}

function copyRange<T extends Range>(field: string, value: T): T | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || (value as object | null) === null) bad(field, 'must be { from, to }');
  return defined({ from: value.from, to: value.to }) as T;
}

/** Without the fields that are undefined. */
function defined<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

function bad(field: string, what: string): never {
  throw new ArgumentError(field, `${field} ${what}`);
}
