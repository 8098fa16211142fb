// Trust in one database of one server: its head, and the way from an answer to a proven answer.
import { StoreError } from '../../errors.js';
import type { VerificationError } from '../../errors.js';
import { equalBytes, toHex } from '../../proof/bytes.js';
import type { RootStore } from '../../store/root-store.js';
import type { Context, Job, Proven, Question, Root, Verifier } from '../../worker/verifier.js';
import type { CallOptions, TrustPolicy } from '../options.js';
import type { Rpc } from '../rpc.js';
import { isServerBehind } from '../server-errors.js';
import { unixSeconds } from '../unix-seconds.js';
import type { Deadline } from '../deadline.js';
import type { Call } from './call.js';
import { establish } from './establish.js';
import type { Head } from './head.js';
import { Follower } from './follower.js';
import { HeadMover } from './head-mover.js';
import { Jobs } from './jobs.js';
import type { Claimed } from './jobs.js';
import { Journal } from './journal.js';
import { Knowledge } from './knowledge.js';
import type { KnowledgeDiagnostics } from './knowledge.js';
import { LatestSeen } from './latest-seen.js';
import { newestState } from './newest-state.js';
import type { ProofSource, ProvenBy } from './proof-source.js';
import type { Settlement } from './settlement.js';
import { askHeaderUnder } from './trust-wire.js';
import { WriteTxs } from './write-txs.js';

export interface DatabaseTrustOptions {
  readonly rpc: Rpc;
  readonly server: string;
  readonly database: string;
  readonly store: RootStore;
  readonly verifier: Verifier;
  readonly policy: TrustPolicy;
  readonly clientId: string;
  /** Memory for proven headers and entries. */
  readonly cacheBytes: number;
  /** Proven headers are kept in the store, up to so many bytes in all; absent: they are not. */
  readonly keepHeaders?: { readonly maxBytes: number };
  /** How often the server's newest transaction is looked for; 0 = never. */
  readonly followMs: number;
  /** SPKI DER of the server's state key and its SHA-256. */
  readonly publicKey?: { readonly spki: Uint8Array; readonly fingerprint: Uint8Array };
  /** Told of every fork, also of one that no call fails with. */
  readonly onFork?: ((fork: VerificationError) => void) | undefined;
}

export interface TrustDiagnostics extends KnowledgeDiagnostics {
  readonly headTx: bigint;
}

/** The head, and what is proven under it: dropped together when trust is forgotten. */
interface Epoch {
  readonly mover: HeadMover;
  readonly known: Knowledge;
  readonly follower?: Follower;
}

/** Reads that name no head find out this often that the server still reaches it, in milliseconds. */
const PROBE_MS = 1000;

export class DatabaseTrust {
  /** Newest proven version per key: a floor for later reads. */
  readonly seen = new LatestSeen();
  /** Txs of writes in flight: no two writes share one. */
  readonly writes = new WriteTxs();
  readonly #options: DatabaseTrustOptions;
  readonly #journal: Journal;
  readonly #jobs: Jobs;
  readonly #contextFor = (head: Root | null): Context => this.#jobs.context(head);
  #epoch: Epoch | undefined;
  #establishing: Promise<Epoch> | undefined;
  #root: Root = { tx: 0n, alh: new Uint8Array(0) };
  #reachedAt = -Infinity;

