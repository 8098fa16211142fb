// Trust in one database of one server: the way from an answer to a proven answer, under the head that trust-over-time.ts keeps.
import { NotProvableError } from '../../errors.js';
import type { TrustKey } from '../../store/root-store.js';
import type { Context, Job, Proven, Question, Root } from '../../verify/verifier.js';
import type { Deadline } from '../flow/deadline.js';
import type { CallOptions } from '../input/call-options.js';
import { unixSeconds } from '../input/unix-seconds.js';
import { isServerBehind } from '../net/server-errors.js';
import type { Call } from './call.js';
import type { DatabaseTrustOptions } from './database-trust-options.js';
import { beginEpoch } from './epoch.js';
import type { Epoch } from './epoch.js';
import { proveGiven } from './head/given-root.js';
import { newestState } from './head/newest-state.js';
import type { NewestState } from './head/newest-state.js';
import type { Settlement } from './head/settlement.js';
import type { ProvenBy } from './known/proof-source.js';
import { Jobs } from './log/jobs.js';
import type { Claimed } from './log/jobs.js';
import { beginLatest } from './latest/begin-latest.js';
import type { FollowTerms } from './latest/begin-latest.js';
import { FollowLog } from './latest/follow-log.js';
import type { Latest } from './latest/latest.js';
import { Seals } from './latest/seals.js';
import { TrustOverTime } from './trust-over-time.js';
import { askHeaderUnder } from './trust-wire.js';

/**
 * Checks that a server fails which has gone back, or is another one that lags: whether it has the head is asked before it is called
 * a lie.
 */
const NOT_THERE = new Set([
  ...['written.tx', 'set.tx'],
  ...['block.count', 'leaves.count', 'stretch.count', 'stretch.values.count'],
]);

export class DatabaseTrust extends TrustOverTime {
  readonly #jobs: Jobs;
  readonly #contextFor = (head: Root | null): Context => this.#jobs.context(head);

  constructor(options: DatabaseTrustOptions) {
    super(options);
    this.#jobs = new Jobs(options.database, options.publicKey?.spki);
  }

  /** What answers are checked under now; undefined before there is a head. */
  get headContext(): Context | undefined {
    return this.epoch && this.#jobs.context(this.root);
  }

  protected begin(): Promise<Epoch> {
    return beginEpoch({
      ...this.options,
      writes: this.writes,
      trustLog: this.trustLog,
      contextFor: this.#contextFor,
      ask: (operation, under, send) => this.#ask(operation, under, send, {}),
      check: (operation, question, under, answer) => this.check(operation, question, under, answer),
      job: (question, head, answer) => this.job(question, head, answer),
      claimJob: (claimed) => this.claimJob(claimed),
      forgotten: (ended) => this.endedElsewhere(ended),
    });
  }

  /**
   * Proves an answer: checks it against its question under `head` (the one named in the request), and, when it
   * reaches beyond the head, moves the head first. Resolves when the answer is proven under the one trusted head
   * and that head is durable. `calls`: how many it is an answer to; each call is counted once.
   */
  async prove<Q extends Question>(
    call: Call,
    question: Q,
    head: Root,
    answer: Uint8Array,
    calls = 1,
  ): Promise<ProvenBy<Q>> {
    const { operation, startedAt, askedAt } = call;
    const checked = this.check(operation, question, head, answer, askedAt, call.deadline);
    const proven: Proven = await call.deadline.race(checked, 'its answer to be checked');
    const { known } = this.assertStill(call);
    const bound = boundBy(proven, head);
    if (bound) {
      const job = this.job(question, head, answer, askedAt);
      const counted = call.counted === true ? 0 : calls;
      call.counted = true;
      const settled = this.#settle(call, { ...bound, job, operation, startedAt, calls: counted });
      await call.deadline.race(settled, 'the head to reach the answer');
      if (proven.kind === 'get' || proven.kind === 'streamed' || proven.kind === 'row')
        known.learn(proven.subject, operation, proven.leaves);
    }
    return proven as ProvenBy<Q>;
  }

