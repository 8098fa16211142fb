// Moves the one head of a database, one move at a time, and proves every newer answer under it before it is
// handed out. Two calls can so never rest on two histories (design, "Rules: concurrency").
import { StoreError } from '../../errors.js';
import { equalBytes, toHex } from '../../proof/bytes.js';
import type { StoredRoot } from '../../store/root-store.js';
import type { Job, Proven, ProvenTarget, Question, Root, Verifier } from '../../worker/verifier.js';
import type { Context } from '../../worker/verifier.js';
import type { Rpc } from '../rpc.js';
import { follows, headAt, sameRoot } from './head.js';
import type { Head } from './head.js';
import type { Journal } from './journal.js';
import { ProvenRoots } from './proven-roots.js';
import { askHeaderUnder, askHeaders } from './trust-wire.js';

/** Longest run of headers fetched to bind several answers at once; above it each gets its own dual proof. */
const MAX_RUN = 1000n;

/** An answer whose subject is newer than the head it was asked under. */
export interface Offer {
  /** Head at the time of the question; the answer's proof starts there. */
  readonly from: Root;
  readonly target: ProvenTarget;
  readonly operation: string;
  readonly startedAt: number;
  /** The log counts the call already: this is a further proof for it. */
  readonly counted: boolean;
  /** Kept until the offer is settled: evidence if it turns out to be from another history. */
  readonly job: Job;
}

interface Waiter {
  readonly offer: Offer;
  /** The row of a move counts this call; otherwise the next row of covered calls does. */
  counted: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface HeadMoverOptions {
  readonly rpc: Rpc;
  readonly verifier: Verifier;
  readonly journal: Journal;
  readonly contextFor: (head: Root) => Context;
  /** Sends a question that names the head; reports a server that does not reach it. */
  readonly ask: <T>(operation: string, head: Root, send: () => Promise<T>) => Promise<T>;
}

export class HeadMover {
  readonly #options: HeadMoverOptions;
  readonly #proven = new ProvenRoots();
  #head: Head;
  #waiting: Waiter[] = [];
  #running = false;

  constructor(head: Head, options: HeadMoverOptions) {
    // The empty database has an empty tree: its first headers can be followed like any others.
    this.#head = head.tx === 0n ? { ...head, frontier: { size: 0n, peaks: [] } } : head;
    this.#options = options;
    if (head.tx > 0n) this.#proven.add(head);
  }

  get head(): Head {
    return this.#head;
  }

