// What a query gives of what it has found: rows of columns, or groups of rows with what is computed over them.
import { toHex } from '../../../../proof/bytes.js';
import type { CellValue, SqlType } from '../../../../proof/sql/types.js';
import { namedResult } from '../../../results/result.js';
import { sqlValue } from '../read-row.js';
import type { SqlRow } from '../values.js';
import { computed } from './aggregates.js';
import type { Computed, Running } from './aggregates.js';
import { orderOf } from './condition.js';
import type { ColumnName } from './condition-reader.js';
import type { Match } from './join.js';
import { notComputed } from './lexer.js';
import { Matches, oneAfterAnother, tooMany } from './matches.js';
import type { Order, Wanted } from './matches.js';
import { readerOf } from './scope.js';
import type { FoundColumn, Reader, Scope } from './scope.js';
import { isAggregate, isGrouped } from './select.js';
import type { Aggregate, OrderTerm, Select } from './select.js';

/** Rows, and the newest transaction that each is of. */
export interface Found {
  readonly rows: readonly SqlRow[];
  readonly txs: readonly bigint[];
}

export interface Output {
  /** Nothing that is still to come is in the result. */
  readonly isEnough: boolean;
  /** Throws ImmuError LIMIT_EXCEEDED, and NotProvableError for a value that is not computed. */
  add(match: Match): void;
  result(): Found;
}

/** Throws NotProvableError for what is not computed, ImmuError NOT_FOUND for a column that is not there. */
export function outputOf(select: Select, scope: Scope, maxRows: number): Output {
  const wanted = { limit: select.limit, offset: select.offset, maxRows };
  return isGrouped(select) ? new Groups(select, scope, wanted) : new Rows(select, scope, wanted);
}

interface OutputColumn {
  readonly name: string;
  readonly type: SqlType;
}

class Rows implements Output {
  readonly #columns: readonly (OutputColumn & { readonly read: Reader })[];
  readonly #matches: Matches<Match>;

  constructor({ selected, orderBy }: Select, scope: Scope, wanted: Wanted) {
    const shown = selected
      ? selected.map(({ what, as }) => ({ as, found: scope.find(what as ColumnName) }))
      : scope.columns.map((found) => ({ as: undefined, found }));
    const names = namesOf(
      scope,
      shown.map(({ as, found }) => as ?? found),
    );
    this.#columns = shown.map(({ found }, i) => ({
      ...{ name: names[i] as string, type: found.column.type },
      read: readerOf(found),
    }));
    const orders = orderBy.map(({ by, desc }): Order<Match> => {
      if (isAggregate(by)) throw notComputed(`ORDER BY ${by.by} without groups`);
      const found = scope.find(by);
      const [read, compare] = [readerOf(found), orderOf(found.column.type)];
      return turned((a, b) => compare(read(a.row), read(b.row)), desc);
    });
    this.#matches = new Matches(wanted, oneAfterAnother(orders));
  }

  get isEnough(): boolean {
    return this.#matches.isEnough;
  }

  add(match: Match): void {
    this.#matches.add(match);
  }

  result(): Found {
    const found = this.#matches.result();
    const rows = found.map(({ row }) =>
      shownRow(
        this.#columns,
        this.#columns.map(({ read }) => read(row)),
      ),
    );
    return { rows, txs: found.map(({ tx }) => tx) };
  }
}

/** Rows with equal values. */
interface Group {
  /** Of the columns that they are grouped by. */
  readonly values: readonly (CellValue | null)[];
  readonly running: readonly Running[];
  tx: bigint;
}

/** What is shown of a group. */
interface GroupRow {
  readonly values: readonly (CellValue | null)[];
  readonly tx: bigint;
}

class Groups implements Output {
  readonly isEnough = false;
  readonly #by: readonly Reader[];
  /** By the aggregates that are shown. */
  readonly #computed: readonly Computed[];
  /** In the order of their first rows. */
  readonly #groups = new Map<string, Group>();
  /** Where the values of the columns are, in those of a group with what is computed behind them. */
  readonly #columns: readonly (OutputColumn & { readonly at: number })[];
  readonly #order: Order<GroupRow> | undefined;
  readonly #wanted: Wanted;

  constructor({ selected, groupBy, orderBy }: Select, scope: Scope, wanted: Wanted) {
    if (!selected) throw notComputed('SELECT * of groups');
    this.#wanted = wanted;
    const by = groupBy.map((name) => scope.find(name));
    // Zeros, and NaNs, are grouped by how they are written, or not, as it happens.
    for (const { column } of by)
      if (column.type === 'FLOAT' || column.type === 'JSON') throw notComputed(`GROUP BY of ${column.type}`);
    this.#by = by.map(readerOf);
    const aggregates: Aggregate[] = [];
    const all: Computed[] = [];
    const shown = selected.map(({ what, as }, i) => {
      if (isAggregate(what)) {
        const one = computed(scope, what);
        aggregates.push(what);
        all.push(one);
        return { as: as ?? `col${i}`, type: one.type, at: by.length + all.length - 1 };
      }
      const found = scope.find(what);
      const at = placeOf(by, found);
      if (at < 0) throw notComputed(`the column ${what.name}, which the rows are not grouped by,`);
      return { as: as ?? found, type: found.column.type, at };
    });
    this.#computed = all;
    const names = namesOf(
      scope,
      shown.map(({ as }) => as),
    );
    this.#columns = shown.map(({ type, at }, i) => ({ name: names[i] as string, type, at }));
    const placed = (term: OrderTerm['by']) => this.#placeOfTerm(term, scope, by, aggregates);
    const orders = orderBy.map((term): Order<GroupRow> => {
      const { at, type } = placed(term.by);
      const compare = orderOf(type);
      return turned((a, b) => compare(a.values[at] ?? null, b.values[at] ?? null), term.desc);
    });
    this.#order = oneAfterAnother(orders);
  }

