// Entries of the catalog: a table, a column, an index, a check, a sequence, a view; with their values, strictly.
import { be16, be32, be64, concatAll } from '../bytes.js';
import { ProofFailure } from '../failure.js';
import type { KVMetadata } from '../types.js';
import { decodeSqlKey } from './raw-key.js';
import type { CatalogKey, SqlKey } from './raw-key.js';
import { FIXED_LENGTH } from './types.js';
import { textBytes, textOf } from './values.js';

/** What a value of the catalog says. */
export type CatalogValue =
  | { readonly kind: 'table'; readonly name: string }
  | {
      readonly kind: 'column';
      readonly name: string;
      readonly maxLength: number;
      readonly notNull: boolean;
      readonly autoIncrement: boolean;
      /** The expression as the server writes it; not always as it was typed. */
      readonly defaultText?: string;
    }
  | {
      readonly kind: 'index';
      readonly unique: boolean;
      /** Ids, in the order of the index. */
      readonly columns: readonly number[];
    }
  | { readonly kind: 'check'; readonly name: string; readonly expression: string }
  | { readonly kind: 'sequence'; readonly last: bigint; readonly increment: bigint }
  | { readonly kind: 'view'; readonly text: string };

/** An entry of the catalog. Without a value: a deletion, which has none. */
export interface CatalogEntry {
  readonly of: CatalogKey;
  readonly value?: CatalogValue;
}

const NOT_NULL = 1;
const AUTO_INCREMENT = 2;
const HAS_DEFAULT = 4;

/**
 * The metadata that the SQL engine gives its entries: none, or "deleted". True: deleted. Throws ProofFailure for everything else.
 */
export function isSqlDeletion(metadata: KVMetadata | undefined): boolean {
  if (metadata?.expiresAt !== undefined || metadata?.nonIndexable === true) {
    throw new ProofFailure('sql-entry.metadata', 'an attribute that SQL gives no entry');
  }
  return metadata?.deleted === true;
}

/** What an entry is of, and its value where it is one of the catalog. Throws ProofFailure. */
export function decodeCatalogEntry(
  key: Uint8Array,
  metadata: KVMetadata | undefined,
  value: Uint8Array,
): CatalogEntry {
  const of = decodeSqlKey(key);
  if (!isCatalogKey(of))
    throw new ProofFailure('sql-key.kind', 'no entry of the catalog', undefined, of.kind);
  if (isSqlDeletion(metadata)) {
    if (value.length > 0)
      throw new ProofFailure('catalog.deletion', 'a deletion with a value', 0, value.length);
    return { of };
  }
  return { of, value: decodeCatalogValue(of, value) };
}

export function isCatalogKey(key: SqlKey): key is CatalogKey {
  return key.kind !== 'row' && key.kind !== 'old-index';
}

/** Inverse of {@link encodeCatalogValue}, for an entry with this key. Throws ProofFailure. */
export function decodeCatalogValue(of: CatalogKey, bytes: Uint8Array): CatalogValue {
  switch (of.kind) {
    case 'table':
      return { kind: 'table', name: nameOf(bytes) };
    case 'column':
      return decodeColumn(of, bytes);
    case 'index':
      return decodeIndex(bytes);
    case 'check': {
      const length = (bytes[0] ?? 0) + 1;
      if (bytes.length < 1 + length + 2) throw truncated(1 + length + 2, bytes);
      if (bytes[bytes.length - 1] !== 0) throw new ProofFailure('catalog.check', 'does not end in zero');
      const name = nameOf(bytes.subarray(1, 1 + length));
      return { kind: 'check', name, expression: textOf(bytes.subarray(1 + length, bytes.length - 1)) };
    }
    case 'sequence': {
      if (bytes.length !== 16) throw truncated(16, bytes);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      return { kind: 'sequence', last: view.getBigInt64(0), increment: view.getBigInt64(8) };
    }
    case 'view':
      return { kind: 'view', text: nameOf(bytes) };
  }
}

