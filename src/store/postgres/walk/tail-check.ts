// The cheap check at opening: the newest rows of the log, the heads and the identities.
import { StoreError } from '../../../errors.js';
import { equalBytes } from '../../../proof/bytes.js';
import { chainStart, rowHash } from '../../log/audit-row.js';
import { parseCheckpoint } from '../../log/checkpoint.js';
import { LogState } from '../../log/log-state.js';
import { broken, stateDiffers } from '../../log/verify-rules.js';
import type { Broken } from '../../log/verify-rules.js';
import type { Link } from '../link/link.js';
import { heldState } from '../read/held.js';
import { newestOfKind } from '../sql/of-kind.js';
import { ROW_COLUMNS, ROW_NAMES, bigint, bytes, rowsOf, toRow } from '../read/rows.js';

/** Rows looked at when a store is opened. */
const TAIL_ROWS = 64n;

/** Undefined: nothing is wrong. Requires a transaction that sees one state. */
export async function verifyTail(link: Link): Promise<Broken | undefined> {
  const [store = {}] = await link.query('SELECT * FROM store');
  const [written, base] = [bigint(store['rows']), bigint(store['base_seq'])];
  const first = written - base > TAIL_ROWS ? written - TAIL_ROWS + 1n : base + 1n;
  let hash = bytes(store['base_hash']);
  if (first > base + 1n) {
    const [before] = await link.query('SELECT hash FROM audit WHERE seq = $1', [first - 1n]);
    if (!before) return broken(first - 1n, 'the row is missing');
    hash = bytes(before['hash']);
  }
  const rows = await link.query(
    `SELECT ${ROW_COLUMNS} FROM audit a ${ROW_NAMES} WHERE a.seq >= $1 ORDER BY a.seq LIMIT 1024`,
    [first],
  );
  let next = first;
  try {
    for (const record of rows) {
      const { row, evidenceHash } = toRow(record);
      if (row.seq !== next) return broken(next, 'the row is missing');
      if (!equalBytes(rowHash(hash, next, row, evidenceHash ?? undefined), row.hash))
        return broken(next, 'the row was changed: its hash is not that of its content');
      hash = row.hash;
      next += 1n;
    }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return broken(next, 'the row was changed: it holds what is never written');
  }
  if (written !== next - 1n)
    return broken(next, `the newest rows are missing: ${written.toString()} were written`);
  if (!equalBytes(hash, bytes(store['hash'])))
    return broken(written, 'the hash kept of the newest row is another');
  return stateOf(link, store, base, written);
}

/** The heads and identities are those of the newest row of each. */
async function stateOf(link: Link, store: Readonly<Record<string, unknown>>, base: bigint, written: bigint) {
  const kept = store['base_checkpoint'];
  if (base === 0n && !equalBytes(bytes(store['base_hash']), chainStart(bytes(store['id']))))
    return broken(1n, 'the log does not start as a store of its id does');
  let state: LogState;
  try {
    state = kept === null ? new LogState() : new LogState(parseCheckpoint(bytes(kept)));
  } catch {
    return broken(base + 1n, 'what is kept of the rows before this one was changed');
  }
  const newest = await link.query(
    `SELECT ${ROW_COLUMNS} FROM (
       SELECT max(n.seq) AS seq FROM kind k, LATERAL ${newestOfKind('k.id', '$1::int8')} n WHERE k.outcome IN (1, 2, 3, 4) GROUP BY k.ledger
       UNION ALL SELECT n.seq FROM kind k CROSS JOIN LATERAL (SELECT b.seq FROM audit b WHERE b.kind = k.id AND b.seq > $1 OFFSET 0) n
         WHERE k.outcome = 10) f
     ${rowsOf('f.seq')} ${ROW_NAMES} ORDER BY a.seq`,
    [base],
  );
  for (const record of newest) state.apply(toRow(record).row);
  const words = stateDiffers(await heldState(link), state.snapshot());
  return words === undefined ? undefined : broken(written, words);
}
