// The archives that were made of a log. Every method requires a transaction.
import type { ArchiveInfo } from '../../audit-log.js';
import { copy } from '../log/row-record.js';
import type { Statements } from './statements.js';

export class Archives {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** The oldest first. */
  all(): ArchiveInfo[] {
    const records = this.#statements
      .get(
        `SELECT path, first_seq AS firstSeq, last_seq AS lastSeq, start_hash AS startHash, last_hash AS lastHash,
                archived_at AS archivedAt FROM archive ORDER BY first_seq`,
      )
      .all() as (Omit<ArchiveInfo, 'archivedAt'> & { archivedAt: bigint })[];
    return records.map((record) => ({
      ...record,
      startHash: copy(record.startHash),
      lastHash: copy(record.lastHash),
      archivedAt: Number(record.archivedAt),
    }));
  }

  /** Requires a write transaction. */
  add({ path, firstSeq, lastSeq, startHash, lastHash, archivedAt }: ArchiveInfo): void {
    this.#statements
      .get(
        'INSERT INTO archive (first_seq, last_seq, start_hash, last_hash, archived_at, path) VALUES (?, ?, ?, ?, ?, ?)',
      )
      .run(firstSeq, lastSeq, startHash, lastHash, archivedAt, path);
  }
}
