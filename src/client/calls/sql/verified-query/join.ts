// A table that is joined to those before it: its rows by the value that must be equal, in the order of their keys.
import { toHex } from '../../../../proof/bytes.js';
import type { CellValue, SqlType } from '../../../../proof/sql/types.js';
import { compiled } from './condition.js';
import { conjuncts } from './condition-reader.js';
import type { Condition } from './condition-reader.js';
import { notComputed } from './lexer.js';
import { tooMany } from './matches.js';
import { readerOf } from './scope.js';
import type { FoundColumn, JoinedRow, Scope } from './scope.js';

/** Rows that belong together, and the newest transaction that wrote one of them. */
export interface Match {
  readonly row: JoinedRow;
  readonly tx: bigint;
}

/** A row of one table. */
export interface Single {
  readonly cells: JoinedRow[number];
  readonly tx: bigint;
}

export class Join {
  readonly #rows = new Map<unknown, Single[]>();
  readonly #before: (row: JoinedRow) => unknown;
  readonly #own: (row: JoinedRow) => unknown;
  readonly #meets: (row: JoinedRow) => boolean;
  readonly #at: number;
  readonly #name: string;
  readonly #maxRows: number;
  #size = 0;

  /** Of table `at` of the query. Throws NotProvableError for conditions that are not computed so. */
  constructor(scope: Scope, at: number, on: Condition, maxRows: number) {
    this.#at = at;
    this.#maxRows = maxRows;
    this.#name = scope.tables[at]?.as ?? '';
    assertComputed(scope, at, on);
    this.#meets = compiled(scope, on);
    const [before, own] = equalColumns(scope, at, on);
    const [readBefore, readOwn] = [readerOf(before), readerOf(own)];
    this.#before = (row) => keyOf(readBefore(row));
    this.#own = (row) => keyOf(readOwn(row));
  }

  /** Throws ImmuError LIMIT_EXCEEDED: they are held together. */
  add({ cells, tx }: Single): void {
    if (++this.#size > this.#maxRows)
      throw tooMany(
        `table ${this.#name}, which is joined,`,
        'name it first, or ask for fewer of them',
        this.#maxRows,
      );
    const row: JoinedRow[number][] = [];
    row[this.#at] = cells;
    const key = this.#own(row);
    const same = this.#rows.get(key);
    if (same) same.push({ cells, tx });
    else this.#rows.set(key, [{ cells, tx }]);
  }

  /** What a row of the tables before makes with those of this one that have the same value. */
  *with({ row, tx }: Match): Generator<Match, void, undefined> {
    for (const own of this.#rows.get(this.#before(row)) ?? [])
      yield { row: [...row, own.cells], tx: own.tx > tx ? own.tx : tx };
  }

  /** Whether it belongs together. */
  meets({ row }: Match): boolean {
    return this.#meets(row);
  }
}

/** The first columns that must be equal: of a table before, and of this one. */
function equalColumns(scope: Scope, at: number, on: Condition): readonly [FoundColumn, FoundColumn] {
  for (const { by, left, right } of conjuncts(on)) {
    if (by !== '=' || left.kind !== 'column' || right.kind !== 'column') continue;
    const [a, b] = [scope.find(left), scope.find(right)];
    if (a.at === at && b.at < at) return [b, a];
    if (b.at === at && a.at < at) return [a, b];
  }
  throw notComputed('a join that is not on a column equal to one of a table before');
}

/** The server does not know tables that come later, and finds no integer equal to a float here. */
function assertComputed(scope: Scope, at: number, condition: Condition): void {
  if (condition.kind === 'not') assertComputed(scope, at, condition.part);
  else if (condition.kind !== 'compare') for (const part of condition.parts) assertComputed(scope, at, part);
  else {
    const types = new Set<SqlType>();
    for (const operand of [condition.left, condition.right]) {
      if (operand.kind !== 'column') continue;
      const found = scope.find(operand);
      types.add(found.column.type);
      if (found.at > at) throw notComputed(`a join on ${operand.name}, which is of a table behind it,`);
    }
    if (types.size > 1) throw notComputed(`a join on ${[...types].join(' and ')}`);
  }
}

/** Values that are equal have the same: what is not equal after all, {@link Join.meets} finds. NULL is equal to itself. */
function keyOf(value: CellValue | null): unknown {
  return value instanceof Uint8Array ? toHex(value) : value;
}
