// The queue of an audit as a SQLite file: for processes on one machine.
import { closeSync, openSync, rmSync } from 'node:fs';
import { StoreError } from '../../../../errors.js';
import { openSqlite } from '../../../../sqlite/open.js';
import { isSqliteError } from '../../../../sqlite/sqlite.js';
import type { Sqlite } from '../../../../sqlite/sqlite.js';
import type { AuditTask, TxRange } from '../queue.js';
import { TABLES, TASK } from './statements.js';
import { TableQueue, newTask, occupied, taskIn } from './table-queue.js';
import type { KnownTask, QueueRow, QueueTables, QueueValue } from './table-queue.js';

/** The queue of an audit in a file, for processes of one machine. */
export class SqliteAuditQueue extends TableQueue {
  /**
   * Makes the queue of an audit in a new file that only this user can read.
   *
   * @throws StoreError STORE_FOREIGN when there is a queue already, STORE_FAILED; ArgumentError; the file system's own error when the
   * file is there and is none
   *
   * @example
   * const { tx, alh } = await client.verifiedState();
   * const task = { database: client.databaseName, under: { tx, alh }, values: false, maxFindings: 100 };
   * await using queue = await SqliteAuditQueue.make('/srv/audit.queue', task, rangesOf(1n, tx, 64));
   */
  static make(path: string, task: AuditTask, ranges: readonly TxRange[]): Promise<SqliteAuditQueue> {
    return done(() => {
      const made = newTask(task, ranges);
      newFile(path);
      return opened(openSqlite(path), (db) => {
        db.pragma('journal_mode = WAL');
        db.transaction(() => {
          for (const table of TABLES) db.exec(table);
          for (const { text, values } of made.puts()) rowsOf(db, text, values);
        }).immediate();
        return new SqliteAuditQueue(tablesIn(db, path), made.task);
      });
    });
  }

  /** The queue in a file that {@link make} made. @throws StoreError STORE_FOREIGN, STORE_MISSING, STORE_FAILED */
  static open(path: string): Promise<SqliteAuditQueue> {
    return done(() =>
      opened(openSqlite(path, { fileMustExist: true }), (db) => {
        return new SqliteAuditQueue(tablesIn(db, path), taskThere(db));
      }),
    );
  }
}

function newFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const task = taskOf(path);
    throw task ? occupied(path, task) : error;
  }
}

/** Undefined where there is no queue. */
function taskOf(path: string): KnownTask | undefined {
  try {
    const db = openSqlite(path, { readonly: true, fileMustExist: true });
    try {
      db.defaultSafeIntegers(true);
      return taskThere(db);
    } finally {
      db.close();
    }
  } catch {
    return undefined;
  }
}

function taskThere(db: Sqlite): KnownTask {
  const task = taskIn(rowsOf(db, TASK, []));
  if (!task) throw new StoreError('STORE_FOREIGN', 'the queue has no task');
  return task;
}

function tablesIn(db: Sqlite, path: string): QueueTables {
  const close = () => {
    if (db.open) db.close();
  };
  return {
    now: `CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)`,
    // A statement that writes has the file for itself.
    lock: '',
    ask: (statement, values) => done(() => rowsOf(db, statement, values)),
    remove: () =>
      done(() => {
        close();
        for (const end of ['', '-wal', '-shm']) rmSync(`${path}${end}`, { force: true });
      }),
    close: () => done(close),
  };
}

/** `$1` is the first of the values, as often as it stands there. */
function rowsOf(db: Sqlite, statement: string, values: readonly QueueValue[]): QueueRow[] {
  const args: QueueValue[] = [];
  const text = statement.replaceAll(/\$(\d+)/g, (_, nth: string) => {
    args.push(values[Number(nth) - 1] ?? null);
    return '?';
  });
  return db.prepare(text).all(...args) as QueueRow[];
}

/** Nothing stays open that could not be used. */
function opened<T>(db: Sqlite, use: (db: Sqlite) => T): T {
  try {
    db.defaultSafeIntegers(true);
    db.pragma('synchronous = FULL');
    return use(db);
  } catch (error) {
    db.close();
    throw error;
  }
}

function done<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => {
    try {
      resolve(work());
    } catch (error) {
      throw told(error);
    }
  });
}

function told(error: unknown): unknown {
  if (!isSqliteError(error)) return error;
  if (error.code === 'SQLITE_CANTOPEN')
    return new StoreError('STORE_MISSING', 'there is no such queue', { cause: error });
  const isForeign = error.code === 'SQLITE_NOTADB' || /no such (table|column)/.test(error.message);
  return isForeign
    ? new StoreError('STORE_FOREIGN', 'the file is not the queue of an audit', { cause: error })
    : new StoreError('STORE_FAILED', `the queue of the audit: ${error.message}`, { cause: error });
}