  /** What groups are ordered by: a column of theirs, or an aggregate that is shown, by its name or as it is written. */
  #placeOfTerm(
    term: OrderTerm['by'],
    scope: Scope,
    by: readonly FoundColumn[],
    aggregates: readonly Aggregate[],
  ): { readonly at: number; readonly type: SqlType } {
    if (isAggregate(term)) {
      const i = aggregates.findIndex((each) => isSame(scope, each, term));
      const one = this.#computed[i];
      if (!one) throw notComputed(`ORDER BY ${term.by}, which is not selected,`);
      return { at: by.length + i, type: one.type };
    }
    const isName = ({ name, at }: { readonly name: string; readonly at: number }) =>
      term.of === undefined && name === term.name && at >= by.length;
    const named = this.#columns.find(isName);
    const isColumn = scope.tables.some(({ schema }) => schema.columns.some(({ name }) => name === term.name));
    if (named && isColumn) throw notComputed(`ORDER BY ${term.name}, which is a column too,`);
    if (named) return named;
    const found = scope.find(term);
    const at = placeOf(by, found);
    if (at < 0) throw notComputed(`ORDER BY ${term.name}, which the rows are not grouped by,`);
    return { at, type: found.column.type };
  }

  add({ row, tx }: Match): void {
    const values = this.#by.map((read) => read(row));
    const key = values.map(textOf).join();
    let group = this.#groups.get(key);
    if (!group) {
      const { maxRows } = this.#wanted;
      // Whatever is wanted of them.
      if (this.#groups.size >= maxRows) throw tooMany('the result', 'a mirror groups more', maxRows);
      group = { values, running: this.#computed.map((one) => one.begin()), tx };
      this.#groups.set(key, group);
    }
    for (const each of group.running) each.take(row);
    if (tx > group.tx) group.tx = tx;
  }

  result(): Found {
    const matches = new Matches(this.#wanted, this.#order);
    // Without GROUP BY there is one, of no rows too.
    if (this.#by.length === 0 && this.#groups.size === 0)
      matches.add({ values: this.#computed.map(({ ofNothing }) => ofNothing), tx: 0n });
    for (const { values, running, tx } of this.#groups.values())
      matches.add({ values: [...values, ...running.map((each) => each.result())], tx });
    const found = matches.result();
    const rows = found.map(({ values }) =>
      shownRow(
        this.#columns,
        this.#columns.map(({ at }) => values[at] ?? null),
      ),
    );
    return { rows, txs: found.map(({ tx }) => tx) };
  }
}

function shownRow(columns: readonly OutputColumn[], values: readonly (CellValue | null)[]): SqlRow {
  return namedResult(
    columns.map(({ name, type }, i) => {
      const value = values[i] ?? null;
      return [name, value === null ? null : sqlValue(type, value)];
    }),
  );
}

/** As those of plain queries: the name alone, with its table where several columns have the same. */
function namesOf(scope: Scope, columns: readonly (string | FoundColumn)[]): string[] {
  const short = columns.map((column) => (typeof column === 'string' ? column : column.column.name));
  const names = columns.map((column, i) => {
    const name = short[i] as string;
    const isOnly = short.filter((each) => each === name).length === 1;
    return typeof column === 'string' || isOnly ? name : `${scope.tables[column.at]?.as ?? ''}.${name}`;
  });
  names.forEach((name, i) => {
    if (names.indexOf(name) !== i) throw notComputed(`two columns of the name ${name}`);
  });
  return names;
}

function placeOf(columns: readonly FoundColumn[], { at, column }: FoundColumn): number {
  return columns.findIndex((each) => each.at === at && each.column.id === column.id);
}

function isSame(scope: Scope, a: Aggregate, b: Aggregate): boolean {
  if (a.by !== b.by || !a.column || !b.column) return a.by === b.by && !a.column && !b.column;
  return placeOf([scope.find(a.column)], scope.find(b.column)) === 0;
}

function turned<T>(order: Order<T>, desc: boolean): Order<T> {
  return desc ? (a, b) => order(b, a) : order;
}

/** Other values have another one. */
function textOf(value: CellValue | null): string {
  return value instanceof Uint8Array ? toHex(value) : value === null ? 'n' : JSON.stringify(String(value));
}
