// Sums over the rows of each kind in each hour, kept with the rows: figures of millions of rows at once.
import type { AuditStats, StatsQuery } from '../../audit-log.js';
import { HOUR_MS, StatsBuilder, unitOf } from '../../log/audit-stats.js';
import type { Sums } from '../../log/audit-stats.js';
import { boundsOf } from '../../log/bounds.js';
import { MAX_ID } from '../../../proof/bytes.js';
import type { Kind, Kinds } from './kinds.js';
import type { LogRange } from '../log/page-keys.js';
import { HOUR, SUMS, unitColumn } from './row-tables.js';
import type { RowTables } from './row-tables.js';
import type { Statements } from './statements.js';
import type { SeqRange, Zones } from './zones.js';

interface HourRecord {
  readonly hour: bigint;
  readonly rows: bigint;
  readonly calls: bigint;
  readonly micros: bigint;
  readonly max_micros: bigint;
  readonly tx_min: bigint;
  readonly tx_max: bigint;
}

export class Hours {
  readonly #statements: Statements;
  readonly #kinds: Kinds;
  readonly #zones: Zones;

  constructor(statements: Statements, kinds: Kinds, zones: Zones) {
    this.#statements = statements;
    this.#kinds = kinds;
    this.#zones = zones;
  }

  /** Counts the recent rows, which are about to join the others. */
  addRecent(): void {
    this.#statements
      .get(
        `INSERT INTO hour (kind, hour, rows, calls, micros, max_micros, tx_min, tx_max, first_seq, last_seq)
         SELECT a.kind, ${HOUR}, ${SUMS}, min(a.seq), max(a.seq) FROM recent a WHERE true GROUP BY 1, 2
         ON CONFLICT DO UPDATE SET rows = rows + excluded.rows, calls = calls + excluded.calls,
           micros = micros + excluded.micros, max_micros = max(max_micros, excluded.max_micros),
           tx_min = min(tx_min, excluded.tx_min), tx_max = max(tx_max, excluded.tx_max),
           last_seq = excluded.last_seq`,
      )
      .run();
  }

  /** Figures of a checked query over the rows in `within`, which are all rows. */
  stats(
    query: Required<Pick<StatsQuery, 'bucket'>> & StatsQuery,
    within: LogRange,
    tables: RowTables,
  ): AuditStats[] {
    const builder = new StatsBuilder(query.bucket);
    const { timeRange, txRange } = query;
    for (const kind of this.#kinds.matching(query)) {
      const from = timeRange?.from ?? Number.MIN_SAFE_INTEGER;
      const to = timeRange?.to ?? Number.MAX_SAFE_INTEGER;
      if (from > to) continue;
      if (txRange || query.bucket === 'minute') {
        this.#scan(builder, kind, query, within, tables);
        continue;
      }
      // Whole hours have their sums; of the hours at both ends the rows are looked at.
      const first = Math.ceil(from / HOUR_MS);
      const last = Math.floor((to + 1) / HOUR_MS) - 1;
      if (first > last) {
        this.#scan(builder, kind, query, within, tables);
        continue;
      }
      for (const record of this.#between(kind.id, first, last, tables)) {
        builder.add(Number(record.hour), kind.outcome, toSums(record));
      }
      if (first * HOUR_MS > from) {
        this.#scan(builder, kind, { timeRange: { from, to: first * HOUR_MS - 1 } }, within, tables);
      }
      if ((last + 1) * HOUR_MS - 1 < to) {
        this.#scan(builder, kind, { timeRange: { from: (last + 1) * HOUR_MS, to } }, within, tables);
      }
    }
    return builder.done();
  }

  /** Takes the rows up to `base` out of the sums; the rows above it are still there. */
  clear(base: bigint): void {
    this.#statements.get('DELETE FROM hour WHERE last_seq <= ?').run(base);
    this.#recount('first_seq <= ? AND last_seq > ?', base, { low: base + 1n, high: MAX_ID });
  }

  /** Leaves the sums over the rows up to `last`, of which the log now consists. */
  cut(last: bigint): void {
    this.#statements.get('DELETE FROM hour WHERE first_seq > ?').run(last);
    this.#recount('first_seq <= ? AND last_seq > ?', last, { low: 1n, high: last });
  }

  #recount(where: string, at: bigint, { low, high }: SeqRange): void {
    const hours = this.#statements
      .get(`SELECT kind, hour, first_seq, last_seq FROM hour WHERE ${where}`)
      .all(at, at) as { kind: bigint; hour: bigint; first_seq: bigint; last_seq: bigint }[];
    const recount = this.#statements.get(
      `REPLACE INTO hour (kind, hour, rows, calls, micros, max_micros, tx_min, tx_max, first_seq, last_seq)
       SELECT ?, ?, ${SUMS}, min(a.seq), max(a.seq) FROM audit a INDEXED BY audit_by_kind
       WHERE a.kind = ? AND a.seq BETWEEN ? AND ? AND a.verified_at >= ? AND a.verified_at < ?`,
    );
    for (const { kind, hour, first_seq, last_seq } of hours) {
      const from = Number(hour) * HOUR_MS;
      const first = first_seq > low ? first_seq : low;
      const last = last_seq < high ? last_seq : high;
      recount.run(kind, hour, kind, first, last, from, from + HOUR_MS);
    }
  }

  /** Every sum, each once. */
  all(tables: RowTables): IterableIterator<HourRecord & { readonly kind: bigint }> {
    return this.#statements
      .get(
        `SELECT kind, hour, sum(rows) AS rows, sum(calls) AS calls, sum(micros) AS micros, max(max_micros) AS max_micros,
           min(tx_min) AS tx_min, max(tx_max) AS tx_max FROM ${tables.hours} GROUP BY kind, hour`,
      )
      .iterate() as IterableIterator<HourRecord & { kind: bigint }>;
  }

  #between(kind: bigint, first: number, last: number, tables: RowTables): HourRecord[] {
    return this.#statements
      .get(
        `SELECT hour, rows, calls, micros, max_micros, tx_min, tx_max FROM ${tables.hours}
         WHERE kind = ? AND hour BETWEEN ? AND ?`,
      )
      .all(kind, first, last) as HourRecord[];
  }

  /** @param filter its bucket says what rows are counted by */
  #scan(builder: StatsBuilder, kind: Kind, filter: StatsQuery, within: LogRange, tables: RowTables): void {
    const bounds = boundsOf(filter);
    if (!bounds) return;
    const { timeMin, timeMax, txMin, txMax } = bounds;
    const unit = unitColumn(unitOf(filter.bucket ?? 'hour'));
    const sums = this.#statements.get(
      `SELECT ${unit} AS hour, ${SUMS} FROM ${tables.rowsByKind}
       WHERE a.kind = ? AND a.seq BETWEEN ? AND ? AND a.verified_at BETWEEN ? AND ? AND a.tx BETWEEN ? AND ?
       GROUP BY 1`,
    );
    for (const { low, high } of this.#zones.ranges(kind.id, bounds, within, within.zoned, false)) {
      const found = sums.all(kind.id, low, high, timeMin, timeMax, txMin, txMax) as HourRecord[];
      for (const record of found) builder.add(Number(record.hour), kind.outcome, toSums(record));
    }
  }
}

export function toSums(record: Omit<HourRecord, 'hour'>): Sums {
  return {
    rows: Number(record.rows),
    calls: Number(record.calls),
    micros: Number(record.micros),
    maxMicros: Number(record.max_micros),
    txMin: record.tx_min,
    txMax: record.tx_max,
  };
}
