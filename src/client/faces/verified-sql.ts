// SQL of a database, proven: what statements wrote, and rows by their primary keys.
import { ArgumentError } from '../../errors.js';
import type { SqlColumn, SqlCheck, SqlIndex } from '../../proof/sql/schema.js';
import type { SqlAsking } from '../calls/sql/catalog.js';
import { knownTable, knownTables } from '../calls/sql/known-table.js';
import { sqlCall } from '../calls/sql/call-forms.js';
import type { SqlQueryOptions } from '../calls/sql/call-forms.js';
import { execSql } from '../calls/sql/exec.js';
import type { SqlParams } from '../calls/sql/params.js';
import type { PrimaryKey } from '../calls/sql/row-key.js';
import { pinnedSchema } from '../calls/sql/schema.js';
import type { CatalogLevel, PinnedTable } from '../calls/sql/schema.js';
import { bytesOf } from '../calls/sql/statement.js';
import type { SqlStatement } from '../calls/sql/statement.js';
import { tableName } from '../calls/sql/tables.js';
import type { SqlParam, SqlRow } from '../calls/sql/values.js';
import { latestRow } from '../calls/sql/followed/latest-row.js';
import type { AbsentRow, LatestRow } from '../calls/sql/followed/latest-row.js';
import { verifiedSqlWrite } from '../calls/sql/verified-exec.js';
import type { VerifiedSqlWrite } from '../calls/sql/verified-exec.js';
import { verifiedRow } from '../calls/sql/verified-get.js';
import type { RowQuery, VerifiedRow } from '../calls/sql/verified-get.js';
import { verifiedQuery } from '../calls/sql/verified-query/verified-query.js';
import type { VerifiedRows } from '../calls/sql/verified-query/verified-query.js';
import { checkRow, compareRow, typesOf } from '../calls/sql/verify-row.js';
import type { RowComparison } from '../calls/sql/verify-row.js';
import type { Root } from '../../verify/verifier.js';
import { isLatest } from '../input/get-options.js';
import type { LatestOptions } from '../input/get-options.js';
import { NO_OPTIONS, checkOptions } from '../input/call-options.js';
import type { CallOptions } from '../input/call-options.js';
import { txId } from '../input/tx-id.js';
import { resultOf } from '../results/result.js';
import { QUERY_NAMES, Sql } from './sql.js';

export interface VerifiedRowOptions extends CallOptions {
  /**
   * What the names, types and primary key of the table are taken from: `proven` transactions (all of them, where the database is followed
   * from genesis on: `followed`), a schema of the caller's, or the server's word (`claimed`). The result names it. @default 'proven'
   */
  readonly schema?: 'proven' | 'claimed' | PinnedTable;
  /** The row as this transaction wrote or deleted it. @default the latest, by the server's word */
  readonly atTx?: bigint;
}

/** A table by its proven transactions. May be given as `schema`, or kept for that. */
export interface VerifiedSchema extends PinnedTable {
  readonly name: string;
  /** Transaction that changed the table last, as far as was shown. */
  readonly tx: bigint;
  readonly columns: readonly SqlColumn[];
  readonly indexes: readonly SqlIndex[];
  readonly checks: readonly SqlCheck[];
  readonly catalog: CatalogLevel;
  /** Of a followed one: the root that everything was followed to. */
  readonly catalogAt?: Root;
}

const ROW_NAMES = ['schema', 'atTx'];
/** Rows of one call that are asked for at a time: the server answers them one after another. */
const LANES = 16;
const MAX_ROWS = 1_048_576;

