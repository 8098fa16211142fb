// Checks on other threads, which all verifiers of a process with the same settings share. What a verifier bounds is its own:
// how many jobs it has unfinished, with how many bytes.
import { ClosedError, PoolError, TransportError } from '../errors.js';
import { Fifo } from './fifo.js';
import { assertJob } from '../verify/job.js';
import { kindOf } from '../verify/kinds.js';
import { JobThreads, type Task } from './job-threads.js';
import { packedSize } from '../verify/pack/packet.js';
import {
  resolveVerifierOptions,
  type ResolvedVerifierOptions,
  type VerifierOptions,
} from './pool-options.js';
import type { Job, Overload, Verdict, Verifier, VerifyOptions } from '../verify/verifier.js';

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Values in its verdicts are views of a buffer that the verdicts of one message share: copy a small value that is
 * kept for long. A job and its answer must be left as they are until the promise settles.
 */
export class PooledVerifier implements Verifier {
  readonly #options: ResolvedVerifierOptions;
  readonly #overload: Overload;
  readonly #threads: JobThreads;
  /** Let in and not yet settled, in the queue or in flight. */
  #heldJobs = 0;
  #heldBytes = 0;
  /** Jobs that wait to be let in, in order. */
  readonly #line = new Fifo<OwnTask>();
  #waiting: Waiter[] = [];
  #empty: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  /**
   * @param overload What becomes of a job when too much is unfinished: refused with POOL_FULL, or let in when there is room.
   * @throws ArgumentError when an option is out of range
   */
  constructor(options: VerifierOptions = {}, overload: Overload = 'fail') {
    this.#options = resolveVerifierOptions(options);
    this.#overload = overload;
    this.#threads = JobThreads.acquire(this.#options);
  }

  /**
   * Checks an answer on a thread, or right here when that is cheaper. When too much is unfinished it waits in line, or is
   * refused; what a write was answered with always waits, for its caller has to hear what became of it.
   *
   * @throws PoolError POOL_FULL when it is refused ({@link ready} says when there is room again), POOL_FAILED when checking
   * broke, or the thread died or hung: none says anything about the server
   * @throws TransportError DEADLINE_EXCEEDED or ABORTED when nobody waits for it any more, as `options` say, before there is room
   * @throws ClosedError after {@link close}
   */
  verify(job: Job, options: VerifyOptions = {}): Promise<Verdict> {
    return new Promise((resolve, reject) => {
      if (this.#closing) throw new ClosedError('the verifier');
      assertJob(job);
      const task = new OwnTask(this, job, options, resolve, reject);
      if (task.urgent || (this.#line.length === 0 && this.#hasRoom(task.size))) this.#admit(task);
      else if (this.#overload === 'wait' || isWritten(job)) this.#line.push(task);
      else throw this.#full();
    });
  }

  /**
   * Resolves when a further job would be let in: at once, or when half of what is allowed is free again. Several who
   * wait are told together, so the room may be gone when the last of them uses it.
   *
   * @throws ClosedError after {@link close}
   */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closing) throw new ClosedError('the verifier');
      const { maxQueuedJobs, maxQueuedBytes } = this.#options;
      const hasRoom = this.#heldJobs < maxQueuedJobs && this.#heldBytes < maxQueuedBytes;
      if (hasRoom && this.#line.length === 0) resolve();
      else this.#waiting.push({ resolve, reject });
    });
  }

  backlog(): Promise<void> | undefined {
    return this.#line.length > 0 ? this.ready() : undefined;
  }

  /** Starts a thread, which takes a while, for answers that will come soon. */
  prepare(): void {
    if (!this.#closing) this.#threads.prepare();
  }

  /**
   * Rejects what waits with ClosedError, waits for what is in flight (no longer than `closeTimeoutMs`, then it is rejected
   * with POOL_FAILED), and lets go of the threads. Always resolves. Idempotent.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const closed = new ClosedError('the verifier');
    for (const waiter of this.#waiting.splice(0)) waiter.reject(closed);
    for (let task = this.#line.shift(); task; task = this.#line.shift()) task.refuse(closed);
    this.#threads.withdraw(this, closed);
    await this.#drained();
    const { closeTimeoutMs } = this.#options;
    const words = `a verification thread gave no answer within ${closeTimeoutMs} ms while the verifier was closed`;
    this.#threads.abandon(this, new PoolError('POOL_FAILED', words));
    await this.#threads.release();
  }

  /** Resolves when nothing is in flight, or when the time for that is over. */
  async #drained(): Promise<void> {
    if (this.#heldJobs === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#options.closeTimeoutMs);
      this.#empty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #hasRoom(size: number): boolean {
    const { maxQueuedJobs, maxQueuedBytes } = this.#options;
    return (
      this.#heldJobs < maxQueuedJobs && (this.#heldJobs === 0 || this.#heldBytes + size <= maxQueuedBytes)
    );
  }

  #full(): PoolError {
    return new PoolError(
      'POOL_FULL',
      `${this.#heldJobs} answers (${this.#heldBytes} bytes) are waiting to be checked: wait for ready()`,
    );
  }

  #admit(task: OwnTask): void {
    this.#heldJobs++;
    this.#heldBytes += task.size;
    this.#threads.check(task);
  }

