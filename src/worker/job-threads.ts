// The jobs that wait for threads, and the threads: one of them per process and settings, shared by its verifiers.
// Jobs of a turn travel together, whoever sent them: a message costs the main thread the same however many jobs are in it,
// so that batching is what makes threads pay.
import { PoolError } from '../errors.js';
import { checkInline } from './inline-verifier.js';
import { JobLine } from './job-line.js';
import { packJobs, type SizedJob } from '../verify/pack/packet.js';
import type { ResolvedVerifierOptions } from './pool-options.js';
import { NeighbourStuck, ThreadPool } from './thread-pool.js';
import { unpackOutcomes, type Outcome } from '../verify/pack/verdict-packet.js';
import type { Job, Verdict } from '../verify/verifier.js';

/**
 * A claim about one key with a small value costs 4 µs, a tenth of what a message to a thread costs the main thread: as many
 * in a tick are checked at once, right here. What is more of them shares a message.
 */
const MAX_LIGHT_HERE = 16;
const MAX_LIGHT_BYTES = 1024;

/** A job with whoever waits for its verdict. Told once: what comes later is not heard. */
export interface Task extends SizedJob {
  readonly owner: object;
  /** Goes before others. */
  readonly urgent: boolean;
  readonly settled: boolean;
  resolve(verdict: Verdict): void;
  reject(error: Error): void;
}

type Settings = Pick<
  ResolvedVerifierOptions,
  | 'threads'
  | 'inlineBelowJobs'
  | 'inlineBelowBytes'
  | 'messageBytes'
  | 'minSpreadJobs'
  | 'idleTimeoutMs'
  | 'stuckAfterMs'
  | 'hasher'
  | 'threadEntry'
>;

const inUse = new Map<string, JobThreads>();

export class JobThreads {
  readonly #key: string;
  readonly #options: Settings;
  readonly #pool: ThreadPool;
  readonly #line = new JobLine<Task>();
  #users = 0;
  #turnEnds = false;
  /** Light jobs checked here in this tick. */
  #lightHere = 0;
  /** A message a thread or two. */
  #inFlight: (readonly Task[])[] = [];

