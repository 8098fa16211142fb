// Blocks of headers that a root store may keep beside the log, so that the next process finds them: as the server sent
// them, with what proves them. What is kept is not trusted for being kept.
import { checkedBytes, checkedId, isObject } from './log/audit-entry.js';
import { bad } from './log/audit-query.js';
import type { StoredRoot, TrustKey } from './audit-types.js';
import { HASH_SIZE } from '../proof/hash.js';

/** Headers of consecutive transactions, with the proof of the last of them. */
export interface HeaderBlock {
  readonly first: bigint;
  readonly last: bigint;
  /** The trusted root under which the block was proven. Its tx is `last` or above. */
  readonly head: StoredRoot;
  /** Raw VerifiableTx of `last`, whose dual proof ends in `head`. */
  readonly proof: Uint8Array;
  /** Raw TxList of the headers. */
  readonly headers: Uint8Array;
  /** What is used of them: quickly at hand where the log has their SHA-256. */
  readonly columns: Uint8Array;
}

/** A block that is there, without what is in it. */
export interface HeaderBlockInfo extends TrustKey {
  readonly first: bigint;
  readonly last: bigint;
  readonly bytes: number;
}

/**
 * Keeps blocks of headers per server and database. What it gives back is held against the log before it is used, by its
 * SHA-256 or by its proof: so it need not be durable, nor safe from change, and may forget any block at any time. It must
 * forget those of a database whose trust is forgotten.
 */
export interface HeaderStore {
  /** The block that starts at tx `first`; null when it is not kept. */
  load(key: TrustKey, first: bigint): Promise<HeaderBlock | null>;
  /**
   * Keeps a block, in place of one of the same `first` that ends no later. Of all blocks in the store those that were
   * used longest ago are dropped until they take no more than `maxBytes`. Without a trusted head at `block.head` or
   * above it nothing is kept: trust was forgotten meanwhile.
   */
  save(key: TrustKey, block: HeaderBlock, maxBytes: number): Promise<void>;
  drop(key: TrustKey, first: bigint): Promise<void>;
  /** What is kept, that which was used longest ago first. */
  list(filter?: Partial<TrustKey>): Promise<readonly HeaderBlockInfo[]>;
}

/** A copy. @throws ArgumentError naming the field that cannot be kept */
export function checkedBlock(block: HeaderBlock): HeaderBlock {
  if (!isObject(block)) bad('block', 'must be a block of headers');
  const { first, last, head, proof, headers, columns } = block;
  if (!isObject(head)) bad('block.head', 'must be a root');
  const root = { tx: checkedId('block.head', head.tx), alh: checkedBytes('block.head', head.alh, HASH_SIZE) };
  if (checkedId('block.first', first) < 1n) bad('block.first', 'must be 1 or more');
  if (checkedId('block.last', last) < first || last > root.tx) {
    bad('block.last', 'must be from block.first to the tx of block.head');
  }
  return {
    first,
    last,
    head: root,
    proof: checkedBytes('block.proof', proof),
    headers: checkedBytes('block.headers', headers),
    columns: checkedBytes('block.columns', columns),
  };
}

export function checkedMaxBytes(maxBytes: number): number {
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 0) bad('maxBytes', 'must be an integer of 0 or more');
  return maxBytes;
}

/** What a block counts for against the bound. */
export function bytesOf({ proof, headers, columns }: HeaderBlock): number {
  return proof.length + headers.length + columns.length;
}
