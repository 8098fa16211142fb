// Trust in one database of one server: its head, and the way from an answer to a proven answer.
import { StoreError } from '../../errors.js';
import type { Context, Job, Proven, Question, Root } from '../../verify/verifier.js';
import type { CallOptions } from '../input/call-options.js';
import { isServerBehind } from '../net/server-errors.js';
import { unixSeconds } from '../input/unix-seconds.js';
import type { Deadline } from '../flow/deadline.js';
import type { Call } from './call.js';
import { beginEpoch, closeEpoch, endEpoch } from './epoch.js';
import type { Epoch } from './epoch.js';
import type { DatabaseTrustOptions } from './database-trust-options.js';
import { proveGiven } from './head/given-root.js';
import type { Head } from './head/head.js';
import { Jobs } from './log/jobs.js';
import type { Claimed } from './log/jobs.js';
import { TrustLog } from './log/trust-log.js';
import type { ProvenHistory, ProvenHistoryDiagnostics } from './known/proven-history.js';
import { newestState } from './head/newest-state.js';
import type { ProvenBy } from './known/proof-source.js';
import type { Settlement } from './head/settlement.js';
import { standsElsewhere } from './head/standing.js';
import { askHeaderUnder } from './trust-wire.js';
import { ReservedTxs } from './reserved-txs.js';

export type { DatabaseTrustOptions };

export interface TrustDiagnostics extends ProvenHistoryDiagnostics {
  readonly headTx: bigint;
}

/** Checks that a write fails which a server answers that has gone back: whether it has is asked before it is called a lie. */
const NOT_NEWER = new Set(['written.tx', 'set.tx']);

export class DatabaseTrust {
  /** Txs of writes: no two writes of this client share one. */
  readonly writes: ReservedTxs;
  readonly #options: DatabaseTrustOptions;
  readonly #trustLog: TrustLog;
  readonly #jobs: Jobs;
  readonly #contextFor = (head: Root | null): Context => this.#jobs.context(head);
  #epoch: Epoch | undefined;
  #establishing: Promise<Epoch> | undefined;
  #root: Root = { tx: 0n, alh: new Uint8Array(0) };
  #ended = false;

