// A transaction of SQL: begun on the server, its statements one after another, committed when its function returns and rolled back
// when that throws.
import { ArgumentError, ClosedError, ImmuError, ServerError, TransportError } from '../../../errors.js';
import { whenAborted } from '../../flow/abort-listeners.js';
import type { Deadline } from '../../flow/deadline.js';
import type { CallOptions } from '../../input/call-options.js';
import { oneOf, whole } from '../../input/option-checks.js';
import { txId } from '../../input/tx-id.js';
import type { RpcOptions } from '../../net/rpc.js';
import type { Session } from '../../net/session.js';
import { asNotDone, isNotDone } from '../../net/server-errors.js';
import { writeOf } from './exec.js';
import type { SqlWrite } from './exec.js';
import { queryRows, streamRows } from './query.js';
import type { RowSource } from './query.js';
import type { WireStatement } from './statement.js';
import type { SqlRow } from './values.js';

export interface TransactionOptions extends CallOptions {
  /** `read` takes no writes. @default 'read-write' */
  readonly mode?: 'read-write' | 'read';
  /** What is read is at least as new as this transaction. @default as the server chooses */
  readonly snapshotTx?: bigint;
  /**
   * How often the whole function is called again after a conflict: what it read or wrote was changed by another transaction. It must
   * be one that can be called again. @default 0
   */
  readonly retries?: number;
}

/** Names of these options. */
export const TRANSACTION_NAMES = ['mode', 'snapshotTx', 'retries'];

export interface CheckedTransaction {
  readonly readOnly: boolean;
  readonly snapshotTx: bigint | undefined;
  readonly retries: number;
}

const MAX_RETRIES = 1000;

/** Throws ArgumentError. */
export function checkTransaction({
  mode = 'read-write',
  snapshotTx,
  retries = 0,
}: TransactionOptions): CheckedTransaction {
  const readOnly = oneOf('mode', mode, ['read-write', 'read']) === 'read';
  if (snapshotTx !== undefined) txId('snapshotTx', snapshotTx);
  return { readOnly, snapshotTx, retries: whole('retries', retries, 0, MAX_RETRIES) };
}

/** What can be a header of gRPC, and so an id that is sent as one. */
const ID = /^[\x21-\x7e]{1,200}$/;
/** Longest wait for the server to take note of a rollback: it ends by itself with the session. */
const ROLLBACK_TIMEOUT_MS = 2000;
/** Servers mostly notice within so much that the rows of a query are not wanted any more. */
const NOTICE_MS = 200;

/** One that is open on the server. Statements are sent one after another, in the order of their calls. */
export class OpenTransaction {
  readonly #session: Session;
  readonly #deadline: Deadline;
  readonly #id: string;
  readonly #readOnly: boolean;
  #last: Promise<unknown> = Promise.resolve();
  #ended: string | undefined;
  #failure: { readonly error: unknown } | undefined;
  #isBusy = false;
  readonly #over = new AbortController();
  /** When rows were last left unread, on the clock of `performance.now()`. */
  #cutOffAt = -Infinity;

  private constructor(session: Session, deadline: Deadline, id: string, readOnly: boolean) {
    this.#session = session;
    this.#deadline = deadline;
    this.#id = id;
    this.#readOnly = readOnly;
  }

  static async begin(
    session: Session,
    deadline: Deadline,
    { readOnly, snapshotTx }: CheckedTransaction,
  ): Promise<OpenTransaction> {
    const request = {
      mode: readOnly ? 'ReadOnly' : 'ReadWrite',
      ...(snapshotTx !== undefined && { snapshotMustIncludeTxID: { value: snapshotTx.toString() } }),
    } as const;
    // A caller that gives up leaves one behind which nobody else could end: it is waited for, and rolled back.
    const timeoutMs = deadline.left.timeoutMs + ROLLBACK_TIMEOUT_MS;
    const begun = session.unary('NewTx', request, { timeoutMs }).then(({ transactionID = '' }) => {
      if (!ID.test(transactionID))
        throw new TransportError(
          'UNAVAILABLE',
          'the server began a transaction and gave no usable id for it',
        );
      return new OpenTransaction(session, deadline, transactionID, readOnly);
    });
    try {
      return await deadline.race(begun, 'a transaction to begin');
    } catch (error) {
      void session.hold(() =>
        begun.then(
          (open) => open.rollback(),
          () => undefined,
        ),
      );
      throw error;
    }
  }

