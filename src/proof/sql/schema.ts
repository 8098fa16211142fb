// A table as its catalog entries make it: names and what lives change, ids and types stay.
import { ProofFailure } from '../failure.js';
import type { CatalogEntry } from './catalog-entry.js';
import type { SqlPrefix } from './types.js';
import type { ColumnType } from './types.js';

export interface SqlColumn extends ColumnType {
  readonly id: number;
  readonly name: string;
  readonly notNull: boolean;
  readonly autoIncrement: boolean;
  /** As the server writes it; not always as it was typed. */
  readonly defaultText?: string;
}

export interface SqlIndex {
  /** 0: the primary key. */
  readonly id: number;
  readonly unique: boolean;
  /** Ids of columns, in the order of the index. */
  readonly columns: readonly number[];
}

export interface SqlCheck {
  readonly id: number;
  readonly name: string;
  readonly expression: string;
}

/** A table, or a collection of documents. */
export interface TableSchema {
  readonly prefix: SqlPrefix;
  readonly id: number;
  readonly name: string;
  /** Those that live, by ascending id. */
  readonly columns: readonly SqlColumn[];
  /** Of all columns whose entries are known, dropped ones too: how rows are read. */
  readonly types: ReadonlyMap<number, ColumnType>;
  /** Ids of the columns of the primary key, in its order. */
  readonly primaryKey: readonly number[];
  /** The secondary ones, by ascending id. */
  readonly indexes: readonly SqlIndex[];
  readonly checks: readonly SqlCheck[];
  /** The highest id that a column ever had, as far as entries are known. */
  readonly maxColumnId: number;
}

/** Of a table that no entry, or no living one, is known of: undefined. */
export function schemaOf(
  prefix: SqlPrefix,
  table: number,
  entries: Iterable<CatalogEntry>,
): TableSchema | undefined {
  const parts = new TableParts();
  for (const entry of entries) {
    const { of } = entry;
    if ('table' in of && of.prefix === prefix && of.table === table) parts.apply(entry);
  }
  return parts.schema(prefix, table);
}

/**
 * The entries of one table as they come, the later over the earlier. Types and lengths of columns and the primary key can not change:
 * where entries say they do, rows cannot be read, and {@link ambiguous} names the column.
 */
export class TableParts {
  #name: string | undefined;
  readonly #types = new Map<number, ColumnType>();
  readonly #columns = new Map<number, SqlColumn>();
  readonly #indexes = new Map<number, SqlIndex>();
  readonly #checks = new Map<number, SqlCheck>();
  readonly #ambiguous = new Set<number>();
  #primaryKey: readonly number[] | undefined;
  #maxColumnId = 0;

  /** Takes an entry of this table. */
  apply({ of, value }: CatalogEntry): void {
    if (of.kind === 'table') this.#name = value?.kind === 'table' ? value.name : undefined;
    else if (of.kind === 'column') this.#column(of.column, of.type, value);
    else if (of.kind === 'index') this.#index(of.index, value);
    else if (of.kind === 'check') {
      if (value?.kind === 'check') this.#checks.set(of.check, { id: of.check, ...withoutKind(value) });
      else this.#checks.delete(of.check);
    }
  }

  /** Columns with several types or lengths, as one transaction that alters a type and a name makes them: rows cannot be read. */
  get ambiguous(): ReadonlySet<number> {
    return this.#ambiguous;
  }

  #column(id: number, type: ColumnType['type'], value: CatalogEntry['value']): void {
    this.#maxColumnId = Math.max(this.#maxColumnId, id);
    const known = this.#types.get(id);
    if (value?.kind !== 'column') {
      if (known && known.type !== type) this.#ambiguous.add(id);
      // How long its values may be is not said by a deletion; rows are read without it.
      else if (!known) this.#types.set(id, { type, maxLength: 0 });
      this.#columns.delete(id);
      return;
    }
    const { maxLength } = value;
    if (known && (known.type !== type || known.maxLength !== maxLength)) this.#ambiguous.add(id);
    this.#types.set(id, { type, maxLength });
    this.#columns.set(id, { id, type, ...withoutKind(value) });
  }

  #index(id: number, value: CatalogEntry['value']): void {
    if (value?.kind !== 'index') {
      this.#indexes.delete(id);
      return;
    }
    this.#indexes.set(id, { id, ...withoutKind(value) });
    if (id !== 0) return;
    this.#primaryKey ??= value.columns;
    // Another primary key for one table: no server writes that.
    if (this.#primaryKey.join() !== value.columns.join()) {
      throw new ProofFailure(
        'catalog.primary-key',
        'another primary key than before',
        this.#primaryKey.join(),
        value.columns.join(),
      );
    }
  }

  /** Undefined: no table lives here. Throws ProofFailure for one whose entries do not fit together. */
  schema(prefix: SqlPrefix, id: number): TableSchema | undefined {
    if (this.#name === undefined) return undefined;
    const [ambiguous] = this.#ambiguous;
    if (ambiguous !== undefined) {
      throw new ProofFailure('catalog.ambiguous', 'a column with two types', undefined, ambiguous);
    }
    const primaryKey = this.#indexes.get(0)?.columns;
    if (!primaryKey) throw new ProofFailure('catalog.primary-key', 'a table without a primary key');
    const missing = primaryKey.find((column) => !this.#columns.has(column));
    if (missing !== undefined) {
      throw new ProofFailure('catalog.primary-key', 'no such column', undefined, missing);
    }
    const indexes = ascending(this.#indexes).filter((index) => index.id !== 0);
    return {
      prefix,
      id,
      name: this.#name,
      columns: ascending(this.#columns),
      types: new Map(this.#types),
      primaryKey,
      indexes,
      checks: ascending(this.#checks),
      maxColumnId: this.#maxColumnId,
    };
  }
}

function withoutKind<T extends { readonly kind: string }>(value: T): Omit<T, 'kind'> {
  const { kind, ...rest } = value;
  void kind;
  return rest;
}

function ascending<T extends { readonly id: number }>(parts: ReadonlyMap<number, T>): T[] {
  return [...parts.values()].sort((a, b) => a.id - b.id);
}
