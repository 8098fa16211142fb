// Whether the bounds and sums that are kept for questions are those of the rows.
import type { Sums } from '../../log/audit-stats.js';
import { broken } from '../../log/verify-rules.js';
import type { Broken } from '../../log/verify-rules.js';
import type { Link } from '../link/link.js';
import { bigint, toSums } from '../read/rows.js';
import { BLOCK_ROWS, FAN_OUT, FILLED_ROWS } from '../sql/append.js';

/** The newest row that bounds and sums are kept of, in a log of so many. */
export function filled(newest: bigint): bigint {
  return newest - (newest % BigInt(FILLED_ROWS));
}

/** A row that lies outside the bounds of its block; undefined when there is none. */
export async function strayBounds(
  link: Link,
  first: bigint,
  last: bigint,
  newest: bigint,
): Promise<Broken | undefined> {
  const full = filled(newest);
  const [stray] = await link.query(
    `SELECT a.seq FROM audit a LEFT JOIN zone z ON z.kind = a.kind AND z.level = 0 AND z.number = (a.seq - 1) / ${BLOCK_ROWS}
     WHERE a.seq BETWEEN $1 AND $2 AND (z.kind IS NULL OR a.verified_at NOT BETWEEN z.time_min AND z.time_max
       OR a.tx NOT BETWEEN z.tx_min AND z.tx_max) LIMIT 1`,
    [first, last < full ? last : full],
  );
  return stray && broken(bigint(stray['seq']), 'the bounds kept for queries do not cover the row');
}

/** `sums`: of the rows of full blocks, by kind and hour. `newest`: row of the log. */
export async function sumsDiffer(
  link: Link,
  sums: ReadonlyMap<string, Sums>,
  newest: bigint,
): Promise<string | undefined> {
  const kept = await link.query(
    'SELECT kind, hour, rows, calls, micros, max_micros, tx_min, tx_max FROM hour',
  );
  const differ = kept.some((record) => {
    const given = sums.get(`${String(record['kind'])} ${String(record['hour'])}`);
    return !given || !isSame(toSums(record), given);
  });
  if (differ || kept.length !== sums.size) return 'the statistics are not what the rows give';
  for (const level of [0, 1]) {
    const size = BigInt(BLOCK_ROWS) * BigInt(FAN_OUT) ** BigInt(level + 1);
    const [loose] = await link.query(
      `SELECT 1 AS loose FROM zone c LEFT JOIN zone p ON p.kind = c.kind AND p.level = c.level + 1 AND p.number = c.number / ${FAN_OUT}
       WHERE c.level = $1 AND c.number < $2 AND (p.kind IS NULL OR c.time_min < p.time_min OR c.time_max > p.time_max
         OR c.tx_min < p.tx_min OR c.tx_max > p.tx_max) LIMIT 1`,
      [level, (newest / size) * BigInt(FAN_OUT)],
    );
    if (loose) return 'the bounds kept for queries do not hold each other';
  }
  return undefined;
}

function isSame(a: Sums, b: Sums): boolean {
  return Object.keys(a).every((key) => a[key as keyof Sums] === b[key as keyof Sums]);
}
