// Answers the questions about rows, each with one statement, and so from one state of the log.
import { StoreError } from '../../../errors.js';
import type { LoggedDatabase, RootConflict } from '../../audit-log.js';
import type {
  AuditOutcome,
  AuditRow,
  RootsFilter,
  RootsQuery,
  StoredRoot,
  TrustKey,
} from '../../audit-types.js';
import { BOOK_KEEPING, HEAD_MOVES, outcomesOf } from '../../log/audit-query.js';
import { boundsOf } from '../../log/bounds.js';
import { OUTCOME_CODES } from '../../log/outcome-codes.js';
import { asBytes, numberArray } from '../link/values.js';
import type { Link, Row, Value } from '../link/link.js';
import { FILLED_ROWS } from '../sql/append.js';
import { newestOfKind } from '../sql/of-kind.js';
import { ROW_COLUMNS, ROW_NAMES, bigint, evidenceAt, hashOf, rowsOf, text, toRow } from './rows.js';

const PAGE_ROWS = 512;
/** A page ends early when its evidence gets longer than this. */
const PAGE_EVIDENCE_BYTES = 8 * 1024 * 1024;

/** The newest row that bounds and sums are kept of. */
export const ZONED = `(s.rows / ${FILLED_ROWS} * ${FILLED_ROWS})`;
/** Ids of the kinds of rows that a filter asks for, from $1 to $4. */
export const KINDS = `ARRAY(SELECT k.id FROM kind k JOIN ledger l ON l.id = k.ledger WHERE k.outcome = ANY ($1::int2[])
  AND ($2::bytea IS NULL OR l.server = $2) AND ($3::bytea IS NULL OR l.database = $3)
  AND ($4::bytea IS NULL OR k.operation = $4))`;

const PAGE = `
  WITH s AS MATERIALIZED (SELECT rows, base_seq FROM store),
    found AS MATERIALIZED (SELECT p.seq, p.n FROM s, page_keys(${KINDS},
      CASE WHEN $5 OR $6::int8 IS NULL THEN s.base_seq + 1 ELSE greatest(s.base_seq + 1, $6 + 1) END,
      CASE WHEN NOT $5 OR $6 IS NULL THEN s.rows ELSE least(s.rows, $6 - 1) END,
      ${ZONED}, $7, $8, $9, $10, $11, $12, $5, $13) WITH ORDINALITY p (seq, n))
  SELECT ${ROW_COLUMNS} FROM found ${rowsOf('found.seq')} ${ROW_NAMES} ORDER BY found.n`;

export function kindValues(filter: RootsFilter): Value[] {
  const { server, database, operation } = filter;
  const given = (name: string | undefined) => (name === undefined ? null : asBytes(name));
  return [codesOf(outcomesOf(filter)), given(server), given(database), given(operation)];
}

export function codesOf(outcomes: readonly AuditOutcome[]): string {
  return numberArray(outcomes.map((outcome) => OUTCOME_CODES[outcome]));
}

/** One page of rows behind `query.after` in the query's order. Empty: there are no more. */
export async function pageOf(link: Link, query: RootsQuery): Promise<AuditRow[]> {
  const limit = Math.min(query.limit ?? PAGE_ROWS, PAGE_ROWS);
  const bounds = boundsOf(query);
  const { timeMin = 0, timeMax = 0, txMin = 0n, txMax = 0n } = bounds ?? {};
  const place = [query.order === 'desc', query.after ?? null];
  const within = [bounds !== undefined, timeMin, timeMax, txMin, txMax, query.txRange !== undefined, limit];
  const found = await link.query(PAGE, [...kindValues(query), ...place, ...within], 'immu_page');
  if (found.length > limit)
    throw new StoreError('STORE_DAMAGED', 'the root store answers more rows than were asked for');
  return withEvidence(link, found);
}

async function withEvidence(link: Link, records: readonly Row[]): Promise<AuditRow[]> {
  const rows: AuditRow[] = [];
  let evidenceBytes = 0;
  for (const record of records) {
    if (evidenceBytes > PAGE_EVIDENCE_BYTES) break;
    const { row, evidenceHash } = toRow(record);
    const evidence = evidenceHash && (await evidenceAt(link, row.seq));
    evidenceBytes += evidence?.job.length ?? 0;
    rows.push(evidence ? { ...row, evidence } : row);
  }
  return rows;
}

export async function rowAt(link: Link, seq: bigint): Promise<AuditRow | null> {
  const sql = `SELECT ${ROW_COLUMNS} FROM audit a JOIN store s ON a.seq > s.base_seq ${ROW_NAMES} WHERE a.seq = $1`;
  return (await withEvidence(link, await link.query(sql, [seq], 'immu_row')))[0] ?? null;
}