function decodeColumn(of: CatalogKey & { kind: 'column' }, bytes: Uint8Array): CatalogValue {
  if (bytes.length < 6) throw truncated(6, bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint8(0);
  if (flags > (NOT_NULL | AUTO_INCREMENT | HAS_DEFAULT)) {
    throw new ProofFailure('catalog.flags', 'a flag that columns have not', undefined, flags);
  }
  const maxLength = view.getUint32(1);
  const fixed = FIXED_LENGTH[of.type];
  if (fixed !== undefined && maxLength !== fixed) {
    throw new ProofFailure('catalog.max-length', `not the length of ${of.type}`, fixed, maxLength);
  }
  const common = {
    kind: 'column' as const,
    maxLength,
    notNull: (flags & NOT_NULL) !== 0,
    autoIncrement: (flags & AUTO_INCREMENT) !== 0,
  };
  if ((flags & HAS_DEFAULT) === 0) return { ...common, name: nameOf(bytes.subarray(5)) };
  if (bytes.length < 7) throw truncated(7, bytes);
  const end = 7 + view.getUint16(5);
  if (bytes.length <= end) throw truncated(end + 1, bytes);
  return { ...common, name: nameOf(bytes.subarray(7, end)), defaultText: textOf(bytes.subarray(end)) };
}

function decodeIndex(bytes: Uint8Array): CatalogValue {
  if (bytes.length < 6 || (bytes.length - 1) % 5 !== 0) throw truncated(6, bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const unique = view.getUint8(0);
  if (unique > 1) throw new ProofFailure('catalog.unique', 'neither unique nor not', '0 or 1', unique);
  const columns: number[] = [];
  const seen = new Set<number>();
  for (let at = 1; at < bytes.length; at += 5) {
    const column = view.getUint32(at);
    if (column < 1 || seen.has(column)) {
      throw new ProofFailure(
        'catalog.index-columns',
        'a column that is none, or named twice',
        undefined,
        column,
      );
    }
    const order = view.getUint8(at + 4);
    if (order !== 0) throw new ProofFailure('catalog.index-order', 'not ascending', 0, order);
    seen.add(column);
    columns.push(column);
  }
  return { kind: 'index', unique: unique === 1, columns };
}

function nameOf(bytes: Uint8Array): string {
  if (bytes.length === 0) throw new ProofFailure('catalog.name', 'nothing has no name');
  return textOf(bytes);
}

function truncated(expected: number, { length }: Uint8Array): ProofFailure {
  return new ProofFailure('catalog.length', 'another length than such a value has', expected, length);
}

/** Raw value of a live entry of the catalog, which can be guessed and then proven by its hash. Throws RangeError for what has none. */
export function encodeCatalogValue(value: CatalogValue): Uint8Array {
  switch (value.kind) {
    case 'table':
      return textBytes(value.name);
    case 'column': {
      const { name, maxLength, notNull, autoIncrement, defaultText } = value;
      const flags =
        (notNull ? NOT_NULL : 0) |
        (autoIncrement ? AUTO_INCREMENT : 0) |
        (defaultText === undefined ? 0 : HAS_DEFAULT);
      const begin = concatAll([new Uint8Array([flags]), be32(maxLength)]);
      const bytes = textBytes(name);
      if (defaultText === undefined) return concatAll([begin, bytes]);
      if (bytes.length > 0xffff) throw new RangeError('a name of more than 65535 bytes');
      return concatAll([begin, be16(bytes.length), bytes, textBytes(defaultText)]);
    }
    case 'index': {
      const columns = value.columns.flatMap((column) => [be32(column), new Uint8Array([0])]);
      return concatAll([new Uint8Array([value.unique ? 1 : 0]), ...columns]);
    }
    case 'check': {
      const name = textBytes(value.name);
      if (name.length < 1 || name.length > 256) throw new RangeError('a check has a name of 1..256 bytes');
      const [length, end] = [new Uint8Array([name.length - 1]), new Uint8Array([0])];
      return concatAll([length, name, textBytes(value.expression), end]);
    }
    case 'sequence':
      return concatAll([be64(value.last), be64(value.increment)]);
    case 'view':
      return textBytes(value.text);
  }
}
