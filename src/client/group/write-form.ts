// What the writes of one RPC have in common: how an entry of them is put into a request and read back, and which keys it is about.
import type { Stored } from '../../verify/writings/stored.js';
import type { Condition } from '../input/conditions.js';
import type { EntryBatch } from './entry-batch.js';
import type { RequestEncoder } from './request-encoder.js';

/** RPCs that write keys and are answered by the header of the tx that they became. */
export type WriteMethod = 'Set' | 'Delete' | 'ExecAll' | 'SetReference' | 'ZAdd';

/** How a proven entry ends its key: by its deletion, or from a time on (unix seconds). `unread`: reads of it lead to none. */
export type Ending = 'deleted' | bigint | 'unread';

/**
 * One of these per RPC. Methods, and called as such: writes wait in a request alone, and nothing is made per entry but its name.
 */
export interface WriteForm<E = unknown> {
  readonly method: WriteMethod;
  /** Tag of the request's preconditions, if it takes any. */
  readonly conditionTag?: number;
  readonly noWaitTag: number;

  encode(request: RequestEncoder, entry: E): void;
  /** Entries of a request in their order, preconditions passed over. */
  read(request: Uint8Array): E[];

  /** What the entry writes: the `keyName` of its key, or what no key has for a name. No two in a transaction. */
  nameOf(entry: E): string;
  /** The key that must stay as it is until the entry is written: the one that it leads to. */
  targetOf?(entry: E): string | undefined;
  endingOf?(entry: E): Ending | undefined;
  /** What it is stored as in this tx. */
  storedIn(entry: E, tx: bigint): Stored;
}

/** What one write is made of. */
export interface WriteContent<E = unknown> {
  readonly form: WriteForm<E>;
  /** At least one, of distinct names; none where there is a `batch`. */
  readonly entries: readonly E[];
  /** Many plain entries, in their request already: they go as a transaction of their own, without conditions. */
  readonly batch?: EntryBatch;
  readonly conditions: readonly Condition[];
  /** Of all keys and values. */
  readonly bytes: number;
  /** Answered before the server has indexed it. Only for writes that share their transaction with no other. */
  readonly noWait?: boolean;
  /** Only for deletes that share their transaction with no other. */
  readonly sinceTx?: bigint;
}

export const NO_CONDITIONS: readonly Condition[] = [];
