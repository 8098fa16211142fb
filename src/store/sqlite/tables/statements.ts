// Statements of one connection, each prepared once.
import type { Sqlite, SqliteStatement } from '../../../sqlite/sqlite.js';

/** Shapes of page queries times their indexes stay far below this; a bound all the same. */
const MAX_STATEMENTS = 512;

export class Statements {
  readonly #db: Sqlite;
  readonly #prepared = new Map<string, SqliteStatement>();

  constructor(db: Sqlite) {
    this.#db = db;
  }

  get(sql: string): SqliteStatement {
    let statement = this.#prepared.get(sql);
    if (!statement) {
      if (this.#prepared.size >= MAX_STATEMENTS) this.#prepared.clear();
      statement = this.#db.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}
