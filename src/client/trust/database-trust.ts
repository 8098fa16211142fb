// Trust in one database of one server: its head, and the way from an answer to a proven answer.
import { equalBytes, toHex } from '../../proof/bytes.js';
import type { RootStore } from '../../store/root-store.js';
import type { Context, Job, Proven, ProvenTarget, Question, Root, Verifier } from '../../worker/verifier.js';
import type { Deadline } from '../deadline.js';
import type { CallOptions, TrustPolicy } from '../options.js';
import type { Rpc } from '../rpc.js';
import { claimedState } from '../server-info.js';
import { isServerBehind } from '../server-errors.js';
import { establish } from './establish.js';
import type { Head } from './head.js';
import { HeadMover } from './head-mover.js';
import { Journal } from './journal.js';
import { LatestSeen } from './latest-seen.js';
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
  /** SPKI DER of the server's state key and its SHA-256. */
  readonly publicKey?: { readonly spki: Uint8Array; readonly fingerprint: Uint8Array };
}

/** A verified call on its way: what it is called, when it began, and until when it waits. */
export interface Call {
  readonly operation: string;
  readonly startedAt: number;
  readonly deadline: Deadline;
  /** Set once the log counts it: a call may need several proofs, and is one call all the same. */
  counted?: boolean;
}

type ProvenBy<Q extends Question> = Extract<Proven, { kind: Q['kind'] }>;

export class DatabaseTrust {
  /** Newest proven version per key: a floor for later reads. */
  readonly seen = new LatestSeen();
  /** Txs of writes in flight: no two writes share one. */
  readonly writes = new WriteTxs();
  readonly #options: DatabaseTrustOptions;
  readonly #journal: Journal;
  #mover: HeadMover | undefined;
  #establishing: Promise<HeadMover> | undefined;

  constructor(options: DatabaseTrustOptions) {
    const { store, server, database, clientId, publicKey } = options;
    this.#options = options;
    this.#journal = new Journal({
      store,
      key: { server, database },
      clientId,
      ...(publicKey && { keyFingerprint: publicKey.fingerprint }),
    });
  }

  /** The trusted head; at first contact it is established first, once for all who ask. */
  async head(call: Call): Promise<Head> {
    if (this.#mover) return this.#mover.head;
    this.#establishing ??= this.#establish().finally(() => (this.#establishing = undefined));
    return (await call.deadline.race(this.#establishing, 'the first trusted root')).head;
  }

  /** Tx of the trusted head; 0 before there is one. */
  get headTx(): bigint {
    return this.#mover?.head.tx ?? 0n;
  }

  async #establish(): Promise<HeadMover> {
    const { rpc, store, verifier, policy } = this.#options;
    const journal = this.#journal;
    const contextFor = (head: Root | null) => this.#context(head);
    const head = await establish({ rpc, store, journal, verifier, policy, contextFor }, {});
    this.#mover = new HeadMover(head, {
      rpc,
      verifier,
      journal,
      contextFor,
      ask: (operation, under, send) => this.#ask(operation, under, send, {}),
    });
    return this.#mover;
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
    const job: Job = { question, context: this.#context({ tx: head.tx, alh: head.alh }), answer };
    const verdict = await this.#options.verifier.verify(job);
    if (!verdict.ok) throw await this.#journal.refuse('failure', call.operation, head, verdict.refuted, job);
    const { proven } = verdict;
    if (proven.kind !== 'segment') await this.#settle(call, head, proven.target, job);
    return proven as ProvenBy<Q>;
  }

  async #settle(call: Call, from: Root, target: ProvenTarget, job: Job): Promise<void> {
    const mover = this.#mover;
    if (!mover) throw new Error('an answer cannot be settled before there is a head');
    const { operation, startedAt, counted = false } = call;
    call.counted = true;
    if (target.tx <= from.tx) {
      mover.learn(target);
      if (!counted) this.#journal.cover(operation, () => mover.head, startedAt);
      return;
    }
    const settled = mover.settle({ from, target, operation, startedAt, counted, job });
    await call.deadline.race(settled, 'the head to reach the answer');
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

  /** Sends a question that names the head; a server that does not reach the head is reported, never believed. */
  ask<T>(call: Call, head: Root, send: () => Promise<T>): Promise<T> {
    return this.#ask(call.operation, head, send, call.deadline.left);
  }

  async #ask<T>(operation: string, head: Root, send: () => Promise<T>, options: CallOptions): Promise<T> {
    try {
      return await send();
    } catch (error) {
      if (isServerBehind(error)) await this.#assertNotBehind(operation, head, options);
      throw error;
    }
  }

  async #assertNotBehind(operation: string, head: Root, options: CallOptions): Promise<void> {
    const state = await claimedState(this.#options.rpc, options);
    if (state.tx < head.tx) {
      throw await this.#journal.refuse('rollback', operation, head, {
        check: 'trust.rollback',
        detail: `the server is at tx ${state.tx.toString()}, behind the trusted tx ${head.tx.toString()}; trust is kept`,
        expected: head.tx.toString(),
        computed: state.tx.toString(),
      });
    }
    if (state.tx === head.tx && !equalBytes(state.alh, head.alh)) {
      throw await this.#journal.refuse('fork', operation, head, {
        check: 'trust.fork',
        detail: `the server's state has another hash for the trusted tx ${head.tx.toString()}`,
        expected: toHex(head.alh),
        computed: toHex(state.alh),
      });
    }
  }

  /** A proven answer that contradicts what was proven before, or what was asked. */
  refuse(
    call: Call,
    detail: { check: string; detail: string; expected?: string; computed?: string; tx: bigint },
  ) {
    return this.#journal.refuse('failure', call.operation, this.#mover?.head ?? null, detail);
  }

  /** Drops the head on the user's explicit word; recorded. The next verified call is a first contact. */
  async forget(call: Call, reason: string): Promise<void> {
    const head = await this.head(call);
    await this.#journal.forget(head, reason);
    this.#mover = undefined;
    this.seen.clear();
  }

  /** Writes the counts that are due. */
  close(): Promise<void> {
    return this.#journal.close(this.#mover?.head ?? null);
  }

  #context(head: Root | null): Context {
    const { database, publicKey } = this.#options;
    const now = BigInt(Math.floor(Date.now() / 1000));
    return { head, database, now, ...(publicKey && { publicKey: publicKey.spki }) };
  }
}
