// The file of an archive: a part of a log in tables like the store's, complete under its name or not there at all.
import { closeSync, openSync, rmSync } from 'node:fs';
import { openSqlite } from '../../../sqlite/open.js';
import type { Sqlite } from '../../../sqlite/sqlite.js';
import { StoreError } from '../../../errors.js';
import { equalBytes } from '../../../proof/bytes.js';
import type { AuditVerdict } from '../../audit-log.js';
import type { StateAt } from '../../log/log-state.js';
import { ChainWalk } from '../log/audit-chain.js';
import { makeTables, publish, syncFile } from './create.js';
import { OpenLog } from '../log/open-log.js';
import type { Base } from '../log/open-log.js';
import { syncFolder } from './marker.js';
import { openArchiveFile } from './open.js';
import { ARCHIVE_ID } from './schema.js';
import { ZONE_ROWS } from '../tables/zones.js';
import type { Broken } from '../../log/verify-rules.js';

/** Rows copied in one step. */
const COPY_ROWS = 4096n;

export interface ArchivePart {
  readonly base: Base;
  readonly lastSeq: bigint;
  readonly storeId: Uint8Array;
}

/** Fills an archive's file under another name, in steps, and then gives it its name. */
export class ArchiveDraft {
  readonly #path: string;
  readonly #draft: string;
  readonly #part: ArchivePart;
  readonly #db: Sqlite;
  readonly #log: OpenLog;
  #copied: bigint;
  #walk: ChainWalk | undefined;

  /** @param store path of the log that rows are copied from */
  constructor(path: string, store: string, part: ArchivePart) {
    this.#path = path;
    // One name: what a process that was killed has left is removed by the next.
    this.#draft = `${path}.draft`;
    this.#part = part;
    this.#copied = part.base.seq;
    this.#remove();
    const { base, lastSeq, storeId } = part;
    try {
      // Nobody else may read who talks to which server.
      closeSync(openSync(this.#draft, 'wx', 0o600));
      makeTables(this.#draft, ARCHIVE_ID, { id: storeId, rows: lastSeq, base });
      this.#db = openSqlite(this.#draft);
    } catch (error) {
      this.#remove();
      throw error;
    }
    try {
      this.#db.defaultSafeIntegers(true);
      // What is not finished is thrown away; what is finished is flushed as a whole.
      this.#db.pragma('synchronous = OFF');
      this.#db.prepare('ATTACH ? AS live').run(store);
      this.#log = new OpenLog(this.#db, storeId);
      this.#copyNames();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Copies the next rows, then checks what was copied. The verdict comes with the last step. */
  step(): AuditVerdict | undefined {
    if (this.#copied < this.#part.lastSeq) {
      this.#copyRows();
      return undefined;
    }
    this.#walk ??= new ChainWalk(this.#log, { isArchive: true, isDraft: true });
    const walk = this.#walk;
    const verdict = this.#db.transaction(() => walk.step())();
    if (verdict?.ok) this.#keepState(walk);
    return verdict;
  }

  /** What the rows add up to; complete with the last step. */
  get state(): StateAt {
    return this.#walk ? this.#walk.state.snapshot() : { heads: [], identities: [] };
  }

  /** Gives the finished file its name. @throws StoreError STORE_FOREIGN when the name is taken */
  publish(): void {
    this.#db.close();
    syncFile(this.#draft);
    if (!publish(this.#draft, this.#path)) {
      throw new StoreError('STORE_FOREIGN', `there is a file at ${this.#path} already`);
    }
    syncFolder(this.#path);
  }

  /** Removes what is left under the other name. */
  close(): void {
    if (this.#db.open) this.#db.close();
    this.#remove();
  }

  #remove(): void {
    for (const left of [this.#draft, `${this.#draft}-journal`]) rmSync(left, { force: true });
  }

  #copyNames(): void {
    this.#db.transaction(() => {
      for (const table of ['ledger', 'kind', 'client']) {
        this.#db.exec(`INSERT INTO main.${table} SELECT * FROM live.${table}`);
      }
      const { seq } = this.#part.base;
      this.#db.prepare('INSERT INTO main.archive SELECT * FROM live.archive WHERE last_seq <= ?').run(seq);
      // Of the row that the first one follows: held against the beginning.
      this.#db.prepare('INSERT INTO main.checkpoint SELECT * FROM live.checkpoint WHERE seq = ?').run(seq);
    })();
  }

  #copyRows(): void {
    const { lastSeq } = this.#part;
    const from = this.#copied;
    const to = from + COPY_ROWS < lastSeq ? from + COPY_ROWS : lastSeq;
    this.#db.transaction(() => {
      // What several rows are about is in each file that has one of them.
      this.#db
        .prepare(
          `INSERT OR IGNORE INTO main.evidence_blob SELECT * FROM live.evidence_blob
           WHERE id IN (SELECT blob FROM live.evidence WHERE seq > ? AND seq <= ?)`,
        )
        .run(from, to);
      for (const table of ['audit', 'evidence', 'checkpoint']) {
        this.#db
          .prepare(`INSERT INTO main.${table} SELECT * FROM live.${table} WHERE seq > ? AND seq <= ?`)
          .run(from, to);
      }
      if (to < lastSeq) return;
      // Bounds of blocks that are full here too; sums of the hours that began here.
      for (const level of [0n, 1n, 2n]) {
        this.#db
          .prepare('INSERT INTO main.zone SELECT * FROM live.zone WHERE level = ? AND number < ?')
          .run(level, lastSeq / (ZONE_ROWS * 64n ** level));
      }
      this.#db.prepare('INSERT INTO main.hour SELECT * FROM live.hour WHERE first_seq <= ?').run(lastSeq);
      this.#log.hours.cut(lastSeq);
    })();
    this.#copied = to;
  }

  /** What the rows add up to, so that the next part has something to begin with. */
  #keepState(walk: ChainWalk): void {
    const { heads, identities } = walk.state.snapshot();
    this.#db.transaction(() => {
      const head = this.#db.prepare(
        'INSERT INTO main.head SELECT id, ?, ? FROM main.ledger WHERE server = ? AND database = ?',
      );
      for (const { server, database, tx, alh } of heads) head.run(tx, alh, server, database);
      const identity = this.#db.prepare('INSERT INTO main.identity (address, server) VALUES (?, ?)');
      for (const { address, server } of identities) identity.run(address, server);
    })();
    this.#db.exec('DETACH live');
  }
}