  constructor(options: DatabaseTrustOptions) {
    const { store, server, database, clientId, publicKey, onFork } = options;
    this.#options = options;
    this.writes = options.writes ?? new ReservedTxs();
    this.#jobs = new Jobs(database, publicKey?.spki);
    this.#trustLog = new TrustLog({
      store,
      key: { server, database },
      clientId,
      onFork,
      ...(publicKey && { keyFingerprint: publicKey.fingerprint }),
    });
  }

  /** Identity that it is kept under. */
  get server(): string {
    return this.#options.server;
  }

  /** The trusted head; at first contact it is established first, once for all who ask. */
  async head(call: Call): Promise<Head> {
    return (await this.#ready(call)).mover.head;
  }

  /** Tx of the trusted head; 0 before there is one. */
  get headTx(): bigint {
    return this.#epoch?.mover.head.tx ?? 0n;
  }

  /** The trusted root as results show it: one object per head. Requires a head. */
  get root(): Root {
    const { tx, alh } = this.#assertReady().mover.head;
    if (this.#root.alh !== alh) this.#root = Object.freeze({ tx, alh });
    return this.#root;
  }

  /** What answers are checked under now; undefined before there is a head. */
  get headContext(): Context | undefined {
    return this.#epoch && this.#jobs.context(this.root);
  }

  /** What is proven under the head, which is required. */
  get known(): ProvenHistory {
    return this.#assertReady().known;
  }

  /** The same; undefined while there is no head. */
  get knownNow(): ProvenHistory | undefined {
    return this.#epoch?.known;
  }

  get diagnostics(): TrustDiagnostics | undefined {
    const epoch = this.#epoch;
    return epoch && { headTx: epoch.mover.head.tx, ...epoch.known.diagnostics };
  }

  /**
   * Lets a verified call in at once, under the present trust; undefined when it has to wait for {@link ready}: there is no
   * head, the server was refused, or (`writes`) it is not known well enough where the server stands.
   */
  enter(call: Call, writes = false): ProvenHistory | undefined {
    const epoch = this.#epoch;
    if (!epoch || this.#trustLog.forked || epoch.standing.holdsBack) return undefined;
    if (writes && !this.#takesWrites(epoch)) return undefined;
    call.epoch ??= epoch;
    return call.epoch === epoch ? epoch.known : undefined;
  }

  /**
   * Resolves when there is a head and the server is not known to contradict it. `writes`: its newest state has been proven
   * to extend the head, over this connection and since a write of ours last ended without a tx.
   *
   * @throws VerificationError when it does not: nothing was sent then
   */
  async ready(call: Call, writes = false): Promise<void> {
    const { standing } = await this.#ready(call);
    const since = writes ? this.writes.doubtedAt : -Infinity;
    const assured = standing.holdsBack || writes ? standing.assure(call.operation, since) : undefined;
    if (assured) await call.deadline.race(assured, 'the server to prove that it extends what is trusted');
    this.#assertStill(call);
  }

  #takesWrites({ standing }: Epoch): boolean {
    return standing.isProven(this.writes.doubtedAt);
  }

  /** For writes that were let in and waited: what {@link ready} assures of writes still holds, or does now. */
  async assureWrites(operation: string): Promise<void> {
    await this.#assertReady().standing.assure(operation, this.writes.doubtedAt);
  }

  /** Why a call that was let in must not be sent any more; undefined when it may. */
  heldBack({ epoch }: Call): StoreError | undefined {
    return epoch === this.#epoch ? undefined : this.forgotten();
  }

  /**
   * Rejects when the server's newest state does not extend the head. Undefined: it did a moment ago, or there is no head, and
   * so nothing that could be told under it.
   */
  assure(operation: string): Promise<void> | undefined {
    const { forked } = this.#trustLog;
    return forked ? Promise.reject(forked) : this.#epoch?.standing.assure(operation);
  }

  /** Rejects when the server is found to stand elsewhere than where it is trusted; not when it cannot be asked. */
  async assertStanding(operation: string): Promise<void> {
    const standing = this.#epoch?.standing;
    standing?.doubt();
    await standing?.assure(operation)?.catch((error: unknown) => {
      if (standsElsewhere(error)) throw error;
    });
  }

  async #ready(call: Call): Promise<Epoch> {
    if (!this.#epoch && !this.#ended) {
      this.#establishing ??= this.#establish().finally(() => (this.#establishing = undefined));
      await call.deadline.race(this.#establishing, 'the first trusted root');
    }
    return this.#assertStill(call);
  }

  #assertReady(): Epoch {
    if (!this.#epoch) throw this.forgotten();
    // The log contradicts the head: nothing is shown under it any more.
    if (this.#trustLog.forked) throw this.#trustLog.forked;
    return this.#epoch;
  }

  /** A call that began under trust that was forgotten since is not proven under what is trusted now. */
  #assertStill(call: Call): Epoch {
    const epoch = this.#assertReady();
    call.epoch ??= epoch;
    if (call.epoch !== epoch) throw this.forgotten();
    return epoch;
  }

  /** For calls that were under way when trust was forgotten, or ended. */
  forgotten(): StoreError {
    const { database } = this.#options;
    const what = this.#ended
      ? 'another server was accepted at this address'
      : `trust in ${database} was forgotten`;
    return new StoreError('STORE_FAILED', `${what} while the call was under way: call again`);
  }

  async #establish(): Promise<Epoch> {
    const epoch = await beginEpoch({
      ...this.#options,
      writes: this.writes,
      trustLog: this.#trustLog,
      contextFor: this.#contextFor,
      ask: (operation, under, send) => this.#ask(operation, under, send, {}),
      check: (operation, question, under, answer) => this.check(operation, question, under, answer),
      job: (question, head, answer) => this.job(question, head, answer),
      claimJob: (claimed) => this.claimJob(claimed),
      forgotten: async (ended) => {
        if (this.#epoch === ended) {
          this.#drop();
          await this.#trustLog.end(ended.mover.head);
        }
        return this.forgotten();
      },
    });
    if (this.#ended) {
      endEpoch(epoch, this.forgotten());
      throw this.forgotten();
    }
    this.#epoch = epoch;
    return epoch;
  }

  /**
   * Proves an answer: checks it against its question under `head` (the one named in the request), and, when it
   * reaches beyond the head, moves the head first. Resolves when the answer is proven under the one trusted head
   * and that head is durable.
   */
  async prove<Q extends Question>(
    call: Call,
    question: Q,
    head: Root,
    answer: Uint8Array,
  ): Promise<ProvenBy<Q>> {
    const { operation, startedAt } = call;
    const checked = this.check(operation, question, head, answer, call.askedAt, call.deadline);
    const proven: Proven = await call.deadline.race(checked, 'its answer to be checked');
    const { known } = this.#assertStill(call);
    if ('target' in proven) {
      const calls = call.counted === true ? 0 : 1;
      call.counted = true;
      const job = this.job(question, head, answer, call.askedAt);
      const settled = this.settle(call, {
        target: proven.target,
        from: head,
        job,
        operation,
        startedAt,
        calls,
      });
      await call.deadline.race(settled, 'the head to reach the answer');
      if (proven.kind === 'get') known.learn(proven.subject, operation, proven.leaves);
    }
    return proven as ProvenBy<Q>;
  }

  /** Resolves when the target is proven under the one trusted head, and that head is durable. */
  async settle(call: Call, settlement: Settlement): Promise<void> {
    const { target, from, job, operation, startedAt, calls } = settlement;
    const { mover } = this.#assertStill(call);
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
    const verdict = await this.#options.verifier.verify(job, by);
    if (!verdict.ok) {
      const { check, isFork } = verdict.refuted;
      if (NOT_NEWER.has(check)) await this.#newestState(operation, head, {});
      if (isFork === true) this.#epoch?.standing.doubt();
      const refuted = { ...verdict.refuted, ...('tx' in question && { tx: question.tx }) };
      throw await this.#trustLog.refuse('failure', operation, head, refuted, job);
    }
    return verdict.proven as ProvenBy<Q>;
  }

  /** Counts calls that were proven under the head as it is. */
  countCalls(operation: string, startedAt: number, calls: number): void {
    const { mover } = this.#assertReady();
    this.#trustLog.countCalls(operation, () => mover.head, startedAt, calls);
  }

  /** Makes sure that the trusted history reaches `tx`, which the caller says exists. */
  async reach(call: Call, tx: bigint): Promise<void> {
    const head = await this.head(call);
    if (head.tx >= tx) return;
    const answer = await this.ask(call, head, () =>
      askHeaderUnder(this.#options.rpc, tx, head, call.deadline.left),
    );
    await this.prove(call, { kind: 'tx', tx }, head, answer);
  }

  /** Proves that a root that was trusted elsewhere, or earlier, lies on the trusted history. */
  async assertOnHistory(call: Call, root: Root): Promise<void> {
    await this.ready(call);
    if (root.tx > 0n) await proveGiven(this, this.#assertReady(), this.#options.rpc, call, root);
  }

  /** Proves and keeps the headers of the blocks that hold txs `from` to `to` (default: the head); returns how many. */
  async warm(call: Call, from: bigint, to?: bigint): Promise<number> {
    const head = await this.head(call);
    const last = to === undefined || to > head.tx ? head.tx : to;
    return from > last || from < 1n ? 0 : this.known.prefetch(from, last, call.operation);
  }

  /** Sends a question that names the head; a server that does not reach it is reported. Not while answers wait for room. */
  async ask<T>(call: Call, head: Root, send: () => Promise<T>): Promise<T> {
    const backlog = this.#options.verifier.backlog?.();
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
    this.#epoch?.standing.doubt();
    const asker = { rpc: this.#options.rpc, trustLog: this.#trustLog, contextFor: this.#contextFor };
    await newestState(asker, operation, head, options);
  }

  /** A proven answer that contradicts what was proven before, or what was asked. */
  refuse(
    operation: string,
    detail: { check: string; detail: string; expected?: string; computed?: string; tx?: bigint },
    job?: Job,
  ) {
    return this.#trustLog.refuse('failure', operation, this.#epoch?.mover.head ?? null, detail, job);
  }

  /** Drops the head on the user's explicit word; recorded. The next verified call is a first contact. */
  async forget(call: Call, reason: string): Promise<void> {
    if (this.#ended) throw this.forgotten();
    const establishing = this.#establishing?.catch(() => undefined);
    if (establishing) await call.deadline.race(establishing, 'the first trusted root');
    // A head that the log contradicts, or that no call may use under this policy, is forgotten like any other.
    const head = this.#epoch?.mover.head ?? (await this.#options.store.head(this.#trustLog.key));
    // Calls that it counts come before the row that ends it.
    if (head) await this.#trustLog.end(head);
    await this.#trustLog.forget(head, reason);
    this.#drop();
  }

  /**
   * Ends for good, when another server was accepted in place of this one: calls under way are refused, what was counted is
   * written. What is stored stays: it is this server's, should it be accepted again.
   */
  async end(): Promise<void> {
    this.#ended = true;
    this.#trustLog.stop(this.forgotten());
    const epoch = this.#epoch;
    this.#epoch = undefined;
    this.writes.forget();
    if (!epoch) return;
    await closeEpoch(epoch, this.forgotten());
    await this.#trustLog.end(epoch.mover.head);
  }

  #drop(): void {
    const epoch = this.#epoch;
    this.#epoch = undefined;
    this.writes.forget();
    if (epoch) endEpoch(epoch, this.forgotten());
  }

  /** Keeps what is to be kept, and writes the counts that are due. */
  async close(): Promise<void> {
    await this.#establishing?.catch(() => undefined);
    if (this.#epoch) await closeEpoch(this.#epoch);
    await this.#trustLog.close(this.#epoch?.mover.head ?? null);
  }

  /** The check that a claim of a plain read fails, to be run again by anyone. */
  claimJob(claimed: Claimed): Job {
    return this.#jobs.claim(claimed, this.#epoch?.mover.head ?? null);
  }

  /** A question with its answer, as evidence keeps it. */
  job(question: Question, head: Root | null, answer: Uint8Array, askedAt?: bigint): Job {
    return this.#jobs.job(question, head, answer, askedAt);
  }
}
