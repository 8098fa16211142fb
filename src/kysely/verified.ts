// Statements of Kysely whose answers are proven: what is written by its transaction, rows by their primary keys. What there is no proof of
// is refused with the reason, never answered by the server's word.
import type { CompiledQuery, QueryCompiler, QueryResult, SelectQueryNode } from 'kysely';
import { NotProvableError } from '../errors.js';
import type {
  CallOptions,
  DatabaseHandle,
  SqlRow,
  VerifiedSchema,
  VerifiedSqlTx,
  WrittenRow,
} from '../index.js';
import { chunksOf, executeIn, named, paramsOf, sortOf, writtenOf } from './execute.js';
import { ProvableSelect } from './provable-select.js';
import { isSameValue } from './row-values.js';
import type { KyselyTransaction } from './transaction.js';

/** How often rows are asked for while others change them. */
const MAX_TRIES = 5;

export class VerifiedStatements {
  readonly #database: DatabaseHandle;
  readonly #compiler: QueryCompiler;
  /** By name, with the primary keys, which a table has for ever. */
  readonly #tables = new Map<string, Promise<VerifiedSchema>>();

  constructor(database: DatabaseHandle, compiler: QueryCompiler) {
    this.#database = database;
    this.#compiler = compiler;
  }

  async execute(
    query: CompiledQuery,
    transaction: KyselyTransaction | undefined,
    call: CallOptions,
  ): Promise<QueryResult<unknown>> {
    const sort = sortOf(query);
    if (transaction) {
      if (sort !== 'write') throw inTransaction();
      return transaction.run((sql) => executeIn(sql, query, call));
    }
    if (sort === 'read') return { rows: await this.#select(query, call) };
    return sort === 'write' ? this.#write(query, call) : this.#returning(query, call);
  }

  async *stream(
    query: CompiledQuery,
    transaction: KyselyTransaction | undefined,
    chunkSize: number,
    call: CallOptions,
  ): AsyncGenerator<SqlRow[], void, undefined> {
    if (transaction) throw inTransaction();
    const select = ProvableSelect.of(query.query);
    const schema = await this.#table(select.table, call);
    const { sql, parameters } = this.#withKey(select, schema, query);
    const rows = this.#database.sql.stream(sql, paramsOf({ ...query, parameters }), call);
    const check = select.checkFor(schema);
    for await (const chunk of chunksOf(rows, chunkSize))
      yield check(await this.#prove(select, schema, chunk, call));
  }

  async #select(query: CompiledQuery, call: CallOptions): Promise<SqlRow[]> {
    const select = ProvableSelect.of(query.query);
    for (let triesLeft = MAX_TRIES - 1; ; triesLeft--) {
      const schema = await this.#table(select.table, call);
      const { sql, parameters } = this.#withKey(select, schema, query);
      const rows = await this.#database.sql.query(sql, paramsOf({ ...query, parameters }), call);
      try {
        return select.checkFor(schema)(await this.#prove(select, schema, rows, call));
      } catch (error) {
        if (!(error instanceof NotProvableError) || triesLeft === 0) throw error;
        // Rows were written between the two questions, or the table is another one by now.
        this.#tables.delete(select.table);
      }
    }
  }

  /** The proven rows of the keys that are shown, all columns of them. */
  async #prove(
    select: ProvableSelect,
    schema: VerifiedSchema,
    shown: readonly SqlRow[],
    call: CallOptions,
  ): Promise<SqlRow[]> {
    const keys = shown.map((row) => select.keyIn(row, schema));
    const proven = await this.#database.sql.verifiedGetAll(select.table, keys, call);
    return proven.map((row) => {
      if (!row)
        throw new NotProvableError(`a row of ${select.table} that is shown cannot be had by its primary key`);
      if (row.anomaly !== undefined)
        throw new NotProvableError(`a row of ${select.table} is stored under another key than it has`);
      return row.values;
    });
  }

  async #write(query: CompiledQuery, call: CallOptions): Promise<QueryResult<unknown>> {
    const { txs, lastInserted } = await this.#database.sql.verifiedExec(query.sql, paramsOf(query), call);
    return writtenOf(query, BigInt(rowsOf(txs).length), lastInserted);
  }

  /** The rows are answered before their transaction is proven: each must be of one that it wrote. */
  async #returning(query: CompiledQuery, call: CallOptions): Promise<QueryResult<unknown>> {
    const { value, txs } = await this.#database.verifiedTransaction(
      (tx) => tx.query(query.sql, paramsOf(query)),
      call,
    );
    const written = rowsOf(txs);
    const left = new Set(written);
    for (const row of value) {
      const found = find(left, row);
      if (!found) throw writtenOtherwise(txs, 'a row that RETURNING was answered with is not among them');
      left.delete(found);
    }
    if (left.size > 0) throw writtenOtherwise(txs, 'RETURNING was answered with fewer');
    return { rows: named(query, value), numAffectedRows: BigInt(written.length) };
  }

  #withKey(select: ProvableSelect, schema: VerifiedSchema, query: CompiledQuery): CompiledQuery {
    const node: SelectQueryNode = select.withKey(schema);
    return this.#compiler.compileQuery(node, query.queryId);
  }

  #table(name: string, call: CallOptions): Promise<VerifiedSchema> {
    let table = this.#tables.get(name);
    if (!table) {
      table = this.#database.sql.verifiedSchema(name, call);
      this.#tables.set(name, table);
      table.catch(() => this.#tables.delete(name));
    }
    return table;
  }
}

function rowsOf(txs: readonly VerifiedSqlTx[]) {
  return txs.flatMap(({ rows }) => rows);
}

function find(left: ReadonlySet<WrittenRow>, row: SqlRow): WrittenRow | undefined {
  for (const each of left) if (each.values && isPartOf(row, each.values)) return each;
  return undefined;
}

function writtenOtherwise(txs: readonly VerifiedSqlTx[], what: string): NotProvableError {
  const where = txs.map(({ tx }) => tx.toString()).join(', ');
  return new NotProvableError(`rows were written (tx ${where}), and that is proven; but ${what}`);
}

/** All columns that are shown are as they are proven. */
function isPartOf(shown: SqlRow, proven: SqlRow): boolean {
  return Object.entries(shown).every(
    ([name, value]) => Object.hasOwn(proven, name) && isSameValue(proven[name], value),
  );
}

function inTransaction(): NotProvableError {
  return new NotProvableError(
    'what is read in a transaction before it is committed cannot be proven: read it before, or without verified()',
  );
}