  /** Resolves when the head, durably, is at the offered target or past it and the target is proven under it. */
  settle(offer: Offer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ offer, counted: offer.counted, resolve, reject });
      if (this.#running) return;
      this.#running = true;
      // Answers that arrive in the same turn share a move.
      setImmediate(() => void this.#run());
    });
  }

  /** A proof that ends in the head itself may bring the frontier, which a head read from the store lacks. */
  learn(target: ProvenTarget): void {
    if (!this.#head.frontier && sameRoot(target, this.#head)) this.#head = headAt(target);
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      let open = this.#waiting.sort((a, b) => (a.offer.target.tx < b.offer.target.tx ? -1 : 1));
      this.#waiting = [];
      while (open.length > 0) {
        try {
          open = this.#releaseKnown(open);
          if (open.length > 0) open = await this.#moveOnce(open);
        } catch (error) {
          // Not a verdict on any of them (no server, store failed): each may be asked again by its caller.
          for (const waiter of open) waiter.reject(error);
          break;
        }
      }
    }
    this.#running = false;
  }

  /** Lets go of what the head already covers; what is behind it and unknown is proven on its own, in parallel. */
  #releaseKnown(open: readonly Waiter[]): Waiter[] {
    return open.filter((waiter) => {
      const { target } = waiter.offer;
      if (target.tx > this.#head.tx) return true;
      const known =
        target.tx === this.#head.tx
          ? sameRoot(target, this.#head)
            ? 'same'
            : 'other'
          : this.#proven.compare(target);
      if (known === 'same') this.#release(waiter);
      else if (known === 'other') void this.#fork(waiter, this.#head);
      else void this.#proveBehind(waiter);
      return false;
    });
  }

  /** One step forward, by the cheapest means; returns who still waits. Requires all targets above the head. */
  async #moveOnce(open: Waiter[]): Promise<Waiter[]> {
    const head = this.#head;
    const run = followable(head, open);
    if (run) return this.#commit(run, open);

    const newest = open[open.length - 1] as Waiter;
    const { target, from } = newest.offer;
    if (open.length > 1 && head.frontier && target.tx - head.tx <= MAX_RUN)
      return this.#moveByRun(newest, open);
    if (head.tx > 0n && sameRoot(from, head)) return this.#commit(target, open);
    return this.#moveByProof(newest, open);
  }

  /** Binds all that wait with the run of headers between the head and the newest of them. */
  async #moveByRun(newest: Waiter, open: Waiter[]): Promise<Waiter[]> {
    const head = this.#head;
    const { target } = newest.offer;
    const count = Number(target.tx - head.tx);
    const answer = await this.#ask(newest, head, (rpc) => askHeaders(rpc, head.tx + 1n, count, {}));
    const question: Question = {
      kind: 'segment',
      after: { tx: head.tx, alh: head.alh },
      to: target.tx,
      ...(head.frontier && { frontier: head.frontier }),
    };
    const proven = await this.#check(newest, question, head, answer);
    if (proven?.kind !== 'segment') return open.filter((waiter) => waiter !== newest);
    const last = proven.headers[proven.headers.length - 1];
    if (!last || !equalBytes(last.alh, target.alh)) return this.#dropFork(newest, open, last ?? head);
    const left = await this.#commit(target, open);
    if (sameRoot(this.#head, target)) for (const header of proven.headers) this.#proven.add(header);
    return left;
  }

  /** Moves to the newest target by a dual proof from the head. */
  async #moveByProof(newest: Waiter, open: Waiter[]): Promise<Waiter[]> {
    const head = this.#head;
    const { target } = newest.offer;
    const answer = await this.#ask(newest, head, (rpc) => askHeaderUnder(rpc, target.tx, head, {}));
    const proven = await this.#check(newest, { kind: 'tx', tx: target.tx }, head, answer);
    if (proven?.kind !== 'tx') return open.filter((waiter) => waiter !== newest);
    if (!equalBytes(proven.subject.alh, target.alh)) return this.#dropFork(newest, open, proven.subject);
    return this.#commit(proven.target, open);
  }

  /** Proves one target that the head has already passed. Runs beside moves: the head it uses stays on the chain. */
  async #proveBehind(waiter: Waiter): Promise<void> {
    const head = this.#head;
    const { target } = waiter.offer;
    try {
      const answer = await this.#ask(waiter, head, (rpc) => askHeaderUnder(rpc, target.tx, head, {}));
      const proven = await this.#check(waiter, { kind: 'tx', tx: target.tx }, head, answer);
      if (proven?.kind !== 'tx') return;
      if (!equalBytes(proven.subject.alh, target.alh)) {
        await this.#fork(waiter, proven.subject);
        return;
      }
      this.#proven.add(proven.subject);
      this.#release(waiter);
    } catch (error) {
      waiter.reject(error);
    }
  }

  /** Makes a target, proven from the head, the head: first in the store, then here. */
  async #commit(target: ProvenTarget, open: Waiter[]): Promise<Waiter[]> {
    const covered = open.filter((waiter) => waiter.offer.target.tx <= target.tx);
    const operation = covered.at(-1)?.offer.operation ?? 'verified';
    const startedAt = Math.min(...covered.map(({ offer }) => offer.startedAt));
    const calls = covered.filter(({ counted }) => !counted).length;
    const move = { outcome: 'root', operation, calls, startedAt } as const;
    const outcome = await this.#options.journal.advance(this.#head, target, move);
    if (!outcome.moved) {
      this.#adopt(outcome.current);
      return open;
    }
    this.#head = headAt(target);
    this.#proven.addTarget(target);
    for (const waiter of covered) waiter.counted = true;
    return open;
  }

  /** Another process moved the stored head from ours on: what it proved is proven. */
  #adopt(current: StoredRoot | null): void {
    const { database } = this.#options.journal.key;
    if (!current) {
      throw new StoreError(
        'STORE_FAILED',
        `trust in ${database} was forgotten by another process: open a new client`,
      );
    }
    if (current.tx <= this.#head.tx) {
      throw new StoreError(
        'STORE_DAMAGED',
        `the stored head of ${database} is tx ${current.tx.toString()} (${toHex(current.alh)}), not above tx ${this.#head.tx.toString()} that was stored before`,
      );
    }
    this.#head = { tx: current.tx, alh: current.alh };
    this.#proven.add(current);
  }

  #ask(waiter: Waiter, head: Root, send: (rpc: Rpc) => Promise<Uint8Array>): Promise<Uint8Array> {
    return this.#options.ask(waiter.offer.operation, head, () => send(this.#options.rpc));
  }

  #release(waiter: Waiter): void {
    const { operation, startedAt } = waiter.offer;
    if (!waiter.counted) this.#options.journal.cover(operation, () => this.#head, startedAt);
    waiter.resolve();
  }

  /** Checks an answer that serves `waiter`; a refusal is recorded and ends its wait, not its neighbours'. */
  async #check(
    waiter: Waiter,
    question: Question,
    head: Root,
    answer: Uint8Array,
  ): Promise<Proven | undefined> {
    const job: Job = { question, context: this.#options.contextFor({ tx: head.tx, alh: head.alh }), answer };
    const verdict = await this.#options.verifier.verify(job);
    if (verdict.ok) return verdict.proven;
    const { operation, target } = waiter.offer;
    const refuted = { ...verdict.refuted, tx: target.tx };
    waiter.reject(await this.#options.journal.refuse('failure', operation, head, refuted, job));
    return undefined;
  }

  async #dropFork(waiter: Waiter, open: Waiter[], proven: Root): Promise<Waiter[]> {
    await this.#fork(waiter, proven);
    return open.filter((other) => other !== waiter);
  }

  /** The same tx with two hashes: what was answered, and what is proven under the head. */
  async #fork(waiter: Waiter, proven: Root): Promise<void> {
    const { operation, target, job } = waiter.offer;
    const refuted = {
      check: 'trust.fork',
      detail: `tx ${target.tx.toString()} was answered with another hash than the trusted history has`,
      expected: toHex(proven.alh),
      computed: toHex(target.alh),
      tx: target.tx,
    };
    waiter.reject(await this.#options.journal.refuse('fork', operation, this.#head, refuted, job));
  }
}

/** Farthest target that can be reached from the head by following the answers at hand, one header at a time. */
function followable(head: Head, open: readonly Waiter[]): ProvenTarget | undefined {
  let at = head;
  let farthest: ProvenTarget | undefined;
  for (const { offer } of open) {
    if (offer.target.tx === at.tx) continue;
    if (!follows(offer.target, at)) break;
    at = headAt(offer.target);
    farthest = offer.target;
  }
  return farthest;
}