  exec({ sql, params }: WireStatement, options: CallOptions): Promise<void> {
    return this.#next(options, async (call) => {
      await this.#session.unary('TxSQLExec', { sql, params }, call);
    });
  }

  query(statement: WireStatement, maxRows: number, options: CallOptions): Promise<SqlRow[]> {
    return this.#next(options, (call) =>
      this.#reading(queryRows(this.#session, 'TxSQLQuery', statement, maxRows, call), () => true),
    );
  }

  /** What comes next waits until the rows have been taken, or their reader has left. */
  stream(statement: WireStatement, options: CallOptions): Promise<RowSource> {
    return new Promise((resolve, reject) => {
      this.#next(options, (call) =>
        this.#reading(
          streamRows(this.#session, 'TxSQLQuery', statement, call, resolve),
          (isWhole) => isWhole,
        ),
      ).catch(reject);
    });
  }

  #next<T>(options: CallOptions, send: (call: RpcOptions) => Promise<T>): Promise<T> {
    if (this.#ended !== undefined) return Promise.reject(new ClosedError(this.#ended));
    const next = this.#last.then(async () => {
      // An error ends a transaction on the server; whatever comes after is not part of one.
      if (this.#failure) throw new ClosedError('the transaction, which ended with an error,');
      this.#isBusy = true;
      try {
        return await send(this.#call(options));
      } catch (error) {
        this.#failure ??= { error };
        throw error;
      } finally {
        this.#isBusy = false;
      }
    });
    this.#last = next.catch(() => undefined);
    return next;
  }

  #call({ timeoutMs = Infinity, signal }: CallOptions): RpcOptions {
    const { left } = this.#deadline;
    const over = this.#over.signal;
    return {
      timeoutMs: Math.min(timeoutMs, left.timeoutMs),
      signal: signal ? AbortSignal.any([signal, over]) : over,
      transactionId: this.#id,
    };
  }

  /** Has everything of it end when its caller gives up. Returns what takes that back. */
  listen(): (() => void) | undefined {
    const { signal } = this.#deadline;
    if (!signal) return undefined;
    const onAbort = () => this.#over.abort(signal.reason);
    if (!signal.aborted) return whenAborted(signal, onAbort);
    onAbort();
    return undefined;
  }

  /** Waits for what is under way; from now on nothing more is sent. Throws what a statement has ended the transaction with. */
  async settle(): Promise<void> {
    this.#ended = 'the transaction';
    await this.#deadline.race(this.#last, 'the statements of the transaction to be answered');
    if (this.#failure) throw this.#failure.error;
    await this.#unread();
  }

  /** Requires {@link settle}. Of one that only reads there is nothing to commit. */
  async commit({ over }: Pick<RpcOptions, 'over'> = {}): Promise<SqlWrite> {
    if (this.#readOnly) {
      await this.rollback();
      return writeOf([]);
    }
    const call = { ...this.#call({}), ...(over !== undefined && { over }) };
    const answer = await this.#session.unary('Commit', {}, call);
    return writeOf([answer]);
  }

  /** As far as the server can be reached: what was not committed is gone in any case. */
  async rollback(): Promise<void> {
    this.#ended = 'the transaction';
    if (this.#isBusy) {
      // What is under way, such as rows that nobody takes any more.
      this.#over.abort();
      this.#cutOffAt = performance.now();
    }
    await this.#unread();
    const call = { timeoutMs: ROLLBACK_TIMEOUT_MS, transactionId: this.#id };
    await this.#session.unary('Rollback', {}, call).catch(() => undefined);
  }

  /** Rows that nobody waits for any more. */
  async #reading<T>(rows: Promise<T>, isWhole: (read: T) => boolean): Promise<T> {
    let isCutOff = true;
    try {
      const read = await rows;
      isCutOff = !isWhole(read);
      return read;
    } catch (error) {
      isCutOff = !(error instanceof ServerError);
      throw error;
    } finally {
      if (isCutOff) this.#cutOffAt = performance.now();
    }
  }

  /** Has the server notice that rows are not wanted: of a transaction that ends while it reads, it keeps its state for good. */
  async #unread(): Promise<void> {
    const pauseMs = this.#cutOffAt + NOTICE_MS - performance.now();
    if (pauseMs > 0) await new Promise((wake) => setTimeout(wake, pauseMs));
  }
}

/**
 * Begins a transaction, has `work` done in it, and gives both results. `commit` has it committed.
 *
 * @throws ServerError CONFLICT when another transaction was first, and was so again at every retry
 */
export async function inTransaction<T, W>(
  session: Session,
  deadline: Deadline,
  wanted: CheckedTransaction,
  work: (open: OpenTransaction) => Promise<T>,
  commit: (open: OpenTransaction) => Promise<W>,
): Promise<{ readonly value: T; readonly written: W }> {
  if (session.kind !== 'session') {
    const message = 'transactions need a session: this client is logged in with a token, or not at all';
    throw new ImmuError('NOT_LOGGED_IN', message);
  }
  return session.hold(async () => {
    for (let left = wanted.retries; ; left--) {
      try {
        return await once(session, deadline, wanted, work, commit);
      } catch (error) {
        const isConflict = error instanceof ImmuError && error.code === 'CONFLICT';
        if (!isConflict || left === 0) throw error;
        // Those who met once would meet again.
        const pauseMs = Math.random() * PAUSE_MS * (1 + Math.min(wanted.retries - left, MAX_PAUSES));
        await deadline.race(new Promise((wake) => setTimeout(wake, pauseMs)), 'another try after a conflict');
      }
    }
  });
}

const PAUSE_MS = 20;
const MAX_PAUSES = 10;

async function once<T, W>(
  session: Session,
  deadline: Deadline,
  wanted: CheckedTransaction,
  work: (open: OpenTransaction) => Promise<T>,
  commit: (open: OpenTransaction) => Promise<W>,
): Promise<{ readonly value: T; readonly written: W }> {
  const open = await OpenTransaction.begin(session, deadline, wanted);
  const takeBack = open.listen();
  try {
    return await committed(open, deadline, work, commit);
  } finally {
    takeBack?.();
  }
}

async function committed<T, W>(
  open: OpenTransaction,
  deadline: Deadline,
  work: (open: OpenTransaction) => Promise<T>,
  commit: (open: OpenTransaction) => Promise<W>,
): Promise<{ readonly value: T; readonly written: W }> {
  let value: T;
  try {
    value = await deadline.race(work(open), 'the function of the transaction');
    await open.settle();
  } catch (error) {
    await open.rollback();
    throw asNotDone(error);
  }
  try {
    return { value, written: await commit(open) };
  } catch (error) {
    // It was not even sent: the server still waits for it.
    if (isNotDone(error) && !(error instanceof ServerError)) await open.rollback();
    throw error;
  }
}

/** The function that a transaction is given. Throws ArgumentError. */
export function toWork(work: unknown): void {
  if (typeof work !== 'function') throw new ArgumentError('work', 'work must be a function');
}
