// The tables of a query, and which of their columns a name means.
import { ImmuError } from '../../../../errors.js';
import type { Row } from '../../../../proof/sql/row.js';
import type { CellValue } from '../../../../proof/sql/types.js';
import type { ReadingSchema } from '../schema.js';
import type { ColumnName } from './condition-reader.js';
import { notComputed } from './lexer.js';

/** A row of each table, in the order of the tables. */
export type JoinedRow = readonly Row['cells'][];
/** What a column, or a constant, is in a row; null: NULL. */
export type Reader = (row: JoinedRow) => CellValue | null;

export type SchemaColumn = ReadingSchema['columns'][number];

export interface ScopeTable {
  readonly table: string;
  readonly as: string;
  readonly schema: ReadingSchema;
}

/** A column of one of the tables. */
export interface FoundColumn {
  /** Which table. */
  readonly at: number;
  readonly column: SchemaColumn;
}

export class Scope {
  readonly tables: readonly ScopeTable[];

  constructor(tables: readonly ScopeTable[]) {
    this.tables = tables;
  }

  /** @throws ImmuError NOT_FOUND for a column that no table has; NotProvableError where it is not clear whose it is */
  find({ of, name }: ColumnName): FoundColumn {
    const found: FoundColumn[] = [];
    let isTable = of === undefined;
    this.tables.forEach(({ as, schema }, at) => {
      if (of !== undefined && of !== as) return;
      isTable = true;
      const column = schema.columns.find((each) => each.name === name);
      if (column) found.push({ at, column });
    });
    if (!isTable) throw notComputed(`${of ?? ''}, which is no table that is read,`);
    const [one, other] = found;
    if (other) throw notComputed(`the column ${name}, which several tables have (write table.${name}),`);
    if (one) return one;
    throw new ImmuError(
      'NOT_FOUND',
      `the ${this.tables.length > 1 ? 'tables have' : 'table has'} no column ${name}`,
    );
  }

  /** All columns, in the order of their tables. */
  get columns(): FoundColumn[] {
    return this.tables.flatMap(({ schema }, at) => schema.columns.map((column) => ({ at, column })));
  }
}

export function readerOf({ at, column: { id } }: FoundColumn): Reader {
  return (row) => row[at]?.get(id)?.value ?? null;
}
