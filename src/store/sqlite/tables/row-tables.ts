// The tables that the rows of a log are read from. In a log that is settled they are all in `audit`. Where recent rows cannot
// be moved there (the file is only looked at, its disk is full, another process keeps it locked) they are read beside it: it
// takes longer, for recent rows have no index, and gives the same.
import { HOUR_MS } from '../../log/audit-stats.js';
import { COLUMNS } from '../log/row-record.js';

/** What follows FROM: rows are named `a`. */
export interface RowTables {
  /** By seq. */
  readonly rows: string;
  readonly rowsByKind: string;
  readonly rowsByTx: string;
  /** Sums; those of one kind and hour may stand in two parts. */
  readonly hours: string;
}

/** How `duration_ms` counts in SQL: see microsOf. */
const MICROS = `min(CAST(a.duration_ms * 1000 AS INTEGER), ${2 ** 40})`;
/** The hour of a row. */
export const HOUR = unitColumn(HOUR_MS);
export const SUMS = `count(*) AS rows, sum(a.calls) AS calls, sum(${MICROS}) AS micros, max(${MICROS}) AS max_micros,
  min(a.tx) AS tx_min, max(a.tx) AS tx_max`;

export const SETTLED: RowTables = {
  rows: 'audit a NOT INDEXED',
  rowsByKind: 'audit a INDEXED BY audit_by_kind',
  rowsByTx: 'audit a INDEXED BY audit_by_tx',
  hours: 'hour',
};

export const UNITED: RowTables = {
  rows: withRecent(SETTLED.rows),
  rowsByKind: withRecent(SETTLED.rowsByKind),
  rowsByTx: withRecent(SETTLED.rowsByTx),
  hours: `(SELECT kind, hour, rows, calls, micros, max_micros, tx_min, tx_max FROM hour
    UNION ALL SELECT a.kind, ${HOUR}, ${SUMS} FROM recent a GROUP BY 1, 2)`,
};

/** So many units of so many milliseconds since 1970; also before. */
export function unitColumn(unitMs: number): string {
  return `((a.verified_at - ((a.verified_at % ${unitMs}) + ${unitMs}) % ${unitMs}) / ${unitMs})`;
}

function withRecent(settled: string): string {
  return `(SELECT ${COLUMNS} FROM ${settled} UNION ALL SELECT ${COLUMNS} FROM recent) a`;
}
