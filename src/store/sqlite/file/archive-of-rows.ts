// The file of an archive, made of rows that come from elsewhere: written again by the same rules, so that each must get the hash it
// had. Complete under its name or not there at all.
import { closeSync, openSync, rmSync } from 'node:fs';
import { openSqlite } from '../../../sqlite/open.js';
import type { Sqlite } from '../../../sqlite/sqlite.js';
import { StoreError } from '../../../errors.js';
import { equalBytes } from '../../../proof/bytes.js';
import type { ArchiveInfo, Checkpoint } from '../../audit-log.js';
import type { AuditRow } from '../../audit-types.js';
import { parseCheckpoint } from '../../log/checkpoint.js';
import { ChainWalk } from '../log/audit-chain.js';
import { LogWriter } from '../log/log-writer.js';
import { OpenLog } from '../log/open-log.js';
import { damaged } from './archive-file.js';
import type { ArchivePart, CheckedArchive } from './archive-file.js';
import { makeTables, publish, syncFile } from './create.js';
import { syncFolder } from './marker.js';
import { ARCHIVE_ID } from './schema.js';

export class ArchiveOfRows {
  readonly #path: string;
  readonly #draft: string;
  readonly #part: ArchivePart;
  readonly #db: Sqlite;
  readonly #log: OpenLog;
  readonly #writer: LogWriter;

  constructor(path: string, part: ArchivePart) {
    this.#path = path;
    this.#draft = `${path}.draft`;
    this.#part = part;
    this.#remove();
    const { base, storeId } = part;
    try {
      // Nobody else may read who talks to which server.
      closeSync(openSync(this.#draft, 'wx', 0o600));
      makeTables(this.#draft, ARCHIVE_ID, { id: storeId, rows: base.seq, base });
      this.#db = openSqlite(this.#draft);
    } catch (error) {
      this.#remove();
      throw error;
    }
    this.#db.defaultSafeIntegers(true);
    // What is not finished is thrown away; what is finished is flushed as a whole.
    this.#db.pragma('synchronous = OFF');
    this.#log = new OpenLog(this.#db, storeId);
    this.#writer = new LogWriter(this.#log);
    this.#seed();
  }

  /** The next rows. @throws StoreError STORE_DAMAGED where one is not as it was written */
  add(rows: readonly AuditRow[]): void {
    this.#db.transaction(() => {
      this.#writer.begin();
      for (const row of rows) {
        // What was kept once may be kept again.
        if (row.evidence) this.#log.statements.get('DELETE FROM evidence_use').run();
        this.#writer.append(row);
        const { seq, hash } = this.#writer.tail();
        if (seq === row.seq && equalBytes(hash, row.hash)) continue;
        throw new StoreError(
          'STORE_DAMAGED',
          `row ${row.seq.toString()} of the audit log is not as it was written`,
        );
      }
      this.#writer.finish();
    })();
  }

  /** Checks all of it, and gives it its name. @throws StoreError STORE_DAMAGED; STORE_FOREIGN when the name is taken */
  publish(archives: readonly ArchiveInfo[], checkpoints: readonly Checkpoint[]): CheckedArchive {
    const { base, lastSeq } = this.#part;
    this.#log.settle();
    this.#db.transaction(() => {
      for (const made of archives) this.#log.archives.add(made);
      for (const made of checkpoints) this.#log.keptCheckpoints.add(made);
    })();
    const walk = new ChainWalk(this.#log, { isArchive: true });
    let verdict = this.#db.transaction(() => walk.step())();
    while (!verdict) verdict = this.#db.transaction(() => walk.step())();
    if (!verdict.ok) throw damaged(`the archive ${this.#path}`, verdict);
    this.#db.close();
    syncFile(this.#draft);
    if (!publish(this.#draft, this.#path))
      throw new StoreError('STORE_FOREIGN', `there is a file at ${this.#path} already`);
    syncFolder(this.#path);
    return { base, lastSeq, lastHash: verdict.lastHash, state: walk.state.snapshot() };
  }

  /** Removes what is left under the other name. */
  close(): void {
    if (this.#db.open) this.#db.close();
    this.#remove();
  }

  /** What the rows before have added up to. */
  #seed(): void {
    const { checkpoint } = this.#part.base;
    if (!checkpoint) return;
    const { heads, identities } = parseCheckpoint(checkpoint);
    this.#db.transaction(() => {
      for (const { server, database, tx, alh } of heads) {
        this.#db.prepare('INSERT INTO ledger (server, database) VALUES (?, ?)').run(server, database);
        const head = 'INSERT INTO head SELECT id, ?, ? FROM ledger WHERE server = ? AND database = ?';
        this.#db.prepare(head).run(tx, alh, server, database);
      }
      for (const { address, server } of identities) this.#log.held.bind(address, server);
    })();
  }

  #remove(): void {
    for (const left of [this.#draft, `${this.#draft}-journal`]) rmSync(left, { force: true });
  }
}
