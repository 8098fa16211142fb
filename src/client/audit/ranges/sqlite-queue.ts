// The queue of an audit as a SQLite file: for processes on one machine.
import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { ArgumentError, StoreError } from '../../../errors.js';
import { fromHex, toHex } from '../../../proof/bytes.js';
import { openSqlite } from '../../../sqlite/open.js';
import { isSqliteError } from '../../../sqlite/sqlite.js';
import type { Sqlite } from '../../../sqlite/sqlite.js';
import { ATTEMPTS_OF_A_REASON, MAX_ATTEMPTS } from './queue.js';
import type { AuditQueue, AuditTask, LeaseOutcome, QueueStatus, RangeLease } from './queue.js';
import { readSignedReport } from './range-report.js';
import type { SignedRangeReport } from './range-report.js';

const SCHEMA = `
  CREATE TABLE task (only INTEGER PRIMARY KEY CHECK (only = 1), version INTEGER NOT NULL, database TEXT NOT NULL,
    tx INTEGER NOT NULL, alh TEXT NOT NULL, with_values INTEGER NOT NULL, max_findings INTEGER NOT NULL);
  CREATE TABLE range (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, worker TEXT,
    token TEXT, until INTEGER NOT NULL DEFAULT 0, why TEXT, report TEXT);`;
const VERSION = 1n;

const NEXT = `
  SELECT first, last FROM range WHERE report IS NULL AND until <= ? AND attempts < ? ORDER BY first LIMIT 1`;
const LEASE = 'UPDATE range SET attempts = attempts + 1, worker = ?, token = ?, until = ? WHERE first = ?';
const MINE = 'WHERE first = ? AND token = ? AND report IS NULL';
/** What the words of a server are cut to. */
const MAX_WHY = 1000;

export class SqliteAuditQueue implements AuditQueue {
  readonly #db: Sqlite;
  readonly #task: AuditTask;

  private constructor(db: Sqlite) {
    this.#db = db;
    this.#task = taskIn(db);
  }

  /**
   * Makes the queue of an audit in a new file that only this user can read.
   *
   * @throws ArgumentError, StoreError; the file system's own error when the file is there
   */
  static make(
    path: string,
    task: AuditTask,
    ranges: readonly { readonly first: bigint; readonly last: bigint }[],
  ): Promise<SqliteAuditQueue> {
    return done(() => {
      if (ranges.length === 0) throw new ArgumentError('ranges', 'ranges must not be empty');
      closeSync(openSync(path, 'wx', 0o600));
      const db = openSqlite(path);
      return opened(db, () => {
        db.defaultSafeIntegers(true);
        db.pragma('journal_mode = WAL');
        db.pragma('synchronous = FULL');
        db.transaction(() => {
          db.exec(SCHEMA);
          const { database, under, values, maxFindings } = task;
          const putTask = db.prepare('INSERT INTO task VALUES (1, ?, ?, ?, ?, ?, ?)');
          putTask.run(VERSION, database, under.tx, toHex(under.alh), values ? 1 : 0, maxFindings);
          const put = db.prepare('INSERT INTO range (first, last) VALUES (?, ?)');
          for (const { first, last } of ranges) put.run(first, last);
        }).immediate();
        return new SqliteAuditQueue(db);
      });
    });
  }

  /** The queue in a file that {@link make} made. @throws StoreError STORE_FOREIGN, STORE_MISSING, STORE_FAILED */
  static open(path: string): Promise<SqliteAuditQueue> {
    return done(() => {
      const db = openSqlite(path, { fileMustExist: true });
      return opened(db, () => {
        db.defaultSafeIntegers(true);
        db.pragma('synchronous = FULL');
        return new SqliteAuditQueue(db);
      });
    });
  }

  task(): Promise<AuditTask> {
    return Promise.resolve(this.#task);
  }

  lease(worker: string, leaseMs: number): Promise<LeaseOutcome> {
    return done(() => this.#db.transaction(() => this.#lease(worker, leaseMs)).immediate());
  }

  #lease(worker: string, leaseMs: number): LeaseOutcome {
    const now = Date.now();
    const next = this.#db.prepare(NEXT).get(now, MAX_ATTEMPTS) as { first: bigint; last: bigint } | undefined;
    if (!next) {
      const held = this.#db
        .prepare('SELECT 1 FROM range WHERE report IS NULL AND until > ? LIMIT 1')
        .get(now);
      return held === undefined ? 'over' : 'later';
    }
    const token = randomBytes(16).toString('hex');
    this.#db.prepare(LEASE).run(worker, token, now + leaseMs, next.first);
    return { ...next, token };
  }

  renew({ first, token }: RangeLease, leaseMs: number): Promise<boolean> {
    return this.#change(`UPDATE range SET until = ? ${MINE}`, Date.now() + leaseMs, first, token);
  }

  finish({ first, token }: RangeLease, report: SignedRangeReport): Promise<boolean> {
    return this.#change(
      `UPDATE range SET report = ?, until = 0 ${MINE}`,
      JSON.stringify(report),
      first,
      token,
    );
  }

  async giveBack({ first, token }: RangeLease, why: string): Promise<void> {
    const sql = `UPDATE range SET until = 0, why = ?, attempts = attempts + ? ${MINE}`;
    await this.#change(sql, why.slice(0, MAX_WHY), ATTEMPTS_OF_A_REASON, first, token);
  }

  #change(sql: string, ...args: unknown[]): Promise<boolean> {
    return done(() => Number(this.#db.prepare(sql).run(...args).changes) > 0);
  }

  status(): Promise<QueueStatus> {
    return done(() => {
      const now = Date.now();
      const counts = this.#db
        .prepare(
          `SELECT count(*) AS ranges, count(report) AS done, sum(report IS NULL AND until > ?) AS leased FROM range`,
        )
        .get(now) as Record<'ranges' | 'done' | 'leased', bigint>;
      const givenUp = this.#db
        .prepare(
          `SELECT first, last, coalesce(why, 'whoever tried it did not come back') AS why FROM range
           WHERE report IS NULL AND until <= ? AND attempts >= ? ORDER BY first`,
        )
        .all(now, MAX_ATTEMPTS) as QueueStatus['givenUp'];
      const { ranges, done: finished, leased } = counts;
      return { ranges: Number(ranges), done: Number(finished), leased: Number(leased), givenUp };
    });
  }

  reports(): Promise<readonly SignedRangeReport[]> {
    return done(() => {
      const texts = this.#db
        .prepare('SELECT report FROM range WHERE report IS NOT NULL ORDER BY first')
        .pluck();
      return (texts.all() as string[]).map((text, i) => readSignedReport(`reports[${i}]`, JSON.parse(text)));
    });
  }

  close(): Promise<void> {
    return done(() => {
      if (this.#db.open) this.#db.close();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function taskIn(db: Sqlite): AuditTask {
  const row = db.prepare('SELECT * FROM task').get() as Record<string, unknown> | undefined;
  if (row?.['version'] !== VERSION) throw new StoreError('STORE_FOREIGN', 'the queue is of another release');
  return {
    database: row['database'] as string,
    under: { tx: row['tx'] as bigint, alh: fromHex(row['alh'] as string) },
    values: row['with_values'] === 1n,
    maxFindings: Number(row['max_findings']),
  };
}

/** Nothing stays open that could not be used. */
function opened<T>(db: Sqlite, use: () => T): T {
  try {
    return use();
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