/** What an archive's file holds, once all of it has been checked. */
export interface CheckedArchive {
  readonly base: Base;
  readonly lastSeq: bigint;
  readonly lastHash: Uint8Array;
  /** What the rows up to its last one add up to. */
  readonly state: StateAt;
}

/**
 * Checks the whole of an archive of a store; `pause` is awaited between steps.
 *
 * @throws StoreError STORE_FOREIGN when it is something else, STORE_DAMAGED when it is not as it was made
 */
export async function checkedArchive(
  path: string,
  storeId: Uint8Array,
  pause: () => Promise<void>,
): Promise<CheckedArchive> {
  const { db, log } = openArchiveFile(path);
  try {
    if (!equalBytes(log.storeId, storeId)) {
      throw new StoreError('STORE_FOREIGN', `${path} is an archive of another root store`);
    }
    const walk = new ChainWalk(log, { isArchive: true });
    for (;;) {
      await pause();
      const verdict = db.transaction(() => walk.step())();
      if (!verdict) continue;
      if (!verdict.ok) throw damaged(`the archive ${path}`, verdict);
      const base = log.base();
      const lastSeq = base.seq + verdict.rows;
      return { base, lastSeq, lastHash: verdict.lastHash, state: walk.state.snapshot() };
    }
  } finally {
    db.close();
  }
}

export function damaged(what: string, { seq, finding }: Broken): StoreError {
  return new StoreError(
    'STORE_DAMAGED',
    `${what} is damaged: row ${seq.toString()} of the audit log: ${finding}`,
  );
}
