// What is latest in a database, as of a transaction that all before were followed to: every transaction is read, proven under the
// trusted head, and noted, in order. What is asked of it costs no question to the server.
import { StoreError, TransportError, VerificationError } from '../../../errors.js';
import { EMPTY_HASH } from '../../../proof/hash.js';
import { plainKey } from '../../../proof/entry.js';
import { NON_INDEXABLE, readRows } from '../../../verify/chain/rows.js';
import type { Root } from '../../../verify/verifier.js';
import type { Deadline } from '../../flow/deadline.js';
import { DELETED } from '../known/newest-versions.js';
import type { FollowedVersions } from '../known/newest-versions.js';
import { CompactIndex } from './compact-index.js';
import type { LatestVersion } from './key-index.js';
import { followTo } from './stretches.js';
import type { FollowedTrust, StretchesOptions } from './stretches.js';

export interface LatestOptions extends Pick<StretchesOptions, 'rpc' | 'timeoutMs' | 'maxMessageBytes'> {
  readonly trust: FollowedTrust;
  /** Pause between two questions for new transactions, in milliseconds. */
  readonly everyMs: number;
  /** Most memory that the index takes. */
  readonly maxBytes: number;
  /** Where it begins: a root that is proven. @default the empty database */
  readonly from?: Root;
}

const OPERATION = 'follow';
const LANES = 4;
/** Rows that are noted before others have their turn. */
const ROWS_A_TURN = 2000;

interface Waiter {
  readonly tx: bigint;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Latest {
  /** Txs up to this one were not followed: 0 = none. */
  readonly from: Root;
  readonly #options: LatestOptions;
  readonly #index = new CompactIndex();
  #at: Root;
  #waiting: Waiter[] = [];
  #timer: NodeJS.Timeout | undefined;
  #stepping: Promise<void> | undefined;
  /** Why it can follow no more. */
  #ended: Error | undefined;
  /** The last refusal; it may be well again the next time. */
  #refused: VerificationError | undefined;

  constructor(options: LatestOptions) {
    this.#options = options;
    this.from = options.from ?? { tx: 0n, alh: EMPTY_HASH };
    this.#at = this.from;
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

  /** Of a key, by its `keyName`: what reads of it must not fall behind. */
  readonly versionOf: FollowedVersions = (name) => {
    const version = this.#index.get(plainKey(Buffer.from(name, 'latin1')));
    if (!version) return undefined;
    const { tx, deleted, expiresAt } = version;
    const end = deleted ? DELETED : expiresAt;
    return end === undefined ? { tx } : { tx, end };
  };

  /** The newest version of a raw key as of {@link at}; undefined: it was never written since {@link from}. */
  get(rawKey: Uint8Array): LatestVersion | undefined {
    if (this.#ended) throw this.#ended;
    return this.#index.get(rawKey);
  }

  /**
   * Resolves when all up to `tx` was followed: by default up to where the server is now.
   *
   * @throws VerificationError when the server does not show it
   */
  async reach(deadline: Deadline, tx?: bigint): Promise<void> {
    if (this.#ended) throw this.#ended;
    if (tx !== undefined && tx <= this.#at.tx) return;
    const waiting = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ tx: tx ?? -1n, resolve, reject });
    });
    // Its caller may have given up.
    waiting.catch(() => undefined);
    this.#soon(0);
    await deadline.race(
      waiting,
      `the follower to reach ${tx === undefined ? 'the server' : `tx ${tx.toString()}`}`,
    );
  }

  /** What waits is told; nothing is followed any more. */
  end(error: Error): void {
    if (this.#ended) return;
    this.#ended = error;
    clearTimeout(this.#timer);
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #soon(ms: number): void {
    if (this.#ended || this.#stepping) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#stepping = this.#step().finally(() => {
        this.#stepping = undefined;
        this.#soon(this.#waiting.length > 0 && !this.#refused ? 0 : this.#options.everyMs);
      });
    }, ms);
    if (this.#waiting.length === 0) this.#timer.unref();
  }

  async #step(): Promise<void> {
    const { trust } = this.#options;
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      await trust.assertStanding(OPERATION);
      const head = trust.root;
      if (head.tx > this.#at.tx)
        await followTo(
          { ...this.#options, operation: OPERATION, lanes: LANES },
          this.#at,
          head,
          async ({ first, last, alh, rows }) => {
            await this.#note(rows, first);
            this.#at = { tx: last, alh };
          },
        );
      this.#refused = undefined;
      for (const waiter of waiting) {
        if (waiter.tx <= this.#at.tx) waiter.resolve();
        else this.#waiting.push(waiter);
      }
    } catch (error) {
      if (error instanceof StoreError) this.end(error);
      if (error instanceof VerificationError) this.#refused = error;
      const isPassing = error instanceof TransportError;
      for (const waiter of waiting) {
        if (isPassing && !this.#ended) this.#waiting.push(waiter);
        else waiter.reject(error);
      }
    }
  }

  async #note(rows: Uint8Array, first: bigint): Promise<void> {
    let left = ROWS_A_TURN;
    for (const row of readRows(rows, first)) {
      // By its transaction only: no read of the key leads to it, and it is no version.
      if ((row.flags & NON_INDEXABLE) === 0) this.#index.put(row);
      if (--left > 0) continue;
      left = ROWS_A_TURN;
      await new Promise((resume) => setImmediate(resume));
    }
    if (this.#index.bytes > this.#options.maxBytes)
      this.end(new StoreError('STORE_FAILED', 'the index of what was followed is larger than maxBytes'));
  }
}
