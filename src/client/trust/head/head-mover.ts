// Who waits for the one head of a database, and when it moves: one move at a time, and every newer answer is proven under it
// before it is handed out. Two calls can so never rest on two histories (docs/trust-rules.md C1, C2).
import type { ProvenTarget } from '../../../verify/verifier.js';
import type { TrustLog } from '../log/trust-log.js';
import type { Head } from './head.js';
import { HeadMoves } from './moves.js';
import type { HeadMovesOptions } from './moves.js';
import type { Goal, Offer, Waiter } from './waiters.js';

/**
 * Answers to requests of so many bytes wait for each other, when more writes are on their way: so many at most, and so long, in
 * milliseconds. A server reads and hashes a whole transaction for the proof of its header: of a thousand entries that costs it a
 * quarter of what writing them does (measured), and the proof of the last one serves all.
 */
const BULK_BYTES = 16 * 1024;
const MAX_TOGETHER = 4;
const TOGETHER_MS = 8;

export class HeadMover {
  readonly #moves: HeadMoves;
  readonly #writesOnTheWay: () => number;
  readonly #trustLog: TrustLog;
  #waiting: Waiter[] = [];
  #running = false;
  /** Told of whoever comes to wait. */
  #another: (() => void) | undefined;
  #ended: Error | undefined;

  constructor(head: Head, options: HeadMovesOptions) {
    this.#moves = new HeadMoves(head, options);
    this.#trustLog = options.trustLog;
    this.#writesOnTheWay = options.writesOnTheWay ?? (() => 0);
  }

  get head(): Head {
    return this.#moves.head;
  }

  /** Resolves when the head, durably, is at the offered target or past it and the target is proven under it. */
  settle(offer: Offer): Promise<void> {
    const { target, operation, startedAt, calls, job } = offer;
    return this.#wait({ tx: target.tx, operation, startedAt, offer, job, calls });
  }

  /** Resolves when the head, durably, is at `goal.tx` or past it. */
  reach(goal: Goal): Promise<void> {
    return goal.tx <= this.head.tx ? Promise.resolve() : this.#wait({ ...goal, calls: 0 });
  }

  /** Trust was forgotten: who waits is told, and nothing moves any more. */
  end(error: Error): void {
    this.#ended = error;
    this.#moves.end(error);
    this.#another?.();
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #wait(waiting: Omit<Waiter, 'resolve' | 'reject'>): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#ended) throw this.#ended;
      this.#waiting.push({ ...waiting, resolve, reject });
      this.#another?.();
      if (this.#running) return;
      this.#running = true;
      // Answers that arrive in the same turn share a move.
      setImmediate(() => void this.#run());
    });
  }

  learn(target: ProvenTarget): void {
    this.#moves.learn(target);
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      if (this.#mayGather) await this.#gather();
      let open = this.#waiting.sort((a, b) => (a.tx < b.tx ? -1 : 1));
      this.#waiting = [];
      while (open.length > 0) {
        try {
          open = this.#releaseKnown(open);
          if (open.length > 0) open = await this.#moves.once(open);
        } catch (error) {
          // Not a verdict on any of them (no server, store failed): each may be asked again by its caller.
          for (const waiter of open) waiter.reject(error);
          break;
        }
      }
    }
    this.#running = false;
  }

  /** Nobody waits but bulky writes, and more of those may be answered soon. */
  get #mayGather(): boolean {
    const waiting = this.#waiting;
    if (this.#ended || waiting.length >= MAX_TOGETHER || waiting.length >= this.#writesOnTheWay())
      return false;
    return waiting.every(isBulky);
  }

  async #gather(): Promise<void> {
    const until = performance.now() + TOGETHER_MS;
    const timer = setTimeout(() => this.#another?.(), TOGETHER_MS);
    while (this.#mayGather && performance.now() < until)
      await new Promise<void>((resolve) => (this.#another = resolve));
    this.#another = undefined;
    clearTimeout(timer);
  }

  /** Lets go of what the head already covers; what is behind it and unknown is proven on its own, in parallel. */
  #releaseKnown(open: readonly Waiter[]): Waiter[] {
    return open.filter((waiter) => {
      const { tx, offer } = waiter;
      if (tx > this.head.tx) return true;
      const known = offer ? this.#moves.compare(offer.target) : 'same';
      if (known === 'same') this.#release(waiter);
      else if (known === 'other')
        this.#moves.fork(waiter, this.head).catch((error: unknown) => waiter.reject(error));
      else void this.#proveBehind(waiter, offer as Offer);
      return false;
    });
  }

  async #proveBehind(waiter: Waiter, offer: Offer): Promise<void> {
    if (await this.#moves.proveBehind(waiter, offer)) this.#release(waiter);
  }

  #release(waiter: Waiter): void {
    if (this.#ended) {
      waiter.reject(this.#ended);
      return;
    }
    const { operation, startedAt, calls } = waiter;
    if (calls > 0) this.#trustLog.countCalls(operation, () => this.head, startedAt, calls);
    waiter.resolve();
  }
}

function isBulky({ offer }: Waiter): boolean {
  const question = offer?.job.question;
  return question !== undefined && 'request' in question && question.request.length >= BULK_BYTES;
}
