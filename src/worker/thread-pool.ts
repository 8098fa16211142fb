// The threads (Piscina) behind the pooled verifier: started when first needed, replaced when they die or hang, and ended only
// when they are up.
import { pathToFileURL } from 'node:url';
import type { Piscina } from 'piscina';
import { PoolError } from '../errors.js';
import { requireFromHere, threadFiles } from '../package-files.js';
import type { Hasher } from './hasher.js';

/**
 * Messages given to a thread at a time: while it works on one the next already waits at its door, so that a busy
 * main thread does not leave it idle. More would only take the choice of thread away from later messages.
 */
const MESSAGES_PER_THREAD = 2;
/** Longest wait for threads that load, and for threads that end: those that are stuck in the platform never do. */
const START_MS = 5000;
const END_MS = 5000;

/** What threads are told when they start. */
export interface ThreadData {
  /** URL of the file that they run. Exports `checkJobs`. */
  readonly entry: string;
  readonly hasher: Hasher;
}

export interface ThreadPoolOptions {
  readonly threads: number;
  /** @default what the package has for it */
  readonly entry: URL | undefined;
  readonly idleTimeoutMs: number;
  readonly stuckAfterMs: number;
  readonly hasher: Hasher;
}

/** The threads that a message was on were ended, because of another message. Its jobs may be sent again. */
export class NeighbourStuck extends PoolError {
  constructor() {
    super('POOL_FAILED', 'the verification threads were ended, another message was stuck on one of them');
  }
}

/** Threads that were started together, and are ended together. */
interface Crew {
  readonly piscina: Piscina;
  /** Ids of the threads that have loaded what they run. */
  readonly up: Set<number>;
  /** A message is stuck on one of its threads. */
  stuck: boolean;
  /** Told when a thread is up or gone. */
  changed: () => void;
}

/** Carries messages to threads and back. It has no queue: give it no more than {@link freeSlots}. */
export class ThreadPool {
  readonly #options: ThreadPoolOptions;
  #crew: Crew | undefined;
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
   * @throws PoolError when the thread died over it, or gave no answer for too long. The next message finds another thread.
   * @throws NeighbourStuck when another message gave none
   */
  async run(message: ArrayBuffer): Promise<ArrayBuffer> {
    const crew = (this.#crew ??= this.#open());
    this.#inFlight++;
    const watch = this.#watch(crew);
    try {
      return (await crew.piscina.run(message, { transferList: [message] })) as ArrayBuffer;
    } catch (cause) {
      if (watch.late) throw this.#noAnswer();
      if (crew.stuck) throw new NeighbourStuck();
      throw new PoolError('POOL_FAILED', `a verification thread died: ${reasonOf(cause)}`, { cause });
    } finally {
      clearTimeout(watch.timer);
      this.#inFlight--;
    }
  }

  /** Starts the first thread, if none was. */
  start(): void {
    this.#crew ??= this.#open();
  }

  /** Ends all threads, when they are up. Messages still in flight are rejected with a PoolError. */
  async destroy(): Promise<void> {
    const crew = this.#crew;
    this.#crew = undefined;
    if (crew) await end(crew);
  }

  /**
   * No check takes so long: the thread is stuck. Which one it is nobody knows, so all are ended, and others take over.
   * Looked at twice: a process that was stopped for a while wakes up late itself.
   */
  #watch(crew: Crew): { late: boolean; timer: NodeJS.Timeout } {
    const half = this.#options.stuckAfterMs / 2;
    const giveUp = () => {
      // Another message was late before this one.
      if (crew.stuck) return;
      watch.late = crew.stuck = true;
      if (this.#crew === crew) this.#crew = undefined;
      void end(crew);
    };
    const lookAgain = () => {
      watch.timer = setTimeout(giveUp, half);
      watch.timer.unref();
    };
    const watch = { late: false, timer: setTimeout(lookAgain, half) };
    watch.timer.unref();
    return watch;
  }

  #noAnswer(): PoolError {
    const { stuckAfterMs } = this.#options;
    return new PoolError('POOL_FAILED', `a verification thread gave no answer within ${stuckAfterMs} ms`);
  }

  #open(): Crew {
    const { threads, entry, idleTimeoutMs, hasher } = this.#options;
    const files = threadFiles();
    if (!files) throw new PoolError('POOL_FAILED', 'there are no files for verification threads');
    // Not imported: it starts threads of its own files, which it does not find from within a bundle.
    const { Piscina: Pool } = requireFromHere('piscina') as { readonly Piscina: typeof Piscina };
    const piscina = new Pool({
      filename: files.checkEntry,
      name: 'checkJobs',
      minThreads: 1,
      maxThreads: threads,
      concurrentTasksPerWorker: MESSAGES_PER_THREAD,
      // Only messages that wait for a thread to start are ever queued there.
      maxQueue: threads * MESSAGES_PER_THREAD,
      idleTimeout: idleTimeoutMs,
      recordTiming: false,
      workerData: { entry: (entry ?? pathToFileURL(files.check)).href, hasher } satisfies ThreadData,
      // Our threads run our own plain JavaScript. A loader that the application was started with has nothing to do
      // there, and can make it slow: with a TypeScript loader that turns modules into CommonJS, hashing in the thread
      // took several times as long (measured).
      execArgv: [],
    });
    const crew: Crew = { piscina, up: new Set(), stuck: false, changed: () => undefined };
    const isUp = (id: number) => {
      crew.up.add(id);
      crew.changed();
    };
    // Piscina takes its first thread for ready at once; the thread itself says when it is. Of later ones Piscina tells.
    const [first] = piscina.threads;
    const firstId = first?.threadId;
    first?.once('message', () => isUp(firstId ?? 0));
    piscina.on('workerCreate', ({ id }: { id: number }) => {
      if (id !== firstId) isUp(id);
    });
    // A thread that dies over a message rejects that message; one that dies without any reports here. Nobody waits
    // for it, and whoever comes next gets a new one.
    piscina.on('error', () => undefined);
    // Threads that die while they start are not replaced by Piscina, and messages waiting for them would wait forever.
    piscina.on('workerDestroy', () => {
      // Piscina still lists it.
      setImmediate(() => {
        crew.changed();
        if (piscina.threads.length === 0 && this.#crew === crew) void this.destroy();
      });
    });
    return crew;
  }
}

/** Threads that are ended while they load can take the process along: see `thread-entry`. */
async function end(crew: Crew): Promise<void> {
  const { piscina, up } = crew;
  const areUp = () => piscina.threads.every(({ threadId }) => up.has(threadId));
  if (!areUp()) {
    await atMost(
      START_MS,
      new Promise<void>((resolve) => {
        crew.changed = () => {
          if (areUp()) resolve();
        };
      }),
    );
  }
  await atMost(END_MS, piscina.destroy());
}

/** Waits, no longer than that. */
async function atMost(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work, timeUp]);
  clearTimeout(timer);
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
