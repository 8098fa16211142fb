// WHERE, computed over a proven row. What is not understood here is refused: a row must not be taken for a match by the server's word.
import type {
  AndNode,
  BinaryOperationNode,
  OperationNode,
  OperatorNode,
  OrNode,
  ParensNode,
  PrimitiveValueListNode,
  UnaryOperationNode,
  ValueListNode,
  ValueNode,
} from 'kysely';
import { NotProvableError } from '../errors.js';
import type { SqlRow } from '../index.js';
import { columnOf } from './columns.js';
import { comparable, compare, typeOf, valueIn } from './row-values.js';
import type { ColumnTypes } from './row-values.js';

export type Condition = (row: SqlRow) => boolean;

type Values = (row: SqlRow) => readonly unknown[];

const COMPARED: Readonly<Record<string, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '==': (order) => order === 0,
  is: (order) => order === 0,
  '!=': (order) => order !== 0,
  '<>': (order) => order !== 0,
  'is not': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/** Throws NotProvableError. */
export function conditionOf(node: OperationNode, types: ColumnTypes): Condition {
  switch (node.kind) {
    case 'ParensNode':
      return conditionOf((node as ParensNode).node, types);
    case 'AndNode':
    case 'OrNode': {
      const { left, right } = node as AndNode | OrNode;
      const [a, b] = [conditionOf(left, types), conditionOf(right, types)];
      return node.kind === 'AndNode' ? (row) => a(row) && b(row) : (row) => a(row) || b(row);
    }
    case 'UnaryOperationNode': {
      const { operator, operand } = node as UnaryOperationNode;
      if (operatorOf(operator) !== 'not') throw notUnderstood(operatorOf(operator));
      const condition = conditionOf(operand, types);
      return (row) => !condition(row);
    }
    case 'BinaryOperationNode':
      return comparison(node as BinaryOperationNode, types);
    default:
      throw notUnderstood(node.kind);
  }
}

function comparison(
  { leftOperand, operator, rightOperand }: BinaryOperationNode,
  types: ColumnTypes,
): Condition {
  const column = columnOf(leftOperand)?.column?.toLowerCase();
  if (column === undefined) throw notUnderstood(leftOperand.kind);
  const type = typeOf(types, column);
  const values = valuesOf(rightOperand, types);
  const found = operatorOf(operator);
  const order = (row: SqlRow, value: unknown) =>
    compare(comparable(type, valueIn(row, column)), comparable(type, value));
  if (found === 'in' || found === 'not in') {
    const isIn = (row: SqlRow) => values(row).some((value) => order(row, value) === 0);
    return found === 'in' ? isIn : (row) => !isIn(row);
  }
  const holds = Object.hasOwn(COMPARED, found) ? COMPARED[found] : undefined;
  if (!holds) throw notUnderstood(found);
  return (row) => {
    const [value, more] = values(row);
    if (more !== undefined) throw notUnderstood('a list');
    return holds(order(row, value));
  };
}

function valuesOf(node: OperationNode, types: ColumnTypes): Values {
  switch (node.kind) {
    case 'ValueNode': {
      const { value } = node as ValueNode;
      return () => [value];
    }
    case 'PrimitiveValueListNode': {
      const { values } = node as PrimitiveValueListNode;
      return () => values;
    }
    case 'ValueListNode': {
      const all = (node as ValueListNode).values.map((each) => valuesOf(each, types));
      return (row) => all.flatMap((each) => each(row));
    }
    default: {
      const column = columnOf(node)?.column?.toLowerCase();
      if (column === undefined) throw notUnderstood(node.kind);
      typeOf(types, column);
      return (row) => [valueIn(row, column)];
    }
  }
}

function operatorOf(node: OperationNode): string {
  return node.kind === 'OperatorNode' ? (node as OperatorNode).operator : node.kind;
}

function notUnderstood(what: string): NotProvableError {
  return new NotProvableError(
    `a condition with ${what} is not computed over proven rows: comparisons of columns, with and, or, not, in and is null, are`,
  );
}
