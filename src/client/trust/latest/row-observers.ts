// Who is told of rows as they are followed: catalogs of SQL and documents are made of the keys under their prefixes. The rows of
// catalogs are few, and kept: who comes later is told of all of them.
import { DELETED, NON_INDEXABLE, hashOfRow, keyOfRow } from '../../../verify/chain/rows.js';
import type { Row } from '../../../verify/chain/rows.js';
import type { Root } from '../../../verify/verifier.js';

/** One proven entry of a transaction; its bytes are its own. */
export interface ObservedRow {
  readonly tx: bigint;
  /** Raw: with the byte in front that says what kind of entry it is. */
  readonly key: Uint8Array;
  /** SHA-256 of the raw value: a value that hashes to it is the one that was written. */
  readonly hValue: Uint8Array;
  readonly deleted: boolean;
  readonly nonIndexable: boolean;
  /** Unix seconds. */
  readonly expiresAt?: bigint;
}

/** Must not throw: what it throws ends the follower. */
export interface RowObserver {
  /** In the order of their transactions, and within one in the order of its entries; each once. */
  row(row: ObservedRow): void;
  /** All rows up to this root were told. */
  reached(at: Root): void;
  /** True: the next row is not told. Absent: every one is. */
  passesOver?(): boolean;
}

/** Raw keys of the catalogs of SQL and of documents begin with these. */
export const CATALOG_PREFIXES: readonly Uint8Array[] = [2, 3].map((kind) =>
  Buffer.from([kind, ...Buffer.from('CTL.')]),
);

/** `C` of `CTL.`. */
const CATALOG_MARK = 0x43;

function isOfCatalog(bytes: Uint8Array, at: number, end: number): boolean {
  return CATALOG_PREFIXES.some((prefix) => beginsWith(bytes, at, end, prefix));
}

export class RowObservers {
  readonly #kept: ObservedRow[] = [];
  readonly #observers = new Map<RowObserver, Uint8Array>();

  /** `kept`: rows of catalogs that were followed before. */
  constructor(kept: readonly ObservedRow[] = []) {
    for (const row of kept) this.#kept.push(row);
  }

  /** Rows of catalogs, all that were followed. */
  get kept(): readonly ObservedRow[] {
    return this.#kept;
  }

  /** Begins with the rows of catalogs up to `at`, told at once; other rows are told from now on. Returns what ends it. */
  observe(prefix: Uint8Array, observer: RowObserver, at: Root): () => void {
    for (const row of this.#kept) if (beginsWith(row.key, 0, row.key.length, prefix)) observer.row(row);
    observer.reached(at);
    this.#observers.set(observer, prefix.slice());
    return () => void this.#observers.delete(observer);
  }

  note(row: Row): void {
    const { bytes, keyAt, keyEnd } = row;
    // Nearly all rows are plain keys, which nobody observes.
    if (this.#observers.size === 0 && (bytes[keyAt] as number) < 2) return;
    const isCatalog = bytes[keyAt + 1] === CATALOG_MARK && isOfCatalog(bytes, keyAt, keyEnd);
    let observed: ObservedRow | undefined;
    if (isCatalog) this.#kept.push((observed = observedOf(row)));
    for (const [observer, prefix] of this.#observers)
      if (beginsWith(bytes, keyAt, keyEnd, prefix) && observer.passesOver?.() !== true)
        observer.row((observed ??= observedOf(row)));
  }

  reached(at: Root): void {
    for (const observer of this.#observers.keys()) observer.reached(at);
  }
}

function beginsWith(bytes: Uint8Array, at: number, end: number, prefix: Uint8Array): boolean {
  if (end - at < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (bytes[at + i] !== prefix[i]) return false;
  return true;
}

function observedOf(row: Row): ObservedRow {
  const { tx, flags, expiresAt } = row;
  return {
    ...{ tx, key: keyOfRow(row).slice(), hValue: hashOfRow(row).slice() },
    deleted: (flags & DELETED) !== 0,
    nonIndexable: (flags & NON_INDEXABLE) !== 0,
    ...(expiresAt !== undefined && { expiresAt }),
  };
}