  constructor(options: DatabaseTrustOptions) {
    const { store, server, database, clientId, publicKey, onFork } = options;
    this.#options = options;
    this.#jobs = new Jobs(database, publicKey?.spki);
    this.#journal = new Journal({
      store,
      key: { server, database },
      clientId,
      onFork,
      ...(publicKey && { keyFingerprint: publicKey.fingerprint }),
    });
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
  get known(): Knowledge {
    return this.#assertReady().known;
  }

  /** The same; undefined while there is no head. */
  get knownNow(): Knowledge | undefined {
    return this.#epoch?.known;
  }

  get diagnostics(): TrustDiagnostics | undefined {
    const epoch = this.#epoch;
    return epoch && { headTx: epoch.mover.head.tx, ...epoch.known.diagnostics };
  }

  /** Resolves when there is a head. */
  async ready(call: Call): Promise<void> {
    if (!this.#epoch) await this.#ready(call);
    this.#assertReady();
  }

  async #ready(call: Call): Promise<Epoch> {
    if (!this.#epoch) {
      this.#establishing ??= this.#establish().finally(() => (this.#establishing = undefined));
      await call.deadline.race(this.#establishing, 'the first trusted root');
    }
    return this.#assertStill(call);
  }

  #assertReady(): Epoch {
    if (!this.#epoch) throw this.forgotten();
    // The log contradicts the head: nothing is shown under it any more.
    if (this.#journal.forked) throw this.#journal.forked;
    return this.#epoch;
  }

  /** A call that began under trust that was forgotten since is not proven under what is trusted now. */
  #assertStill(call: Call): Epoch {
    const epoch = this.#assertReady();
    call.epoch ??= epoch;
    if (call.epoch !== epoch) throw this.forgotten();
    return epoch;
  }

  /** For calls that were under way when trust was forgotten. */
  forgotten(): StoreError {
    const { database } = this.#options;
    return new StoreError(
      'STORE_FAILED',
      `trust in ${database} was forgotten while the call was under way: call again`,
    );
  }

  async #establish(): Promise<Epoch> {
    const { rpc, store, verifier, policy, cacheBytes, keepHeaders, followMs, publicKey } = this.#options;
    const [journal, contextFor] = [this.#journal, this.#contextFor];
    const head = await establish({ rpc, store, journal, verifier, policy, contextFor }, {});
    const source: ProofSource = {
      head: () => mover.head,
      ask: (operation, under, send) => this.#ask(operation, under, () => send(rpc), {}),
      check: (operation, question, under, answer) => this.check(operation, question, under, answer),
      fork: (operation, question, under, answer, other) =>
        journal.contradicted(operation, under, other, this.job(question, under, answer)),
    };
    const known: Knowledge = new Knowledge(source, {
      cacheBytes,
      ...(keepHeaders && { keep: { ...keepHeaders, store, verifier, journal } }),
      reach: (tx, task) =>
        mover.reach({ tx, operation: task.operation, startedAt: task.startedAt, job: this.claimJob(task) }),
      refuse: (task, check, detail) => {
        const refuted = { check, detail, tx: task.claim.tx };
        return journal.refuse('failure', task.operation, mover.head, refuted, this.claimJob(task));
      },
    });
    const mover: HeadMover = new HeadMover(head, {
      rpc,
      verifier,
      journal,
      contextFor,
      headers: known.headers,
      signed: publicKey !== undefined,
      ask: (operation, under, send) => this.#ask(operation, under, send, {}),
      forgotten: async () => {
        if (this.#epoch?.mover === mover) {
          this.#drop();
          await journal.end(mover.head);
        }
        return this.forgotten();
      },
    });
    await known.start();
    const follower = followMs > 0 ? this.#follow(mover, known, followMs) : undefined;
    this.#epoch = { mover, known, ...(follower && { follower }) };
    return this.#epoch;
  }

  #follow(mover: HeadMover, known: Knowledge, everyMs: number): Follower {
    const operation = 'follow';
    return new Follower({
      everyMs,
      head: () => mover.head,
      newest: async () => (await this.#newestState(operation, mover.head, {})).tx,
      reach: (tx) => mover.reach({ tx, operation, startedAt: performance.now() }),
      prefetch: (from, to) => known.prefetch(from, to, operation),
    });
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
      const settled = this.settle({ target: proven.target, from: head, job, operation, startedAt, calls });
      await call.deadline.race(settled, 'the head to reach the answer');
      if (proven.kind === 'get') known.learn(proven.subject, operation, proven.leaves);
    }
    return proven as ProvenBy<Q>;
  }

  /** Resolves when the target is proven under the one trusted head, and that head is durable. */
  async settle({ target, from, job, operation, startedAt, calls }: Settlement): Promise<void> {
    const { mover } = this.#assertReady();
    if (from && target.tx <= from.tx) {
      mover.learn(target);
      if (calls > 0) this.cover(operation, startedAt, calls);
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
      const refuted = { ...verdict.refuted, ...('tx' in question && { tx: question.tx }) };
      throw await this.#journal.refuse('failure', operation, head, refuted, job);
    }
    return verdict.proven as ProvenBy<Q>;
  }

  /** Counts calls that were proven under the head as it is. */
  cover(operation: string, startedAt: number, calls: number): void {
    const { mover } = this.#assertReady();
    this.#journal.cover(operation, () => mover.head, startedAt, calls);
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
  async assertOnHistory(call: Call, { tx, alh }: Root): Promise<void> {
    await this.ready(call);
    if (tx === 0n) return;
    const { mover, known } = this.#assertReady();
    if (tx > mover.head.tx) await mover.reach({ tx, operation: call.operation, startedAt: call.startedAt });
    const { head } = mover;
    if (head.tx === tx ? equalBytes(head.alh, alh) : known.headers.compare({ tx, alh }) === 'same') return;
    const answer = await this.ask(call, head, () =>
      askHeaderUnder(this.#options.rpc, tx, head, call.deadline.left),
    );
    const question = { kind: 'tx', tx } as const;
    const { subject } = await this.check(call.operation, question, head, answer);
    if (equalBytes(subject.alh, alh)) return;
    const refuted = {
      check: 'trust.given',
      detail: `the root of tx ${tx.toString()} that was given is not on the trusted history`,
      expected: toHex(alh),
      computed: toHex(subject.alh),
      tx,
    };
    const job = this.job(question, head, answer);
    throw await this.#journal.refuse('fork', call.operation, head, refuted, job);
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

  /** For answers to questions that name no head: rejects when the server does not reach it. Undefined: it did just now. */
  probe(operation: string): Promise<void> | undefined {
    return performance.now() - this.#reachedAt < PROBE_MS ? undefined : this.#probeNow(operation);
  }

  async #probeNow(operation: string): Promise<void> {
    await this.#newestState(operation, this.#assertReady().mover.head, {});
    this.#reachedAt = performance.now();
  }

  /** Rejects when that is behind the head, or another. */
  #newestState(operation: string, head: Root, options: CallOptions): Promise<Root> {
    const [{ rpc }, journal, contextFor] = [this.#options, this.#journal, this.#contextFor];
    return newestState({ rpc, journal, contextFor }, operation, head, options);
  }

  /** A proven answer that contradicts what was proven before, or what was asked. */
  refuse(
    operation: string,
    detail: { check: string; detail: string; expected?: string; computed?: string; tx?: bigint },
    job?: Job,
  ) {
    return this.#journal.refuse('failure', operation, this.#epoch?.mover.head ?? null, detail, job);
  }

  /** Drops the head on the user's explicit word; recorded. The next verified call is a first contact. */
  async forget(call: Call, reason: string): Promise<void> {
    // A head that the log contradicts is forgotten like any other.
    const head = this.#journal.forked && this.#epoch ? this.#epoch.mover.head : await this.head(call);
    // Calls that it counts come before the row that ends it.
    await this.#journal.end(head);
    await this.#journal.forget(head, reason);
    this.#drop();
  }

  #drop(): void {
    this.#epoch?.follower?.close();
    this.#epoch?.known.drop();
    this.#epoch = undefined;
    this.seen.clear();
  }

  /** Keeps what is to be kept, and writes the counts that are due. */
  async close(): Promise<void> {
    await this.#establishing?.catch(() => undefined);
    this.#epoch?.follower?.close();
    await this.#epoch?.known.close();
    await this.#journal.close(this.#epoch?.mover.head ?? null);
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