/** See {@link AuditLog.latest}. */
export async function latestRoot(link: Link, filter: Partial<TrustKey>): Promise<AuditRow | null> {
  const [found] = await link.query(
    `SELECT max(n.seq) AS seq FROM store s, unnest(${KINDS}) q (kind),
       LATERAL ${newestOfKind('q.kind', 's.base_seq')} n`,
    kindValues({ ...filter, outcome: HEAD_MOVES }),
  );
  return rowFound(link, found);
}

/** See {@link AuditLog.rootAt}. */
export async function rootAt(link: Link, tx: bigint, filter: Partial<TrustKey>): Promise<AuditRow | null> {
  const [found] = await link.query(
    `SELECT n.seq FROM unnest(${KINDS}) q (kind) JOIN kind k ON k.id = q.kind,
       LATERAL (SELECT a.seq, a.tx FROM audit a WHERE a.kind = q.kind AND a.tx <= $5
         AND a.seq + 0 > greatest((SELECT base_seq FROM store), (${NEWEST('k.ledger', 'forget')}))
         ORDER BY a.tx DESC, a.seq DESC LIMIT 1) n
     ORDER BY n.tx DESC, n.seq DESC LIMIT 1`,
    [...kindValues({ ...filter, outcome: HEAD_MOVES }), tx],
  );
  return rowFound(link, found);
}

async function rowFound(link: Link, found: Row | undefined): Promise<AuditRow | null> {
  const seq = found?.['seq'];
  return typeof seq === 'bigint' ? rowAt(link, seq) : null;
}

/** Seq of the newest row of an outcome in a ledger; 0: there is none. */
function NEWEST(ledger: string, outcome: AuditOutcome): string {
  return `SELECT coalesce(max(m.seq), 0) FROM kind f, LATERAL ${newestOfKind('f.id')} m WHERE f.ledger = ${ledger} AND f.outcome = ${OUTCOME_CODES[outcome]}`;
}

/** See {@link AuditLog.conflict}. */
export async function conflictWith(link: Link, root: TrustKey & StoredRoot): Promise<RootConflict | null> {
  const { server, database, tx, alh } = root;
  const [record] = await link.query(
    `SELECT ${ROW_COLUMNS}, (${NEWEST('k.ledger', 'forget')}) AS forgotten FROM audit a ${ROW_NAMES}
     WHERE a.kind = ANY (${KINDS}) AND a.tx = $5 AND a.alh <> $6 AND a.seq + 0 > (SELECT base_seq FROM store)
     ORDER BY a.seq + 0 DESC LIMIT 1`,
    [...kindValues({ server, database, outcome: HEAD_MOVES }), tx, alh],
  );
  if (!record) return null;
  const { row } = toRow(record);
  const { seq, operation, clientId, verifiedAt } = row;
  const forgotten = bigint(record['forgotten']) > seq;
  return { seq, tx: row.tx, alh: row.alh, operation, clientId, verifiedAt, forgotten };
}

export async function databasesOf(link: Link): Promise<LoggedDatabase[]> {
  const moves = codesOf(HEAD_MOVES);
  const records = await link.query(
    `WITH sums AS (
       SELECT kind, rows, tx_min, tx_max FROM hour
       UNION ALL SELECT a.kind, count(*), min(a.tx), max(a.tx) FROM audit a, store s
         WHERE a.seq > ${ZONED} AND a.seq > s.base_seq GROUP BY 1)
     SELECT l.server, l.database, coalesce(sum(h.rows), 0)::int8 AS rows,
       min(h.tx_min) FILTER (WHERE k.outcome = ANY ($1::int2[])) AS first,
       max(h.tx_max) FILTER (WHERE k.outcome = ANY ($1::int2[])) AS last, head.tx, head.alh
     FROM ledger l LEFT JOIN kind k ON k.ledger = l.id AND k.outcome <> ALL ($2::int2[])
       LEFT JOIN sums h ON h.kind = k.id LEFT JOIN head ON head.ledger = l.id
     WHERE l.database <> '' GROUP BY l.id, l.server, l.database, head.tx, head.alh
     HAVING count(h.rows) > 0 OR head.tx IS NOT NULL ORDER BY l.server, l.database`,
    [moves, codesOf(BOOK_KEEPING)],
  );
  return records.map(({ server, database, rows, first, last, tx, alh }) => ({
    server: text(server),
    database: text(database),
    rows: Number(bigint(rows)),
    tx: first === null ? null : { first: bigint(first), last: bigint(last) },
    head: tx === null ? null : { tx: bigint(tx), alh: hashOf(alh) },
  }));
}
