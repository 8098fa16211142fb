// What is latest in a database, as of a transaction that all before were followed to: every transaction is read, proven under the
// trusted head, and noted, in order. What is asked of it costs no question to the server.
import { StoreError } from '../../../errors.js';
import { EMPTY_HASH } from '../../../proof/hash.js';
import { MAX_RAW_KEY } from '../../../proof/entry.js';
import { NON_INDEXABLE, RowReader } from '../../../verify/chain/rows.js';
import type { Root } from '../../../verify/verifier.js';
import type { Deadline } from '../../flow/deadline.js';
import type { Rpc, StreamRpc } from '../../net/rpc.js';
import type { LatestVersion, VersionFacts } from './key-index.js';
import type { FollowLog } from './follow-log.js';
import { GrowingIndex } from './growing-index.js';
import type { IndexState } from './index-file.js';
import type { KeptIndex } from './kept-index.js';
import { Pace } from './pace.js';
import { Push } from './push.js';
import type { RangeView } from './ranges.js';
import { RowObservers } from './row-observers.js';
import type { RowObserver } from './row-observers.js';
import { Stretches } from './stretches.js';
import type { FollowedTrust, StretchesOptions } from './stretches.js';
import { isTransient } from './transient.js';
import { TxWaiters } from './tx-waiters.js';

export interface LatestOptions extends Pick<StretchesOptions, 'timeoutMs' | 'maxMessageBytes'> {
  readonly rpc: Rpc & Partial<StreamRpc>;
  readonly trust: FollowedTrust;
  /** Longest pause between two questions for new transactions, in milliseconds. */
  readonly everyMs: number;
  /** The server is asked to say what comes, where the user may. */
  readonly push: boolean;
  /** Most memory that the index takes: beyond it, it goes on in a file. */
  readonly maxBytes: number;
  /** Keys are kept in order, in a file. */
  readonly ordered: boolean;
  /** Where it begins: a root that is proven. @default the empty database */
  readonly from?: Root;
  /** Where the index is kept for the next process. */
  readonly kept?: KeptIndex;
  /** What was kept there. */
  readonly restored?: IndexState;
  /** Where it says how far it is. */
  readonly log?: FollowLog;
}

/**
 * - `catching-up`: it is behind the trusted head;
 * - `following`: it goes along with the trusted head, which it moves to where the server is;
 * - `waiting`: the server was not reached, or did not answer, the last time: it is asked again;
 * - `refused`: what the server showed the last time is not proven: it is asked again;
 * - `ended`: nothing is followed any more.
 */
export type FollowStatus = 'catching-up' | 'following' | 'waiting' | 'refused' | 'ended';

/** Never rejects. `keeps`: what can be kept for the next process is. */
export type Companion = (why: Error, keeps: boolean) => Promise<void>;

const OPERATION = 'follow';
const LANES = 4;
/** The index is kept so often while it changes, in milliseconds; and at the end. */
const SAVE_EVERY_MS = 600_000;
/** Where the server says what comes, it is looked for by ourselves this often, in milliseconds: it may have gone back. */
const PUSHED_MS = 1000;
/** They may come faster than they can be followed one by one. */
const MOST_SINGLY = 16;
/** Rows that are noted before others have their turn, or those of one tx. */
const ROWS_A_TURN = 2000;

export class Latest {
  /** Txs up to this one were not followed: 0 = none. */
  readonly from: Root;
  readonly #options: LatestOptions;
  readonly #index: GrowingIndex;
  readonly #stretches: Stretches;
  readonly #pace: Pace;
  readonly #push: Push;
  /** The next tx, which the server has said to have. */
  #pushed: bigint | undefined;
  readonly #waiters = new TxWaiters();
  readonly #observers: RowObservers;
  #at: Root;
  /** Why the index was not kept the last time. */
  #unsaved: Error | undefined;
  readonly #rawKey = new Uint8Array(1 + MAX_RAW_KEY);
  #asked: VersionFacts | undefined;
  #askedName: string | undefined;
  #askedAt: Root | undefined;
  #failure: Error | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** A look under way. */
  #step: Promise<void> | undefined;
  /** The last look found something new. */
  #found = false;
  /** Transactions that were followed one by one since the server was last asked where it is. */
  #singly = 0;
  /** The index may hold a part of a transaction. */
  #isBroken = false;
  #savedAt = performance.now();
  /** On the index. */
  #working: Promise<void> = Promise.resolve();
  #closing: Promise<void> = Promise.resolve();
  /** What ends with it. */
  readonly #companions = new Set<Companion>();
  /** Why it can follow no more. */
  #ended: Error | undefined;

