// One database: its log, its key index, and the commit that makes a transaction out of entries.
import { hash } from 'node:crypto';
import { entriesRoot } from '../../proof/tree/entries-tree.js';
import { digestOf } from '../../proof/entry.js';
import { ZERO_HASH } from '../../proof/hash.js';
import { encodeKVMetadata } from '../../proof/metadata.js';
import type { KVMetadata, TxHeader, TxMetadata } from '../../proof/types.js';
import { refuse } from '../errors.js';
import { KeyIndex } from './key-index.js';
import { TxLog } from './tx-log.js';
import type { StoredEntry, TxId } from './tx-log.js';

/** What a database is created with. */
export interface DatabaseLimits {
  /** Longest raw key and raw value in bytes (kind prefix included), and most entries of a transaction. */
  readonly maxKeyBytes: number;
  readonly maxValueBytes: number;
  readonly maxTxEntries: number;
}

export interface DatabaseFormat {
  /** 0 is immudb's 1.1 format: no metadata, so no deletions and no expiration. */
  readonly headerVersion: 0 | 1;
  /** Headers carry time 0, so that hashes depend on the operations only. */
  readonly excludeCommitTime: boolean;
}

/** Entry to be written: raw key and raw value. */
export interface EntrySpec {
  readonly key: Uint8Array;
  readonly metadata?: KVMetadata | undefined;
  readonly value: Uint8Array;
}

/** Entries with their digests, ready to be committed. */
export interface PreparedTx {
  readonly entries: readonly StoredEntry[];
  readonly digests: readonly Uint8Array[];
  readonly version: 0 | 1;
  readonly metadata?: TxMetadata;
}

/** What immudb says of a time that never was: the first moment of the year 1. */
const NEVER_MS = -62_135_596_800_000;

/** Where committed transactions are kept beyond this process; called before anybody learns of them. */
export type Journal = (header: TxHeader, entries: readonly StoredEntry[]) => void;

/** Says what goes into the history tree for a transaction that was just appended; undefined = its alh. */
export type LeafHook = (header: TxHeader) => Uint8Array | undefined;

/** How a database departs from an honest one; only lies touch this. */
export interface Dishonesty {
  /** Transactions that the history tree of a new header is behind. */
  lag: number;
  headerVersion?: 0 | 1;
  readonly leaves: Set<LeafHook>;
}

export class Database {
  readonly name: string;
  readonly limits: DatabaseLimits;
  readonly format: DatabaseFormat;
  readonly log = new TxLog();
  readonly index = new KeyIndex(this.log);
  readonly dishonesty: Dishonesty = { lag: 0, leaves: new Set() };
  readonly #journal: Journal | undefined;
  #lastCommitAtMs = NEVER_MS;

  constructor(name: string, limits: DatabaseLimits, format: DatabaseFormat, journal?: Journal) {
    this.name = name;
    this.limits = limits;
    this.format = format;
    this.#journal = journal;
  }

  /** Id of the last transaction; 0 when the database is empty. */
  get last(): TxId {
    return this.log.last;
  }

  get lastCommitAtMs(): number {
    return this.#lastCommitAtMs;
  }

  /** Hashes the entries in the format of this database. Throws when there are none, too many, or one does not fit. */
  prepare(specs: readonly EntrySpec[]): PreparedTx {
    const version = this.dishonesty.headerVersion ?? this.format.headerVersion;
    const entries: StoredEntry[] = [];
    const digests: Uint8Array[] = [];
    for (const spec of specs) {
      if (version === 0 && encodeKVMetadata(spec.metadata).length > 0) throw refuse.metadataUnsupported();
      const hValue = sha256(spec.value);
      entries.push({ key: spec.key, metadata: spec.metadata, value: spec.value, hValue });
      digests.push(digestOf(version, spec.key, spec.metadata, hValue));
    }
    return { entries, digests, version };
  }

  /** Appends the next transaction; returns its header. */
  commit(tx: PreparedTx): TxHeader {
    const header = this.nextHeader(tx);
    this.#journal?.(header, tx.entries);
    this.replay(header, tx.entries);
    return header;
  }

  /**
   * Gives up the values of what was committed before `seconds`, as a transaction without entries says from then on: all of
   * them are kept here all the same, as they are by immudb until a file of values holds nothing younger. False when nothing
   * is that old.
   */
  truncate(seconds: number): boolean {
    let truncated = this.last;
    while (
      truncated > 0 &&
      (this.log.header(truncated).nentries === 0 || this.log.header(truncated).ts >= seconds)
    )
      truncated -= 1;
    if (truncated === 0) return false;
    const version = this.format.headerVersion;
    const metadata = version === 0 ? {} : { metadata: { truncatedTxId: BigInt(truncated) } };
    this.commit({ entries: [], digests: [], version, ...metadata });
    return true;
  }

  /** Header that {@link commit} would give to this transaction now. */
  nextHeader(tx: PreparedTx): TxHeader {
    const last = this.log.last;
    const before = last === 0 ? 0 : Number(this.log.header(last).blTxId);
    const blTxId = Math.max(before, last - this.dishonesty.lag);
    return {
      id: BigInt(last + 1),
      prevAlh: this.log.alh(last),
      ts: this.format.excludeCommitTime ? 0n : BigInt(Math.floor(Date.now() / 1000)),
      version: tx.version,
      nentries: tx.entries.length,
      eH: entriesRoot(tx.digests),
      blTxId: BigInt(blTxId),
      blRoot: blTxId === 0 ? ZERO_HASH : this.log.tree.root(BigInt(blTxId)),
      ...(tx.metadata && { metadata: tx.metadata }),
    };
  }

  /** Takes in a transaction that was committed before: on start, and when a branch repeats its trunk. */
  replay(header: TxHeader, entries: readonly StoredEntry[]): void {
    const first = this.log.entryCount;
    this.log.append(header, entries, () => this.#otherLeaf(header));
    entries.forEach((entry, nth) => this.index.add(first + nth, entry.metadata?.nonIndexable !== true));
    this.#lastCommitAtMs = Date.now();
  }

  #otherLeaf(header: TxHeader): Uint8Array | undefined {
    for (const hook of this.dishonesty.leaves) {
      const leaf = hook(header);
      if (leaf) return leaf;
    }
    return undefined;
  }
}

/** The platform's hash: values may be megabytes. */
function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer');
}
