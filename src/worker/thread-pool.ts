// The threads (Piscina) behind the pooled verifier: started when first needed, replaced when they die.
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { PoolError } from '../errors.js';
import type { Hasher } from './hasher.js';

/**
 * Messages given to a thread at a time: while it works on one the next already waits at its door, so that a busy
 * main thread does not leave it idle. More would only take the choice of thread away from later messages.
 */
const MESSAGES_PER_THREAD = 2;

/** What threads are told when they start. */
export interface ThreadData {
  readonly hasher: Hasher;
}

export interface ThreadPoolOptions {
  readonly threads: number;
  readonly entry: URL;
  readonly idleTimeoutMs: number;
  readonly hasher: Hasher;
}

/** Carries messages to threads and back. It has no queue: give it no more than {@link freeSlots}. */
export class ThreadPool {
  readonly #options: ThreadPoolOptions;
  #piscina: Piscina | undefined;
  #inFlight = 0;

  constructor(options: ThreadPoolOptions) {
    this.#options = options;
  }

  get freeSlots(): number {
    return this.#options.threads * MESSAGES_PER_THREAD - this.#inFlight;
  }

  /** Threads that have nothing to do, running or not yet started. */
  get idleThreads(): number {
    return Math.max(0, this.#options.threads - this.#inFlight);
  }

  /**
   * Has a thread answer the message, which is transferred: the caller's buffer is empty afterwards.
   *
   * @throws PoolError when the thread died over it. The next message finds another thread.
   */
  async run(message: ArrayBuffer): Promise<ArrayBuffer> {
    this.#piscina ??= this.#open();
    this.#inFlight++;
    try {
      return (await this.#piscina.run(message, { transferList: [message] })) as ArrayBuffer;
    } catch (cause) {
      throw new PoolError('POOL_FAILED', `a verification thread died: ${reasonOf(cause)}`, { cause });
    } finally {
      this.#inFlight--;
    }
  }

  /** Starts the first thread, if none was. */
  start(): void {
    this.#piscina ??= this.#open();
  }

  /** Ends all threads. Messages still in flight are rejected with a PoolError. */
  async destroy(): Promise<void> {
    const piscina = this.#piscina;
    this.#piscina = undefined;
    await piscina?.destroy();
  }

  #open(): Piscina {
    const { threads, entry, idleTimeoutMs, hasher } = this.#options;
    const piscina = new Piscina({
      filename: fileURLToPath(entry),
      name: 'checkJobs',
      minThreads: 1,
      maxThreads: threads,
      concurrentTasksPerWorker: MESSAGES_PER_THREAD,
      // Only messages that wait for a thread to start are ever queued there.
      maxQueue: threads * MESSAGES_PER_THREAD,
      idleTimeout: idleTimeoutMs,
      recordTiming: false,
      workerData: { hasher } satisfies ThreadData,
      // Our threads run our own plain JavaScript. A loader that the application was started with has nothing to do
      // there, and can make it slow: with a TypeScript loader that turns modules into CommonJS, hashing in the thread
      // took several times as long (measured).
      execArgv: [],
    });
    // A thread that dies over a message rejects that message; one that dies without any reports here. Nobody waits
    // for it, and whoever comes next gets a new one.
    piscina.on('error', () => undefined);
    // Threads that die while they start are not replaced by Piscina, and messages waiting for them would wait forever.
    piscina.on('workerDestroy', () => {
      setImmediate(() => {
        if (piscina.threads.length === 0 && this.#piscina === piscina) void this.destroy();
      });
    });
    return piscina;
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
