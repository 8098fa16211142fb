// Kysely's driver: its connections are our database, which has as many as it needs; a transaction is open on one of them.
import type {
  CompiledQuery,
  DatabaseConnection,
  Driver,
  QueryCompiler,
  QueryResult,
  TransactionSettings,
} from 'kysely';
import { ArgumentError } from '../errors.js';
import type { DatabaseHandle } from '../index.js';
import { executeIn, executeOn, streamFrom } from './execute.js';
import { KyselyTransaction } from './transaction.js';
import { VerifiedStatements } from './verified.js';

export interface DriverOptions {
  /** Deadline of each statement. @default the client's `timeoutMs` */
  readonly timeoutMs?: number;
  /** Deadline of each transaction, from its beginning to its commit. @default the client's `timeoutMs` */
  readonly transactionTimeoutMs?: number;
}

const SAVEPOINTS = 'immudb does not undo what was written since a savepoint: begin a transaction of its own';

export class ImmuDriver implements Driver {
  readonly #database: DatabaseHandle;
  readonly #options: DriverOptions;
  readonly #verified: VerifiedStatements | undefined;

  /** `compiler`: of one that is verified, which asks for more columns than its caller. */
  constructor(database: DatabaseHandle, options: DriverOptions, compiler?: QueryCompiler) {
    this.#database = database;
    this.#options = options;
    this.#verified = compiler && new VerifiedStatements(database, compiler);
  }

  init(): Promise<void> {
    return Promise.resolve();
  }

  acquireConnection(): Promise<DatabaseConnection> {
    const { timeoutMs } = this.#options;
    return Promise.resolve(
      new ImmuConnection(this.#database, timeoutMs === undefined ? {} : { timeoutMs }, this.#verified),
    );
  }

  /** Every level of isolation is given the one that there is: what was read and changed meanwhile makes the commit fail. */
  async beginTransaction(connection: ImmuConnection, { accessMode }: TransactionSettings): Promise<void> {
    const { transactionTimeoutMs: timeoutMs } = this.#options;
    connection.transaction = await KyselyTransaction.begin(this.#database, this.#verified !== undefined, {
      mode: accessMode === 'read only' ? 'read' : 'read-write',
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
  }

  async commitTransaction(connection: ImmuConnection): Promise<void> {
    const { transaction } = connection;
    connection.transaction = undefined;
    await transaction?.commit();
  }

  async rollbackTransaction(connection: ImmuConnection): Promise<void> {
    const { transaction } = connection;
    connection.transaction = undefined;
    await transaction?.rollback();
  }

  savepoint(): Promise<void> {
    return Promise.reject(new ArgumentError('savepoint', SAVEPOINTS));
  }

  rollbackToSavepoint(): Promise<void> {
    return this.savepoint();
  }

  releaseSavepoint(): Promise<void> {
    return this.savepoint();
  }

  /** One that is given back with a transaction open has nobody left who would commit it. */
  async releaseConnection(connection: ImmuConnection): Promise<void> {
    await this.rollbackTransaction(connection);
  }

  /** The client is its owner's to close. */
  destroy(): Promise<void> {
    return Promise.resolve();
  }
}

class ImmuConnection implements DatabaseConnection {
  transaction: KyselyTransaction | undefined;
  readonly #database: DatabaseHandle;
  readonly #call: { readonly timeoutMs?: number };
  readonly #verified: VerifiedStatements | undefined;

  constructor(
    database: DatabaseHandle,
    call: { readonly timeoutMs?: number },
    verified: VerifiedStatements | undefined,
  ) {
    this.#database = database;
    this.#call = call;
    this.#verified = verified;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { transaction } = this;
    const result = await (this.#verified
      ? this.#verified.execute(query, transaction, this.#call)
      : transaction
        ? transaction.run((sql) => executeIn(sql, query, this.#call))
        : executeOn(this.#database, query, this.#call));
    return result as QueryResult<R>;
  }

  async *streamQuery<R>(query: CompiledQuery, chunkSize = 100): AsyncGenerator<QueryResult<R>> {
    const { sql } = this.transaction ?? this.#database;
    const chunks = this.#verified
      ? this.#verified.stream(query, this.transaction, chunkSize, this.#call)
      : streamFrom(sql, query, chunkSize, this.#call);
    for await (const rows of chunks) yield { rows: rows as R[] };
  }
}
