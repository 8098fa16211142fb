// Transactions of SQL: a function whose statements are committed together, or not at all.
import { sqlCall } from '../calls/sql/call-forms.js';
import type { SqlQueryOptions } from '../calls/sql/call-forms.js';
import type { SqlWrite } from '../calls/sql/exec.js';
import type { SqlParams } from '../calls/sql/params.js';
import type { SqlStatement } from '../calls/sql/statement.js';
import { TRANSACTION_NAMES, checkTransaction, inTransaction, toWork } from '../calls/sql/transaction.js';
import type { OpenTransaction, TransactionOptions } from '../calls/sql/transaction.js';
import type { SqlParam, SqlRow } from '../calls/sql/values.js';
import { verifiedSqlWrite } from '../calls/sql/verified-exec.js';
import type { VerifiedSqlWrite } from '../calls/sql/verified-exec.js';
import { NO_OPTIONS, checkOptions } from '../input/call-options.js';
import type { CallOptions } from '../input/call-options.js';
import { resultOf } from '../results/result.js';
import { eachRow } from './sql.js';
import { CompleteCalls } from './complete.js';

/** A transaction as its function has it. Its statements go one after another, in the order of their calls. */
export class SqlTransaction {
  readonly #open: OpenTransaction;

  /** @internal */
  constructor(open: OpenTransaction) {
    this.#open = open;
  }

  /**
   * Executes statements that write. Nothing counts before the transaction is committed; an error ends it.
   *
   * @throws ArgumentError naming what is missing or refused: nothing was sent, and the transaction goes on
   */
  async exec(strings: TemplateStringsArray, ...values: readonly SqlParam[]): Promise<void>;
  async exec(statement: SqlStatement, options?: CallOptions): Promise<void>;
  async exec(sql: string, params?: SqlParams, options?: CallOptions): Promise<void>;
  async exec(...given: readonly unknown[]): Promise<void> {
    const { statement, options } = sqlCall(given, 'tx.exec');
    checkOptions(options, []);
    await this.#open.exec(statement, options);
  }

  /**
   * The rows of one statement, with what this transaction has written; also those of an INSERT or UPDATE with RETURNING.
   *
   * @example
   * const [row] = await tx.query<{ id: bigint }>`INSERT INTO orders (total) VALUES (${450n}) RETURNING id`;
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
    const { statement, options, maxRows } = sqlCall(given, 'tx.query');
    checkOptions(options, ['maxRows']);
    return (await this.#open.query(statement, maxRows, options)) as object[] as Row[];
  }

  /** The same rows one by one. Statements that come next wait until all are taken, or the reader has left (`break`). */
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
    const { statement, options } = sqlCall(given, 'tx.query');
    checkOptions(options, []);
    return eachRow<Row>(() => this.#open.stream(statement, options));
  }
}

export abstract class SqlTransactions extends CompleteCalls {
  /**
   * Begins a transaction, calls `work` with it, and commits when `work` returns; what it throws rolls the transaction back, and is thrown
   * on. The deadline is that of all of it. What `work` read and another transaction changed meanwhile makes the commit fail with
   * CONFLICT: nothing was written, and `retries` has `work` called again.
   *
   * @example
   * await client.transaction(async (tx) => {
   *   const [from] = await tx.query<{ total: bigint }>`SELECT total FROM accounts WHERE id = ${1n}`;
   *   if (!from || from.total < 10n) throw new Error('not enough');
   *   await tx.exec`UPDATE accounts SET total = total - 10 WHERE id = ${1n}`;
   *   await tx.exec`UPDATE accounts SET total = total + 10 WHERE id = ${2n}`;
   * }, { retries: 5 });
   * @throws ServerError CONFLICT when another transaction was first
   * @throws TransportError OUTCOME_UNKNOWN when it may have been committed
   */
  async transaction<T>(
    work: (tx: SqlTransaction) => Promise<T> | T,
    options: TransactionOptions = NO_OPTIONS,
  ): Promise<T> {
    toWork(work);
    checkOptions(options, TRANSACTION_NAMES);
    const wanted = checkTransaction(options);
    const { room } = this;
    const { value } = await room.enterWith(options, TRANSACTION_NAMES, (session, deadline) =>
      inTransaction(
        session,
        deadline,
        wanted,
        async (open) => work(new SqlTransaction(open)),
        (open) =>
          room.calls.writeApart(
            () => open.commit(),
            (written: SqlWrite) => written.txs.map(({ tx }) => tx),
          ),
      ),
    );
    return value;
  }

  /**
   * {@link transaction}, and what it wrote is proven, as by `sql.verifiedExec`: the transaction that the server names lies on the trusted
   * history, is newer than what was trusted before and no other write's, and these are all rows and changes of tables in it. What `work`
   * read is the server's word.
   *
   * @example
   * const { value, txs } = await client.verifiedTransaction(async (tx) => {
   *   await tx.exec`INSERT INTO orders (total) VALUES (${450n})`;
   *   return 'sent';
   * });
   * @throws ServerError CONFLICT when another transaction was first
   * @throws VerificationError when it is not proven
   * @throws TransportError OUTCOME_UNKNOWN when it may have been committed
   */
  async verifiedTransaction<T>(
    work: (tx: SqlTransaction) => Promise<T> | T,
    options: TransactionOptions = NO_OPTIONS,
  ): Promise<VerifiedTransactionResult<T>> {
    toWork(work);
    checkOptions(options, TRANSACTION_NAMES);
    const wanted = checkTransaction(options);
    const operation = 'verifiedTransaction';
    return this.room.enterVerified(
      operation,
      options,
      TRANSACTION_NAMES,
      async ({ session, trust, call }) => {
        const { value, written } = await inTransaction(
          session,
          call.deadline,
          wanted,
          async (open) => work(new SqlTransaction(open)),
          (open) => verifiedSqlWrite({ rpc: session, trust, call }, (sending) => open.commit(sending)),
        );
        return resultOf({ ...written, value });
      },
    );
  }
}

/** What the function of a transaction returned, and what is proven of the transaction. */
export interface VerifiedTransactionResult<T> extends VerifiedSqlWrite {
  readonly value: T;
}