/** SQL of a database, as `client.sql`: by the server's word, and proven. */
export class DatabaseSql extends Sql {
  /**
   * Executes statements like {@link exec}, and proves what they wrote: every transaction that they became lies on the trusted history,
   * is newer than what was trusted before and no other write's, and these are all rows and changes of tables in it. That a statement
   * picked the right rows is not proven; that the server answered with all its transactions is its word.
   *
   * @example
   * const { txs } = await client.sql.verifiedExec`UPDATE orders SET total = ${5n} WHERE id = ${1n}`;
   * for (const { rows } of txs) for (const { table, values } of rows) console.log(table, values);
   * @throws ArgumentError naming what is missing or refused
   * @throws VerificationError when a transaction is not proven
   * @throws TransportError OUTCOME_UNKNOWN when it may have been written
   */
  async verifiedExec(
    strings: TemplateStringsArray,
    ...values: readonly SqlParam[]
  ): Promise<VerifiedSqlWrite>;
  async verifiedExec(statement: SqlStatement, options?: CallOptions): Promise<VerifiedSqlWrite>;
  async verifiedExec(sql: string, params?: SqlParams, options?: CallOptions): Promise<VerifiedSqlWrite>;
  async verifiedExec(...given: readonly unknown[]): Promise<VerifiedSqlWrite> {
    const { statement, options } = sqlCall(given, 'exec');
    return this.room().enterVerified(
      'sql.verifiedExec',
      options,
      [],
      ({ session, trust, call }) =>
        verifiedSqlWrite({ rpc: session, trust, call }, (sending) => execSql(session, statement, sending)),
      bytesOf(statement),
    );
  }

  /**
   * A row by its primary key, proven: the key is made of the table's catalog, and the row under it lies on the trusted history. Null when
   * the server says that there is none. Neither absence nor that no newer version exists can be proven so; a version older than one that
   * this client has proven is refused. How far names and types are proven is in `catalog`.
   *
   * `latest`: the row is proven to be the latest, or not to be there (`absent` says why), as of a followed head that is not older than the
   * one that is trusted when it is called (`provenLatestAt`). Requires `follow()`, from genesis; absence is told without a question.
   *
   * @param pk its value, or of several columns an array in the order of the primary key, or an object by their names
   * @example
   * const row = await client.sql.verifiedGet('orders', 17n);
   * console.log(row?.values, row?.catalog);
   * await client.follow();
   * const { values, absent } = await client.sql.verifiedGet('orders', 17n, { latest: true });
   * @throws NotProvableError with `latest`, where the database is not followed from genesis on
   * @throws ArgumentError for a key that no row can have, such as one that is too long
   * @throws VerificationError when the answer is not proven, or says something else of the table than its catalog
   * @throws ImmuError NOT_FOUND when there is no such table, DECODE_FAILED where its columns cannot read the row; PRECONDITION_FAILED when it is
   *   not as it was pinned
   */
  async verifiedGet(table: string, pk: PrimaryKey, options: LatestOptions): Promise<LatestRow | AbsentRow>;
  async verifiedGet(table: string, pk: PrimaryKey, options?: VerifiedRowOptions): Promise<VerifiedRow | null>;
  async verifiedGet(
    table: string,
    pk: PrimaryKey,
    options: VerifiedRowOptions | LatestOptions = NO_OPTIONS,
  ): Promise<VerifiedRow | null | LatestRow | AbsentRow> {
    if (isLatest(options)) {
      const asked = { table: tableName(table), pk };
      return this.room().enterVerified('sql.verifiedGet', options, ['latest'], ({ session, trust, call }) =>
        latestRow({ rpc: session, trust, call }, asked),
      );
    }
    const query = { pk, ...rowQuery(table, options) };
    return this.room().enterVerified('sql.verifiedGet', options, ROW_NAMES, ({ session, trust, call }) =>
      verifiedRow({ rpc: session, trust, call }, query),
    );
  }

