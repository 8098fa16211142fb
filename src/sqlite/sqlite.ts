// What is asked of a SQLite driver: the part of better-sqlite3 that is used here, so that better-sqlite3 itself is one.

/** A connection. */
export interface Sqlite {
  readonly open: boolean;
  readonly readonly: boolean;
  prepare(sql: string): SqliteStatement;
  exec(sql: string): unknown;
  /** Rows of a PRAGMA, or with `simple` the first column of the first one. */
  pragma(source: string, options?: { readonly simple?: boolean }): unknown;
  /** A function that runs `work` in a transaction; within another one, in a savepoint of it. */
  transaction<Args extends unknown[], Result>(
    work: (...args: Args) => Result,
  ): SqliteTransaction<Args, Result>;
  /** Statements that are prepared from now on give integers as bigint. */
  defaultSafeIntegers(on: boolean): unknown;
  /** Copies all that is committed into a file. */
  backup(path: string): Promise<unknown>;
  close(): unknown;
}

/** Bytes come as Uint8Array, which may be a Buffer. */
export interface SqliteStatement {
  run(...args: SqliteValue[]): SqliteChange;
  /** The first row; undefined when there is none. */
  get(...args: SqliteValue[]): unknown;
  all(...args: SqliteValue[]): unknown[];
  iterate(...args: SqliteValue[]): IterableIterator<unknown>;
  /** From now on a row is its first column. */
  pluck(): SqliteStatement;
}

export type SqliteValue = unknown;

export interface SqliteChange {
  readonly changes: number | bigint;
  readonly lastInsertRowid: number | bigint;
}

export interface SqliteTransaction<Args extends unknown[], Result> {
  /** Takes no lock before it needs one. */
  (...args: Args): Result;
  /** Takes the lock of writers at once. */
  immediate(...args: Args): Result;
}

export interface SqliteOpenOptions {
  readonly readonly?: boolean;
  readonly fileMustExist?: boolean;
  /** How long a lock is waited for, in milliseconds. @default 5000 */
  readonly timeout?: number;
}

export interface SqliteError extends Error {
  /** SQLite's name of it, such as `SQLITE_BUSY` or `SQLITE_IOERR_FSYNC`. */
  readonly code: string;
}

/** An error that SQLite itself told, whichever driver it came by. */
export function isSqliteError(error: unknown): error is SqliteError {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    error.code.startsWith('SQLITE_')
  );
}
