// Walks the log for `audit.gaps`, in steps of one page.
import { GapFinder } from '../../log/audit-gaps.js';
import type { CheckedGapsQuery } from '../../log/audit-gaps.js';
import type { AuditGap } from '../../audit-log.js';
import { parseCheckpoint } from '../../log/checkpoint.js';
import type { OpenLog } from './open-log.js';

/** Only a few columns of each row are read. */
const PAGE_ROWS = 4096;

interface GapRecord {
  readonly seq: bigint;
  readonly kind: bigint;
  readonly tx: bigint;
  readonly previous_tx: bigint | null;
  readonly verified_at: bigint;
}

export class GapWalk {
  readonly #log: OpenLog;
  readonly #query: CheckedGapsQuery;
  #finder: GapFinder | undefined;
  #base = -1n;
  #next = 0n;

  constructor(log: OpenLog, query: CheckedGapsQuery) {
    this.#log = log;
    this.#query = query;
  }

  /** Requires a transaction of its own. Undefined when there may be more. */
  step(): readonly AuditGap[] | undefined {
    const log = this.#log;
    log.begin();
    const base = log.base();
    // At the beginning, and when rows were archived meanwhile.
    if (this.#base !== base.seq || !this.#finder) {
      const heads = base.checkpoint ? parseCheckpoint(base.checkpoint).heads : [];
      this.#finder = new GapFinder(this.#query, heads);
      this.#base = base.seq;
      this.#next = base.seq + 1n;
    }
    const { server, database } = this.#query;
    const page = log.statements
      .get(
        `SELECT a.seq, a.kind, a.tx, a.previous_tx, a.verified_at FROM ${log.tables.rows}
         WHERE a.seq >= ? ORDER BY a.seq LIMIT ?`,
      )
      .all(this.#next, PAGE_ROWS) as GapRecord[];
    for (const { seq, kind, tx, previous_tx, verified_at } of page) {
      this.#next = seq + 1n;
      const known = log.kinds.get(kind);
      // What cannot be read is for `verify` to find.
      if (!known) continue;
      if (server !== undefined && known.server !== server) continue;
      if (database !== undefined && known.database !== database) continue;
      const row = { seq, tx, previousTx: previous_tx, verifiedAt: Number(verified_at) };
      if (
        !this.#finder.feed({ ...row, server: known.server, database: known.database, outcome: known.outcome })
      ) {
        return this.#finder.gaps;
      }
    }
    return page.length === 0 ? this.#finder.gaps : undefined;
  }
}
