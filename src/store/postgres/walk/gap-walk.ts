// Walks the log for `audit.gaps`, in one state of it.
import type { AuditGap } from '../../audit-log.js';
import type { TrustKey } from '../../audit-types.js';
import { GapFinder } from '../../log/audit-gaps.js';
import type { CheckedGapsQuery } from '../../log/audit-gaps.js';
import { parseCheckpoint } from '../../log/checkpoint.js';
import { outcomeOf } from '../../log/outcome-codes.js';
import type { Link } from '../link/link.js';
import { bigint, bytes, text } from '../read/rows.js';

/** Only a few columns of each row are read. */
const PAGE_ROWS = 4096;

/** Requires a transaction that sees one state. */
export async function findGaps(link: Link, query: CheckedGapsQuery): Promise<readonly AuditGap[]> {
  const [store = {}] = await link.query('SELECT base_seq, base_checkpoint FROM store');
  const checkpoint = store['base_checkpoint'];
  const heads = checkpoint === null ? [] : parseCheckpoint(bytes(checkpoint)).heads;
  const finder = new GapFinder(query, heads);
  const kinds = await kindsOf(link);
  const { server, database } = query;
  for (let next = bigint(store['base_seq']) + 1n; ;) {
    const page = await link.query(
      'SELECT seq, kind, tx, previous_tx, verified_at FROM audit WHERE seq >= $1 ORDER BY seq LIMIT $2',
      [next, PAGE_ROWS],
      'immu_gaps',
    );
    if (page.length === 0) return finder.gaps;
    for (const record of page) {
      const seq = bigint(record['seq']);
      next = seq + 1n;
      const kind = kinds.get(record['kind']);
      // What cannot be read is for `verify` to find.
      if (!kind?.outcome) continue;
      if ((server ?? kind.server) !== kind.server || (database ?? kind.database) !== kind.database) continue;
      const previous = record['previous_tx'];
      const row = {
        ...{ seq, server: kind.server, database: kind.database, outcome: kind.outcome },
        tx: bigint(record['tx']),
        previousTx: previous === null ? null : bigint(previous),
        verifiedAt: Number(bigint(record['verified_at'])),
      };
      if (!finder.feed(row)) return finder.gaps;
    }
  }
}

async function kindsOf(link: Link) {
  const rows = await link.query(
    'SELECT k.id, k.outcome, l.server, l.database FROM kind k JOIN ledger l ON l.id = k.ledger',
  );
  return new Map(
    rows.map(({ id, outcome, server, database }) => {
      const key: TrustKey = { server: text(server), database: text(database) };
      return [id, { ...key, outcome: outcomeOf(outcome as number) }] as const;
    }),
  );
}
