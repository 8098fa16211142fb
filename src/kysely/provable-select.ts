// A SELECT whose rows can be proven: columns of one table. The rows are those of its keys; that they are what was asked for (WHERE, ORDER
// BY, LIMIT, none twice) is computed over the proven ones. That none is left out is not proven.
import { AliasNode, ColumnNode, IdentifierNode, SelectionNode } from 'kysely';
import type { OperationNode, OrderByItemNode, RawNode, SelectQueryNode, TableNode, ValueNode } from 'kysely';
import { NotProvableError } from '../errors.js';
import type { SqlRow, SqlValue, VerifiedSchema } from '../index.js';
import { columnOf, columnsOf, namedBy, rowOf } from './columns.js';
import type { Selected } from './columns.js';
import { conditionOf } from './conditions.js';
import { comparable, compare, typeOf, typesOf, valueIn } from './row-values.js';
import type { ColumnTypes } from './row-values.js';

const REFUSED = {
  joins: 'a join',
  groupBy: 'GROUP BY',
  having: 'HAVING',
  distinctOn: 'DISTINCT ON',
  with: 'WITH',
  setOperations: 'UNION and its like',
  explain: 'EXPLAIN',
  top: 'TOP',
  fetch: 'FETCH',
  frontModifiers: 'DISTINCT and its like',
  endModifiers: 'FOR UPDATE and its like',
} as const satisfies Partial<Record<keyof SelectQueryNode, string>>;

const KEY = 'immu_pk_';

export class ProvableSelect {
  readonly table: string;
  readonly #node: SelectQueryNode;
  readonly #selected: readonly Selected[];

  private constructor(node: SelectQueryNode, table: string, selected: readonly Selected[]) {
    this.#node = node;
    this.table = table;
    this.#selected = selected;
  }

  /** Throws NotProvableError with the reason. */
  static of(node: OperationNode): ProvableSelect {
    if (node.kind !== 'SelectQueryNode') throw notProvable('a text of SQL');
    const select = node as SelectQueryNode;
    for (const [part, what] of Object.entries(REFUSED)) {
      const given = select[part as keyof typeof REFUSED];
      if (given !== undefined && !(Array.isArray(given) && given.length === 0)) throw notProvable(what);
    }
    const [from, other] = select.from?.froms ?? [];
    if (!from || other) throw notProvable(from ? 'more than one table' : 'no table');
    const alias = from.kind === 'AliasNode' ? (from as AliasNode) : undefined;
    const of = alias ? alias.node : from;
    if (of.kind !== 'TableNode') throw notProvable('what is no table');
    const { schema, identifier } = (of as TableNode).table;
    if (schema) throw notProvable('a schema');
    const selected = columnsOf(select.selections ?? []);
    if (!selected || selected.length === 0) throw notProvable('expressions');
    return new ProvableSelect(select, identifier.name.toLowerCase(), selected);
  }

  /** With the columns of the primary key among its own. */
  withKey({ columns, primaryKey }: VerifiedSchema): SelectQueryNode {
    if (this.#hasAll) return this.#node;
    const keys = primaryKey.map((id, i) => {
      const { name = '' } = columns.find((column) => column.id === id) ?? {};
      return SelectionNode.create(
        AliasNode.create(ColumnNode.create(name), IdentifierNode.create(`${KEY}${i}`)),
      );
    });
    return { ...this.#node, selections: [...(this.#node.selections ?? []), ...keys] };
  }

  /** The primary key of a row that was answered to {@link withKey}. */
  keyIn(row: SqlRow, { columns, primaryKey }: VerifiedSchema) {
    return rowOf(
      primaryKey.map((id, i): [string, NonNullable<SqlValue>] => {
        const { name = '' } = columns.find((column) => column.id === id) ?? {};
        const value = valueIn(row, this.#hasAll ? name : `${KEY}${i}`);
        if (value === null) throw new NotProvableError(`a row of ${this.table} came without its primary key`);
        return [name, value];
      }),
    );
  }

  /** Looks at proven rows in the order in which they come, and gives them as they were asked for. */
  checkFor(schema: VerifiedSchema): (rows: readonly SqlRow[]) => SqlRow[] {
    const types = typesOf(schema);
    const { where, orderBy } = this.#node;
    const isMatch = where ? conditionOf(where.where, types) : () => true;
    const order = (orderBy?.items ?? []).map((item) => orderOf(item, types));
    const limit = this.#limit();
    const seen = new Set<string>();
    let before: SqlRow | undefined;
    return (rows) =>
      rows.map((row) => {
        const last = before;
        before = row;
        const key = schema.primaryKey
          .map((id) => schema.columns.find((column) => column.id === id))
          .map((column) => text(valueIn(row, column?.name ?? '')))
          .join();
        if (seen.has(key)) throw this.#isNot('a row is shown twice');
        seen.add(key);
        if (seen.size > limit) throw this.#isNot('there are more of them');
        if (!isMatch(row)) throw this.#isNot('one does not meet the conditions');
        if (last && isAfter(order, last, row)) throw this.#isNot('they are in another order');
        return namedBy(this.#selected, row);
      });
  }

  get #hasAll(): boolean {
    return this.#selected.some(({ column }) => column === undefined);
  }

  #limit(): number {
    const { limit } = this.#node;
    if (!limit) return Infinity;
    const { value } = limit.limit.kind === 'ValueNode' ? (limit.limit as ValueNode) : {};
    if (typeof value !== 'number' && typeof value !== 'bigint')
      throw notProvable('a LIMIT that is no number');
    return Number(value);
  }

  #isNot(what: string): NotProvableError {
    return new NotProvableError(
      `the rows of ${this.table} that are proven are not those that were asked for: ${what}; they were changed meanwhile, or the server is wrong`,
    );
  }
}

type Order = (a: SqlRow, b: SqlRow) => number;

function orderOf({ orderBy, direction, nulls, collation }: OrderByItemNode, types: ColumnTypes): Order {
  const column = columnOf(orderBy)?.column?.toLowerCase();
  if (column === undefined || nulls || collation)
    throw notProvable('ORDER BY of something else than columns');
  const type = typeOf(types, column);
  const isDown = (direction as RawNode | undefined)?.sqlFragments[0]?.toLowerCase() === 'desc';
  const order: Order = (a, b) =>
    compare(comparable(type, valueIn(a, column)), comparable(type, valueIn(b, column)));
  return isDown ? (a, b) => order(b, a) : order;
}

function isAfter(order: readonly Order[], a: SqlRow, b: SqlRow): boolean {
  for (const each of order) {
    const found = each(a, b);
    if (found !== 0) return found > 0;
  }
  return false;
}

/** Of a value in a key: another one has another text. */
function text(value: SqlValue): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : JSON.stringify(String(value));
}

function notProvable(what: string): NotProvableError {
  return new NotProvableError(
    `a SELECT with ${what} cannot be proven row by row: columns of one table can; for other questions query without verified(), or ask a mirror`,
  );
}
