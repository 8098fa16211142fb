// The near side of a store's thread: sends what is asked in a turn as one message, and settles each caller.
import { Worker } from 'node:worker_threads';
import { ClosedError, StoreError } from '../../errors.js';
import { buffersOf, fromSent, isWrite } from './messages.js';
import { RowPacker } from './row-packet.js';
import type {
  Numbered,
  RowRequest,
  SentRequest,
  StoreAnswer,
  StoreDiagnostics,
  StoreMessage,
  StoreReply,
  ThreadData,
} from './messages.js';

/**
 * So many requests are sent before their turn is over: the thread writes the first rows while the next are being asked
 * for. The first part wakes it, which takes about as long as filling the next. With smaller parts the messages cost more
 * than the time won.
 */
const FIRST_PART = 8;
const PART = 32;

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class StoreThread {
  readonly #path: string;
  readonly #thread: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #sent: ThreadData['sent'];
  readonly #rows = new RowPacker();
  #items: Numbered<SentRequest>[] = [];
  /** Whether one of these must not be overtaken by a row. */
  #hasWrite = false;
  #turnEnds = false;
  #part = FIRST_PART;
  #diagnostics: StoreDiagnostics = { commits: 0, writes: 0 };
  #lastId = 0;
  #ended: Error | undefined;
  #closing: Promise<void> | undefined;

  private constructor(path: string, thread: Worker, sent: ThreadData['sent']) {
    this.#path = path;
    this.#thread = thread;
    this.#sent = sent;
    thread.on('message', ({ done, moved, recorded, answers, diagnostics }: StoreReply) => {
      this.#diagnostics = diagnostics;
      for (const id of done) this.#taken(id)?.resolve(undefined);
      for (const id of moved) this.#taken(id)?.resolve({ moved: true });
      for (const id of recorded) this.#taken(id)?.resolve({});
      for (const answer of answers) this.#settle(answer);
    });
    thread.on('error', (cause) => this.#end(`crashed: ${cause.message}`, cause));
    thread.on('exit', () => this.#end('ended'));
  }

  static async start(data: Omit<ThreadData, 'sent'>): Promise<StoreThread> {
    const sent = new Int32Array(new SharedArrayBuffer(4));
    const workerData: ThreadData = { ...data, sent };
    // Flags of the process, such as those of `node --eval`, are not for this thread.
    const worker = new Worker(new URL('./thread.js', import.meta.url), { workerData, execArgv: [] });
    const thread = new StoreThread(data.path, worker, sent);
    try {
      await new Promise((opened, failed) => thread.#pending.set(0, { resolve: opened, reject: failed }));
    } catch (error) {
      await worker.terminate();
      throw error;
    }
    return thread;
  }

  get diagnostics(): StoreDiagnostics {
    return this.#diagnostics;
  }

  ask<T>(request: SentRequest): Promise<T> {
    return this.#ask((id) => {
      this.#items.push({ id, request });
      this.#hasWrite ||= isWrite(request);
    });
  }

  /** Appends a row. Of the entry, which was checked, all but its evidence is copied at once. */
  write<T>(request: RowRequest): Promise<T> {
    return this.#ask((id) => {
      if (this.#hasWrite) this.#send(false);
      this.#rows.add(id, request);
    });
  }

  #ask<T>(add: (id: number) => void): Promise<T> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise<T>((resolve, reject) => {
      this.#lastId = (this.#lastId + 1) >>> 0;
      const id = this.#lastId;
      if (this.#pending.size === 0) this.#thread.ref();
      this.#pending.set(id, { resolve: resolve as (value: unknown) => void, reject });
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

  /** Waits for what was asked before; what is asked later is refused with ClosedError. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#ended) return;
    const last = this.ask({ kind: 'close' });
    this.#ended = new ClosedError('the root store');
    // A thread that crashes instead has told everyone who waits for an answer.
    await last.catch(() => undefined);
    // Only a walk along the chain can still be under way.
    this.#rejectAll(this.#ended);
    await this.#thread.terminate();
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

  #rejectAll(error: Error): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(error);
  }
}

/** What a request takes along instead of a copy of it: it was copied when it was checked. */
function buffersIn({ request }: Numbered): ArrayBuffer[] {
  return request.kind === 'keepHeaders' ? buffersOf(request.block) : [];
}
