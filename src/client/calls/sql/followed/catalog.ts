// The tables of a database that is followed from its first transaction on: all entries of the catalog are known, so that it is exact
// as of every transaction that was followed. Their values are asked for once, and held against what was followed.
import { toHex } from '../../../../proof/bytes.js';
import { decodeCatalogEntry, isCatalogKey } from '../../../../proof/sql/catalog-entry.js';
import { decodeSqlKey } from '../../../../proof/sql/raw-key.js';
import type { Latest } from '../../../trust/latest/latest.js';
import { CATALOG_PREFIXES } from '../../../trust/latest/row-observers.js';
import type { ObservedRow } from '../../../trust/latest/row-observers.js';
import { tableOf } from '../catalog.js';
import type { Kept, ProvenTable, SqlAsking } from '../catalog.js';
import { followedValues, briefVersion } from './values.js';

const NO_BYTES = new Uint8Array(0);
const SQL_CATALOG = CATALOG_PREFIXES[0] as Uint8Array;

/** The tables as of one transaction. */
export class FollowedTables {
  /** Everything up to this tx was followed. */
  readonly tx: bigint;
  /** Entries of the catalog up to there. */
  readonly entries: number;
  readonly #tables: ReadonlyMap<number, readonly Kept[]>;
  readonly #names = new Map<string, number>();
  readonly #known = new Map<number, ProvenTable>();

  constructor(tx: bigint, entries: number, tables: ReadonlyMap<number, readonly Kept[]>) {
    this.tx = tx;
    this.entries = entries;
    this.#tables = tables;
    for (const [id, kept] of tables)
      for (const { entry } of kept) if (entry.value?.kind === 'table') this.#names.set(entry.value.name, id);
  }

  /** Names of all tables that live. */
  get names(): readonly string[] {
    return [...this.#names.keys()];
  }

  idOf(name: string): number | undefined {
    return this.#names.get(name);
  }

  /** Throws ProofFailure for one that cannot be read. */
  named(name: string): ProvenTable | undefined {
    const id = this.#names.get(name);
    return id === undefined ? undefined : this.table(id);
  }

  /** Throws ProofFailure for one that cannot be read. */
  table(id: number): ProvenTable | undefined {
    const known = this.#known.get(id);
    if (known) return known;
    const kept = this.#tables.get(id);
    const table = kept && tableOf(id, kept);
    if (table) this.#known.set(id, table);
    return table;
  }
}

export class FollowedCatalog {
  readonly #rows: ObservedRow[] = [];
  readonly #values = new Map<string, Uint8Array>();
  #last: FollowedTables | undefined;

  private constructor(latest: Latest) {
    latest.observe(SQL_CATALOG, { row: (row) => this.#rows.push(row), reached: () => undefined });
  }

  /** One per follower. */
  static of(latest: Latest): FollowedCatalog {
    let catalog = catalogs.get(latest);
    if (!catalog) catalogs.set(latest, (catalog = new FollowedCatalog(latest)));
    return catalog;
  }

  /** How many entries of the catalog there are up to this transaction: none of them changes, so that as many are the same ones. */
  entriesAt(tx: bigint): number {
    let end = this.#rows.length;
    while (end > 0 && (this.#rows[end - 1] as ObservedRow).tx > tx) end--;
    return end;
  }

  /**
   * The tables as of a transaction that was followed.
   *
   * @throws VerificationError where the server shows other values than were written
   * @throws ServerError TRUNCATED where it has one no more
   */
  async at(asking: SqlAsking, tx: bigint): Promise<FollowedTables> {
    const count = this.entriesAt(tx);
    if (this.#last?.entries === count && this.#last.tx <= tx) return this.#last;
    const newest = new Map<string, ObservedRow>();
    for (const row of this.#rows.slice(0, count)) newest.set(toHex(row.key), row);
    const rows = [...newest.values()];
    await this.#ask(asking, rows);
    const tables = new Map<number, Kept[]>();
    for (const { key, tx: written, hValue, ...metadata } of rows) {
      const of = decodeSqlKey(key);
      // Sequences and views are no tables.
      if (!isCatalogKey(of) || !('table' in of)) continue;
      const value = metadata.deleted ? undefined : this.#values.get(toHex(hValue));
      const entry = decodeCatalogEntry(key, metadata, value ?? NO_BYTES);
      const kept = tables.get(of.table);
      if (kept) kept.push({ tx: written, entry });
      else tables.set(of.table, [{ tx: written, entry }]);
    }
    const made = new FollowedTables(tx, count, tables);
    if (!this.#last || this.#last.entries <= count) this.#last = made;
    return made;
  }

  /** Values that live: a truncation repeats them, so that the newest transaction that has one is asked for it. */
  async #ask(asking: SqlAsking, rows: readonly ObservedRow[]): Promise<void> {
    const missing = rows.filter(({ deleted, hValue }) => !deleted && !this.#values.has(toHex(hValue)));
    const values = await followedValues(asking, missing.map(briefVersion));
    missing.forEach(({ hValue }, i) => this.#values.set(toHex(hValue), (values[i] as Uint8Array).slice()));
  }
}

const catalogs = new WeakMap<Latest, FollowedCatalog>();
