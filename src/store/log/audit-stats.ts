// Figures of a log: sums per hour and kind of row, put together to what was asked for. One rule for every store.
import type { AuditStats, StatsBucket, StatsQuery } from '../audit-log.js';
import { FAILURES, bad, checkedQuery, isHeadMove } from './audit-query.js';
import type { AuditEntry, AuditOutcome } from '../audit-types.js';

export const HOUR_MS = 3_600_000;
export const MINUTE_MS = 60_000;
/** Longest time that is counted by the minute: its rows are looked at one by one. */
const MINUTES_WITHIN_MS = 24 * HOUR_MS;
/** Longest duration that counts, 12 days: sums stay below 2^63. */
const MAX_MICROS = 2 ** 40;

/** Sums over rows of one outcome. */
export interface Sums {
  readonly rows: number;
  readonly calls: number;
  readonly micros: number;
  readonly maxMicros: number;
  readonly txMin: bigint;
  readonly txMax: bigint;
}

/** @throws ArgumentError naming the part that makes no sense */
export function checkedStatsQuery(query: StatsQuery = {}): Required<Pick<StatsQuery, 'bucket'>> & StatsQuery {
  const filter = checkedQuery(query, ['bucket']);
  const { bucket = 'all' } = query;
  if (!['minute', 'hour', 'day', 'all'].includes(bucket))
    bad('bucket', "must be 'minute', 'hour', 'day' or 'all'");
  const { from, to } = filter.timeRange ?? {};
  if (bucket === 'minute' && (from === undefined || to === undefined || to - from > MINUTES_WITHIN_MS))
    bad('timeRange', 'must be a day at most, with both ends, to be counted by the minute');
  return { ...filter, bucket };
}

export function hourOf(verifiedAt: number): number {
  return Math.floor(verifiedAt / HOUR_MS);
}

/** Whole microseconds, so that sums do not depend on their order. */
export function microsOf(durationMs: number): number {
  return Math.min(Math.trunc(durationMs * 1000), MAX_MICROS);
}

export function sumsOf({ calls, durationMs, tx }: AuditEntry): Sums {
  const micros = microsOf(durationMs);
  return { rows: 1, calls, micros, maxMicros: micros, txMin: tx, txMax: tx };
}

export function addSums(a: Sums, b: Sums): Sums {
  return {
    rows: a.rows + b.rows,
    calls: a.calls + b.calls,
    micros: a.micros + b.micros,
    maxMicros: Math.max(a.maxMicros, b.maxMicros),
    txMin: a.txMin < b.txMin ? a.txMin : b.txMin,
    txMax: a.txMax > b.txMax ? a.txMax : b.txMax,
  };
}

/** How long what rows are counted by is: sums are added up to it. */
export function unitOf(bucket: StatsBucket): number {
  return bucket === 'minute' ? MINUTE_MS : HOUR_MS;
}

/** Of sums by the hour; by the minute where those are asked for. */
export class StatsBuilder {
  readonly #unitMs: number;
  /** Units in a bucket. */
  readonly #units: number;
  readonly #buckets = new Map<number, { first: number; sums: Map<AuditOutcome, Sums> }>();

  constructor(bucket: StatsBucket) {
    this.#unitMs = unitOf(bucket);
    this.#units = { minute: 1, hour: 1, day: 24, all: Infinity }[bucket];
  }

  /** @param unit of `unitOf(bucket)` since 1970 */
  add(unit: number, outcome: AuditOutcome, sums: Sums): void {
    const number = this.#units === Infinity ? 0 : Math.floor(unit / this.#units);
    let bucket = this.#buckets.get(number);
    if (!bucket) this.#buckets.set(number, (bucket = { first: unit, sums: new Map() }));
    bucket.first = Math.min(bucket.first, unit);
    const before = bucket.sums.get(outcome);
    bucket.sums.set(outcome, before ? addSums(before, sums) : sums);
  }

  done(): AuditStats[] {
    return [...this.#buckets]
      .sort(([a], [b]) => a - b)
      .map(([number, { first, sums }]) => {
        const unit = this.#units === Infinity ? first : number * this.#units;
        return figures(unit * this.#unitMs, sums);
      });
  }
}

function figures(from: number, byOutcome: ReadonlyMap<AuditOutcome, Sums>): AuditStats {
  const all = [...byOutcome.values()].reduce(addSums);
  const roots = [...byOutcome].filter(([outcome]) => isHeadMove(outcome)).map(([, sums]) => sums);
  const root = roots.length > 0 ? roots.reduce(addSums) : null;
  const rowsOf = (outcome: AuditOutcome) => byOutcome.get(outcome)?.rows ?? 0;
  const failures = Object.fromEntries(FAILURES.map((outcome) => [outcome, rowsOf(outcome)]));
  return {
    from,
    rows: all.rows,
    calls: all.calls,
    roots: root?.rows ?? 0,
    failures: failures as AuditStats['failures'],
    tx: root && { first: root.txMin, last: root.txMax },
    durationMs: { mean: Math.round(all.micros / all.rows) / 1000, max: all.maxMicros / 1000 },
  };
}
