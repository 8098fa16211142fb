// How a page of the log is found: through an index when few rows can match, along the log otherwise.
import type { RootsQuery } from '../root-store.js';
import { outcomesOf } from '../audit-query.js';
import { SELECT_ROWS } from './row-record.js';
import { OUTCOME_CODES } from './schema.js';
import type { Statements } from './statements.js';

/**
 * Up to so many candidates an index is used and its hits are sorted. Counting them costs about 0.1 ms; beyond it, rows
 * that match are so many that walking along the log in order of seq meets a page of them soon, without sorting any.
 */
const MAX_SORTED = 4096;

export interface PageSql {
  readonly sql: string;
  readonly values: readonly unknown[];
}

interface Condition {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/**
 * The statement for one page behind `after`; its last value, the limit, is the caller's to add. Null when a name in the
 * query was never written, so that nothing can match.
 */
export function planPage(statements: Statements, query: RootsQuery, after: bigint | null): PageSql | null {
  const all: Condition[] = [];
  const indexes: { name: string; conditions: readonly Condition[] }[] = [];
  const { operation, txRange, timeRange } = query;

  const ledgers = ledgerIds(statements, query);
  if (ledgers?.length === 0) return null;
  const ofLedger = ledgers && among('a.ledger', ledgers);
  const inTx = within('a.tx', txRange);
  if (ofLedger) all.push(ofLedger);
  if (inTx) all.push(inTx);
  if (inTx && !ofLedger) all.push({ sql: 'a.ledger IN (SELECT id FROM ledger)', values: [] });
  // So far these are just the conditions on the columns of this index.
  if (all.length > 0) indexes.push({ name: 'audit_by_tx', conditions: [...all] });
  const inTime = within('a.verified_at', timeRange);
  if (inTime) {
    all.push(inTime);
    indexes.push({ name: 'audit_by_time', conditions: [inTime] });
  }
  const outcomes = outcomesOf(query);
  if (outcomes.length > 0) {
    const ofOutcome = among(
      'a.outcome',
      outcomes.map((outcome) => OUTCOME_CODES[outcome]),
    );
    all.push(ofOutcome);
    indexes.push({ name: 'audit_by_outcome', conditions: [ofOutcome, ...(ofLedger ? [ofLedger] : [])] });
  }
  if (operation !== undefined) {
    const id = statements.get('SELECT id FROM word WHERE text = ?').pluck().get(operation);
    if (id === undefined) return null;
    all.push({ sql: 'a.operation = ?', values: [id] });
  }
  if (after !== null) {
    all.push({ sql: query.order === 'desc' ? 'a.seq < ?' : 'a.seq > ?', values: [after] });
  }

  const index = indexes.find(({ name, conditions }) => isSmall(statements, name, conditions));
  const plan = index ? `INDEXED BY ${index.name}` : 'NOT INDEXED';
  const order = `ORDER BY a.seq ${query.order === 'desc' ? 'DESC' : 'ASC'}`;
  // The keys of the page first, so that only its own rows are read and joined, not every candidate.
  const keys = `SELECT a.seq FROM audit a ${plan} ${where(all)} ${order} LIMIT ?`;
  const from = SELECT_ROWS.replace('%s', `(${keys}) k CROSS JOIN audit a ON a.seq = k.seq`);
  return { sql: `${from} ${order}`, values: valuesOf(all) };
}

function isSmall(statements: Statements, index: string, conditions: readonly Condition[]): boolean {
  const candidates = `SELECT 1 FROM audit a INDEXED BY ${index} ${where(conditions)} LIMIT ?`;
  const count = statements.get(`SELECT count(*) FROM (${candidates})`).pluck();
  return (count.get(...valuesOf(conditions), MAX_SORTED + 1) as bigint) <= BigInt(MAX_SORTED);
}

/** Undefined: the query names neither server nor database. */
function ledgerIds(statements: Statements, { server, database }: RootsQuery): readonly bigint[] | undefined {
  if (server === undefined && database === undefined) return undefined;
  const named: Condition[] = [];
  if (server !== undefined) named.push({ sql: 'server = ?', values: [server] });
  if (database !== undefined) named.push({ sql: 'database = ?', values: [database] });
  return statements
    .get(`SELECT id FROM ledger ${where(named)}`)
    .pluck()
    .all(...valuesOf(named)) as bigint[];
}

/** As one JSON value, so that there is one statement for any number of ids. */
function among(column: string, ids: readonly (bigint | number)[]): Condition {
  return { sql: `${column} IN (SELECT value FROM json_each(?))`, values: [`[${ids.join(',')}]`] };
}

function within(
  column: string,
  range: { readonly from?: bigint | number; readonly to?: bigint | number } | undefined,
): Condition | undefined {
  const values: (bigint | number)[] = [];
  const parts: string[] = [];
  if (range?.from !== undefined) {
    parts.push(`${column} >= ?`);
    values.push(range.from);
  }
  if (range?.to !== undefined) {
    parts.push(`${column} <= ?`);
    values.push(range.to);
  }
  return parts.length > 0 ? { sql: parts.join(' AND '), values } : undefined;
}

function where(conditions: readonly Condition[]): string {
  return conditions.length > 0 ? `WHERE ${conditions.map(({ sql }) => sql).join(' AND ')}` : '';
}

function valuesOf(conditions: readonly Condition[]): unknown[] {
  return conditions.flatMap(({ values }) => values);
}
