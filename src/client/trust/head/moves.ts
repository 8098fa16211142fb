// Moves of the one head of a database: which answer leads on, how it is proven from the head on, and how it is made durable.
import { StoreError, TransportError } from '../../../errors.js';
import { equalBytes, toHex } from '../../../proof/bytes.js';
import type { AdvanceOutcome, StoredRoot } from '../../../store/root-store.js';
import type {
  Context,
  Job,
  Proven,
  ProvenTarget,
  Question,
  Root,
  Verifier,
} from '../../../verify/verifier.js';
import type { CallOptions } from '../../input/call-options.js';
import type { Rpc } from '../../net/rpc.js';
import { isServerBehind } from '../../net/server-errors.js';
import { askAgainIfSilent } from './ask-again.js';
import { candidateOf, headAt, sameRoot } from './head.js';
import type { Candidate, Head } from './head.js';
import type { TrustLog } from '../log/trust-log.js';
import type { ProvenHeaders } from '../known/proven-headers.js';
import { askHeaderUnder, askHeaders } from '../trust-wire.js';
import { followable, moverOf } from './waiters.js';
import type { Followed, Mover, Offer, Waiter } from './waiters.js';

/** Longest run of headers fetched to bind several answers at once; above it each gets its own dual proof. */
const MAX_RUN = 1000n;

export interface HeadMovesOptions {
  readonly rpc: Rpc;
  readonly verifier: Verifier;
  readonly trustLog: TrustLog;
  readonly contextFor: (head: Root) => Context;
  readonly headers: ProvenHeaders;
  /** A state key is configured: a root becomes the head only with its signature. */
  readonly signed: boolean;
  /** Sends a question that names the head; reports a server that does not reach it. */
  readonly ask: <T>(operation: string, head: Root, send: () => Promise<T>) => Promise<T>;
  /** Writes that are not proven yet, those that wait for a move counted. @default none */
  readonly writesOnTheWay?: () => number;
  /** When calls went to another server last: what was asked before may be its answer. @default never */
  readonly movedAt?: () => number;
  /** Ends this trust, which another process has forgotten; returns what callers are told. */
  readonly forgotten: () => Promise<Error>;
}

export class HeadMoves {
  readonly #options: HeadMovesOptions;
  #head: Head;
  #ended: Error | undefined;

  constructor(head: Head, options: HeadMovesOptions) {
    // The empty database has an empty tree: its first headers can be followed like any others.
    this.#head = head.tx === 0n ? { ...head, frontier: { size: 0n, peaks: [] } } : head;
    this.#options = options;
    if (head.tx > 0n) options.headers.addRoot(head);
  }

  get head(): Head {
    return this.#head;
  }

  /** Nothing moves any more: a move under way ends with this. */
  end(error: Error): void {
    this.#ended = error;
  }

