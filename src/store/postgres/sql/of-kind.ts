// Rows of one kind, by seq. A planner that knows the log would rather go through it by seq and pass over other kinds, which for a kind
// that is rare is all of the log. Only the index of both columns gives this order.

const LAST = '9223372036854775807';

/** Condition and order for rows `alias` of the table `audit`: of a kind, from `low` to `high`. */
export function ofKind(alias: string, kind: string, order: 'ASC' | 'DESC', low = '0', high = LAST): string {
  const both = `(${alias}.kind, ${alias}.seq)`;
  return `${both} >= (${kind}, ${low}) AND ${both} <= (${kind}, ${high})
    ORDER BY ${alias}.kind ${order}, ${alias}.seq ${order}`;
}

/** Seq of the newest row of a kind, if it has one above `base`; for LATERAL. */
export function newestOfKind(kind: string, base = '0'): string {
  return `(SELECT o.seq FROM audit o WHERE ${ofKind('o', kind, 'DESC', `${base} + 1`)} LIMIT 1)`;
}
