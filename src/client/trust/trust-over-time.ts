// Trust in a database over time: its first head, the head now, and the end of it when the user forgets it, another process has,
// or another server is accepted. What answers prove under it is in database-trust.ts.
import { StoreError } from '../../errors.js';
import type { Root } from '../../verify/verifier.js';
import { resultOf } from '../results/result.js';
import type { Call } from './call.js';
import type { DatabaseTrustOptions } from './database-trust-options.js';
import { closeEpoch, endEpoch } from './epoch.js';
import type { Epoch } from './epoch.js';
import type { Head } from './head/head.js';
import { standsElsewhere } from './head/standing.js';
import type { ProvenHistory, ProvenHistoryDiagnostics } from './known/proven-history.js';
import { TrustLog } from './log/trust-log.js';
import { ReservedTxs } from './reserved-txs.js';

export interface TrustDiagnostics extends ProvenHistoryDiagnostics {
  readonly headTx: bigint;
}

export abstract class TrustOverTime {
  /** Txs of writes: no two writes of this client share one. */
  readonly writes: ReservedTxs;
  protected readonly options: DatabaseTrustOptions;
  protected readonly trustLog: TrustLog;
  protected epoch: Epoch | undefined;
  #establishing: Promise<Epoch> | undefined;
  #root: Root = { tx: 0n, alh: new Uint8Array(0) };
  #ended = false;

  constructor(options: DatabaseTrustOptions) {
    const { store, server, database, clientId, publicKey, onFork, watch } = options;
    this.options = options;
    this.writes = options.writes ?? new ReservedTxs();
    this.trustLog = new TrustLog({
      store,
      key: { server, database },
      clientId,
      onFork,
      watch,
      ...(publicKey && { keyFingerprint: publicKey.fingerprint }),
    });
  }

  /** Finds the first head, and starts what works under it. */
  protected abstract begin(): Promise<Epoch>;

  /** Identity that it is kept under. */
  get server(): string {
    return this.options.server;
  }

