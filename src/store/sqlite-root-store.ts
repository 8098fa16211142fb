// The default root store: one SQLite file, written by a thread of its own, durable before a promise resolves.
import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ArgumentError, ClosedError, StoreError } from '../errors.js';
import { checkedEntry, checkedExpected, checkedKey, checkedText } from './audit-entry.js';
import { checkedQuery } from './audit-query.js';
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
import { fromSent } from './sqlite/messages.js';
import type {
  Numbered,
  StoreAnswer,
  StoreDiagnostics,
  StoreReply,
  StoreRequest,
  ThreadData,
} from './sqlite/messages.js';

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
  readonly audit = {
    roots: (query) => this.#roots(query),
    latest: async (filter) => this.#ask({ kind: 'latest', filter: checkedQuery(filter) }),
    verify: () => this.#ask<AuditVerdict>({ kind: 'verify' }),
  } as unknown as AuditLog;
  readonly #thread: Worker;
  readonly #pending = new Map<number, Pending>();
  #batch: Numbered[] = [];
  #diagnostics: StoreDiagnostics = { commits: 0, writes: 0 };
  #lastId = 0;
  #ended: Error | undefined;
  #closing: Promise<void> | undefined;

  private constructor(path: string, thread: Worker) {
    this.path = path;
    this.#thread = thread;
    thread.on('message', ({ answers, diagnostics }: StoreReply) => {
      this.#diagnostics = diagnostics;
      for (const answer of answers) this.#settle(answer);
    });
    thread.on('error', (cause) => this.#end(`crashed: ${cause.message}`, cause));
    thread.on('exit', () => this.#end('ended'));
  }

  /**
   * Opens the store at `path`. A new one is made, with its folder, only where there is neither a store nor its marker
   * `<path>.id`. The newest rows of the log and every head are checked; `audit.verify()` checks all.
   *
   * @throws StoreError STORE_MISSING (there was a store, or `create` is `never`), STORE_FOREIGN (another store, or not a
   * store of ours), STORE_DAMAGED, or STORE_FAILED (cannot be read or written)
   */
  static async open(path: string, options: SqliteRootStoreOptions = {}): Promise<SqliteRootStore> {
    const full = checkedPath(path);
    const { create = 'if-new', busyTimeoutMs = 10_000 } = options;
    if (!['if-new', 'never'].includes(create)) {
      throw new ArgumentError('create', "create must be 'if-new' or 'never'");
    }
    if (!Number.isInteger(busyTimeoutMs) || busyTimeoutMs < 0 || busyTimeoutMs > 0x7fff_ffff) {
      throw new ArgumentError('busyTimeoutMs', 'busyTimeoutMs must be an integer from 0 to 2^31 - 1');
    }
    const workerData: ThreadData = { path: full, options: { create, busyTimeoutMs } };
    // Flags of the process, such as those of `node --eval`, are not for this thread.
    const thread = new Worker(new URL('./sqlite/thread.js', import.meta.url), { workerData, execArgv: [] });
    const store = new SqliteRootStore(full, thread);
    try {
      await new Promise((opened, failed) => store.#pending.set(0, { resolve: opened, reject: failed }));
    } catch (error) {
      await thread.terminate();
      throw error;
    }
    return store;
  }

  async head(key: TrustKey): Promise<StoredRoot | null> {
    return this.#ask({ kind: 'head', key: checkedKey(key) });
  }

  async advance(expected: StoredRoot | null, entry: AuditEntry): Promise<AdvanceOutcome> {
    const row = checkedEntry(entry, 'advance');
    return this.#ask({ kind: 'advance', expected: checkedExpected(expected, row), entry: row });
  }

  async record(entry: AuditEntry): Promise<void> {
    await this.#ask({ kind: 'record', entry: checkedEntry(entry, 'record') });
  }

  async forget(entry: AuditEntry): Promise<void> {
    await this.#ask({ kind: 'forget', entry: checkedEntry(entry, 'forget') });
  }

  async identity(address: string): Promise<string | null> {
    return this.#ask({ kind: 'identity', address: checkedText('address', address) });
  }

  async bindIdentity(address: string, server: string): Promise<string> {
    return this.#ask({
      kind: 'bind',
      address: checkedText('address', address),
      server: checkedText('server', server),
    });
  }

  async rebindIdentity(address: string, server: string): Promise<void> {
    await this.#ask({
      kind: 'rebind',
      address: checkedText('address', address),
      server: checkedText('server', server),
    });
  }

  /** Commits and writes since this store was opened: how well writes share flushes to disk. */
  get diagnostics(): StoreDiagnostics {
    return this.#diagnostics;
  }

  /** Waits for what was asked before; what is asked later is refused with ClosedError. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    if (this.#ended) return;
    const last = this.#ask({ kind: 'close' });
    this.#ended = new ClosedError('the root store');
    // A thread that crashes instead has told everyone who waits for an answer.
    await last.catch(() => undefined);
    // Only a walk along the chain can still be under way.
    this.#rejectAll(this.#ended);
    await this.#thread.terminate();
  }

  async *#roots(given?: RootsQuery): AsyncIterableIterator<AuditRow> {
    const query = checkedQuery(given);
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

  /** The thread is gone: nobody waits for it any longer. */
  #end(how: string, cause?: Error): void {
    const message = `the thread of root store ${this.path} ${how}`;
    const error = new StoreError('STORE_FAILED', message, cause && { cause });
    this.#ended ??= error;
    this.#rejectAll(error);
  }

  #rejectAll(error: Error): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(error);
  }
}

function checkedPath(path: string): string {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw new ArgumentError('path', 'path must be the path of a file');
  }
  if (path.startsWith(':memory:')) {
    throw new ArgumentError('path', 'path must be a file; MemoryRootStore is the store in memory');
  }
  return resolve(path);
}