  /** Resolves when the target is proven under the one trusted head, and that head is durable. */
  async #settle(call: Call, settlement: Settlement): Promise<void> {
    const { target, from, job, operation, startedAt, calls } = settlement;
    const { mover } = this.assertStill(call);
    if (from && target.tx <= from.tx) {
      mover.learn(target);
      if (calls > 0) this.countCalls(operation, startedAt, calls);
      return;
    }
    await mover.settle({ ...(from && { from }), target, operation, startedAt, calls, job });
  }

  /** Checks an answer; a refusal is recorded, with the answer, and thrown. `waits`: who waits for it, when one call does. */
  async check<Q extends Question>(
    operation: string,
    question: Q,
    head: Root,
    answer: Uint8Array,
    askedAt?: bigint,
    waits?: Deadline,
  ): Promise<ProvenBy<Q>> {
    const job = this.job(question, head, answer, askedAt);
    const by = waits && { until: waits.endsAt, signal: waits.signal };
    const verdict = await this.options.verifier.verify(job, by);
    if (!verdict.ok) {
      const { check, isFork } = verdict.refuted;
      if (NOT_THERE.has(check)) await this.#newestState(operation, head, {});
      if (isFork === true) this.epoch?.standing.doubt();
      const refuted = { ...verdict.refuted, ...('tx' in question && { tx: question.tx }) };
      throw await this.trustLog.refuse('failure', operation, head, refuted, job);
    }
    return verdict.proven as ProvenBy<Q>;
  }

  /** Counts calls that were proven under the head as it is. */
  countCalls(operation: string, startedAt: number, calls: number): void {
    const { mover } = this.assertReady();
    this.trustLog.countCalls(operation, () => mover.head, startedAt, calls);
  }

  /** Logs a call that ended under this head with a text that is to be kept; resolves when it is durable. */
  async keep(call: Call, head: Root, text: string): Promise<void> {
    this.assertStill(call);
    const kept = this.trustLog.keep(call.operation, head, text, call.startedAt);
    await call.deadline.race(kept, 'its row to be durable');
  }

  /** Writes down what was found out beside calls; resolves when it is durable. */
  async note(call: Call, head: Root, operation: string, text: string): Promise<void> {
    this.assertStill(call);
    await call.deadline.race(this.trustLog.note(head, operation, text), 'its row to be durable');
  }

  /** Texts that were kept of an operation, newest first, up to `max`. */
  async kept(operation: string, max: number): Promise<readonly string[]> {
    const { store } = this.options;
    const query = { ...this.trustLog.key, operation, outcome: 'calls', order: 'desc', limit: max } as const;
    const texts: string[] = [];
    for await (const { detail } of store.audit.roots(query)) if (detail !== undefined) texts.push(detail);
    return texts;
  }

  /** Makes sure that the trusted history reaches `tx`, which the caller says exists. */
  async reach(call: Call, tx: bigint): Promise<void> {
    const head = await this.head(call);
    if (head.tx >= tx) return;
    const answer = await this.ask(call, head, () =>
      askHeaderUnder(this.options.rpc, tx, head, call.deadline.left),
    );
    await this.prove(call, { kind: 'tx', tx }, head, answer);
  }

  /** Proves that a root that was trusted elsewhere, or earlier, lies on the trusted history. `whose`: how its refusal tells of it. */
  async assertOnHistory(call: Call, root: Root, whose?: string): Promise<void> {
    await this.ready(call);
    if (root.tx > 0n) await proveGiven(this, this.assertReady(), this.options.rpc, call, root, whose);
  }

  /** Proves and keeps the headers of the blocks that hold txs `from` to `to` (default: the head); returns how many. */
  async warm(call: Call, from: bigint, to?: bigint): Promise<number> {
    const head = await this.head(call);
    const last = to === undefined || to > head.tx ? head.tx : to;
    return from > last || from < 1n ? 0 : this.known.prefetch(from, last, call.operation);
  }

  /**
   * Follows every transaction from here on: what there is to be known of keys is what is proven of all of them. `keep`: a file for
   * the index, from one process to the next.
   *
   * @throws StoreError STORE_FOREIGN when it is a file of something else
   */
  async follow(call: Call, options: FollowTerms): Promise<Latest> {
    const { keep, ...terms } = options;
    const epoch = this.assertStill(call);
    const { trustLog } = this;
    const { rpc, store } = this.options;
    const kept =
      keep === undefined
        ? undefined
        : { audit: store.audit, trustLog, head: () => epoch.mover.head, path: keep };
    const log = new FollowLog(trustLog);
    const latest = await beginLatest({ ...terms, trust: this, rpc, log }, kept);
    await epoch.latest?.end(new NotProvableError('the database is followed anew'));
    if (this.epoch !== epoch) {
      void latest.end(this.forgotten());
      throw this.forgotten();
    }
    epoch.latest = latest;
    epoch.known.seen.follow(latest.versionOf);
    return latest;
  }

  /** Of files that are kept from one process to the next. */
  seals(operation: string): Seals {
    const { mover } = this.assertReady();
    const { trustLog } = this;
    return new Seals({ audit: this.options.store.audit, trustLog, head: () => mover.head }, operation);
  }

  /** Whose database this is. */
  get owner(): TrustKey {
    const { server, database } = this.trustLog.key;
    return { server, database };
  }

  /** What is followed; undefined where nothing is. */
  get latestNow(): Latest | undefined {
    return this.epoch?.latest;
  }

  /** What is followed up to the trusted head, if what it proves may be told at once. */
  get latestAtHead(): Latest | undefined {
    const { epoch } = this;
    if (!epoch || this.trustLog.forked || epoch.standing.holdsBack) return undefined;
    const { latest } = epoch;
    return latest !== undefined && latest.at.tx >= epoch.mover.head.tx && !latest.isEnded
      ? latest
      : undefined;
  }

  /** @throws NotProvableError when nothing is followed */
  get latest(): Latest {
    const { latest } = this.assertReady();
    if (!latest)
      throw new NotProvableError('nothing is followed: call follow() first, and again after forgetTrust()');
    return latest;
  }

  /** Sends a question that names the head; a server that does not reach it is reported. Not while answers wait for room. */
  async ask<T>(call: Call, head: Root, send: () => Promise<T>): Promise<T> {
    const backlog = this.options.verifier.backlog?.();
    if (backlog) await call.deadline.race(backlog, 'room for its answer');
    call.askedAt = unixSeconds();
    return this.#ask(call.operation, head, send, call.deadline.left);
  }

  async #ask<T>(operation: string, head: Root, send: () => Promise<T>, options: CallOptions): Promise<T> {
    try {
      return await send();
    } catch (error) {
      if (isServerBehind(error)) await this.#newestState(operation, head, options);
      throw error;
    }
  }

  async #newestState(operation: string, head: Root, options: CallOptions): Promise<void> {
    this.epoch?.standing.doubt();
    await this.claimedState(operation, head, options);
  }

  /** The server's word about its newest transaction, which must not contradict the head; it never changes trust. */
  claimedState(operation: string, head: Root, options: CallOptions): Promise<NewestState> {
    const asker = { rpc: this.options.rpc, trustLog: this.trustLog, contextFor: this.#contextFor };
    return newestState(asker, operation, { tx: head.tx, alh: head.alh }, options);
  }

  /** A proven answer that contradicts what was proven before, or what was asked. */
  refuse(
    operation: string,
    detail: { check: string; detail: string; expected?: string; computed?: string; tx?: bigint },
    job?: Job,
  ) {
    return this.trustLog.refuse('failure', operation, this.epoch?.mover.head ?? null, detail, job);
  }

  /** The check that a claim of a plain read fails, to be run again by anyone. */
  claimJob(claimed: Claimed): Job {
    return this.#jobs.claim(claimed, this.epoch?.mover.head ?? null);
  }

  /** A question with its answer, as evidence keeps it. */
  job(question: Question, head: Root | null, answer: Uint8Array, askedAt?: bigint): Job {
    return this.#jobs.job(question, head, answer, askedAt);
  }
}

/** What an answer proves is to be bound to: the head that it is proven from, or one that has still to be asked for. */
function boundBy(proven: Proven, head: Root): Pick<Settlement, 'target' | 'from'> | undefined {
  if ('subject' in proven && 'tree' in proven) return { target: { ...proven.subject, tree: proven.tree } };
  return 'target' in proven ? { target: proven.target, from: head } : undefined;
}
