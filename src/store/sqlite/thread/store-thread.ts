// The near side of a store's thread: sends what is asked in a turn as one message, and settles each caller.
import { Worker } from 'node:worker_threads';
import { ClosedError, StoreError } from '../../../errors.js';
import { threadFiles, warnOfNoThreads } from '../../../package-files.js';
import type { SqliteDriver } from '../../../sqlite/open.js';
import { buffersOf, fromSent, isWalk, isWrite } from './messages.js';
import { RowPacker } from './row-packet.js';
import type {
  ControlRequest,
  OpenedAs,
  SentRequest,
  StoreAnswer,
  StoreDiagnostics,
  StoreMessage,
  StoreReply,
  ThreadAnswer,
  ThreadData,
  ThreadRequest,
} from './messages.js';
import type { AnswerTo, AnsweringStore, RowRequest } from '../../log/requests.js';
import type { Numbered } from './numbered.js';
import type { Thread } from './on-this-thread.js';

/**
 * So many requests are sent before their turn is over: the thread writes the first rows while the next are being asked
 * for. The first part wakes it, which takes about as long as filling the next. With smaller parts the messages cost more
 * than the time won.
 */
const FIRST_PART = 8;
const PART = 32;

/** Longest wait for a store to be opened, beside that for other processes. */
const OPEN_MS = 60_000;
/** The same for all that was asked before the store is closed. */
const CLOSE_MS = 10_000;

/** What a store asks its thread through. */
export interface StoreAccess extends AnsweringStore {
  readonly diagnostics: StoreDiagnostics;
  readonly driver: SqliteDriver;
  ask<R extends SentRequest>(request: R): Promise<ThreadAnswer<R>>;
  /** Waits for what was asked before; what is asked later is refused with ClosedError. Always resolves. */
  close(): Promise<void>;
}

interface Pending {
  /** One of those who share the thread. */
  readonly owner: object;
  readonly isWalk: boolean;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class StoreThread implements StoreAccess {
  readonly #path: string;
  readonly #closeTimeoutMs: number;
  readonly #thread: Thread;
  readonly #pending = new Map<number, Pending>();
  readonly #sent: Int32Array;
  readonly #rows = new RowPacker();
  #items: Numbered<SentRequest>[] = [];
  /** Whether one of these must not be overtaken by a row. */
  #hasWrite = false;
  #turnEnds = false;
  #part = FIRST_PART;
  #diagnostics: StoreDiagnostics = { commits: 0, writes: 0 };
  #opened: OpenedAs | undefined;
  #lastId = 0;
  #ended: Error | undefined;
  #closing: Promise<void> | undefined;

  private constructor(
    { path, options }: ThreadData,
    closeTimeoutMs: number | undefined,
    thread: Thread,
    sent: Int32Array,
  ) {
    this.#path = path;
    this.#closeTimeoutMs = closeTimeoutMs ?? busyMs(options) + CLOSE_MS;
    this.#thread = thread;
    this.#sent = sent;
    thread.on('message', ({ done, moved, recorded, answers, diagnostics }: StoreReply) => {
      this.#diagnostics = diagnostics;
      for (const id of done) this.#taken(id)?.resolve(undefined);
      for (const id of moved) this.#taken(id)?.resolve({ moved: true });
      for (const id of recorded) this.#taken(id)?.resolve({});
      for (const answer of answers) this.#settle(answer);
    });
    thread.on('error', (cause: Error) => this.#end(`crashed: ${cause.message}`, cause));
    thread.on('exit', () => this.#end('ended'));
  }

  static async start(data: Omit<ThreadData, 'sent'>, closeTimeoutMs?: number): Promise<StoreThread> {
    const sent = new Int32Array(new SharedArrayBuffer(4));
    const workerData: ThreadData = { ...data, sent };
    const worker = await threadFor(workerData);
    const thread = new StoreThread(workerData, closeTimeoutMs, worker, sent);
    const openMs = busyMs(data.options) + OPEN_MS;
    try {
      const opened = new Promise<void>((resolve, reject) => {
        const isOpen = (as: unknown) => {
          thread.#opened = as as OpenedAs;
          resolve();
        };
        thread.#pending.set(0, { owner: thread, isWalk: false, resolve: isOpen, reject });
      });
      if (!(await within(openMs, opened))) {
        throw new StoreError(
          'STORE_FAILED',
          `root store ${data.path} could not be opened within ${openMs} ms`,
        );
      }
    } catch (error) {
      await within(CLOSE_MS, worker.terminate());
      throw error;
    }
    return thread;
  }

  get diagnostics(): StoreDiagnostics {
    return this.#diagnostics;
  }

  /** It is not the file itself that is open. */
  get isCopy(): boolean {
    return this.#opened?.isCopy === true;
  }

  get driver(): SqliteDriver {
    return this.#opened?.driver ?? 'better-sqlite3';
  }

  /** Whether it has ended, or is about to. */
  get isOver(): boolean {
    return this.#ended !== undefined;
  }

  ask<R extends SentRequest>(request: R, owner: object = this): Promise<ThreadAnswer<R>> {
    return this.#ask(owner, isWalk(request), (id) => {
      this.#items.push({ id, request });
      this.#hasWrite ||= isWrite(request);
    });
  }

  write<R extends RowRequest>(request: R, owner: object = this): Promise<AnswerTo<R>> {
    return this.#ask(owner, false, (id) => {
      if (this.#hasWrite) this.#send(false);
      this.#rows.add(id, request);
    });
  }

