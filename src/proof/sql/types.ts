// The types of SQL columns and what their values are in code: shared by keys, rows and the catalog.

/** Types a column can have. Documents are rows of the same types. */
export const SQL_TYPES = [
  'INTEGER',
  'BOOLEAN',
  'VARCHAR',
  'BLOB',
  'UUID',
  'TIMESTAMP',
  'FLOAT',
  'JSON',
] as const;

export type SqlType = (typeof SQL_TYPES)[number];

/** What a column's catalog entry fixes for ever: how its values are written. */
export interface ColumnType {
  readonly type: SqlType;
  /** Most bytes of a VARCHAR or BLOB, 0 = no limit; of the other types the one number that they have. */
  readonly maxLength: number;
}

/**
 * A value that is not NULL. INTEGER: bigint; BOOLEAN: boolean; VARCHAR: text; BLOB: bytes; UUID: lower-case text; TIMESTAMP: bigint,
 * microseconds since 1970; FLOAT: number; JSON: the text as it is stored.
 */
export type CellValue = bigint | boolean | string | Uint8Array | number;

/** The length that the catalog gives types which have but one; VARCHAR and BLOB have their own. */
export const FIXED_LENGTH: Readonly<Record<SqlType, number | undefined>> = {
  INTEGER: 8,
  BOOLEAN: 1,
  VARCHAR: undefined,
  BLOB: undefined,
  UUID: 16,
  TIMESTAMP: 8,
  FLOAT: 8,
  JSON: 0,
};

/** Which engine an entry is of: they share encodings, and have catalogs of their own. */
export type SqlPrefix = 'sql' | 'document';

export const PREFIX_BYTE: Readonly<Record<SqlPrefix, number>> = { sql: 0x02, document: 0x03 };

/** Largest id of a table, column, index or check. */
export const MAX_SQL_ID = 0xffff_ffff;

const types: ReadonlySet<string> = new Set(SQL_TYPES);

export function isSqlType(name: string): name is SqlType {
  return types.has(name);
}