  /** A proof that ends in the head itself may bring the frontier, which a head read from the store lacks. */
  learn(target: ProvenTarget): void {
    if (!this.#head.frontier && sameRoot(target, this.#head)) this.#head = headAt(target);
  }

  /** Whether a target at or below the head is known to be on its history. */
  compare(target: Root): 'same' | 'other' | 'unknown' {
    if (target.tx === this.#head.tx) return sameRoot(target, this.#head) ? 'same' : 'other';
    return this.#options.headers.compare(target);
  }

  /** One step forward, by the cheapest means; returns who still waits. Requires all of them above the head. */
  async once(open: Waiter[]): Promise<Waiter[]> {
    const head = this.#head;
    const { signed } = this.#options;
    const newest = open[open.length - 1] as Waiter;
    const { tx, offer } = newest;
    const near = head.frontier !== undefined && tx - head.tx <= MAX_RUN;
    const provenFromHead = offer?.from && head.tx > 0n && sameRoot(offer.from, head);
    let mover = newest;
    try {
      const followed = followable(head, open, signed);
      if (followed) {
        mover = followed.waiter;
        // A header that came with nothing but itself is not believed before the server has proven it from the head on.
        return followed.target.tree
          ? await this.#moveByProof(mover, open, followed)
          : await this.#commit(followed.target, open, moverOf(followed.waiter), followed);
      }
      const runs = near && (!offer?.from || !signed || offer.target.signature !== undefined);
      if (runs && !(provenFromHead && open.length === 1)) return await this.#moveByRun(newest, open);
      if (provenFromHead) return await this.#commit(offer.target, open, moverOf(newest));
      return await this.#moveByProof(newest, open);
    } catch (error) {
      // The server reaches the head, but not the tx that it named itself.
      if (!isServerBehind(error)) throw error;
      if (this.#isOfAnother(mover)) mover.reject(answererIsGone(mover.tx));
      else await this.#refuseUnproven(mover);
      return open.filter((other) => other !== mover);
    }
  }

  /**
   * Binds all that wait with the run of headers between the head and the newest of them, whose own header is proven from
   * the head on, unless it has been.
   */
  async #moveByRun(newest: Waiter, open: Waiter[]): Promise<Waiter[]> {
    const head = this.#head;
    const { tx: to, offer } = newest;
    const count = Number(to - head.tx);
    const proofAsked = offer?.from
      ? undefined
      : this.#ask(newest, head, (rpc, call) => askHeaderUnder(rpc, to, head, call));
    proofAsked?.catch(() => undefined);
    const answer = await this.#ask(newest, head, (rpc, call) => askHeaders(rpc, head.tx + 1n, count, call));
    const question: Question = {
      kind: 'segment',
      after: { tx: head.tx, alh: head.alh },
      to,
      ...(head.frontier && { frontier: head.frontier }),
    };
    const segment = this.#job(question, head, answer);
    const without = () => open.filter((waiter) => waiter !== newest);
    // The proof first: where the server shows another history, that is what says so.
    let end: Extract<Proven, { kind: 'tx' }> | undefined;
    let job = offer?.job ?? segment;
    if (proofAsked) {
      job = this.#job({ kind: 'tx', tx: to }, head, await proofAsked);
      const proof = await this.#check(newest, job);
      if (proof?.kind !== 'tx') return without();
      end = proof;
    }
    const proven = await this.#check(newest, segment);
    const last = proven?.kind === 'segment' ? proven.headers.at(-1) : undefined;
    if (proven?.kind !== 'segment' || !last) return without();
    if (end && !equalBytes(end.subject.alh, last.alh))
      return this.#dropFork(newest, open, end.subject, { root: last });
    const target: Candidate | undefined = end ? end.target : offer?.target;
    if (offer && !equalBytes(last.alh, offer.target.alh)) return this.#dropFork(newest, open, last);
    const { signature } = target ?? {};
    const next = { ...candidateOf(last, proven.frontier), ...(signature && { signature }) };
    const left = await this.#commit(next, open, { waiter: newest, job });
    if (this.compare(next) === 'same') for (const header of proven.headers) this.#options.headers.add(header);
    return left;
  }

  /** Moves to a target by a dual proof from the head. */
  async #moveByProof(mover: Waiter, open: Waiter[], followed?: Followed): Promise<Waiter[]> {
    const head = this.#head;
    const { tx, offer } = mover;
    const answer = await this.#ask(mover, head, (rpc, call) => askHeaderUnder(rpc, tx, head, call));
    const job = this.#job({ kind: 'tx', tx }, head, answer);
    const proven = await this.#check(mover, job);
    if (proven?.kind !== 'tx') return open.filter((waiter) => waiter !== mover);
    if (offer && !equalBytes(proven.subject.alh, offer.target.alh))
      return this.#dropFork(mover, open, proven.subject);
    return this.#commit(proven.target, open, { waiter: mover, job }, followed);
  }

  /**
   * Proves one target that the head has already passed. Runs beside moves: the head it uses stays on the chain. False when
   * who waits for it was told otherwise.
   */
  async proveBehind(waiter: Waiter, { target }: Offer): Promise<boolean> {
    const head = this.#head;
    try {
      const answer = await this.#ask(waiter, head, (rpc, call) => askHeaderUnder(rpc, target.tx, head, call));
      const proven = await this.#check(waiter, this.#job({ kind: 'tx', tx: target.tx }, head, answer));
      if (proven?.kind !== 'tx') return false;
      if (!equalBytes(proven.subject.alh, target.alh)) {
        await this.fork(waiter, proven.subject);
        return false;
      }
      this.#options.headers.add(proven.subject);
      return true;
    } catch (error) {
      waiter.reject(error);
      return false;
    }
  }

  /** Makes a target, proven from the head, the head: first in the store, then here. */
  async #commit(target: ProvenTarget, open: Waiter[], mover: Mover, followed?: Followed): Promise<Waiter[]> {
    const covered = open.filter((waiter) => waiter.tx <= target.tx);
    const operation = covered.at(-1)?.operation ?? 'verified';
    const startedAt = covered.reduce((first, waiter) => Math.min(first, waiter.startedAt), Infinity);
    const calls = covered.reduce((sum, waiter) => sum + waiter.calls, 0);
    const move = { outcome: 'root', operation, calls, startedAt } as const;
    const { trustLog, headers } = this.#options;
    const passed = followed?.passed ?? [];
    let from: Root = this.#head;
    for (;;) {
      if (this.#ended) throw this.#ended;
      const outcome = await trustLog.advance(from, target, move, mover.job);
      if (outcome.moved) break;
      const stored = await this.#takenUp(outcome);
      if (!stored) return this.#overtaken(outcome, target, mover, open);
      const merged = await this.#merge(stored, target, mover);
      if (!merged) return this.#overtaken(outcome, target, mover, open);
      if (stored.tx >= target.tx) {
        // It stands already, past what was to be the head: that is behind it now, proven.
        this.#head = sameRoot(stored, target) ? (followed?.head ?? headAt(target)) : headAt(merged);
        for (const header of [target, ...passed]) headers.add(header);
        headers.addTarget(merged);
        return open;
      }
      from = stored;
    }
    this.#head = followed?.head ?? headAt(target);
    headers.addTarget(target);
    for (const header of passed) headers.add(header);
    for (const waiter of covered) waiter.calls = 0;
    return open;
  }

  /** The root that another process has made the head meanwhile; undefined where it is not simply a newer one. */
  async #takenUp({ current, conflict, wasForgotten }: Lost): Promise<StoredRoot | undefined> {
    if (!current || (conflict && !conflict.forgotten) || current.tx <= this.#head.tx) return undefined;
    const isForgotten = wasForgotten === true && (await this.#options.trustLog.wasForgotten(this.#head));
    return isForgotten ? undefined : current;
  }

  /**
   * Proves that the target that was to be the head, proven from ours, and the stored head are of one history, by one proof from the
   * older to the newer: the target's own proof need not be made again. Returns the newer; undefined where the server does not
   * prove that: which root it contradicts is found out then.
   */
  async #merge(stored: Root, target: ProvenTarget, { waiter }: Mover): Promise<ProvenTarget | undefined> {
    if (sameRoot(stored, target)) return target;
    const [older, newer] = stored.tx < target.tx ? [stored, target] : [target, stored];
    if (older.tx === newer.tx) return undefined;
    const answer = await this.#ask(waiter, stored, (rpc, call) => askHeaderUnder(rpc, newer.tx, older, call));
    const job = this.#job({ kind: 'tx', tx: newer.tx }, older, answer);
    const verdict = await this.#options.verifier.verify(job, { urgent: true });
    if (!verdict.ok || verdict.proven.kind !== 'tx') return undefined;
    const { subject, target: proven } = verdict.proven;
    return sameRoot(subject, newer) && sameRoot(proven, newer) ? proven : undefined;
  }

  /**
   * Another process moved the stored head, or forgot it, and it is not simply a newer one on the history of ours. It is taken up
   * once this server has proven it from ours on: where the two processes are shown two histories, neither is told that all is
   * well.
   */
  async #overtaken(
    { current, conflict, wasForgotten }: Lost,
    target: Root,
    { waiter, job }: Mover,
    open: Waiter[],
  ): Promise<Waiter[]> {
    const head = this.#head;
    const { trustLog, headers } = this.#options;
    if (conflict && !conflict.forgotten) {
      if (conflict.tx === head.tx) throw await trustLog.headForked(conflict, head, waiter.operation, job);
      return this.#dropFork(waiter, open, conflict, { root: target, job });
    }
    if (!current || (wasForgotten === true && (await trustLog.wasForgotten(head))))
      throw await this.#options.forgotten();
    if (current.tx <= head.tx) {
      throw new StoreError(
        'STORE_DAMAGED',
        `the stored head of ${trustLog.key.database} is tx ${current.tx.toString()} (${toHex(current.alh)}), not above tx ${head.tx.toString()} that was stored before`,
      );
    }
    const answer = await this.#ask(waiter, current, (rpc, call) =>
      askHeaderUnder(rpc, current.tx, head, call),
    );
    const overtaking = this.#job({ kind: 'tx', tx: current.tx }, head, answer);
    const proven = await this.#check(waiter, overtaking);
    if (proven?.kind !== 'tx') return open.filter((other) => other !== waiter);
    if (!equalBytes(proven.subject.alh, current.alh)) {
      return this.#dropFork(waiter, open, current, { root: proven.subject, job: overtaking });
    }
    this.#head = headAt(proven.target);
    headers.addTarget(proven.target);
    return open;
  }

  #ask(
    { operation }: Waiter,
    head: Root,
    send: (rpc: Rpc, call: CallOptions) => Promise<Uint8Array>,
  ): Promise<Uint8Array> {
    const { ask, rpc } = this.#options;
    return askAgainIfSilent((call) => ask(operation, head, () => send(rpc, call)));
  }

  /** Checks an answer that serves `waiter`; a refusal is recorded and ends its wait, not its neighbours'. */
  async #check(waiter: Waiter, job: Job): Promise<Proven | undefined> {
    const { verifier, trustLog } = this.#options;
    // Every newer answer waits for the move.
    const verdict = await verifier.verify(job, { urgent: true });
    if (verdict.ok) return verdict.proven;
    if (verdict.refuted.check === 'segment.count' && this.#isOfAnother(waiter)) {
      waiter.reject(answererIsGone(waiter.tx));
      return undefined;
    }
    const refuted = { ...verdict.refuted, tx: waiter.tx };
    waiter.reject(await trustLog.refuse('failure', waiter.operation, job.context.head, refuted, job));
    return undefined;
  }

  #job(question: Question, head: Root, answer: Uint8Array): Job {
    return { question, context: this.#options.contextFor({ tx: head.tx, alh: head.alh }), answer };
  }

  async #dropFork(waiter: Waiter, open: Waiter[], proven: Root, shown?: Shown): Promise<Waiter[]> {
    await this.fork(waiter, proven, shown);
    return open.filter((other) => other !== waiter);
  }

  /** The same tx with two hashes: what was answered, and what is proven under the head. */
  async fork({ offer, operation, job, reject }: Waiter, proven: Root, shown?: Shown): Promise<void> {
    const { tx, alh } = shown?.root ?? offer?.target ?? proven;
    const refuted = {
      check: 'trust.fork',
      detail: `tx ${tx.toString()} was answered with another hash than the trusted history has`,
      expected: toHex(proven.alh),
      computed: toHex(alh),
      tx,
    };
    reject(await this.#options.trustLog.refuse('fork', operation, this.#head, refuted, shown?.job ?? job));
  }

  /** It may have been answered by a server that was left since: the one that is asked now has promised nothing. */
  #isOfAnother({ startedAt }: Waiter): boolean {
    return startedAt <= (this.#options.movedAt?.() ?? -Infinity);
  }

  async #refuseUnproven({ tx, operation, job, reject }: Waiter): Promise<void> {
    const detail = `the server cannot prove tx ${tx.toString()}, which it answered with`;
    const refuted = { check: 'trust.unproven-tx', detail, tx };
    reject(await this.#options.trustLog.refuse('failure', operation, this.#head, refuted, job));
  }
}

type Lost = Extract<AdvanceOutcome, { moved: false }>;

/** What a server showed of another history, and the answer that proves it, when it is not the one that was waiting. */
interface Shown {
  readonly root: Root;
  readonly job?: Job;
}

function answererIsGone(tx: bigint): TransportError {
  return new TransportError(
    'UNAVAILABLE',
    `the server that answered with tx ${tx.toString()} was left for another address, where there is no such transaction yet`,
  );
}
