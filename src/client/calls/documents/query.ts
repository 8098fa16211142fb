// Which documents: comparisons of fields, checked, and as the server is asked for them.
import { ArgumentError } from '../../../errors.js';
import { encodeValue } from '../../../proof/documents/struct-writer.js';
import type { MessageWriter } from '../../../proof/documents/struct-writer.js';
import type { DocumentValue } from '../../../proof/documents/values.js';
import { toDocumentValue } from '../../input/document-input.js';
import { flag, knownNames, oneOf, optionsObject, whole } from '../../input/option-checks.js';
import { fieldName, listOf } from './names.js';

/**
 * How a field is compared. A document without the field, or with null, has the least of all values: it is `LT`, `LE` and `NE` every
 * other. `LIKE`: text where `%` stands for any characters and `_` for one, but no line feed.
 */
export const OPERATORS = ['EQ', 'NE', 'LT', 'LE', 'GT', 'GE', 'LIKE', 'NOT_LIKE'] as const;
export type DocumentOperator = (typeof OPERATORS)[number];

/** What a comparison compares with. */
export type ComparedValue = null | boolean | number | bigint | string;

/** Of one field: a value that it equals, or comparisons that must all hold. */
export type FieldCondition = ComparedValue | { readonly [O in DocumentOperator]?: ComparedValue };

/** Fields of the collection, all of which must be so; several of these: any of them. Empty: all documents. */
export type DocumentWhere = Readonly<Record<string, FieldCondition>>;

export interface DocumentOrder {
  readonly field: string;
  /** @default false */
  readonly desc?: boolean;
}

/** Which documents, in which order, how many. */
export interface DocumentQuery {
  /**
   * `{ age: { GE: 18, LT: 65 }, city: 'Graz' }`: both; an array of such: any of them. The field of ids takes ids, in hex.
   * @default all documents
   */
  readonly where?: DocumentWhere | readonly DocumentWhere[];
  readonly orderBy?: DocumentOrder | readonly DocumentOrder[];
  /** Most documents, 1 or more. @default all */
  readonly limit?: number;
}

export interface Comparison {
  readonly field: string;
  readonly operator: DocumentOperator;
  readonly value: Exclude<DocumentValue, object> | null;
}

/** A query, checked. */
export interface CheckedQuery {
  readonly collection: string;
  /** One of these must hold, all of it; empty: all documents. */
  readonly any: readonly (readonly Comparison[])[];
  readonly orderBy: readonly Required<DocumentOrder>[];
  /** 0: all. */
  readonly limit: number;
}

export const QUERY_NAMES = ['where', 'orderBy', 'limit'];
const MAX_COMPARISONS = 1024;
const MAX_UINT32 = 0xffff_ffff;

/** Throws ArgumentError naming the part. */
export function toQuery(collection: string, query: unknown): CheckedQuery {
  optionsObject('query', query);
  knownNames('query', query, QUERY_NAMES);
  return queryOf(collection, query);
}

/** The same for a query whose names were checked, among others. */
export function queryOf(collection: string, { where, orderBy, limit }: DocumentQuery): CheckedQuery {
  return {
    collection,
    any: where === undefined ? [] : toWhere(where),
    orderBy: orderBy === undefined ? [] : toOrder(orderBy),
    limit: limit === undefined ? 0 : whole('limit', limit, 1, MAX_UINT32),
  };
}

function toWhere(where: unknown): Comparison[][] {
  if (!Array.isArray(where)) {
    const all = toConditions('where', where);
    return all.length === 0 ? [] : [all];
  }
  const any = listOf('where', where, MAX_COMPARISONS).map((each, i) => toConditions(`where[${i}]`, each));
  // One that always holds makes the others mean nothing; a server refuses it among others.
  return any.some((all) => all.length === 0) ? [] : any;
}

function toConditions(place: string, where: unknown): Comparison[] {
  optionsObject(place, where);
  const names = Object.keys(where);
  if (names.length > MAX_COMPARISONS) throw tooMany(place);
  return names.flatMap((name) => {
    const field = fieldName(`${place}: the field ${JSON.stringify(name.slice(0, 100))}`, name);
    return toCondition(`${place}.${name}`, field, (where as Record<string, unknown>)[name]);
  });
}

function toCondition(place: string, field: string, condition: unknown): Comparison[] {
  if (typeof condition !== 'object' || condition === null) return [comparison(place, field, 'EQ', condition)];
  optionsObject(place, condition);
  knownNames(place, condition, OPERATORS);
  const operators = Object.keys(condition);
  if (operators.length === 0) throw new ArgumentError(place, `${place} compares with nothing`);
  return operators.map((operator) => {
    const value = (condition as Record<string, unknown>)[operator];
    return comparison(`${place}.${operator}`, field, oneOf(place, operator, OPERATORS), value);
  });
}

function comparison(place: string, field: string, operator: DocumentOperator, given: unknown): Comparison {
  const value = toDocumentValue(place, given);
  if (typeof value === 'object' && value !== null)
    throw new ArgumentError(place, `${place} must be null, a boolean, a number or a string`);
  if (operator.endsWith('LIKE') && typeof value !== 'string')
    throw new ArgumentError(place, `${place} must be a string`);
  return { field, operator, value };
}

function toOrder(orderBy: unknown): Required<DocumentOrder>[] {
  const list = Array.isArray(orderBy) ? listOf('orderBy', orderBy, MAX_COMPARISONS) : [orderBy];
  return list.map((each, i) => {
    const place = Array.isArray(orderBy) ? `orderBy[${i}]` : 'orderBy';
    optionsObject(place, each);
    knownNames(place, each, ['field', 'desc']);
    const { field, desc = false } = each as Partial<DocumentOrder>;
    return { field: fieldName(`${place}.field`, field), desc: flag(`${place}.desc`, desc) };
  });
}

function tooMany(place: string): ArgumentError {
  return new ArgumentError(place, `${place} must have at most ${MAX_COMPARISONS} fields`, 'LIMIT_EXCEEDED');
}

/** The documents with one of these ids, `idField` being where they have them. */
export function queryOfIds(collection: string, idField: string, ids: readonly string[]): CheckedQuery {
  const any = ids.map((id) => [{ field: idField, operator: 'EQ' as const, value: id }]);
  return { collection, any, orderBy: [], limit: 0 };
}

/** A Query, into the message that it is. */
export function writeQuery(writer: MessageWriter, { collection, any, orderBy, limit }: CheckedQuery): void {
  writer.text(1, collection);
  for (const all of any) {
    writer.message(2, (expression) => {
      for (const { field, operator, value } of all) {
        expression.message(1, (compared) => {
          compared.text(1, field).number(2, OPERATORS.indexOf(operator)).bytes(3, encodeValue(value));
        });
      }
    });
  }
  for (const { field, desc } of orderBy) writer.message(3, (order) => order.text(1, field).flag(2, desc));
  if (limit > 0) writer.number(4, limit);
}