  /** A job that was let in has its verdict, or will have none. */
  left(size: number): void {
    this.#heldJobs--;
    this.#heldBytes -= size;
    if (this.#heldJobs === 0) this.#empty?.();
    if (this.#line.length > 0) this.#letIn();
    const { maxQueuedJobs, maxQueuedBytes } = this.#options;
    if (
      this.#waiting.length > 0 &&
      this.#line.length === 0 &&
      this.#heldJobs <= maxQueuedJobs / 2 &&
      this.#heldBytes <= maxQueuedBytes / 2
    ) {
      for (const waiter of this.#waiting.splice(0)) waiter.resolve();
    }
  }

  /** One that is checked at once comes back here before the next is looked at. */
  #letIn(): void {
    for (let task = this.#line.first; task; task = this.#line.first) {
      const over = task.over();
      if (!over && !this.#hasRoom(task.size)) return;
      this.#line.shift();
      if (over) task.refuse(over);
      else this.#admit(task);
    }
  }
}

/** A job of one verifier. */
class OwnTask implements Task {
  readonly size: number;
  readonly urgent: boolean;
  settled = false;
  readonly #options: VerifyOptions;
  readonly #resolve: (verdict: Verdict) => void;
  readonly #reject: (error: Error) => void;

  constructor(
    readonly owner: PooledVerifier,
    readonly job: Job,
    options: VerifyOptions,
    resolve: (verdict: Verdict) => void,
    reject: (error: Error) => void,
  ) {
    this.size = packedSize(job);
    this.urgent = options.urgent === true;
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Why nobody waits for it any more; undefined while somebody does. */
  over(): TransportError | undefined {
    const { until, signal } = this.#options;
    if (isWritten(this.job)) return undefined;
    const waiting = 'while its answer waited to be checked';
    if (signal?.aborted) {
      return new TransportError('ABORTED', `aborted by the caller ${waiting}`, { cause: signal.reason });
    }
    if (until === undefined || until > performance.now()) return undefined;
    return new TransportError('DEADLINE_EXCEEDED', `the deadline of the call passed ${waiting}`);
  }

  resolve(verdict: Verdict): void {
    if (this.#leave()) this.#resolve(verdict);
  }

  reject(error: Error): void {
    if (this.#leave()) this.#reject(error);
  }

  /** Requires that it was not let in. */
  refuse(error: Error): void {
    this.settled = true;
    this.#reject(error);
  }

  #leave(): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.owner.left(this.size);
    return true;
  }
}

function isWritten({ question }: Job): boolean {
  return kindOf(question).isWrite === true;
}
