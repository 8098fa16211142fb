// Values of rows: the columns that are not NULL, by their ids.
import { be32, concatAll } from '../bytes.js';
import { ProofFailure } from '../failure.js';
import type { CellValue, ColumnType } from './types.js';
import { decodeValue } from './values.js';

/** A column of a row, as its bytes. */
export interface RawCell {
  readonly column: number;
  /** {@link encodeValue} of the value; when read, a view of the row. */
  readonly bytes: Uint8Array;
}

export interface Cell extends RawCell {
  readonly value: CellValue;
}

/** A row, typed. */
export interface Row {
  /** Columns that are not NULL, by their ids. */
  readonly cells: ReadonlyMap<number, Cell>;
  /** Ids of columns that are there no more, of which no type is known. */
  readonly dropped: readonly number[];
}

/** Raw value of a row. Throws RangeError unless ids are 1..2^32-1 and ascend. */
export function encodeRow(cells: readonly RawCell[]): Uint8Array {
  const parts: Uint8Array[] = [be32(cells.length)];
  let last = 0;
  for (const { column, bytes } of cells) {
    if (!Number.isInteger(column) || column <= last || column > 0xffff_ffff) {
      throw new RangeError(`column ids ascend: ${last} before ${column}`);
    }
    last = column;
    parts.push(be32(column), be32(bytes.length), bytes);
  }
  return concatAll(parts);
}

/** Inverse of {@link encodeRow}: the bytes are exactly one row. Throws ProofFailure. */
export function decodeCells(row: Uint8Array): RawCell[] {
  const cells: RawCell[] = [];
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
  walkCells(row, view, (column, at, length) => {
    cells.push({ column, bytes: row.subarray(at, at + length) });
  });
  return cells;
}

/** Takes id, place and length of each column of a row, which is exactly one. `view`: of the row. Throws ProofFailure. */
export function walkCells(
  row: Uint8Array,
  view: DataView,
  take: (column: number, at: number, length: number) => void,
): void {
  if (row.length < 4) throw new ProofFailure('sql-row.truncated', 'no room for a count', 4, row.length);
  const count = view.getUint32(0);
  // Each takes 8 bytes at least: a count that cannot be is refused before the first is read.
  if (count > (row.length - 4) / 8) {
    throw new ProofFailure('sql-row.truncated', 'more columns than bytes', 4 + 8 * count, row.length);
  }
  let at = 4;
  let last = 0;
  for (let i = 0; i < count; i++) {
    if (at + 8 > row.length) throw new ProofFailure('sql-row.truncated', 'ends early', at + 8, row.length);
    const column = view.getUint32(at);
    const length = view.getUint32(at + 4);
    at += 8;
    if (column <= last) throw new ProofFailure('sql-row.order', 'column ids ascend', last + 1, column);
    last = column;
    if (length > row.length - at) {
      throw new ProofFailure('sql-row.truncated', 'ends early', at + length, row.length);
    }
    take(column, at, length);
    at += length;
  }
  if (at !== row.length) throw new ProofFailure('sql-row.trailing', 'bytes after the row', at, row.length);
}

/**
 * A row by the types of its columns. `maxColumnId`: the highest that the table ever had; a column without a type up to there was
 * dropped, one beyond is no column. Throws ProofFailure.
 */
export function decodeRow(
  row: Uint8Array,
  columns: ReadonlyMap<number, ColumnType>,
  maxColumnId: number,
): Row {
  const cells = new Map<number, Cell>();
  const dropped: number[] = [];
  for (const cell of decodeCells(row)) {
    const { column, bytes } = cell;
    const known = columns.get(column);
    if (known) cells.set(column, { column, bytes, value: decodeValue(known.type, bytes) });
    else if (column <= maxColumnId) dropped.push(column);
    else throw new ProofFailure('sql-row.column', 'no column of the table', maxColumnId, column);
  }
  return { cells, dropped };
}
