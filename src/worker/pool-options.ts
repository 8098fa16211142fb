// Tuning of the pool. Every default is a trade; what each one trades is said beside it. Clients of a process share their
// threads when these options are the same for both, limits (`maxQueued…`, `closeTimeoutMs`) aside, which are each client's own.
import { availableParallelism } from 'node:os';
import { ArgumentError } from '../errors.js';
import { knownNames } from '../known-names.js';
import type { Hasher } from './hasher.js';

/** How a client sets up verification. All optional. */
export interface VerifierOptions {
  /**
   * Threads that check answers, beside the main thread. 0: check on the main thread.
   *
   * More threads check more at once, until they take time from the main thread, which has to read the answers off
   * the network. With one thread less than there are processors the main thread keeps one. A thread takes about
   * 14 MB, and 60 ms to start, and none is started before there is work for it, or will be in a moment. All clients of
   * a process share them, unless their `verifier` options differ in more than limits.
   *
   * @default max(1, available processors - 1)
   */
  readonly threads?: number;
  /**
   * Most answers of a client that may be unfinished at a time; one more waits for room. With `overload: 'fail'` it is
   * refused with POOL_FULL, if it is not about a write, nor about a head that others wait for.
   *
   * Bounds memory where answers are small. Far above what keeps all threads busy, so that it is met only when answers
   * come faster than they can be checked for a while.
   *
   * @default 16384
   */
  readonly maxQueuedJobs?: number;
  /**
   * Most bytes (packed questions and answers) of a client that may be unfinished at a time; more waits, or is refused, as
   * with {@link maxQueuedJobs}. A single larger one is let in when nothing else is there.
   *
   * Bounds memory where answers are large. An answer may have 32 MiB, so less than that would check large ones one by one.
   *
   * @default 64 MiB
   */
  readonly maxQueuedBytes?: number;
  /**
   * A turn's jobs are checked on the main thread when they are fewer than this, and small
   * ({@link inlineBelowBytes}). 0: never.
   *
   * A message there and back costs the main thread some 30 to 40 µs whatever it holds, half of what checking one small
   * answer (50 hashes) costs it, and it costs the caller two changes of thread. So a lone answer is served best right
   * here; from two on the message is far cheaper for the main thread, and the more the better (16 jobs: 4 µs each).
   * Lower it where a lone answer's latency counts less than what else the main thread has to do. Answers to plain reads of
   * one small entry cost but 4 µs to check: unless this is 0, up to 16 of them in a row are checked here, beside it.
   *
   * @default 2
   */
  readonly inlineBelowJobs?: number;
  /**
   * Jobs of a turn that have this many packed bytes or more go to a thread however few they are.
   *
   * Checking costs about 40 µs per KiB of proof, and holds up everything else on the main thread meanwhile. This much
   * is a small value with its proof in a database of a few million transactions; a transaction of some dozens of
   * entries is above it.
   *
   * @default 4 KiB
   */
  readonly inlineBelowBytes?: number;
  /**
   * A message to a thread is closed when it has this many packed bytes, without waiting for the end of the turn.
   *
   * Larger messages cost the main thread less per job; smaller ones reach the thread sooner, come back sooner, and
   * spread more evenly over threads. This much keeps a thread busy for some 5 ms, beside which the cost of a message
   * does not count.
   *
   * @default 128 KiB
   */
  readonly messageBytes?: number;
  /**
   * Fewest jobs in a message when a turn's jobs are spread over several threads.
   *
   * Spreading fewer jobs ends them sooner but costs the main thread another message; at this size a message's fixed
   * cost is some 4 µs per job, less than a tenth of what checking it on the main thread costs.
   *
   * @default 16
   */
  readonly minSpreadJobs?: number;
  /**
   * A thread beyond the first that had nothing to do for this long is ended, in milliseconds.
   *
   * Shorter gives memory back sooner, longer saves starting it again at the next burst.
   *
   * @default 30000
   */
  readonly idleTimeoutMs?: number;
  /**
   * A thread that gives no answer for this long, in milliseconds, is stuck: what it was asked is rejected with POOL_FAILED,
   * and other threads take over.
   *
   * Far above what checking the largest answers takes on a slow machine, for work that is given up is lost.
   *
   * @default 60000
   */
  readonly stuckAfterMs?: number;
  /**
   * How long the end of a client waits for jobs in flight before it ends the threads, in milliseconds.
   *
   * @default 10000
   */
  readonly closeTimeoutMs?: number;
  /**
   * SHA-256 to check with: `noble` is audited JavaScript, `node` is the platform's (OpenSSL), which is faster (bench/README.md
   * has both). It holds for the threads of this verifier, and for the main thread of the process.
   *
   * @default 'noble'
   */
  readonly hasher?: Hasher;
  /** File that threads run instead of the package's own; for tests. Exports `checkJobs`. */
  readonly threadEntry?: URL;
}

export type ResolvedVerifierOptions = Required<Omit<VerifierOptions, 'threadEntry'>> & {
  readonly threadEntry: URL | undefined;
};

/** By their type, so that one that is added cannot be forgotten here. */
const OPTION_NAMES: Record<keyof VerifierOptions, true> = {
  threads: true,
  maxQueuedJobs: true,
  maxQueuedBytes: true,
  inlineBelowJobs: true,
  inlineBelowBytes: true,
  messageBytes: true,
  minSpreadJobs: true,
  idleTimeoutMs: true,
  closeTimeoutMs: true,
  stuckAfterMs: true,
  hasher: true,
  threadEntry: true,
};

/** @throws ArgumentError naming the option that is no number in range */
export function resolveVerifierOptions(options: VerifierOptions = {}): ResolvedVerifierOptions {
  knownNames('verifier', options, Object.keys(OPTION_NAMES));
  const { threadEntry, hasher = 'noble' } = options;
  if (!['noble', 'node'].includes(hasher))
    throw new ArgumentError('hasher', "hasher must be 'noble' or 'node'");
  return {
    threads: whole(options, 'threads', 0, Math.max(1, availableParallelism() - 1)),
    maxQueuedJobs: whole(options, 'maxQueuedJobs', 1, 16_384),
    maxQueuedBytes: whole(options, 'maxQueuedBytes', 1, 64 * 1024 * 1024),
    inlineBelowJobs: whole(options, 'inlineBelowJobs', 0, 2),
    inlineBelowBytes: whole(options, 'inlineBelowBytes', 0, 4 * 1024),
    messageBytes: whole(options, 'messageBytes', 1, 128 * 1024),
    minSpreadJobs: whole(options, 'minSpreadJobs', 1, 16),
    idleTimeoutMs: whole(options, 'idleTimeoutMs', 1, 30_000),
    stuckAfterMs: whole(options, 'stuckAfterMs', 1, 60_000),
    closeTimeoutMs: whole(options, 'closeTimeoutMs', 1, 10_000),
    hasher,
    threadEntry,
  };
}

type NumberOption = Exclude<keyof VerifierOptions, 'threadEntry' | 'hasher'>;

function whole(options: VerifierOptions, name: NumberOption, min: number, otherwise: number): number {
  const value = options[name] ?? otherwise;
  if (!Number.isSafeInteger(value) || value < min) {
    throw new ArgumentError(name, `${name} must be a whole number from ${min}, not ${String(value)}`);
  }
  return value;
}