  /** Many rows of a table, each as by {@link verifiedGet}, in the order of the keys. One that is not proven fails the call. */
  async verifiedGetAll(
    table: string,
    pks: readonly PrimaryKey[],
    options: Omit<VerifiedRowOptions, 'atTx'> = NO_OPTIONS,
  ): Promise<(VerifiedRow | null)[]> {
    if (!Array.isArray(pks)) throw new ArgumentError('pks', 'pks must be an array of primary keys');
    if (pks.length > MAX_ROWS) {
      const what = `pks has ${pks.length} keys; at most ${MAX_ROWS} are allowed`;
      throw new ArgumentError('pks', what, 'LIMIT_EXCEEDED');
    }
    const asked = [...(pks as readonly PrimaryKey[])];
    checkOptions(options, ['schema']);
    const common = rowQuery(table, options);
    return this.room().enterVerified(
      'sql.verifiedGetAll',
      options,
      ['schema'],
      async ({ session, trust, call }) => {
        const rows: (VerifiedRow | null)[] = [];
        let next = 0;
        const one = async (i: number) => {
          // Each has its own time of asking; the call is counted once.
          const asking = { rpc: session, trust, call: i === 0 ? call : { ...call, counted: true } };
          rows[i] = await verifiedRow(asking, { pk: asked[i] as PrimaryKey, ...common });
        };
        const lane = async () => {
          while (next < asked.length) await one(next++);
        };
        // What the first learns of the table helps the others.
        if (asked.length > 0) await one(next++);
        await Promise.all(Array.from({ length: LANES }, lane));
        return rows;
      },
    );
  }

  /**
   * The rows of a query, proven, and proven to be all: which rows there are is known from what was followed, each of them is held against
   * it, and joins, condition, groups, order and limit are computed here, over nothing else. As of a root that is not older than what the
   * server has when it is asked now: own writes are seen. It takes columns of one table, or of several that are joined on equal columns
   * (INNER JOIN), and COUNT, SUM, MIN, MAX and AVG of them, with GROUP BY. What is not computed so (other joins, HAVING, expressions) is
   * NOT_PROVABLE, and never the server's word: a mirror answers any SQL. Reads the rows of whole tables, unless the condition names values of
   * the first columns of a primary key: then those that are stored under such keys. Of joined tables the rows of all but the first are held
   * in memory, as many as `maxRows` of each; of groups as many. Requires `follow({ ordered: true })`, from genesis.
   *
   * @example
   * await client.follow({ ordered: true });
   * const { rows, provenLatestAt } = await client.sql.verifiedQuery`SELECT id, total FROM orders WHERE total > ${100n} ORDER BY total DESC`;
   * const sums = await client.sql.verifiedQuery`SELECT o.item, COUNT(*) AS orders, SUM(o.total) AS total FROM orders AS o GROUP BY o.item`;
   * @throws ArgumentError naming what is missing or refused
   * @throws NotProvableError for what is not computed over proven rows, and where the database is not followed so
   * @throws VerificationError where a row is not shown as it was written
   * @throws ImmuError NOT_FOUND when there is no such table or column; LIMIT_EXCEEDED for more than `maxRows`; DECODE_FAILED where the table's
   *   columns cannot read a row
   */
  async verifiedQuery<Row extends object = SqlRow>(
    strings: TemplateStringsArray,
    ...values: readonly SqlParam[]
  ): Promise<VerifiedRows<Row>>;
  async verifiedQuery<Row extends object = SqlRow>(
    statement: SqlStatement,
    options?: SqlQueryOptions,
  ): Promise<VerifiedRows<Row>>;
  async verifiedQuery<Row extends object = SqlRow>(
    sql: string,
    params?: SqlParams,
    options?: SqlQueryOptions,
  ): Promise<VerifiedRows<Row>>;
  async verifiedQuery<Row extends object = SqlRow>(...given: readonly unknown[]): Promise<VerifiedRows<Row>> {
    const { statement, options, maxRows } = sqlCall(given, 'query');
    const found = await this.room().enterVerified(
      'sql.verifiedQuery',
      options,
      QUERY_NAMES,
      ({ session, trust, call }) => verifiedQuery({ rpc: session, trust, call }, statement, maxRows),
      bytesOf(statement),
    );
    return found as VerifiedRows<object> as VerifiedRows<Row>;
  }

