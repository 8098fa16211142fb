// A proven row as callers have it: its columns by their names, with their values.
import { ImmuError } from '../../../errors.js';
import { equalBytes } from '../../../proof/bytes.js';
import { ProofFailure } from '../../../proof/failure.js';
import { decodeRow } from '../../../proof/sql/row.js';
import type { Row } from '../../../proof/sql/row.js';
import type { CellValue, SqlType } from '../../../proof/sql/types.js';
import { namedResult } from '../../results/result.js';
import type { ReadingSchema } from './schema.js';
import { SqlTimestamp } from './values.js';
import type { SqlRow, SqlValue } from './values.js';

/**
 * A row by the columns of its table. NULL: the row has no such column. Of columns that are there no more nothing is shown.
 *
 * @throws ImmuError DECODE_FAILED where the bytes, which are proven, cannot be read by these columns
 */
export function readRow(schema: ReadingSchema, value: Uint8Array, what: string): Row {
  try {
    return decodeRow(value, schema.types, schema.maxColumnId);
  } catch (cause) {
    if (!(cause instanceof ProofFailure)) throw cause;
    const message = `${what} cannot be read by the columns of its table (${cause.message})`;
    throw new ImmuError('DECODE_FAILED', message, { cause });
  }
}

export function valuesOf({ columns }: ReadingSchema, { cells }: Row): SqlRow {
  const values = columns.map(({ id, name, type }): [string, SqlValue] => {
    const cell = cells.get(id);
    return [name, cell ? sqlValue(type, cell.value) : null];
  });
  return namedResult(values);
}

/** Whether the row's own columns say the key that it is stored under. An honest server may have written another (ON CONFLICT … SET). */
export function hasKey({ primaryKey }: ReadingSchema, { cells }: Row, inRow: readonly Uint8Array[]): boolean {
  return primaryKey.every((id, i) => {
    const cell = cells.get(id);
    const asked = inRow[i];
    return cell !== undefined && asked !== undefined && equalBytes(cell.bytes, asked);
  });
}

export function sqlValue(type: SqlType, value: CellValue): SqlValue {
  return type === 'TIMESTAMP' ? new SqlTimestamp(value as bigint) : value;
}
