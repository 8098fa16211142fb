// Which collections there are, and their columns, by every digest of every proven transaction so far: names are guessed and held
// against the hashes of what was stored, so that a user who may only read proves them too.
import { toHex } from '../../../../proof/bytes.js';
import { ID_COLUMN, MAX_DOCUMENT_ID_BYTES } from '../../../../proof/documents/document.js';
import { ProofFailure } from '../../../../proof/failure.js';
import { sha256 } from '../../../../proof/hash.js';
import { encodeCatalogValue, isCatalogKey } from '../../../../proof/sql/catalog-entry.js';
import { decodeSqlKey, isOfCatalog } from '../../../../proof/sql/raw-key.js';
import type { CatalogKey } from '../../../../proof/sql/raw-key.js';
import { FIXED_LENGTH } from '../../../../proof/sql/types.js';
import type { SqlType } from '../../../../proof/sql/types.js';
import type { TxEntry } from '../../../../proof/types.js';

/** Bytes that a field of strings takes. */
const STRING_LENGTH = 512;

/** What a catalog entry was from a transaction on. */
interface Version {
  readonly tx: bigint;
  /** Of its value; undefined: it was deleted. */
  readonly hash: string | undefined;
}

interface Column {
  readonly type: SqlType;
  /** In the order of their transactions. */
  readonly versions: Version[];
}

/** A column of a collection, as it was at a transaction. */
export interface KnownColumn {
  readonly id: number;
  readonly type: SqlType;
  /** The transaction that wrote it last. */
  readonly tx: bigint;
  readonly hash: string;
}

interface Table {
  readonly versions: Version[];
  readonly columns: Map<number, Column>;
}

/** The catalog as it was followed: all transactions up to {@link followed}. Grows by {@link take}, or entry by entry. */
export class DocumentCatalog {
  readonly #tables = new Map<number, Table>();
  readonly #names = new Map<string, string>();
  readonly #tableNames = new Map<string, string>();
  readonly #idFields = new Set<string>();
  /** Transactions with entries of the catalog. */
  readonly #changes: bigint[] = [];
  #followed = 0n;

  /** All transactions up to this one were looked at. */
  get followed(): bigint {
    return this.#followed;
  }

  /** Takes the next transaction: all its entries, proven. */
  take(tx: bigint, entries: readonly TxEntry[]): void {
    for (const { key, metadata, hValue } of entries)
      if (isOfCatalog(key, 'document')) this.takeEntry(tx, key, hValue, metadata?.deleted === true);
    this.reached(tx);
  }

  /** All entries of the catalog up to this transaction were taken. */
  reached(tx: bigint): void {
    this.#followed = tx;
  }

  /** Takes the next entry of the catalog, proven. */
  takeEntry(tx: bigint, key: Uint8Array, hValue: Uint8Array, deleted: boolean): void {
    const of = keyOf(key);
    if (!of) return;
    const version = { tx, hash: deleted ? undefined : toHex(hValue) };
    if (this.#changes.at(-1) !== tx) this.#changes.push(tx);
    if (of.kind === 'table') this.#table(of.table).versions.push(version);
    else if (of.kind === 'column') {
      const { columns } = this.#table(of.table);
      const known = columns.get(of.column);
      if (known) known.versions.push(version);
      else columns.set(of.column, { type: of.type, versions: [version] });
    }
  }

  #table(id: number): Table {
    let table = this.#tables.get(id);
    if (!table) this.#tables.set(id, (table = { versions: [], columns: new Map() }));
    return table;
  }

  /** The last transaction up to this one that has an entry of the catalog; 0: none has. */
  changedAt(tx: bigint): bigint {
    return this.#changes.findLast((change) => change <= tx) ?? 0n;
  }

  /** The collections that lived at a transaction, by ascending id. */
  tablesAt(tx: bigint): { readonly id: number; readonly hash: string }[] {
    const live = [...this.#tables].flatMap(([id, { versions }]) => {
      const hash = versions.findLast((version) => version.tx <= tx)?.hash;
      return hash === undefined ? [] : [{ id, hash }];
    });
    return live.sort((a, b) => a.id - b.id);
  }

  /** The name that a collection has by the hash of its entry; undefined: nobody has said it yet. */
  tableName(hash: string): string | undefined {
    return this.#tableNames.get(hash);
  }

  /** A name that a collection, and one that the field of its ids, may have. */
  learnCollection(name: string, idField: string): void {
    this.#tableNames.set(hashOf({ kind: 'table', name }), name);
    this.#idFields.add(idField);
  }

  /** What of all names that were learned the id field was called at a transaction. */
  knownIdFieldAt(table: number, tx: bigint): string | undefined {
    return this.idFieldAt(table, tx, [...this.#idFields]);
  }

  /** The collection that has this name, as far as transactions were followed. Names are given again only after a deletion. */
  tableOf(name: string): number | undefined {
    const hash = hashOf({ kind: 'table', name });
    for (const [id, { versions }] of this.#tables) if (versions.at(-1)?.hash === hash) return id;
    return undefined;
  }

  /** The columns that lived at a transaction, by ascending id. */
  columnsAt(table: number, tx: bigint): KnownColumn[] {
    const columns = this.#tables.get(table)?.columns ?? [];
    const live = [...columns].flatMap(([id, { type, versions }]) => {
      const last = versions.findLast((version) => version.tx <= tx);
      return last?.hash === undefined ? [] : [{ id, type, tx: last.tx, hash: last.hash }];
    });
    return live.sort((a, b) => a.id - b.id);
  }

  /** Which of these is the name of the id field, as it was at a transaction. */
  idFieldAt(table: number, tx: bigint, names: readonly string[]): string | undefined {
    const column = this.columnsAt(table, tx).find(({ id }) => id === ID_COLUMN);
    return column && names.find((name) => columnHash(column.type, name, true) === column.hash);
  }

  /** Names that a column may have: those that have become known are remembered by their hashes. */
  learn(names: readonly string[]): void {
    for (const name of names) {
      for (const type of TYPES) this.#names.set(columnHash(type, name, false), name);
    }
  }

  /** Undefined: nobody has said its name yet. */
  nameOf({ hash }: KnownColumn): string | undefined {
    return this.#names.get(hash);
  }
}

/** Undefined: of a kind that this release does not know, which says nothing of tables and columns. */
function keyOf(key: Uint8Array): CatalogKey | undefined {
  try {
    const of = decodeSqlKey(key);
    return isCatalogKey(of) ? of : undefined;
  } catch (error) {
    if (error instanceof ProofFailure) return undefined;
    throw error;
  }
}

/** Of fields; the id is of none of these. */
const TYPES: readonly SqlType[] = ['VARCHAR', 'INTEGER', 'FLOAT', 'BOOLEAN', 'UUID'];

function columnHash(type: SqlType, name: string, isId: boolean): string {
  const maxLength = isId ? MAX_DOCUMENT_ID_BYTES : (FIXED_LENGTH[type] ?? STRING_LENGTH);
  return hashOf({ kind: 'column', name, maxLength, notNull: isId, autoIncrement: false });
}

function hashOf(value: Parameters<typeof encodeCatalogValue>[0]): string {
  return toHex(sha256(encodeCatalogValue(value)));
}
