// Which catalog a verified call goes by: one that is proven, one that the caller gives, or the server's word.
import { ArgumentError } from '../../../errors.js';
import type { TableSchema } from '../../../proof/sql/schema.js';
import { isSqlType } from '../../../proof/sql/types.js';
import type { ColumnType, SqlType } from '../../../proof/sql/types.js';
import type { ClaimedTable } from '../../../verify/wire/rows.js';
import { optionsObject, text, whole, wrongType } from '../../input/option-checks.js';

/**
 * How far names, types and primary key of a table, or of a collection of documents, are to be trusted, the weakest first. `claimed`: the
 * server's word. `pinned`: the caller's. `proven`: each entry of the catalog was proven in its transaction: was so then. `followed`: every
 * transaction since was seen: is so.
 */
export type CatalogLevel = 'claimed' | 'pinned' | 'proven' | 'followed';

/** A table as its caller knows it. */
export interface PinnedTable {
  readonly id: number;
  readonly columns: readonly {
    readonly id: number;
    readonly name: string;
    readonly type: SqlType;
    /** Of VARCHAR and BLOB: as declared, 0 = without limit. @default 0 */
    readonly maxLength?: number;
  }[];
  /** Ids of columns, in the order of the primary key. */
  readonly primaryKey: readonly number[];
}

/** What rows are read by. */
export interface ReadingSchema {
  readonly id: number;
  readonly columns: readonly (ColumnType & { readonly id: number; readonly name: string })[];
  readonly types: ReadonlyMap<number, ColumnType>;
  readonly primaryKey: readonly number[];
  readonly maxColumnId: number;
}

const FIXED: Partial<Record<SqlType, number>> = {
  INTEGER: 8,
  BOOLEAN: 1,
  UUID: 16,
  TIMESTAMP: 8,
  FLOAT: 8,
  JSON: 0,
};
const MAX_ID = 0xffff_ffff;
const MAX_COLUMNS = 65_536;

/** Throws ArgumentError. */
export function pinnedSchema(pinned: PinnedTable): ReadingSchema {
  optionsObject('schema', pinned);
  const { id, columns, primaryKey } = pinned;
  whole('schema.id', id, 1, MAX_ID);
  if (!Array.isArray(columns) || columns.length < 1 || columns.length > MAX_COLUMNS)
    wrongType('schema.columns', `an array of 1 to ${MAX_COLUMNS} columns`);
  const read = columns.map((column: PinnedTable['columns'][number], i) => {
    const name = `schema.columns[${i}]`;
    optionsObject(name, column);
    const { type, maxLength } = column;
    if (typeof type !== 'string' || !isSqlType(type)) wrongType(`${name}.type`, 'a type of SQL');
    return {
      id: whole(`${name}.id`, column.id, 1, MAX_ID),
      name: text(`${name}.name`, column.name),
      type,
      maxLength: FIXED[type] ?? whole(`${name}.maxLength`, maxLength ?? 0, 0, 0x7fff_ffff),
    };
  });
  const types = new Map(read.map((column) => [column.id, column]));
  if (types.size < read.length) throw new ArgumentError('schema.columns', 'schema.columns has an id twice');
  if (
    !Array.isArray(primaryKey) ||
    primaryKey.length < 1 ||
    primaryKey.some((each) => !types.has(each as number))
  )
    wrongType('schema.primaryKey', 'an array of ids of its columns');
  return { id, columns: read, types, primaryKey, maxColumnId: greatest(types.keys()) };
}

/** By the server's word. Undefined: it says nothing that can be a table. */
export function claimedSchema({ table, names, types, lengths, maxColumnId, primaryKey }: ClaimedTable) {
  const columns: ReadingSchema['columns'][number][] = [];
  for (const [id, name] of names) {
    const type = types.get(id) ?? '';
    if (!isSqlType(type)) return undefined;
    columns.push({ id, name, type, maxLength: lengths.get(id) ?? 0 });
  }
  // Maps of a message have no order.
  columns.sort((a, b) => a.id - b.id);
  const known = new Map(columns.map((column) => [column.id, column]));
  if (primaryKey.length === 0 || primaryKey.some((id) => !known.has(id))) return undefined;
  return { id: table, columns, types: known, primaryKey, maxColumnId } satisfies ReadingSchema;
}

/** What the server says of a table and a proven catalog does not; undefined: nothing. */
export function differenceOf(
  claimed: ClaimedTable,
  schema: TableSchema,
): { readonly check: 'sql.table-id' | 'sql.columns'; readonly detail: string } | undefined {
  if (claimed.table !== schema.id) {
    const detail = `the table has id ${schema.id}, and the server says ${claimed.table}`;
    return { check: 'sql.table-id', detail };
  }
  const differs = (detail: string) => ({ check: 'sql.columns' as const, detail });
  if (claimed.primaryKey.join() !== schema.primaryKey.join())
    return differs(
      `the primary key is ${schema.primaryKey.join()}, and the server says ${claimed.primaryKey.join()}`,
    );
  for (const { id, name, type, maxLength } of schema.columns) {
    const said = `${claimed.names.get(id) ?? ''} ${claimed.types.get(id) ?? ''} ${claimed.lengths.get(id) ?? 0}`;
    if (said !== `${name} ${type} ${maxLength}`)
      return differs(`column ${id} is ${name} ${type} ${maxLength}, and the server says ${said}`);
  }
  const other = [claimed.names, claimed.types, claimed.lengths].find(
    ({ size }) => size !== schema.columns.length,
  );
  if (other)
    return differs(`the table has ${schema.columns.length} columns, and the server says ${other.size}`);
  if (claimed.maxColumnId !== schema.maxColumnId)
    return differs(`the last column is ${schema.maxColumnId}, and the server says ${claimed.maxColumnId}`);
  return undefined;
}

/** The same of what a caller has pinned, which may be older: columns that it does not name are not looked at. */
export function pinnedDifference(
  claimed: ClaimedTable,
  { id, columns, primaryKey }: ReadingSchema,
): string | undefined {
  if (claimed.table !== id) return `it has id ${id}, and the server says ${claimed.table}`;
  if (claimed.primaryKey.join() !== primaryKey.join())
    return `its primary key is ${primaryKey.join()}, and the server says ${claimed.primaryKey.join()}`;
  for (const { id: column, type, maxLength } of columns) {
    const said = claimed.types.get(column);
    // One that was dropped since has no type any more.
    if (said === undefined) continue;
    if (said !== type || (claimed.lengths.get(column) ?? 0) !== maxLength)
      return `column ${column} is ${type}[${maxLength}], and the server says ${said}[${claimed.lengths.get(column) ?? 0}]`;
  }
  return undefined;
}

function greatest(ids: Iterable<number>): number {
  let found = 0;
  for (const id of ids) found = Math.max(found, id);
  return found;
}
