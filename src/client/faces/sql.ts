// SQL of a database: statements and their rows.
import { execSql } from '../calls/sql/exec.js';
import type { SqlWrite } from '../calls/sql/exec.js';
import { queryRows, streamRows } from '../calls/sql/query.js';
import type { RowSource } from '../calls/sql/query.js';
import { sqlCall } from '../calls/sql/call-forms.js';
import type { SqlQueryOptions } from '../calls/sql/call-forms.js';
import type { SqlParams } from '../calls/sql/params.js';
import { bytesOf, statementOf } from '../calls/sql/statement.js';
import type { SqlStatement } from '../calls/sql/statement.js';
import { describeTable, listTables, tableName } from '../calls/sql/tables.js';
import type { TableColumn } from '../calls/sql/tables.js';
import { toTimestamp } from '../calls/sql/values.js';
import type { SqlParam, SqlRow, SqlTimestamp } from '../calls/sql/values.js';
import { NO_OPTIONS, checkOptions } from '../input/call-options.js';
import type { CallOptions } from '../input/call-options.js';
import type { Room } from '../room/room.js';

/** Names of the options of queries. */
export const QUERY_NAMES = ['maxRows'];

/**
 * SQL of a database, as `client.sql`. A statement is text with its parameters, by name (`@id`) or by position (`?`, `$1`), or a template,
 * whose values become parameters. INTEGER is a bigint, TIMESTAMP a {@link SqlTimestamp} to the microsecond; the other types are in
 * {@link SqlValue}.
 */
export class Sql {
  /** @internal */
  protected readonly room: () => Room;

  /** @internal */
  constructor(room: () => Room) {
    this.room = room;
  }

  // Making things

  /**
   * A statement whose values are its parameters, for calls that take options.
   *
   * @example
   * const found = client.sql.statement`SELECT id, total FROM orders WHERE total > ${100n}`;
   * const rows = await client.sql.query(found, { timeoutMs: 60_000 });
   */
  statement(strings: TemplateStringsArray, ...values: readonly SqlParam[]): SqlStatement {
    return statementOf(strings, values);
  }

  /**
   * A point in time as a parameter: microseconds since 1970, a Date, or text such as `2026-01-02T03:04:05.678901Z`.
   *
   * @throws ArgumentError for what is none
   */
  timestamp(value: bigint | Date | string): SqlTimestamp {
    return toTimestamp(value, 'value');
  }

  // By the server's word

  /**
   * Executes statements that write, in one transaction, all or none. What no value is given for, and what would not do what it says
   * (BEGIN and COMMIT, savepoints, RETURNING, USE, SELECT), is refused before it is sent. Sent once.
   *
   * @example
   * await client.sql.exec('CREATE TABLE IF NOT EXISTS orders (id INTEGER AUTO_INCREMENT, total INTEGER, PRIMARY KEY id)');
   * const { lastInserted } = await client.sql.exec`INSERT INTO orders (total) VALUES (${450n})`;
   * @throws ArgumentError naming what is missing or refused
   * @throws ServerError NOT_FOUND, PRECONDITION_FAILED, LIMIT_EXCEEDED, CONFLICT, SERVER_REFUSED: nothing was written
   * @throws TransportError OUTCOME_UNKNOWN when it may have been written
   */
  async exec(strings: TemplateStringsArray, ...values: readonly SqlParam[]): Promise<SqlWrite>;
  async exec(statement: SqlStatement, options?: CallOptions): Promise<SqlWrite>;
  async exec(sql: string, params?: SqlParams, options?: CallOptions): Promise<SqlWrite>;
  async exec(...given: readonly unknown[]): Promise<SqlWrite> {
    const { statement, options } = sqlCall(given, 'exec');
    return this.room().writeApart(
      options,
      [],
      bytesOf(statement),
      (session, deadline) => execSql(session, statement, deadline.left),
      ({ txs }) => txs.map(({ tx }) => tx),
    );
  }

  /**
   * The rows of one statement, at most `maxRows` of them. Columns have their own names; where two have the same, with their table's.
   *
   * @example
   * const rows = await client.sql.query<{ id: bigint }>('SELECT id FROM orders WHERE total > @least', { least: 100n });
   * @throws ArgumentError naming what is missing or refused
   * @throws ImmuError LIMIT_EXCEEDED for more rows: {@link stream} gives any number
   */
  async query<Row extends object = SqlRow>(
    strings: TemplateStringsArray,
    ...values: readonly SqlParam[]
  ): Promise<Row[]>;
  async query<Row extends object = SqlRow>(
    statement: SqlStatement,
    options?: SqlQueryOptions,
  ): Promise<Row[]>;
  async query<Row extends object = SqlRow>(
    sql: string,
    params?: SqlParams,
    options?: SqlQueryOptions,
  ): Promise<Row[]>;
  async query<Row extends object = SqlRow>(...given: readonly unknown[]): Promise<Row[]> {
    const { statement, options, maxRows } = sqlCall(given, 'query');
    const rows = await this.room().enter(
      options,
      QUERY_NAMES,
      (session, call) => queryRows(session, 'SQLQuery', statement, maxRows, call),
      bytesOf(statement),
    );
    return rows as object[] as Row[];
  }

  /**
   * The same rows one by one, any number of them, no faster than they are taken. The deadline is that of the whole call: give a slow
   * reader a `timeoutMs` of its own. Leaving early (`break`) ends it.
   *
   * @example
   * for await (const { id, total } of client.sql.stream('SELECT id, total FROM orders')) console.log(id, total);
   * @throws ArgumentError naming what is missing or refused
   * @throws TransportError from the iterator, when the stream breaks off; it is not asked for again
   */
  stream<Row extends object = SqlRow>(
    strings: TemplateStringsArray,
    ...values: readonly SqlParam[]
  ): AsyncGenerator<Row, void, undefined>;
  stream<Row extends object = SqlRow>(
    statement: SqlStatement,
    options?: CallOptions,
  ): AsyncGenerator<Row, void, undefined>;
  stream<Row extends object = SqlRow>(
    sql: string,
    params?: SqlParams,
    options?: CallOptions,
  ): AsyncGenerator<Row, void, undefined>;
  stream<Row extends object = SqlRow>(...given: readonly unknown[]): AsyncGenerator<Row, void, undefined> {
    const { statement, options } = sqlCall(given, 'query');
    checkOptions(options, []);
    const room = this.room();
    const open = () =>
      room.stream<RowSource>(options, [], async (session, call, answer) => {
        await streamRows(session, 'SQLQuery', statement, call, answer);
      });
    return eachRow<Row>(open);
  }

  /** Names of the tables. */
  async tables(options: CallOptions = NO_OPTIONS): Promise<string[]> {
    return this.room().enter(options, [], listTables);
  }

  /**
   * The columns of a table.
   *
   * @throws ServerError NOT_FOUND when there is no such table
   */
  async describe(table: string, options: CallOptions = NO_OPTIONS): Promise<TableColumn[]> {
    const name = tableName(table);
    return this.room().enter(options, [], (session, call) => describeTable(session, name, call));
  }
}

/** @internal Asked for when the first row is. */
export async function* eachRow<Row>(open: () => Promise<RowSource>): AsyncGenerator<Row, void, undefined> {
  const { rows } = await open();
  yield* rows as AsyncIterable<object> as AsyncIterable<Row>;
}
