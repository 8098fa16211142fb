// Zones: for each kind and each full block of the log the bounds of time and tx. A range is found by looking at bounds
// from large blocks down to small ones, whatever the order of the clocks. A block's bounds are written with its last row.
import type { Bounds } from '../../log/bounds.js';
import type { Statements } from './statements.js';

/** Rows of the smallest block: what is walked in vain at each end of a range. */
export const ZONE_ROWS = 256n;
/** Blocks in a block of the next level. */
const FAN_OUT = 64n;
/** Blocks of 256, 16 384 and 1 048 576 rows. */
const LEVELS = [0n, 1n, 2n] as const;

/** Rows `low` to `high`, both included. */
export interface SeqRange {
  readonly low: bigint;
  readonly high: bigint;
}

export class Zones {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** To be called once for all rows that were added: writes the bounds of the blocks that they fill. */
  filled(first: bigint, last: bigint): void {
    const from = (first - 1n) / ZONE_ROWS;
    const to = last / ZONE_ROWS;
    if (from === to) return;
    this.#statements
      .get(
        `INSERT INTO zone
         SELECT kind, 0, (seq - 1) / ${ZONE_ROWS}, min(verified_at), max(verified_at), min(tx), max(tx)
         FROM audit NOT INDEXED WHERE seq > ? AND seq <= ? GROUP BY 1, 3`,
      )
      .run(from * ZONE_ROWS, to * ZONE_ROWS);
    for (const level of LEVELS.slice(1)) {
      const end = last / sizeOf(level);
      for (let number = (first - 1n) / sizeOf(level); number < end; number++) this.#fillLevel(level, number);
    }
  }

  #fillLevel(level: bigint, number: bigint): void {
    // Kind by kind, for that is the order of the table.
    this.#statements
      .get(
        `INSERT INTO zone SELECT k.id, ?, ?, min(z.time_min), max(z.time_max), min(z.tx_min), max(z.tx_max)
         FROM kind k CROSS JOIN zone z ON z.kind = k.id AND z.level = ? AND z.number BETWEEN ? AND ? GROUP BY k.id`,
      )
      .run(level, number, level - 1n, number * FAN_OUT, (number + 1n) * FAN_OUT - 1n);
  }

  /**
   * Ranges within `within` that may hold rows of a kind inside the bounds, in the order asked for; neighbours are not
   * joined. `zoned` is the newest row that was counted here; rows above it may be anything.
   */
  *ranges(
    kind: bigint,
    bounds: Bounds,
    within: SeqRange,
    zoned: bigint,
    down: boolean,
  ): IterableIterator<SeqRange> {
    const top = LEVELS[LEVELS.length - 1] ?? 0n;
    const full = zoned / sizeOf(top);
    const parts: (() => Iterable<SeqRange>)[] = [
      () => this.#level(top, 0n, full - 1n, kind, bounds, within, down),
      ...LEVELS.slice(0, -1)
        .reverse()
        .map((level) => {
          // Blocks that are full behind the last full one of the level above.
          const first = (zoned / sizeOf(level + 1n)) * FAN_OUT;
          const last = zoned / sizeOf(level) - 1n;
          return () => this.#level(level, first, last, kind, bounds, within, down);
        }),
      () => clipped({ low: (zoned / ZONE_ROWS) * ZONE_ROWS + 1n, high: within.high }, within),
    ];
    for (const part of down ? parts.reverse() : parts) yield* part();
  }

  *#level(
    level: bigint,
    first: bigint,
    last: bigint,
    kind: bigint,
    bounds: Bounds,
    within: SeqRange,
    down: boolean,
  ): IterableIterator<SeqRange> {
    const size = sizeOf(level);
    const low = max(first, (within.low - 1n) / size);
    const high = min(last, (within.high - 1n) / size);
    if (low > high || within.low > within.high) return;
    const { timeMin, timeMax, txMin, txMax } = bounds;
    const found = this.#statements
      .get(
        `SELECT number, time_min >= ? AND time_max <= ? AND tx_min >= ? AND tx_max <= ? AS inside FROM zone
         WHERE kind = ? AND level = ? AND number BETWEEN ? AND ?
           AND time_max >= ? AND time_min <= ? AND tx_max >= ? AND tx_min <= ?
         ORDER BY number ${down ? 'DESC' : 'ASC'}`,
      )
      .all(timeMin, timeMax, txMin, txMax, kind, level, low, high, timeMin, timeMax, txMin, txMax) as {
      number: bigint;
      inside: bigint;
    }[];
    for (const { number, inside } of found) {
      if (level === 0n || inside === 1n) {
        yield* clipped({ low: number * size + 1n, high: (number + 1n) * size }, within);
      } else {
        const from = number * FAN_OUT;
        yield* this.#level(level - 1n, from, from + FAN_OUT - 1n, kind, bounds, within, down);
      }
    }
  }

  /** A row within `within` that lies outside the bounds of its block; null when there is none. */
  strayRow(within: SeqRange, newest: bigint): bigint | null {
    const full = (newest / ZONE_ROWS) * ZONE_ROWS;
    const sql = `
      SELECT a.seq FROM audit a NOT INDEXED
      LEFT JOIN zone z ON z.kind = a.kind AND z.level = 0 AND z.number = (a.seq - 1) / ${ZONE_ROWS.toString()}
      WHERE a.seq BETWEEN ? AND ? AND (z.kind IS NULL OR a.verified_at NOT BETWEEN z.time_min AND z.time_max
                                       OR a.tx NOT BETWEEN z.tx_min AND z.tx_max)
      LIMIT 1`;
    const stray = this.#statements.get(sql).pluck().get(within.low, min(within.high, full));
    return (stray as bigint | undefined) ?? null;
  }

  /** True when every block lies within the bounds of the larger block that it is in. */
  areNested(newest: bigint): boolean {
    return LEVELS.slice(1).every((level) => {
      const sql = `
        SELECT 1 FROM zone c LEFT JOIN zone p ON p.kind = c.kind AND p.level = c.level + 1 AND p.number = c.number / ${FAN_OUT.toString()}
        WHERE c.level = ? AND c.number < ? AND (p.kind IS NULL OR c.time_min < p.time_min OR c.time_max > p.time_max
                                                OR c.tx_min < p.tx_min OR c.tx_max > p.tx_max)
        LIMIT 1`;
      const full = (newest / sizeOf(level)) * FAN_OUT;
      return this.#statements.get(sql).get(level - 1n, full) === undefined;
    });
  }

  /** Drops the blocks that hold no row above `base`. */
  clear(base: bigint): void {
    for (const level of LEVELS) {
      this.#statements
        .get('DELETE FROM zone WHERE level = ? AND number < ?')
        .run(level, base / sizeOf(level));
    }
  }
}

function sizeOf(level: bigint): bigint {
  return ZONE_ROWS * FAN_OUT ** level;
}

function* clipped({ low, high }: SeqRange, within: SeqRange): IterableIterator<SeqRange> {
  const range = { low: max(low, within.low), high: min(high, within.high) };
  if (range.low <= range.high) yield range;
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
