// Rows of one table, read one after another into the same places: for those who read very many, and keep none of them.
import { ProofFailure } from '../failure.js';
import { walkCells } from './row.js';
import type { CellValue, ColumnType } from './types.js';
import { valueIn } from './values.js';

interface Place {
  readonly type: ColumnType['type'];
  /** -1: the column is there no more. */
  readonly place: number;
}

export class RowColumns {
  /** Values of the row that was read last, in the order of the columns; null: NULL. */
  readonly values: (CellValue | null)[];
  readonly #places = new Map<number, Place>();
  readonly #ids = new Map<number, number>();
  readonly #ats: number[];
  readonly #lengths: number[];
  readonly #maxColumnId: number;
  #row: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#row.buffer);

  /** `columns`: those that are wanted; `types`: of all that rows may have. */
  constructor(
    columns: readonly { readonly id: number }[],
    types: ReadonlyMap<number, ColumnType>,
    maxColumnId: number,
  ) {
    this.values = columns.map(() => null);
    this.#ats = columns.map(() => -1);
    this.#lengths = columns.map(() => 0);
    this.#maxColumnId = maxColumnId;
    columns.forEach(({ id }, place) => this.#ids.set(id, place));
    for (const [id, { type }] of types) this.#places.set(id, { type, place: this.#ids.get(id) ?? -1 });
  }

  /** Reads a row as `decodeRow` does. Throws ProofFailure; {@link values} are nobody's then. */
  read(row: Uint8Array): void {
    this.#row = row;
    this.#view = new DataView(row.buffer, row.byteOffset, row.byteLength);
    this.values.fill(null);
    this.#ats.fill(-1);
    walkCells(row, this.#view, this.#take);
  }

  readonly #take = (column: number, at: number, length: number): void => {
    const known = this.#places.get(column);
    if (!known) {
      if (column <= this.#maxColumnId) return;
      throw new ProofFailure('sql-row.column', 'no column of the table', this.#maxColumnId, column);
    }
    const { type, place } = known;
    const value = valueIn(type, this.#row, this.#view, at, length);
    if (place < 0) return;
    this.values[place] = value;
    this.#ats[place] = at;
    this.#lengths[place] = length;
  };

  /** A view of a column's bytes in the row that was read last; undefined: it is NULL, or not among those that are wanted. */
  bytesOf(id: number): Uint8Array | undefined {
    const place = this.#ids.get(id) ?? -1;
    const at = this.#ats[place] ?? -1;
    return at < 0 ? undefined : this.#row.subarray(at, at + (this.#lengths[place] as number));
  }
}
