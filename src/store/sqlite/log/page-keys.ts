// Which rows a page of the log has: their seqs, found kind by kind through an index, in order, without sorting the log.
import type { RootsQuery } from '../../audit-types.js';
import { boundsOf } from '../../log/bounds.js';
import type { Bounds } from '../../log/bounds.js';
import type { Kind, Kinds } from '../tables/kinds.js';
import type { RowTables } from '../tables/row-tables.js';
import type { Statements } from '../tables/statements.js';
import type { SeqRange, Zones } from '../tables/zones.js';

/**
 * A range of txs with so few rows is read by tx and sorted. Counting them costs about 0.1 ms; above it the rows are so
 * many that going along their kind within the zones meets a page of them soon.
 */
const MAX_SORTED = 1024n;
/** From so many kinds on the log is looked at first, for most of its next rows will do. */
const MANY_KINDS = 8;
/** How many rows of the log are looked at then, per row of the page. */
const LOOK_AHEAD = 4;

/** Where the rows are that a reader sees: above the archives, up to the newest. */
export interface LogRange extends SeqRange {
  /** The newest row that zones know of: above it are the recent ones. */
  readonly zoned: bigint;
}

export function pageKeys(
  reader: Pick<Search, 'statements' | 'zones' | 'tables'> & { readonly kinds: Kinds },
  query: RootsQuery,
  log: LogRange,
  limit: number,
): bigint[] {
  const { statements, kinds, zones, tables } = reader;
  const asked = kinds.matching(query);
  const within = behind(log, query);
  if (asked.length === 0 || within.low > within.high || limit === 0) return [];
  const down = query.order === 'desc';
  const bounds = boundsOf(query);
  const search = { statements, zones, tables, within, zoned: log.zoned, down, limit };
  if (!bounds && asked.length > MANY_KINDS) {
    const found = along(search, asked);
    if (found.length === limit) return found;
  }
  const few = query.txRange && bounds && byTx(search, asked, bounds);
  if (few) return few;
  let found: bigint[] = [];
  for (const kind of asked) {
    // A full page bounds what the other kinds can add to it.
    const last = found.length === limit ? found[limit - 1] : undefined;
    const bounded = last === undefined ? within : down ? { ...within, low: last } : { ...within, high: last };
    const more = ofKind({ ...search, within: bounded }, kind, bounds);
    found = found.length === 0 ? more : sorted([...found, ...more], down).slice(0, limit);
  }
  return found;
}

interface Search {
  readonly statements: Statements;
  readonly zones: Zones;
  readonly tables: RowTables;
  readonly within: SeqRange;
  readonly zoned: bigint;
  readonly down: boolean;
  readonly limit: number;
}

/** The next rows of the log, whatever their kind, that are of the kinds asked for. */
function along({ statements, tables, within, down, limit }: Search, asked: readonly Kind[]): bigint[] {
  const wanted = new Set(asked.map(({ id }) => id));
  const order = down ? 'DESC' : 'ASC';
  const sql = `SELECT a.seq, a.kind FROM ${tables.rows} WHERE a.seq BETWEEN ? AND ? ORDER BY a.seq ${order} LIMIT ?`;
  const found: bigint[] = [];
  for (const { seq, kind } of statements
    .get(sql)
    .iterate(within.low, within.high, LOOK_AHEAD * limit) as Iterable<{
    seq: bigint;
    kind: bigint;
  }>) {
    if (wanted.has(kind)) found.push(seq);
    if (found.length === limit) break;
  }
  return found;
}

/** The page by the index of txs; undefined when the range has too many rows for that. */
function byTx(search: Search, asked: readonly Kind[], bounds: Bounds): bigint[] | undefined {
  const { statements, tables, within, down, limit } = search;
  const count = statements
    .get(
      `SELECT count(*) FROM (SELECT 1 FROM ${tables.rowsByTx} WHERE a.kind = ? AND a.tx BETWEEN ? AND ? LIMIT ?)`,
    )
    .pluck();
  let rows = 0n;
  for (const { id } of asked) {
    rows += count.get(id, bounds.txMin, bounds.txMax, MAX_SORTED + 1n - rows) as bigint;
    if (rows > MAX_SORTED) return undefined;
  }
  const find = statements
    .get(
      `SELECT a.seq FROM ${tables.rowsByTx} WHERE a.kind = ? AND a.tx BETWEEN ? AND ?
       AND a.seq BETWEEN ? AND ? AND a.verified_at BETWEEN ? AND ?`,
    )
    .pluck();
  const { txMin, txMax, timeMin, timeMax } = bounds;
  const found = asked.flatMap(
    ({ id }) => find.all(id, txMin, txMax, within.low, within.high, timeMin, timeMax) as bigint[],
  );
  return sorted(found, down).slice(0, limit);
}

/** The first rows of a kind, in order. */
function ofKind(search: Search, { id }: Kind, bounds: Bounds | undefined): bigint[] {
  const { statements, zones, tables, within, zoned, down, limit } = search;
  const order = down ? 'DESC' : 'ASC';
  const inBounds = bounds ? 'AND a.verified_at BETWEEN ? AND ? AND a.tx BETWEEN ? AND ?' : '';
  const find = statements
    .get(
      `SELECT a.seq FROM ${tables.rowsByKind} WHERE a.kind = ? AND a.seq BETWEEN ? AND ? ${inBounds}
       ORDER BY a.seq ${order} LIMIT ?`,
    )
    .pluck();
  if (!bounds) return find.all(id, within.low, within.high, limit) as bigint[];
  const { timeMin, timeMax, txMin, txMax } = bounds;
  const found: bigint[] = [];
  for (const { low, high } of zones.ranges(id, bounds, within, zoned, down)) {
    const left = limit - found.length;
    const seqs = find.all(id, low, high, timeMin, timeMax, txMin, txMax, left) as bigint[];
    for (const seq of seqs) found.push(seq);
    if (found.length === limit) break;
  }
  return found;
}

function behind({ low, high }: SeqRange, { after, order }: RootsQuery): SeqRange {
  if (after === undefined) return { low, high };
  if (order === 'desc') return { low, high: after - 1n < high ? after - 1n : high };
  return { low: after + 1n > low ? after + 1n : low, high };
}

function sorted(seqs: bigint[], down: boolean): bigint[] {
  return seqs.sort((a, b) => (a === b ? 0 : a < b === down ? 1 : -1));
}