  /** The trusted head; at first contact it is established first, once for all who ask. */
  async head(call: Call): Promise<Head> {
    return (await this.#ready(call)).mover.head;
  }

  /** Tx of the trusted head; 0 before there is one. */
  get headTx(): bigint {
    return this.epoch?.mover.head.tx ?? 0n;
  }

  /** The trusted root as results show it: one object per head. Requires a head. */
  get root(): Root {
    const { tx, alh } = this.assertReady().mover.head;
    if (this.#root.alh !== alh) this.#root = Object.freeze(resultOf({ tx, alh }));
    return this.#root;
  }

  /** What is proven under the head, which is required. */
  get known(): ProvenHistory {
    return this.assertReady().known;
  }

  /** The same; undefined while there is no head. */
  get knownNow(): ProvenHistory | undefined {
    return this.epoch?.known;
  }

  get diagnostics(): TrustDiagnostics | undefined {
    const epoch = this.epoch;
    return epoch && { headTx: epoch.mover.head.tx, ...epoch.known.diagnostics };
  }

  /** The server did not stand by what is trusted when it was last asked. */
  get isRefused(): boolean {
    return this.trustLog.forked !== undefined || this.epoch?.standing.holdsBack === true;
  }

  /**
   * Lets a verified call in at once, under the present trust; undefined when it has to wait for {@link ready}: there is no
   * head, the server was refused, or (`writes`) it is not known well enough where the server stands.
   */
  enter(call: Call, writes = false): ProvenHistory | undefined {
    const epoch = this.epoch;
    if (!epoch || this.trustLog.forked || epoch.standing.holdsBack) return undefined;
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
    this.assertStill(call);
  }

  #takesWrites({ standing }: Epoch): boolean {
    return standing.isProven(this.writes.doubtedAt);
  }

  /** For writes that were let in and waited: what {@link ready} assures of writes still holds, or does now. */
  async assureWrites(operation: string): Promise<void> {
    await this.assertReady().standing.assure(operation, this.writes.doubtedAt);
  }

  /** Why a call that was let in must not be sent any more; undefined when it may. */
  heldBack({ epoch }: Call): StoreError | undefined {
    return epoch === this.epoch ? undefined : this.forgotten();
  }

  /**
   * Rejects when the server's newest state does not extend the head. Undefined: it did a moment ago, or there is no head, and
   * so nothing that could be told under it.
   */
  assure(operation: string): Promise<void> | undefined {
    const { forked } = this.trustLog;
    return forked ? Promise.reject(forked) : this.epoch?.standing.assure(operation);
  }

  /** Resolves when the server's newest state, asked for from now on, is proven to extend the head, which has moved there. */
  async assureNow(operation: string): Promise<void> {
    await this.assertReady().standing.assure(operation, performance.now());
  }

  /** Another server may answer from now on: it has to prove that it extends the head first. */
  doubt(): void {
    this.epoch?.standing.doubt();
  }

  /** Resolves when a server that is in doubt has proven that it extends the head; undefined when none is. */
  assureHeld(): Promise<void> | undefined {
    const { forked } = this.trustLog;
    if (forked) return Promise.reject(forked);
    const standing = this.epoch?.standing;
    return standing?.holdsBack === true ? standing.assure('standing') : undefined;
  }

  /** Rejects when the server is found to stand elsewhere than where it is trusted; not when it cannot be asked. */
  async assertStanding(operation: string): Promise<void> {
    const standing = this.epoch?.standing;
    standing?.doubt();
    await standing?.assure(operation)?.catch((error: unknown) => {
      if (standsElsewhere(error)) throw error;
    });
  }

  async #ready(call: Call): Promise<Epoch> {
    if (!this.epoch && !this.#ended) {
      this.#establishing ??= this.#establish().finally(() => (this.#establishing = undefined));
      await call.deadline.race(this.#establishing, 'the first trusted root');
    }
    return this.assertStill(call);
  }

  protected assertReady(): Epoch {
    if (!this.epoch) throw this.forgotten();
    // The log contradicts the head: nothing is shown under it any more.
    if (this.trustLog.forked) throw this.trustLog.forked;
    return this.epoch;
  }

  /** A call that began under trust that was forgotten since is not proven under what is trusted now. */
  protected assertStill(call: Call): Epoch {
    const epoch = this.assertReady();
    call.epoch ??= epoch;
    if (call.epoch !== epoch) throw this.forgotten();
    return epoch;
  }

  /** For calls that were under way when trust was forgotten, or ended. */
  forgotten(): StoreError {
    const { database } = this.options;
    const what = this.#ended
      ? 'another server was accepted at this address'
      : `trust in ${database} was forgotten`;
    return new StoreError('STORE_FAILED', `${what} while the call was under way: call again`);
  }

  async #establish(): Promise<Epoch> {
    const epoch = await this.begin();
    if (this.#ended) {
      endEpoch(epoch, this.forgotten());
      throw this.forgotten();
    }
    this.epoch = epoch;
    return epoch;
  }

  /** Another process has forgotten this trust. Returns what callers are told. */
  protected async endedElsewhere(ended: Epoch): Promise<StoreError> {
    if (this.epoch === ended) {
      this.#drop();
      await this.trustLog.end(ended.mover.head);
    }
    return this.forgotten();
  }

  /** Drops the head on the user's explicit word; recorded. The next verified call is a first contact. */
  async forget(call: Call, reason: string): Promise<void> {
    if (this.#ended) throw this.forgotten();
    const establishing = this.#establishing?.catch(() => undefined);
    if (establishing) await call.deadline.race(establishing, 'the first trusted root');
    // A head that the log contradicts, or that no call may use under this policy, is forgotten like any other.
    const head = this.epoch?.mover.head ?? (await this.options.store.head(this.trustLog.key));
    // Calls that it counts come before the row that ends it.
    if (head) await this.trustLog.end(head);
    await this.trustLog.forget(head, call.operation, reason);
    this.#drop();
  }

  /**
   * Ends for good, when another server was accepted in place of this one: calls under way are refused, what was counted is
   * written. What is stored stays: it is this server's, should it be accepted again.
   */
  async end(): Promise<void> {
    this.#ended = true;
    this.trustLog.stop(this.forgotten());
    const epoch = this.epoch;
    this.epoch = undefined;
    this.writes.forget();
    if (!epoch) return;
    await closeEpoch(epoch, this.forgotten());
    await this.trustLog.end(epoch.mover.head);
  }

  #drop(): void {
    const epoch = this.epoch;
    this.epoch = undefined;
    this.writes.forget();
    if (epoch) endEpoch(epoch, this.forgotten());
  }

  /** Keeps what is to be kept, and writes the counts that are due. */
  async close(): Promise<void> {
    await this.#establishing?.catch(() => undefined);
    if (this.epoch) await closeEpoch(this.epoch);
    await this.trustLog.close(this.epoch?.mover.head ?? null);
  }
}
