// A transaction for Kysely, which begins, commits and rolls back by separate calls: our function of one waits between them.
import type { DatabaseHandle, SqlTransaction, TransactionOptions } from '../index.js';

type End = { readonly commit: true } | { readonly commit: false };

/** What our function throws to have the transaction rolled back. */
const ROLLED_BACK = new Error('rolled back');

export class KyselyTransaction {
  readonly sql: SqlTransaction;
  readonly #end: (end: End) => void;
  readonly #whole: Promise<void>;
  #failure: unknown;

  private constructor(sql: SqlTransaction, end: (end: End) => void, whole: Promise<void>) {
    this.sql = sql;
    this.#end = end;
    this.#whole = whole;
    // Told at the commit, or by the statement that meets it.
    whole.catch((error: unknown) => (this.#failure = error));
  }

  /** `proven`: what it writes is, when it is committed. */
  static begin(
    database: DatabaseHandle,
    proven: boolean,
    options: TransactionOptions,
  ): Promise<KyselyTransaction> {
    return new Promise((resolve, reject) => {
      let end: (end: End) => void = () => undefined;
      const ended = new Promise<End>((tell) => (end = tell));
      const work = async (sql: SqlTransaction) => {
        resolve(new KyselyTransaction(sql, end, whole));
        if (!(await ended).commit) throw ROLLED_BACK;
      };
      const whole: Promise<void> = (
        proven ? database.verifiedTransaction(work, options) : database.transaction(work, options)
      ).then(() => undefined);
      whole.catch(reject);
    });
  }

  /** A statement of it. One that meets its end says what ended it. */
  async run<T>(statement: (sql: SqlTransaction) => Promise<T>): Promise<T> {
    try {
      return await statement(this.sql);
    } catch (error) {
      const isClosed = error instanceof Error && 'code' in error && error.code === 'CLOSED';
      if (isClosed && this.#failure instanceof Error) throw this.#failure;
      throw error;
    }
  }

  commit(): Promise<void> {
    this.#end({ commit: true });
    return this.#whole;
  }

  /** Whatever it has ended with before: nothing of it was written. */
  async rollback(): Promise<void> {
    this.#end({ commit: false });
    await this.#whole.catch(() => undefined);
  }
}
