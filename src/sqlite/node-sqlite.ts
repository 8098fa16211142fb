// The driver that comes with the platform (`node:sqlite` of Node, Deno and Bun), as a connection of better-sqlite3 would act.
import { pathToFileURL } from 'node:url';
import { errorName } from './error-names.js';
import type {
  Sqlite,
  SqliteChange,
  SqliteError,
  SqliteOpenOptions,
  SqliteStatement,
  SqliteTransaction,
  SqliteValue,
} from './sqlite.js';

/** What is used of `node:sqlite`, which the oldest Node that is supported has no types for. */
export interface NodeSqlite {
  readonly DatabaseSync: new (path: string | URL, options?: { readonly readOnly?: boolean }) => DatabaseSync;
  /** Not in every runtime. */
  readonly backup?: (source: DatabaseSync, path: string) => Promise<unknown>;
}

interface DatabaseSync {
  readonly isOpen: boolean;
  readonly isTransaction: boolean;
  prepare(sql: string): StatementSync;
  exec(sql: string): void;
  close(): void;
}

interface StatementSync {
  run(...args: SqliteValue[]): SqliteChange;
  get(...args: SqliteValue[]): Row | undefined;
  all(...args: SqliteValue[]): Row[];
  iterate(...args: SqliteValue[]): Iterable<Row>;
  setReadBigInts(on: boolean): void;
}

type Row = Readonly<Record<string, unknown>>;

/** That of better-sqlite3. */
const BUSY_MS = 5000;

export class NodeConnection implements Sqlite {
  readonly readonly: boolean;
  readonly #db: DatabaseSync;
  readonly #backup: NodeSqlite['backup'];
  readonly #kept = new Map<string, StatementSync>();
  #bigints = false;
  #depth = 0;

  constructor({ DatabaseSync, backup }: NodeSqlite, path: string, options: SqliteOpenOptions = {}) {
    const { readonly = false, fileMustExist = false, timeout = BUSY_MS } = options;
    this.readonly = readonly;
    this.#backup = backup;
    try {
      this.#db = new DatabaseSync(
        fileMustExist && !readonly ? notToBeMade(path) : path,
        readonly ? { readOnly: true } : {},
      );
    } catch (error) {
      throw told(error, 'SQLITE_CANTOPEN');
    }
    // An option of the constructor only later.
    this.exec(`PRAGMA busy_timeout = ${timeout}`);
  }

  get open(): boolean {
    return this.#db.isOpen;
  }

  prepare(sql: string): SqliteStatement {
    try {
      const statement = this.#db.prepare(sql);
      statement.setReadBigInts(this.#bigints);
      return new NodeStatement(statement);
    } catch (error) {
      throw told(error);
    }
  }

  exec(sql: string): void {
    try {
      this.#db.exec(sql);
    } catch (error) {
      throw told(error);
    }
  }

  pragma(source: string, { simple = false }: { readonly simple?: boolean } = {}): unknown {
    const rows = this.prepare(`PRAGMA ${source}`);
    return simple ? rows.pluck().get() : rows.all();
  }

  transaction<Args extends unknown[], Result>(
    work: (...args: Args) => Result,
  ): SqliteTransaction<Args, Result> {
    const deferred = (...args: Args) => this.#within('BEGIN', () => work(...args));
    const immediate = (...args: Args) => this.#within('BEGIN IMMEDIATE', () => work(...args));
    return Object.assign(deferred, { immediate });
  }

  defaultSafeIntegers(on: boolean): void {
    this.#bigints = on;
  }

  async backup(path: string): Promise<void> {
    try {
      if (this.#backup) await this.#backup(this.#db, path);
      else this.#db.prepare('VACUUM INTO ?').run(path);
    } catch (error) {
      throw told(error);
    }
  }

  close(): void {
    this.#kept.clear();
    this.#db.close();
  }

  #within<Result>(begin: string, work: () => Result): Result {
    const name = this.#db.isTransaction ? `inner_${this.#depth}` : undefined;
    this.#do(name === undefined ? begin : `SAVEPOINT ${name}`);
    this.#depth += 1;
    try {
      const result = work();
      this.#do(name === undefined ? 'COMMIT' : `RELEASE ${name}`);
      return result;
    } catch (error) {
      // A full disk, say, has undone all of it already.
      if (this.#db.isTransaction) {
        if (name === undefined) this.#do('ROLLBACK');
        else for (const step of [`ROLLBACK TO ${name}`, `RELEASE ${name}`]) this.#do(step);
      }
      throw error;
    } finally {
      this.#depth -= 1;
    }
  }

  /** Of these few there are many. */
  #do(sql: string): void {
    try {
      let statement = this.#kept.get(sql);
      if (!statement) {
        statement = this.#db.prepare(sql);
        this.#kept.set(sql, statement);
      }
      statement.run();
    } catch (error) {
      throw told(error);
    }
  }
}

class NodeStatement implements SqliteStatement {
  readonly #statement: StatementSync;
  #plucks = false;

  constructor(statement: StatementSync) {
    this.#statement = statement;
  }

  run(...args: SqliteValue[]): SqliteChange {
    try {
      return this.#statement.run(...args);
    } catch (error) {
      throw told(error);
    }
  }

  get(...args: SqliteValue[]): unknown {
    try {
      const row = this.#statement.get(...args);
      return this.#plucks && row ? firstOf(row) : row;
    } catch (error) {
      throw told(error);
    }
  }

  all(...args: SqliteValue[]): unknown[] {
    try {
      const rows = this.#statement.all(...args);
      return this.#plucks ? rows.map(firstOf) : rows;
    } catch (error) {
      throw told(error);
    }
  }

  *iterate(...args: SqliteValue[]): Generator<unknown, undefined> {
    try {
      for (const row of this.#statement.iterate(...args)) yield this.#plucks ? firstOf(row) : row;
    } catch (error) {
      throw told(error);
    }
  }

  pluck(): this {
    this.#plucks = true;
    return this;
  }
}

function firstOf(row: Row): unknown {
  for (const name in row) return row[name];
  return undefined;
}

/** SQLite makes a file that it is to write to and does not find, unless its URL says otherwise. */
function notToBeMade(path: string): URL {
  const url = pathToFileURL(path);
  url.searchParams.set('mode', 'rw');
  return url;
}

/**
 * An error as better-sqlite3 gives it.
 *
 * @param otherwise its name, where the platform gives no code (Deno, when it cannot open a file)
 */
function told(error: unknown, otherwise?: string): unknown {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_SQLITE_ERROR') return error;
  const name = 'errcode' in error && typeof error.errcode === 'number' ? errorName(error.errcode) : otherwise;
  return name === undefined ? error : new PlatformError(name, error);
}

class PlatformError extends Error implements SqliteError {
  override readonly name = 'SqliteError';
  readonly code: string;

  constructor(code: string, cause: Error) {
    super(cause.message, { cause });
    this.code = code;
  }
}