  #ask<T>(owner: object, isWalk: boolean, add: (id: number) => void): Promise<T> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise<T>((resolve, reject) => {
      this.#lastId = (this.#lastId + 1) >>> 0;
      const id = this.#lastId;
      if (this.#pending.size === 0) this.#thread.ref();
      this.#pending.set(id, { owner, isWalk, resolve: resolve as (value: unknown) => void, reject });
      add(id);
      // What is asked in one turn is written in one commit.
      if (!this.#turnEnds) {
        this.#turnEnds = true;
        setImmediate(() => this.#send(true));
      } else if (this.#rows.rows + this.#items.length >= this.#part) {
        this.#send(false);
      }
    });
  }

  /** One of those who share the thread asks no more. Resolves when it has all its answers, or waits no longer for them. */
  async leave(owner: object, timeoutMs = this.#closeTimeoutMs): Promise<void> {
    const walks = [...this.#pending].flatMap(([id, its]) => (its.owner === owner && its.isWalk ? [id] : []));
    const answered = await this.#lastWord({ kind: 'leave', walks }, timeoutMs, owner);
    this.#rejectAll(answered ? new ClosedError('the root store') : this.#noAnswer(timeoutMs), owner);
  }

  close(timeoutMs = this.#closeTimeoutMs): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    if (this.#ended) return;
    const last = this.#lastWord({ kind: 'close' }, timeoutMs);
    this.#ended = new ClosedError('the root store');
    // When all is answered only a walk along the chain can still be under way.
    this.#rejectAll((await last) ? this.#ended : this.#noAnswer(timeoutMs));
    // A thread that waits for the disk cannot be ended: nobody waits for it, for what it does not tell did not happen.
    await within(timeoutMs, this.#thread.terminate());
  }

  /** Whether it was answered in time. A thread that crashes instead has told everyone who waits for an answer. */
  #lastWord(request: ControlRequest, timeoutMs: number, owner?: object): Promise<boolean> {
    const answered = this.ask(request, owner).catch(() => undefined);
    return within(timeoutMs, answered);
  }

  #noAnswer(timeoutMs: number): StoreError {
    const words = `gave no answer within ${timeoutMs} ms while it was closed: what it was asked may not have been done`;
    return new StoreError('STORE_FAILED', `the thread of root store ${this.#path} ${words}`);
  }

  #send(last: boolean): void {
    const rows = this.#rows.rows > 0 ? this.#rows.take() : undefined;
    const items = this.#items;
    this.#items = [];
    this.#hasWrite = false;
    if (last) this.#turnEnds = false;
    this.#part = last ? FIRST_PART : PART;
    const buffers = items.flatMap(buffersIn);
    if (rows) {
      buffers.push(rows.bytes.buffer);
      // Copied when it was checked: answers can be megabytes.
      for (const { evidence } of rows.extras) if (evidence) buffers.push(evidence.job.buffer as ArrayBuffer);
    }
    this.#thread.postMessage({ rows, items, last } satisfies StoreMessage, buffers);
    Atomics.add(this.#sent, 0, 1);
    Atomics.notify(this.#sent, 0);
  }

  #settle(answer: StoreAnswer): void {
    const pending = this.#taken(answer.id);
    if (answer.ok) pending?.resolve(answer.value);
    else pending?.reject(fromSent(answer.error));
  }

  #taken(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.#thread.unref();
    return pending;
  }

  /** The thread is gone: nobody waits for it any longer. */
  #end(how: string, cause?: Error): void {
    const message = `the thread of root store ${this.#path} ${how}`;
    const error = new StoreError('STORE_FAILED', message, cause && { cause });
    this.#ended ??= error;
    this.#rejectAll(error);
  }

  /** @param owner only what it asked */
  #rejectAll(error: Error, owner?: object): void {
    for (const [id, pending] of [...this.#pending]) {
      if (owner !== undefined && pending.owner !== owner) continue;
      this.#pending.delete(id);
      pending.reject(error);
    }
    if (this.#pending.size === 0) this.#thread.unref();
  }
}

/** Of its own, or where a bundle has no file for that this one. */
async function threadFor(workerData: ThreadData): Promise<Thread> {
  const files = threadFiles();
  // Flags of the process, such as those of `node --eval`, are not for this thread.
  if (files) return new Worker(files.store, { workerData, execArgv: [] });
  warnOfNoThreads();
  const { OnThisThread } = await import('./on-this-thread.js');
  return new OnThisThread(workerData);
}

function busyMs(options: ThreadData['options']): number {
  return typeof options === 'string' ? 0 : options.busyTimeoutMs;
}

/** Whether the work was done in time. */
async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), ms)));
  try {
    return await Promise.race([work.then(() => true), timeUp]);
  } finally {
    clearTimeout(timer);
  }
}

/** What a request takes along instead of a copy of it: it was copied when it was checked. */
function buffersIn({ request }: Numbered<ThreadRequest>): ArrayBuffer[] {
  return request.kind === 'keepHeaders' ? buffersOf(request.block) : [];
}