  constructor(options: LatestOptions) {
    this.#options = options;
    const { restored } = options;
    this.from = restored?.from ?? options.from ?? { tx: 0n, alh: EMPTY_HASH };
    this.#at = restored?.at ?? this.from;
    this.#observers = new RowObservers(restored?.rows);
    this.#index = new GrowingIndex(options);
    this.#stretches = new Stretches({ ...options, operation: OPERATION, lanes: LANES });
    this.#pace = new Pace(options.everyMs);
    this.#push = new Push(options.rpc, (tx) => {
      if (this.#at.tx + 1n === tx) this.#pushed = tx;
      this.#soon(0);
    });
    this.#soon(0);
  }

  /** The root that everything up to was followed to. */
  get at(): Root {
    return this.#at;
  }

  get keys(): number {
    return this.#index.keys;
  }

  get bytes(): number {
    return this.#index.bytes;
  }

  /** The index is in a file. */
  get isInFile(): boolean {
    return this.#index.isInFile;
  }

  get isEnded(): boolean {
    return this.#ended !== undefined;
  }

  get status(): FollowStatus {
    if (this.#ended) return 'ended';
    if (this.#failure) return isTransient(this.#failure) ? 'waiting' : 'refused';
    return this.#at.tx < this.#options.trust.headTx ? 'catching-up' : 'following';
  }

  /** What went wrong the last time; undefined: nothing. */
  get failure(): Error | undefined {
    return this.#ended ?? this.#failure ?? this.#unsaved;
  }

  /**
   * Of a key, by its `keyName`: what reads of it must not fall behind. That of the key asked for last is remembered: a read asks
   * twice.
   */
  readonly versionOf = (name: string): VersionFacts | undefined => {
    if (name === this.#askedName && this.#at === this.#askedAt) return this.#asked;
    if (this.#ended) return undefined;
    const { length } = name;
    const raw = this.#rawKey;
    // Kind of a plain key.
    raw[0] = 0;
    for (let i = 0; i < length; i++) raw[i + 1] = name.charCodeAt(i);
    this.#asked = this.#index.peek(raw.subarray(0, length + 1));
    this.#askedName = name;
    this.#askedAt = this.#at;
    return this.#asked;
  };

  /** The newest version of a raw key as of {@link at}; undefined: it was never written since {@link from}. */
  get(rawKey: Uint8Array): LatestVersion | undefined {
    if (this.#ended) throw this.#ended;
    return this.#index.get(rawKey);
  }

  /** Keys in order, as of the newest root that is in the file; undefined where they are not kept in order. */
  view(): RangeView | undefined {
    if (this.#ended) throw this.#ended;
    return this.#index.view();
  }

  /**
   * Tells an observer of every row whose raw key begins with `prefix`, proven, in the order of transactions. Of catalogs
   * ({@link CATALOG_PREFIXES}) it is told at once of all that were followed so far; of others from {@link at} on. Returns what ends
   * it.
   */
  observe(prefix: Uint8Array, observer: RowObserver): () => void {
    if (this.#ended) throw this.#ended;
    return this.#observers.observe(prefix, observer, this.#at);
  }

  /**
   * Resolves when all up to `tx` was followed: by default up to where the server is when it is asked now. Undefined: it was.
   *
   * @throws VerificationError when the server does not show it
   */
  reach(deadline: Deadline, tx?: bigint): Promise<void> | undefined {
    if (this.#ended) throw this.#ended;
    if (tx !== undefined && tx <= this.#at.tx) return undefined;
    const reached = this.#waiters.wait(tx);
    this.#pace.hurry();
    this.#soon(0);
    return deadline.race(
      reached,
      `the follower to reach ${tx === undefined ? 'the server' : `tx ${tx.toString()}`}`,
    );
  }

  /**
   * What waits is told; nothing is followed any more. Resolves when the index is kept (`keeps`), where it is to be, and closed.
   *
   * @throws StoreError when it cannot be kept
   */
  end(error: Error, keeps = false): Promise<void> {
    if (this.#ended) return this.#closing;
    this.#ended = error;
    this.#askedName = undefined;
    clearTimeout(this.#timer);
    this.#push.stop();
    this.#waiters.reject(error);
    this.#closing = this.#close(keeps);
    this.#closing.catch(() => undefined);
    return this.#closing;
  }

  /** Ends with it: `companion` is told why, and waited for. Returns what takes it back. */
  endsWith(companion: Companion): () => void {
    if (this.#ended) throw this.#ended;
    this.#companions.add(companion);
    return () => void this.#companions.delete(companion);
  }

  async #close(keeps: boolean): Promise<void> {
    await Promise.all([...this.#companions].map((companion) => companion(this.#ended as Error, keeps)));
    // A question under way may take its time: what it is answered is not noted any more.
    await this.#working;
    try {
      if (keeps) await this.#options.log?.ends(this)?.catch(() => undefined);
      if (keeps && !this.#isBroken) await this.#save();
    } finally {
      this.#index.close();
    }
  }

  async #save(): Promise<void> {
    const { kept } = this.#options;
    if (!kept) return;
    this.#savedAt = performance.now();
    this.#unsaved = undefined;
    await kept.save({ from: this.from, at: this.#at, ...this.#index.kept, rows: this.#observers.kept });
  }

  #soon(ms: number): void {
    if (this.#ended || this.#step) return;
    clearTimeout(this.#timer);
    if (ms === 0) {
      this.#begin();
      return;
    }
    this.#timer = setTimeout(() => this.#begin(), ms);
    if (!this.#waiters.any) this.#timer.unref();
  }

  #begin(): void {
    // In a turn of its own: who waits together is told by one question.
    this.#step = Promise.resolve()
      .then(() => this.#look())
      .finally(() => {
        this.#step = undefined;
        if (!this.#ended) this.#soon(this.#pause());
      });
  }

  /** Until the next look, in milliseconds. */
  #pause(): number {
    const failure = this.#failure;
    if (failure) return this.#pace.afterFailure(isTransient(failure));
    if (this.#options.push) this.#push.waitFor(this.#at.tx + 1n);
    const pause = this.#pace.after(this.#found);
    if (this.#waiters.asks) return 0;
    // Who waits for what is to come is told by the push.
    return this.#push.isOn ? Math.max(pause, PUSHED_MS) : pause;
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const before = this.#at.tx;
    try {
      await this.#advance();
      this.#found = this.#at.tx > before;
      // What cannot be kept is followed all the same.
      if (performance.now() - this.#savedAt >= SAVE_EVERY_MS)
        await this.#work(this.#save()).catch((error: unknown) => (this.#unsaved = asError(error)));
      await this.#tell();
      this.#failure = undefined;
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Says in the log how far it is, where that is due. */
  async #tell(): Promise<void> {
    const { log, trust } = this.#options;
    if (this.#at.tx === 0n || this.#at.tx < trust.headTx) return;
    await log?.caughtUp(this)?.catch((error: unknown) => (this.#unsaved = asError(error)));
  }

  async #advance(): Promise<void> {
    const { trust } = this.#options;
    const pushed = this.#pushed;
    this.#pushed = undefined;
    const { tx } = this.#at;
    const isThere = pushed === tx + 1n || this.#waiters.beyond(tx);
    if (isThere && tx > 0n && trust.headTx === tx && !this.#waiters.asks && this.#singly++ < MOST_SINGLY) {
      const rows = await this.#stretches.followNext(this.#at);
      if (rows) return this.#noteWhole(rows, tx + 1n);
    }
    this.#singly = 0;
    const asking = this.#waiters.begin();
    // Up to the head nobody has to be asked where the server is: writes of this client moved it.
    if (asking.length > 0 || trust.root.tx <= this.#at.tx || this.#waiters.beyond(trust.root.tx))
      await trust.assureNow(OPERATION);
    const head = trust.root;
    this.#waiters.settle(asking, head.tx);
    if (head.tx > this.#at.tx)
      await this.#stretches.followTo(this.#at, head, (rows, first) => this.#noteWhole(rows, first));
    this.#waiters.reached(this.#at.tx);
  }

  #failed(error: unknown): void {
    this.#failure = asError(error);
    // Who waits is told what it cannot get; what passes by itself is waited for.
    if (!isTransient(error)) this.#waiters.reject(this.#failure);
  }

  /** Nobody closes the index while this is under way. */
  async #work(work: Promise<void>): Promise<void> {
    this.#working = work.catch(() => undefined);
    await work;
  }

  #noteWhole(rows: Uint8Array, first: bigint): Promise<void> {
    if (this.#ended) return Promise.reject(this.#ended);
    return this.#work(this.#noteOrEnd(rows, first));
  }

  async #noteOrEnd(rows: Uint8Array, first: bigint): Promise<void> {
    try {
      await this.#note(rows, first);
    } catch (cause) {
      if (this.#ended) throw cause;
      this.#isBroken = true;
      const error = new StoreError('STORE_FAILED', 'the index of what was followed cannot be written', {
        cause,
      });
      void this.end(error);
      throw error;
    }
  }

  /** All of the tx that it is at is in the index: others have their turn, and may ask for it. */
  #told({ tx, alh }: RowReader): void {
    this.#at = { tx, alh };
    this.#failure = undefined;
    this.#index.reached(this.#at);
    this.#observers.reached(this.#at);
  }

  /** A tx at a time is in the index whole, or not at all. */
  async #note(rows: Uint8Array, first: bigint): Promise<void> {
    const reader = new RowReader(rows, first);
    let left = ROWS_A_TURN;
    while (reader.nextTx()) {
      left -= reader.entries;
      // By its transaction only: no read of the key leads to it, and it is no version.
      while (reader.nextRow()) {
        if ((reader.flags & NON_INDEXABLE) === 0) this.#index.put(reader);
        this.#observers.note(reader);
      }
      const isAwaited = this.#waiters.reached(reader.tx);
      if (left > 0 && !isAwaited) continue;
      left = ROWS_A_TURN;
      this.#told(reader);
      await new Promise((resume) => setImmediate(resume));
      if (this.#ended) throw this.#ended;
    }
    this.#told(reader);
    if (this.#index.isFull) await this.#index.moveToFile(this.#at);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
