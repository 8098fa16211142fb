// Checks on other threads. Jobs of a turn travel together: a message costs the main thread the same however many jobs
// are in it, so that batching is what makes threads pay.
import { ClosedError, PoolError } from '../errors.js';
import { checkInline } from './inline-verifier.js';
import { assertJob } from './job.js';
import { JobLine } from './job-line.js';
import { packJobs, packedSize, type SizedJob } from './packet.js';
import {
  resolveVerifierOptions,
  type ResolvedVerifierOptions,
  type VerifierOptions,
} from './pool-options.js';
import { ThreadPool } from './thread-pool.js';
import { unpackOutcomes, type Outcome } from './verdict-packet.js';
import type { Job, Verdict, Verifier } from './verifier.js';

/**
 * A claim about one key with a small value costs 4 µs, a tenth of what a message to a thread costs the main thread: as many
 * in a tick are checked at once, right here. What is more of them shares a message.
 */
const MAX_LIGHT_HERE = 16;
const MAX_LIGHT_BYTES = 1024;

interface Pending extends SizedJob {
  readonly resolve: (verdict: Verdict) => void;
  readonly reject: (error: Error) => void;
}

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
  readonly #pool: ThreadPool;
  readonly #line = new JobLine<Pending>();
  /** Not yet settled, in the queue or in flight. */
  #heldJobs = 0;
  #heldBytes = 0;
  #turnEnds = false;
  /** Light jobs checked here in this tick. */
  #lightHere = 0;
  /** A message a thread or two: an array does, and keeps nothing that is over (see `client/chain`). */
  #inFlight: Promise<void>[] = [];
  #waiting: Waiter[] = [];
  #closing: Promise<void> | undefined;

  /** @throws ArgumentError when an option is out of range */
  constructor(options: VerifierOptions = {}) {
    this.#options = resolveVerifierOptions(options);
    const { threads, threadEntry: entry, idleTimeoutMs, hasher } = this.#options;
    this.#pool = new ThreadPool({ threads: Math.max(1, threads), entry, idleTimeoutMs, hasher });
  }

  /**
   * Checks an answer on a thread, or right here when that is cheaper.
   *
   * @throws PoolError POOL_FULL when too much is unfinished ({@link ready} says when there is room again), POOL_FAILED
   * when checking broke or the thread died: neither says anything about the server
   * @throws ClosedError after {@link close}
   */
  verify(job: Job): Promise<Verdict> {
    return new Promise((resolve, reject) => {
      if (this.#closing) throw new ClosedError('the verifier');
      assertJob(job);
      const size = packedSize(job);
      this.#admit(size);
      if (isLight(job, size) && this.#hasRoomForLight()) {
        this.#checkHere({ job, size, resolve, reject });
        return;
      }
      this.#line.push({ job, size, resolve, reject });
      if (this.#line.bytes >= this.#options.messageBytes) this.#send();
      if (!this.#turnEnds && this.#line.length > 0) {
        this.#turnEnds = true;
        setImmediate(() => this.#endTurn());
      }
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
      if (this.#heldJobs < maxQueuedJobs && this.#heldBytes < maxQueuedBytes) resolve();
      else this.#waiting.push({ resolve, reject });
    });
  }

  /** Takes the room, if there is. */
  #hasRoomForLight(): boolean {
    if (this.#options.inlineBelowJobs === 0 || this.#lightHere >= MAX_LIGHT_HERE) return false;
    if (this.#lightHere++ === 0) process.nextTick(() => (this.#lightHere = 0));
    return true;
  }

  /** Starts a thread, which takes a while, for answers that will come soon. */
  prepare(): void {
    if (!this.#closing) this.#pool.start();
  }

  /** Rejects what is queued with ClosedError, waits for what is in flight, ends the threads. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    for (const waiter of this.#waiting.splice(0)) waiter.reject(new ClosedError('the verifier'));
    for (const pending of this.#line.takeAll())
      this.#settle(pending, () => pending.reject(new ClosedError('the verifier')));
    await this.#drained();
    await this.#pool.destroy();
    // Whatever a thread had not answered by then was rejected just now.
    await Promise.all(this.#inFlight);
  }

  /** Resolves when nothing is in flight, or when the time for that is over. */
  async #drained(): Promise<void> {
    if (this.#inFlight.length === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#options.closeTimeoutMs);
    });
    await Promise.race([Promise.all(this.#inFlight), timeUp]);
    clearTimeout(timer);
  }

  #admit(size: number): void {
    const { maxQueuedJobs, maxQueuedBytes } = this.#options;
    if (this.#heldJobs >= maxQueuedJobs || (this.#heldJobs > 0 && this.#heldBytes + size > maxQueuedBytes)) {
      throw new PoolError(
        'POOL_FULL',
        `${this.#heldJobs} answers (${this.#heldBytes} bytes) are waiting to be checked: wait for ready()`,
      );
    }
    this.#heldJobs++;
    this.#heldBytes += size;
  }

  #endTurn(): void {
    this.#turnEnds = false;
    const { inlineBelowJobs, inlineBelowBytes } = this.#options;
    if (this.#line.length < inlineBelowJobs && this.#line.bytes < inlineBelowBytes) {
      for (const pending of this.#line.takeAll()) this.#checkHere(pending);
    } else {
      this.#send();
    }
  }

  #checkHere(pending: Pending): void {
    try {
      const verdict = checkInline(pending.job);
      this.#settle(pending, () => pending.resolve(verdict));
    } catch (error) {
      this.#settle(pending, () => pending.reject(error as Error));
    }
  }

  /** Puts the queue into messages while there are threads to take them. What is left goes when one comes back. */
  #send(): void {
    while (this.#line.length > 0 && this.#pool.freeSlots > 0) {
      const share = Math.min(this.#options.messageBytes, Math.ceil(this.#line.bytes / this.#parts()));
      const flight = this.#fly(this.#line.take(share));
      this.#inFlight.push(flight);
      void flight.finally(() => (this.#inFlight = this.#inFlight.filter((other) => other !== flight)));
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
  async #fly(message: readonly Pending[]): Promise<void> {
    try {
      const answer = await this.#pool.run(packJobs(message));
      unpackOutcomes(answer, message).forEach((outcome, i) => {
        this.#deliver(message[i] as Pending, outcome);
      });
    } catch (error) {
      const failure = error instanceof PoolError ? error : brokenMessage(error);
      for (const pending of message) this.#settle(pending, () => pending.reject(failure));
    }
    if (!this.#turnEnds) this.#send();
  }

  #deliver(pending: Pending, outcome: Outcome): void {
    this.#settle(pending, () => {
      if (outcome.kind === 'verdict') pending.resolve(outcome.verdict);
      else pending.reject(new PoolError('POOL_FAILED', outcome.message));
    });
  }

  #settle(pending: Pending, tell: () => void): void {
    this.#heldJobs--;
    this.#heldBytes -= pending.size;
    tell();
    const { maxQueuedJobs, maxQueuedBytes } = this.#options;
    if (
      this.#waiting.length > 0 &&
      this.#heldJobs <= maxQueuedJobs / 2 &&
      this.#heldBytes <= maxQueuedBytes / 2
    ) {
      for (const waiter of this.#waiting.splice(0)) waiter.resolve();
    }
  }
}

function isLight({ question }: Job, size: number): boolean {
  return question.kind === 'claims' && question.keys.length === 1 && size <= MAX_LIGHT_BYTES;
}

function brokenMessage(cause: unknown): PoolError {
  return new PoolError('POOL_FAILED', `a verification thread answered nonsense: ${String(cause)}`, { cause });
}
