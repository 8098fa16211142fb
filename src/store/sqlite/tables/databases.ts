// The databases of a log, from the sums that are kept of its rows.
import type { LoggedDatabase } from '../../audit-log.js';
import { BOOK_KEEPING, HEAD_MOVES } from '../../log/audit-query.js';
import { OUTCOME_CODES } from '../../log/outcome-codes.js';
import type { AuditOutcome } from '../../audit-types.js';
import type { OpenLog } from '../log/open-log.js';
import { copy } from '../log/row-record.js';
import type { RowTables } from './row-tables.js';

interface DatabaseRecord {
  readonly server: string;
  readonly database: string;
  readonly rows: bigint;
  readonly first: bigint | null;
  readonly last: bigint | null;
  readonly tx: bigint | null;
  readonly alh: Uint8Array | null;
}

/** Requires a transaction. */
export function databasesOf({
  statements,
  tables,
}: Pick<OpenLog, 'statements' | 'tables'>): LoggedDatabase[] {
  const records = statements.get(sqlOf(tables)).all() as DatabaseRecord[];
  return records.map(({ server, database, rows, first, last, tx, alh }) => ({
    server,
    database,
    rows: Number(rows),
    tx: first === null || last === null ? null : { first, last },
    head: tx === null || alh === null ? null : { tx, alh: copy(alh) },
  }));
}

/** Rows of no database at all (a server that changed its identity) are of none of them. */
function sqlOf({ hours }: RowTables): string {
  return `
  SELECT l.server, l.database, coalesce(sum(h.rows), 0) AS rows,
    min(CASE WHEN k.outcome IN (${codes(HEAD_MOVES)}) THEN h.tx_min END) AS first,
    max(CASE WHEN k.outcome IN (${codes(HEAD_MOVES)}) THEN h.tx_max END) AS last,
    head.tx, head.alh
  FROM ledger l
    LEFT JOIN kind k ON k.ledger = l.id AND k.outcome NOT IN (${codes(BOOK_KEEPING)})
    LEFT JOIN (SELECT kind, sum(rows) AS rows, min(tx_min) AS tx_min, max(tx_max) AS tx_max FROM ${hours} GROUP BY kind) h
      ON h.kind = k.id
    LEFT JOIN head ON head.ledger = l.id
  WHERE l.database <> ''
  GROUP BY l.id ORDER BY l.server, l.database`;
}

function codes(outcomes: readonly AuditOutcome[]): string {
  return outcomes.map((outcome) => OUTCOME_CODES[outcome]).join(', ');
}
