// What a mirror is made of: a table of SQL, or a collection of documents, as it is as of one root.
import { ProofFailure } from '../../../proof/failure.js';
import { RowColumns } from '../../../proof/sql/row-columns.js';
import type { TableSchema } from '../../../proof/sql/schema.js';
import type { CellValue, SqlPrefix, SqlType } from '../../../proof/sql/types.js';
import type { BriefVersion } from '../../trust/latest/ranges.js';
import { saysKey } from '../sql/followed/rows.js';
import { followedValues } from '../sql/followed/values.js';
import { rowsRange } from '../sql/verified-query/key-range.js';
import type { Verified } from '../documents/verified/verified.js';

/** What an honest server may have written, and what queries of it would show otherwise. */
export type MirrorAnomaly = 'key' | 'columns' | 'unreadable';

export interface MirrorColumn {
  readonly name: string;
  readonly affinity: string;
}

/** Why a table is in the file by its name only: its columns cannot be read, or another one is called so. */
export type TableAnomaly = 'unreadable' | 'name';

export interface MirrorSource {
  /** In the file: of a table of SQL its id, of a collection 2^32 and its id. */
  readonly id: bigint;
  readonly kind: 'table' | 'collection';
  readonly name: string;
  /** What it is called in the file. */
  readonly table: string;
  /** The transaction that changed it last. */
  readonly tx: bigint;
  readonly anomaly?: TableAnomaly;
  /** All that its table in the file is made by: where that is another one, it is written anew. */
  readonly shape: string;
  readonly columns: readonly MirrorColumn[];
  readonly indexes: readonly { readonly id: number; readonly columns: readonly string[] }[];
  /** Values of these versions, each held against what was followed. */
  readonly ask: (verified: Verified, versions: readonly BriefVersion[]) => Promise<readonly Uint8Array[]>;
  /** The columns of a row; what it gives is good until the next one is read. */
  readonly read: (key: Uint8Array, value: Uint8Array) => ReadColumns;
}

export interface ReadColumns {
  readonly values: readonly unknown[];
  readonly anomaly: MirrorAnomaly | undefined;
}

const AFFINITY: Readonly<Record<SqlType, string>> = {
  INTEGER: 'INTEGER',
  BOOLEAN: 'INTEGER',
  VARCHAR: 'TEXT',
  BLOB: 'BLOB',
  UUID: 'TEXT',
  TIMESTAMP: 'INTEGER',
  FLOAT: 'REAL',
  JSON: 'TEXT',
};

/** Ids of collections are counted apart. */
const COLLECTIONS = 2n ** 32n;

export function sourceId(prefix: SqlPrefix, table: number): bigint {
  return BigInt(table) + (prefix === 'document' ? COLLECTIONS : 0n);
}

/** Of all its rows. */
export function rangeOfSource(id: bigint): { readonly from: Uint8Array; readonly to: Uint8Array } {
  const isCollection = id >= COLLECTIONS;
  return rowsRange(isCollection ? 'document' : 'sql', Number(isCollection ? id - COLLECTIONS : id));
}

/** What a table, or a collection, is called in the file. */
export function tableOf(kind: string, name: string): string {
  return kind === 'collection' ? `doc_${name}` : name;
}

export function affinityOf(type: SqlType): string {
  return AFFINITY[type];
}

export function storedValue(type: SqlType, value: CellValue): unknown {
  if (typeof value === 'boolean') return value ? 1n : 0n;
  // SQLite has none, and would make it NULL.
  if (type === 'FLOAT' && Number.isNaN(value)) return 'NaN';
  return value;
}

/** One that is there by its name only. */
export function namelessSource(
  { id, kind, name, tx }: Pick<MirrorSource, 'id' | 'kind' | 'name' | 'tx'>,
  anomaly: TableAnomaly,
): MirrorSource {
  return {
    ...{ id, kind, name, tx, anomaly },
    table: tableOf(kind, name),
    shape: JSON.stringify([anomaly, name]),
    ...{ columns: [], indexes: [] },
    ask: () => Promise.resolve([]),
    read: () => ({ values: [], anomaly: undefined }),
  };
}

export function tableSource(schema: TableSchema, tx: bigint): MirrorSource {
  const { name, columns, primaryKey, indexes, types, maxColumnId } = schema;
  const nameOf = (id: number) => columns.find((column) => column.id === id)?.name ?? '';
  const reader = new RowColumns(columns, types, maxColumnId);
  const values: unknown[] = columns.map(() => null);
  const read = (key: Uint8Array, value: Uint8Array): ReadColumns => {
    try {
      reader.read(value);
    } catch (error) {
      if (!(error instanceof ProofFailure)) throw error;
      return { values: values.fill(null), anomaly: 'unreadable' };
    }
    columns.forEach(({ type }, i) => {
      const cell = reader.values[i] ?? null;
      values[i] = cell === null ? null : storedValue(type, cell);
    });
    return { values, anomaly: saysKey(schema, key, bytesOf) ? undefined : 'key' };
  };
  const bytesOf = (id: number) => reader.bytesOf(id);
  const made = columns.map(({ id, name: column, type, maxLength }) => [id, column, type, maxLength]);
  const indexed = [{ id: 0, columns: primaryKey }, ...indexes].map(({ id, columns: of }) => ({
    id,
    columns: of.map(nameOf),
  }));
  return {
    ...{ id: sourceId('sql', schema.id), kind: 'table', name, table: name, tx },
    // Types of columns that are gone too: rows that have them are read by these.
    shape: JSON.stringify([name, made, [...types.keys()], indexed]),
    columns: columns.map((column) => ({ name: column.name, affinity: AFFINITY[column.type] })),
    indexes: indexed,
    ask: ({ session, trust, call }, versions) => followedValues({ rpc: session, trust, call }, versions),
    read,
  };
}

/** Sources of which several have one name, as SQLite has it, or a name that it or the mirror has for itself: none of them is told apart. */
export function withoutClashes(sources: readonly MirrorSource[]): MirrorSource[] {
  const count = new Map<string, number>();
  const asSqlite = ({ table }: MirrorSource) => table.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  for (const source of sources) count.set(asSqlite(source), (count.get(asSqlite(source)) ?? 0) + 1);
  return sources.map((source) => {
    const name = asSqlite(source);
    const isTaken = (count.get(name) ?? 0) > 1 || name.startsWith('sqlite_') || name.startsWith('_immu_');
    return isTaken && !source.anomaly ? namelessSource(source, 'name') : source;
  });
}
