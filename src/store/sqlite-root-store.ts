// The default root store: one SQLite file, written by a thread of its own, durable before a promise resolves.
import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ArgumentError, ClosedError, StoreError } from '../errors.js';
import { assertEntry } from './audit-row.js';
import { checkQuery } from './audit-query.js';
import { assertUpward } from './memory-root-store.js';
import type {
  AdvanceOutcome,
  AuditEntry,
  AuditLog,
  AuditRow,
  AuditVerdict,
  RootsQuery,
  RootStore,
  StoredRoot,
  TrustKey,
} from './root-store.js';
import type { Numbered, SentError, StoreAnswer, StoreRequest, ThreadData } from './sqlite/messages.js';

export interface SqliteRootStoreOptions {
  /**
   * `if-new`: the file is created when neither it nor its marker (`<path>.id`) exists. `never`: it must exist.
   *
   * @default 'if-new'
   */
  readonly create?: 'if-new' | 'never';
  /** How long a write waits for another process's. @default 10 000 */
  readonly busyTimeoutMs?: number;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Root store in a SQLite file (WAL, synchronous=FULL). Several processes may use one file. Writes that arrive together
 * share one commit. An idle store does not keep the process alive.
 *
 * @example
 * await using store = await SqliteRootStore.open('./roots.db');
 * for await (const row of store.audit.roots({ order: 'desc', limit: 10 })) console.log(row.tx, row.operation);
 */
export class SqliteRootStore implements RootStore {
  readonly path: string;
  readonly audit: AuditLog = {
    roots: (query) => this.#roots(query),
    latest: (filter = {}) => this.#ask({ kind: 'latest', filter }),
    verify: () => this.#ask<AuditVerdict>({ kind: 'verify' }),
  };
  readonly #thread: Worker;
  readonly #pending = new Map<number, Pending>();
  #batch: Numbered[] = [];
  #lastId = 0;
  #ended: Error | undefined;
  #closing: Promise<void> | undefined;

  private constructor(path: string, thread: Worker) {
    this.path = path;
    this.#thread = thread;
    thread.on('message', (answers: StoreAnswer[]) => {
      for (const answer of answers) this.#settle(answer);
    });
    thread.on('error', (error) =>
      this.#end(
        new StoreError('STORE_FAILED', `the thread of root store ${path} crashed: ${error.message}`, {
          cause: error,
        }),
      ),
    );
    thread.on('exit', () =>
      this.#end(new StoreError('STORE_FAILED', `the thread of root store ${path} ended`)),
    );
  }

  /** @throws StoreError STORE_MISSING, STORE_DAMAGED, STORE_FOREIGN or STORE_FAILED: never a fresh start in place of one */
  static async open(path: string, options: SqliteRootStoreOptions = {}): Promise<SqliteRootStore> {
    if (typeof path !== 'string' || path === '')
      throw new ArgumentError('path', 'path must be the path of a file');
    if (path.startsWith(':memory:'))
      throw new ArgumentError('path', 'use MemoryRootStore for a store in memory');
    const { create = 'if-new', busyTimeoutMs = 10_000 } = options;
    if (!['if-new', 'never'].includes(create))
      throw new ArgumentError('create', "create must be 'if-new' or 'never'");
    if (!Number.isInteger(busyTimeoutMs) || busyTimeoutMs < 0) {
      throw new ArgumentError('busyTimeoutMs', 'busyTimeoutMs must be an integer of 0 or more');
    }
    const full = resolve(path);
    const workerData: ThreadData = { path: full, options: { create, busyTimeoutMs } };
    const thread = new Worker(new URL('./sqlite/thread.js', import.meta.url), { workerData });
    const store = new SqliteRootStore(full, thread);
    await new Promise((opened, failed) => store.#pending.set(0, { resolve: opened, reject: failed }));
    return store;
  }

  head(key: TrustKey): Promise<StoredRoot | null> {
    return this.#ask({ kind: 'head', key });
  }

  async advance(expected: StoredRoot | null, entry: AuditEntry): Promise<AdvanceOutcome> {
    assertEntry(entry);
    assertUpward(expected, entry);
    return this.#ask({ kind: 'advance', expected, entry });
  }

  async record(entry: AuditEntry): Promise<void> {
    assertEntry(entry);
    await this.#ask({ kind: 'record', entry });
  }

  async forget(entry: AuditEntry): Promise<void> {
    assertEntry(entry);
    await this.#ask({ kind: 'forget', entry });
  }

  identity(address: string): Promise<string | null> {
    return this.#ask({ kind: 'identity', address });
  }

  bindIdentity(address: string, server: string): Promise<string> {
    return this.#ask({ kind: 'bind', address, server });
  }

  rebindIdentity(address: string, server: string): Promise<void> {
    return this.#ask({ kind: 'rebind', address, server });
  }

  /** Diagnostics: how many commits this store has made. */
  async commits(): Promise<number> {
    return (await this.#ask<{ commits: number }>({ kind: 'stats' })).commits;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    if (this.#ended) return;
    // Answered in order: what was asked before is done by then.
    const last = this.#ask({ kind: 'close' });
    this.#ended = new ClosedError('the root store');
    await last;
    await this.#thread.terminate();
  }

  async *#roots(query: RootsQuery = {}): AsyncIterableIterator<AuditRow> {
    checkQuery(query);
    let left = query.limit ?? Infinity;
    let after: bigint | null = null;
    while (left > 0) {
      const limit = Number.isFinite(left) ? { limit: left } : {};
      const page: AuditRow[] = await this.#ask({ kind: 'page', query: { ...query, ...limit }, after });
      yield* page;
      const last = page.at(-1);
      if (!last) return;
      left -= page.length;
      after = last.seq;
    }
  }

  #ask<T>(request: StoreRequest): Promise<T> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise<T>((resolve, reject) => {
      const id = ++this.#lastId;
      this.#pending.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#thread.ref();
      this.#batch.push({ id, request });
      // What is asked in one turn goes in one message and, if written, in one commit.
      if (this.#batch.length === 1) setImmediate(() => this.#send());
    });
  }

  #send(): void {
    const batch = this.#batch;
    this.#batch = [];
    if (batch.length > 0) this.#thread.postMessage(batch);
  }

  #settle(answer: StoreAnswer): void {
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if (this.#pending.size === 0) this.#thread.unref();
    if (answer.ok) pending?.resolve(answer.value);
    else pending?.reject(fromSent(answer.error));
  }

  #end(error: Error): void {
    this.#ended ??= error;
    const { size } = this.#pending;
    if (size === 0) return;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

function fromSent({ code, message, argument }: SentError): Error {
  return argument === undefined ? new StoreError(code, message) : new ArgumentError(argument, message);
}
