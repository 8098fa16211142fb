// Raw keys of SQL and documents: what an entry is of, by its key.
import { be32, concatAll, toHex } from '../bytes.js';
import { ProofFailure } from '../failure.js';
import { PREFIX_BYTE, isSqlType } from './types.js';
import type { SqlPrefix, SqlType } from './types.js';
import { textBytes, textOf } from './values.js';

/** The one database that keys of SQL name: each of immudb's has keys of its own. */
const DATABASE = 1;

/** What an entry is of. `key`, `name`, … are views of the raw key or made of it. */
export type SqlKey =
  | {
      readonly kind: 'row';
      readonly prefix: SqlPrefix;
      readonly table: number;
      /** The primary key's values, encoded in the order of its columns. */
      readonly pk: Uint8Array;
    }
  | {
      /** An entry of a secondary index that counts no more. */
      readonly kind: 'old-index';
      readonly prefix: SqlPrefix;
      readonly table: number;
      readonly index: number;
      readonly values: Uint8Array;
    }
  | { readonly kind: 'table'; readonly prefix: SqlPrefix; readonly table: number }
  | {
      readonly kind: 'column';
      readonly prefix: SqlPrefix;
      readonly table: number;
      readonly column: number;
      readonly type: SqlType;
    }
  | { readonly kind: 'index'; readonly prefix: SqlPrefix; readonly table: number; readonly index: number }
  | { readonly kind: 'check'; readonly prefix: SqlPrefix; readonly table: number; readonly check: number }
  | { readonly kind: 'sequence' | 'view'; readonly prefix: SqlPrefix; readonly name: string };

/** Of the catalog: what is not a row nor of an index. */
export type CatalogKey = Exclude<SqlKey, { readonly kind: 'row' | 'old-index' }>;

const WORDS: Readonly<Record<SqlKey['kind'], string>> = {
  row: 'R.',
  'old-index': 'M.',
  table: 'CTL.TABLE.',
  column: 'CTL.COLUMN.',
  index: 'CTL.INDEX.',
  check: 'CTL.CHECK.',
  sequence: 'CTL.SEQUENCE.',
  view: 'CTL.VIEW.',
};
const KINDS = Object.keys(WORDS) as SqlKey['kind'][];
const MARKS = new Map(KINDS.map((kind) => [kind, textBytes(WORDS[kind])]));

/** Whether a raw key is one of SQL or documents, well-formed or not. */
export function isSqlKey(key: Uint8Array): boolean {
  return key[0] === PREFIX_BYTE.sql || key[0] === PREFIX_BYTE.document;
}

/** `C` of `CTL.`: keys of rows and of indexes go on with others. */
const CATALOG_MARK = 0x43;

/** Whether a raw key is one of a catalog, well-formed or not. */
export function isOfCatalog(key: Uint8Array, prefix: SqlPrefix): boolean {
  return key[0] === PREFIX_BYTE[prefix] && key[1] === CATALOG_MARK;
}

/** The raw key of what is named. Ids are 1..2^32-1 (of an index 0..2^32-1); throws RangeError for others. */
export function encodeSqlKey(of: SqlKey): Uint8Array {
  const begin = concatAll([new Uint8Array([PREFIX_BYTE[of.prefix]]), MARKS.get(of.kind) ?? new Uint8Array()]);
  const database = be32(DATABASE);
  switch (of.kind) {
    case 'row':
      return concatAll([begin, database, id(of.table), be32(0), of.pk]);
    case 'old-index':
      return concatAll([begin, id(of.table), id(of.index), of.values]);
    case 'table':
      return concatAll([begin, database, id(of.table)]);
    case 'column':
      return concatAll([begin, database, id(of.table), id(of.column), textBytes(of.type)]);
    case 'index':
      return concatAll([begin, database, id(of.table), id(of.index, 0)]);
    case 'check':
      return concatAll([begin, database, id(of.table), id(of.check, 0)]);
    default:
      return concatAll([begin, database, textBytes(of.name)]);
  }
}

function id(value: number, min = 1): Uint8Array {
  if (!Number.isInteger(value) || value < min || value > 0xffff_ffff)
    throw new RangeError(`${value} is no id`);
  return be32(value);
}

/** Inverse of {@link encodeSqlKey}. Throws ProofFailure for a key that nothing of SQL or documents has. */
export function decodeSqlKey(key: Uint8Array): SqlKey {
  const prefix = prefixOf(key[0]);
  const kind = KINDS.find((each) => begins(key, MARKS.get(each)));
  if (prefix === undefined || kind === undefined) throw unknownKey(key);
  const rest = new KeyReader(key, 1 + WORDS[kind].length);
  if (kind === 'old-index') {
    return { kind, prefix, table: rest.id(1), index: rest.id(1), values: rest.some() };
  }
  rest.exactly(DATABASE);
  switch (kind) {
    case 'row': {
      const table = rest.id(1);
      rest.exactly(0);
      return { kind, prefix, table, pk: rest.some() };
    }
    case 'table':
      return rest.end({ kind, prefix, table: rest.id(1) });
    case 'column': {
      const table = rest.id(1);
      const column = rest.id(1);
      const type = textOf(rest.some());
      if (!isSqlType(type)) throw new ProofFailure('sql-key.type', 'no type of a column', undefined, type);
      return { kind, prefix, table, column, type };
    }
    case 'index':
      return rest.end({ kind, prefix, table: rest.id(1), index: rest.id(0) });
    case 'check':
      return rest.end({ kind, prefix, table: rest.id(1), check: rest.id(0) });
    default:
      return { kind, prefix, name: textOf(rest.some()) };
  }
}

function prefixOf(byte: number | undefined): SqlPrefix | undefined {
  if (byte === PREFIX_BYTE.sql) return 'sql';
  return byte === PREFIX_BYTE.document ? 'document' : undefined;
}

function begins(key: Uint8Array, mark: Uint8Array | undefined): boolean {
  return mark?.every((byte, i) => key[i + 1] === byte) ?? false;
}

function unknownKey(key: Uint8Array): ProofFailure {
  return new ProofFailure('sql-key.kind', 'unknown entry', undefined, toHex(key.subarray(0, 32)));
}

/** The parts of a key after its mark. */
class KeyReader {
  readonly #key: Uint8Array;
  readonly #view: DataView;
  #at: number;

  constructor(key: Uint8Array, at: number) {
    this.#key = key;
    this.#view = new DataView(key.buffer, key.byteOffset, key.byteLength);
    this.#at = at;
  }

  id(min: number): number {
    const at = this.#at;
    if (at + 4 > this.#key.length) {
      throw new ProofFailure('sql-key.length', 'a key that ends early', at + 4, this.#key.length);
    }
    this.#at += 4;
    const value = this.#view.getUint32(at);
    if (value < min) throw new ProofFailure('sql-key.id', 'no id', min, value);
    return value;
  }

  exactly(expected: number): void {
    const value = this.id(0);
    if (value !== expected) throw new ProofFailure('sql-key.id', 'another id', expected, value);
  }

  /** What is left, which is something. */
  some(): Uint8Array {
    if (this.#at >= this.#key.length) {
      throw new ProofFailure('sql-key.length', 'a key that ends early', this.#at + 1, this.#key.length);
    }
    return this.#key.subarray(this.#at);
  }

  end<K extends SqlKey>(key: K): K {
    if (this.#at !== this.#key.length) {
      throw new ProofFailure('sql-key.length', 'a key that goes on', this.#at, this.#key.length);
    }
    return key;
  }
}
