// What can be asked of the audit log: checked once, for every store.
import { ArgumentError } from '../../errors.js';
import { knownNames } from '../../known-names.js';
import { MAX_ID } from '../../proof/bytes.js';
import type { AuditOutcome, AuditRow, RootsFilter, RootsQuery, TrustKey } from '../audit-types.js';

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
  'identity',
  'archive',
];

/** Rows that the store writes about itself: listed only when asked for. */
export const BOOK_KEEPING: readonly AuditOutcome[] = ['identity', 'archive'];

/** Outcomes whose row made its root the head. */
export const HEAD_MOVES: readonly AuditOutcome[] = ['root', 'first-use', 'pinned'];

/** Outcomes that tell of something wrong. */
export const FAILURES = ['failure', 'fork', 'rollback', 'identity-change'] as const;

export function isHeadMove(outcome: AuditOutcome): boolean {
  return HEAD_MOVES.includes(outcome);
}

const QUERY_NAMES = [
  'server',
  'database',
  'txRange',
  'timeRange',
  'operation',
  'outcome',
  'order',
  'limit',
  'after',
];

/** A copy of the query with the fields we know; `own`: names that the question has beside them. @throws ArgumentError naming the part that makes no sense */
export function checkedQuery(query: RootsQuery = {}, own: readonly string[] = []): RootsQuery {
  if (typeof query !== 'object' || (query as object | null) === null) bad('query', 'must be an object');
  knownNames('query', query, [...QUERY_NAMES, ...own]);
  const copy = defined<RootsQuery>({
    server: query.server,
    database: query.database,
    txRange: copyRange('txRange', query.txRange),
    timeRange: copyRange('timeRange', query.timeRange),
    operation: query.operation,
    outcome: typeof query.outcome === 'object' ? Array.from(query.outcome) : query.outcome,
    order: query.order,
    limit: query.limit,
    after: query.after,
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
  range('txRange', query.txRange, isId, 'bigints below 2^63');
  range('timeRange', query.timeRange, (value) => Number.isSafeInteger(value), 'unix milliseconds');
  const { outcome: asked } = query;
  for (const outcome of typeof asked === 'object' ? asked : []) assertOutcome(outcome);
  if (typeof asked !== 'object' && asked !== undefined && asked !== 'all') assertOutcome(asked);
  if (query.order !== undefined && !['asc', 'desc'].includes(query.order))
    bad('order', "must be 'asc' or 'desc'");
  if (query.limit !== undefined && (!Number.isSafeInteger(query.limit) || query.limit < 0)) {
    bad('limit', 'must be an integer of 0 or more');
  }
  if (query.after !== undefined && !isId(query.after)) bad('after', 'must be the seq of a row');
}

function assertOutcome(outcome: AuditOutcome): void {
  if (!OUTCOMES.includes(outcome)) bad('outcome', `has no kind ${JSON.stringify(outcome)}`);
}

/** The parts of a query that name a database; `own` as above. @throws ArgumentError naming the part that makes no sense */
export function checkedFilter(
  filter: Partial<TrustKey> = {},
  own: readonly string[] = [],
): Partial<TrustKey> {
  if (typeof filter !== 'object' || (filter as object | null) === null) bad('query', 'must be an object');
  knownNames('query', filter, ['server', 'database', ...own]);
  const { server, database } = checkedQuery({
    ...(filter.server !== undefined && { server: filter.server }),
    ...(filter.database !== undefined && { database: filter.database }),
  });
  return defined<Partial<TrustKey>>({ server, database });
}

export function checkedSeq(field: string, seq: bigint): bigint {
  if (!isId(seq)) bad(field, 'must be a bigint from 0 to 2^63 - 1');
  return seq;
}

export function isId(value: unknown): value is bigint {
  return typeof value === 'bigint' && value >= 0n && value <= MAX_ID;
}

/** The outcomes asked for. */
export function outcomesOf({ outcome = [] }: RootsFilter): readonly AuditOutcome[] {
  if (outcome === 'all') return OUTCOMES;
  if (typeof outcome === 'string') return [outcome];
  return outcome.length > 0 ? outcome : OUTCOMES.filter((other) => !BOOK_KEEPING.includes(other));
}

/** Tells for a row whether a checked query asks for it. */
export function matcher(query: RootsFilter): (row: AuditRow) => boolean {
  const { server, database, operation, txRange, timeRange } = query;
  const outcomes = outcomesOf(query);
  return (row) =>
    (server === undefined || row.server === server) &&
    (database === undefined || row.database === database) &&
    (operation === undefined || row.operation === operation) &&
    outcomes.includes(row.outcome) &&
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
  knownNames(field, value, ['from', 'to']);
  return defined({ from: value.from, to: value.to }) as T;
}

/** Without the fields that are undefined. */
export function defined<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

export function bad(field: string, what: string): never {
  throw new ArgumentError(field, `${field} ${what}`);
}
