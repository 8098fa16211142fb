// Figures of a log: sums of whole hours that are kept, and rows that are looked at, within the blocks that may hold some.
import type { AuditStats, StatsQuery } from '../../audit-log.js';
import { HOUR_MS, StatsBuilder } from '../../log/audit-stats.js';
import { boundsOf } from '../../log/bounds.js';
import type { Bounds } from '../../log/bounds.js';
import { outcomeOf } from '../../log/outcome-codes.js';
import type { Link, Row, Value } from '../link/link.js';
import { BLOCK_ROWS, HOUR, SUMS } from '../sql/append.js';
import { KINDS, ZONED, kindValues } from './questions.js';
import { bigint, toSums } from './rows.js';

const FIELDS = 'outcome, hour, rows, calls, micros, max_micros, tx_min, tx_max';

export async function statsOf(
  link: Link,
  query: Required<Pick<StatsQuery, 'bucket'>> & StatsQuery,
): Promise<AuditStats[]> {
  const { timeRange, txRange, bucket } = query;
  const values: Value[] = kindValues(query);
  const from = timeRange?.from ?? Number.MIN_SAFE_INTEGER;
  const to = timeRange?.to ?? Number.MAX_SAFE_INTEGER;
  // Whole hours have their sums; of the hours at both ends the rows are looked at.
  const first = Math.ceil(from / HOUR_MS);
  const last = Math.floor((to + 1) / HOUR_MS) - 1;
  const parts: string[] = [];
  const look = (filter: StatsQuery) => {
    const bounds = boundsOf(filter);
    if (bounds) parts.push(looked(values, bounds));
  };
  if (txRange || first > last) {
    look({ timeRange: { from, to }, ...(txRange && { txRange }) });
  } else {
    parts.push(summed(values, first, last));
    if (first * HOUR_MS > from) look({ timeRange: { from, to: first * HOUR_MS - 1 } });
    if ((last + 1) * HOUR_MS - 1 < to) look({ timeRange: { from: (last + 1) * HOUR_MS, to } });
  }
  const builder = new StatsBuilder(bucket);
  if (from > to) return builder.done();
  const sql = `WITH s AS (SELECT rows, base_seq FROM store), kinds AS (SELECT id, outcome FROM kind WHERE id = ANY (${KINDS}))
    ${parts.map((part) => `SELECT ${FIELDS} FROM (${part}) p`).join('\nUNION ALL ')}`;
  for (const record of await link.query(sql, values)) add(builder, record);
  return builder.done();
}

/** Sums of whole hours, and those of the rows above the last full block. */
function summed(values: Value[], first: number, last: number): string {
  const [low, high] = [parameter(values, first), parameter(values, last)];
  return `SELECT k.outcome, h.hour, h.rows, h.calls, h.micros, h.max_micros, h.tx_min, h.tx_max
      FROM hour h JOIN kinds k ON k.id = h.kind WHERE h.hour BETWEEN ${low} AND ${high}
    UNION ALL SELECT k.outcome, ${HOUR} AS hour, ${SUMS} FROM s JOIN audit a ON a.seq > ${ZONED} AND a.seq > s.base_seq
      JOIN kinds k ON k.id = a.kind WHERE ${HOUR} BETWEEN ${low} AND ${high} GROUP BY 1, 2`;
}

function looked(values: Value[], { timeMin, timeMax, txMin, txMax }: Bounds): string {
  const time = [parameter(values, timeMin), parameter(values, timeMax)];
  const tx = [parameter(values, txMin), parameter(values, txMax)];
  const inside = `a.verified_at BETWEEN ${time.join(' AND ')} AND a.tx + 0 BETWEEN ${tx.join(' AND ')}`;
  return `SELECT k.outcome, ${HOUR} AS hour, ${SUMS} FROM kinds k JOIN zone z ON z.kind = k.id AND z.level = 0
        AND z.time_max >= ${time[0]} AND z.time_min <= ${time[1]} AND z.tx_max >= ${tx[0]} AND z.tx_min <= ${tx[1]}
      CROSS JOIN s JOIN audit a ON a.kind = z.kind
        AND a.seq BETWEEN z.number * ${BLOCK_ROWS} + 1 AND (z.number + 1) * ${BLOCK_ROWS}
      WHERE a.seq + 0 > s.base_seq AND ${inside} GROUP BY 1, 2
    UNION ALL SELECT k.outcome, ${HOUR} AS hour, ${SUMS} FROM s JOIN audit a ON a.seq > ${ZONED} AND a.seq > s.base_seq
      JOIN kinds k ON k.id = a.kind WHERE ${inside} GROUP BY 1, 2`;
}

function parameter(values: Value[], value: number | bigint): string {
  values.push(value);
  return `$${values.length}::int8`;
}

function add(builder: StatsBuilder, record: Row): void {
  const outcome = outcomeOf(record['outcome'] as number);
  if (!outcome) return;
  builder.add(Number(bigint(record['hour'])), outcome, toSums(record));
}
