// What of a list of columns is one: by its name, or by one that the caller gives it.
import type { OperationNode, ReferenceNode, SelectionNode } from 'kysely';

/** `*`, or a column. */
export interface Selected {
  /** As it is in the statement, without a name of its own. */
  readonly node: OperationNode;
  /** Undefined: all columns. */
  readonly column: string | undefined;
  /** The table that it is said to be of. */
  readonly table: string | undefined;
  /** What the caller calls it. */
  readonly name: string;
}

/** Undefined: an expression. */
export function columnOf(node: OperationNode): Selected | undefined {
  switch (node.kind) {
    case 'SelectAllNode':
      return { node, column: undefined, table: undefined, name: '*' };
    case 'ColumnNode': {
      const { name } =
        (node as { readonly column?: { readonly name?: string } } & OperationNode).column ?? {};
      return name === undefined ? undefined : { node, column: name, table: undefined, name };
    }
    case 'ReferenceNode': {
      const { column, table } = node as ReferenceNode;
      const read = columnOf(column);
      return read && { ...read, node, table: table?.table.identifier.name };
    }
    case 'AliasNode': {
      const { node: of, alias } = node as {
        readonly node: OperationNode;
        readonly alias: OperationNode;
      } & OperationNode;
      const read = columnOf(of);
      if (!read || read.column === undefined || alias.kind !== 'IdentifierNode') return undefined;
      return { ...read, name: (alias as { readonly name: string } & OperationNode).name };
    }
    default:
      return undefined;
  }
}

/** Undefined where one of them is an expression. */
export function columnsOf(selections: readonly SelectionNode[]): readonly Selected[] | undefined {
  const read = selections.map(({ selection }) => columnOf(selection));
  return read.every((each) => each !== undefined) ? read : undefined;
}

/** A row by the names that its caller gives the columns. `row` has them by their own, or undefined for what it has not. */
export function namedBy<V>(
  selected: readonly Selected[],
  row: Readonly<Record<string, V>>,
): Record<string, V> {
  const named = new Map<string, V>();
  for (const { column, name } of selected) {
    if (column === undefined) for (const [own, value] of Object.entries(row)) named.set(own, value);
    else if (Object.hasOwn(row, column.toLowerCase())) named.set(name, row[column.toLowerCase()] as V);
  }
  return rowOf(named);
}

/** A plain object, whatever the columns are called. */
export function rowOf<V>(values: Iterable<readonly [string, V]>): Record<string, V> {
  return Object.fromEntries(values);
}