  /**
   * Holds a row that came by any other way, such as a driver of PostgreSQL, against the proven one of that key: column by column, by what the
   * values mean. A difference is told, not thrown: the row may have been changed between the two reads.
   *
   * @example
   * const { rows } = await postgres.query('SELECT * FROM orders WHERE id = 17');
   * const { matches, differences } = await client.sql.verifyRow(rows[0], 'orders', 17n);
   * @throws VerificationError when the answer is not proven
   */
  async verifyRow(
    row: object,
    table: string,
    pk: PrimaryKey,
    options: Omit<VerifiedRowOptions, 'schema'> = NO_OPTIONS,
  ): Promise<RowComparison> {
    const columns = checkRow(row);
    checkOptions(options, ['atTx']);
    const query = { pk, ...rowQuery(table, options) };
    return this.room().enterVerified('sql.verifyRow', options, ['atTx'], async ({ session, trust, call }) => {
      const asking = { rpc: session, trust, call };
      const proven = await verifiedRow(asking, query);
      if (!proven) return { matches: false, differences: [], proven };
      const { schema } = await knownTable(asking, query.table);
      return resultOf(compareRow(columns, proven, typesOf(schema)));
    });
  }

  /**
   * A table by its transactions, each proven: names as they were made in them, types and primary key as they are for ever. Without a
   * name, all tables. Where the database is followed from genesis on (`follow()`), it is exactly so as of `catalogAt`, the root that was
   * followed to (`catalog: 'followed'`); else that no later transaction was left out is the server's word (`'proven'`).
   *
   * @throws ImmuError NOT_FOUND when no transaction of such a table is shown; DECODE_FAILED for one whose columns cannot be read, as an
   *   honest server makes them where one transaction alters a type and a name
   * @example
   * await client.follow();
   * const { columns, catalog } = await client.sql.verifiedSchema('orders');
   */
  async verifiedSchema(table: string, options?: CallOptions): Promise<VerifiedSchema>;
  async verifiedSchema(options?: CallOptions): Promise<VerifiedSchema[]>;
  async verifiedSchema(
    ...given: readonly [(string | CallOptions)?, CallOptions?]
  ): Promise<VerifiedSchema | VerifiedSchema[]> {
    const [first, second] = given;
    const isAll = first === undefined || typeof first === 'object';
    const name = isAll ? undefined : tableName(first);
    const options = (isAll ? first : second) ?? NO_OPTIONS;
    return this.room().enterVerified('sql.verifiedSchema', options, [], async ({ session, trust, call }) => {
      await trust.ready(call);
      const asking = { rpc: session, trust, call };
      const found: VerifiedSchema[] = [];
      if (name !== undefined) found.push(await schemaNow(asking, name, true));
      else for (const each of await knownTables(asking)) found.push(await schemaNow(asking, each, false));
      if (call.counted !== true) trust.countCalls(call.operation, call.startedAt, 1);
      return name === undefined ? found : (found[0] as VerifiedSchema);
    });
  }
}

async function schemaNow(asking: SqlAsking, name: string, anew: boolean): Promise<VerifiedSchema> {
  const table = await knownTable(asking, name, anew);
  const { schema, tx, level } = table;
  const { id, columns, primaryKey, indexes, checks } = schema;
  const at = table.level === 'followed' ? { catalogAt: table.at } : {};
  return resultOf({ name, id, tx, columns, primaryKey, indexes, checks, catalog: level, ...at });
}

/** Throws ArgumentError. */
function rowQuery(table: string, { schema = 'proven', atTx }: VerifiedRowOptions): Omit<RowQuery, 'pk'> {
  if (atTx !== undefined) txId('atTx', atTx);
  if (typeof schema === 'string' && schema !== 'proven' && (schema as string) !== 'claimed')
    throw new ArgumentError('schema', "schema must be 'proven', 'claimed' or a table's schema");
  const by = schema === 'proven' ? undefined : schema === 'claimed' ? schema : pinnedSchema(schema);
  return { table: tableName(table), atTx, schema: by };
}