  private constructor(key: string, options: Settings) {
    this.#key = key;
    this.#options = options;
    const { threads, threadEntry: entry, idleTimeoutMs, stuckAfterMs, hasher } = options;
    this.#pool = new ThreadPool({
      threads: Math.max(1, threads),
      entry,
      idleTimeoutMs,
      stuckAfterMs,
      hasher,
    });
  }

  /** The threads of this process with these settings. To be given back with {@link release}, once. */
  static acquire(options: Settings): JobThreads {
    const { threads, inlineBelowJobs, inlineBelowBytes, messageBytes, minSpreadJobs } = options;
    const { idleTimeoutMs, stuckAfterMs, hasher, threadEntry } = options;
    const key = [
      ...[threads, inlineBelowJobs, inlineBelowBytes, messageBytes, minSpreadJobs],
      ...[idleTimeoutMs, stuckAfterMs, hasher, threadEntry?.href],
    ].join(' ');
    const shared = inUse.get(key) ?? new JobThreads(key, options);
    inUse.set(key, shared);
    shared.#users += 1;
    return shared;
  }

  /** When nobody uses them any more the threads are ended. */
  async release(): Promise<void> {
    this.#users -= 1;
    if (this.#users > 0) return;
    inUse.delete(this.#key);
    await this.#pool.destroy();
  }

  /** Starts a thread, which takes a while, for answers that will come soon. */
  prepare(): void {
    this.#pool.start();
  }

  /** Checks a job on a thread, or right here when that is cheaper. */
  check(task: Task): void {
    if (isLight(task) && this.#hasRoomForLight()) {
      checkHere(task);
      return;
    }
    this.#line.push(task);
    if (this.#line.bytes >= this.#options.messageBytes) this.#send();
    if (!this.#turnEnds && this.#line.length > 0) {
      this.#turnEnds = true;
      setImmediate(() => this.#endTurn());
    }
  }

  /** Rejects an owner's jobs that have not been sent. */
  withdraw(owner: object, error: Error): void {
    for (const task of this.#line.remove((queued) => queued.owner === owner)) task.reject(error);
  }

  /** Rejects those that have been: nobody waits for the threads any longer. */
  abandon(owner: object, error: Error): void {
    for (const message of this.#inFlight) {
      for (const task of message) if (task.owner === owner) task.reject(error);
    }
  }

  /** Takes the room, if there is. */
  #hasRoomForLight(): boolean {
    if (this.#options.inlineBelowJobs === 0 || this.#lightHere >= MAX_LIGHT_HERE) return false;
    if (this.#lightHere++ === 0) process.nextTick(() => (this.#lightHere = 0));
    return true;
  }

  #endTurn(): void {
    this.#turnEnds = false;
    const { inlineBelowJobs, inlineBelowBytes } = this.#options;
    if (this.#line.length < inlineBelowJobs && this.#line.bytes < inlineBelowBytes) {
      for (const task of this.#line.takeAll()) checkHere(task);
    } else {
      this.#send();
    }
  }

  /** Puts the queue into messages while there are threads to take them. What is left goes when one comes back. */
  #send(): void {
    while (this.#line.length > 0 && this.#pool.freeSlots > 0) {
      const share = Math.min(this.#options.messageBytes, Math.ceil(this.#line.bytes / this.#parts()));
      void this.#fly(this.#line.take(share));
    }
  }

  /** Over how many threads the queue is worth spreading: each part must be worth a message of its own. */
  #parts(): number {
    const { minSpreadJobs, inlineBelowBytes } = this.#options;
    const byJobs = this.#line.length / minSpreadJobs;
    const byBytes = this.#line.bytes / Math.max(1, inlineBelowBytes);
    return Math.max(1, Math.min(this.#pool.idleThreads, Math.floor(Math.max(byJobs, byBytes))));
  }

  /** One message there and back. Never rejects: its jobs do. */
  async #fly(message: readonly Task[]): Promise<void> {
    this.#inFlight.push(message);
    try {
      const answer = await this.#run(message);
      unpackOutcomes(answer, message).forEach((outcome, i) => deliver(message[i] as Task, outcome));
    } catch (error) {
      const failure = error instanceof PoolError ? error : brokenMessage(error);
      for (const task of message) task.reject(failure);
    }
    this.#inFlight = this.#inFlight.filter((other) => other !== message);
    if (!this.#turnEnds) this.#send();
  }

  /** Again when its threads were ended because of another message: once, for it may be stuck itself. */
  async #run(message: readonly Task[]): Promise<ArrayBuffer> {
    try {
      return await this.#pool.run(packJobs(message));
    } catch (error) {
      if (!(error instanceof NeighbourStuck) || message.every(({ settled }) => settled)) throw error;
      return this.#pool.run(packJobs(message));
    }
  }
}

function checkHere(task: Task): void {
  let verdict: Verdict;
  try {
    verdict = checkInline(task.job);
  } catch (error) {
    task.reject(error as Error);
    return;
  }
  task.resolve(verdict);
}

function deliver(task: Task, outcome: Outcome): void {
  if (outcome.kind === 'verdict') task.resolve(outcome.verdict);
  else task.reject(new PoolError('POOL_FAILED', outcome.message));
}

function isLight({ job, size }: { readonly job: Job; readonly size: number }): boolean {
  const { question } = job;
  return question.kind === 'claims' && question.keys.length === 1 && size <= MAX_LIGHT_BYTES;
}

function brokenMessage(cause: unknown): PoolError {
  return new PoolError('POOL_FAILED', `a verification thread answered nonsense: ${String(cause)}`, { cause });
}
