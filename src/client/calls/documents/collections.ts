// Collections of documents, their fields and indexes: made, changed, listed, deleted. All by the server's word.
import { ArgumentError, TransportError } from '../../../errors.js';
import type { Collection as WireCollection } from '../../../wire/messages.js';
import type { CallOptions } from '../../input/call-options.js';
import { flag, knownNames, oneOf, optionsObject } from '../../input/option-checks.js';
import type { Rpc } from '../../net/rpc.js';
import { resultOf } from '../../results/result.js';
import { fieldName, listOf } from './names.js';

/** Kinds of values that a field of a collection can have: what queries and indexes know of documents. */
export const FIELD_TYPES = ['STRING', 'BOOLEAN', 'INTEGER', 'DOUBLE', 'UUID'] as const;
export type FieldType = (typeof FIELD_TYPES)[number];

/** A field that can be asked for. Documents may have any others beside. */
export interface CollectionField {
  /** With dots, where it leads into objects: `address.city`; the third part is a name with all dots that follow. */
  readonly name: string;
  readonly type: FieldType;
}

export interface CollectionIndex {
  readonly fields: readonly string[];
  /** No two documents have the same values in these fields; none at all, or null, counts as one. @default false */
  readonly unique?: boolean;
}

export interface CreateCollectionOptions extends CallOptions {
  /** Where documents have their id. @default '_id' */
  readonly idField?: string;
  readonly fields?: readonly CollectionField[];
  readonly indexes?: readonly CollectionIndex[];
}

/** A collection by the server's word. */
export interface CollectionInfo {
  readonly name: string;
  readonly idField: string;
  /** Without the id field. */
  readonly fields: readonly CollectionField[];
  /** Without that of ids, which is always there. */
  readonly indexes: readonly Required<CollectionIndex>[];
}

export const CREATE_COLLECTION_NAMES = ['idField', 'fields', 'indexes'];
/** More than a collection may have: each is an entry of its transaction. */
const MAX_FIELDS = 1024;

/** What a collection is made with, checked. */
export function toCollection(name: string, { idField, fields = [], indexes = [] }: CreateCollectionOptions) {
  return {
    name,
    ...(idField !== undefined && { documentIdFieldName: idFieldName('idField', idField) }),
    fields: listOf('fields', fields, MAX_FIELDS, 0).map((field, i) => toField(`fields[${i}]`, field)),
    indexes: listOf('indexes', indexes, MAX_FIELDS, 0).map((index, i) => toIndex(`indexes[${i}]`, index)),
  };
}

export function toIndex(place: string, index: unknown) {
  optionsObject(place, index);
  knownNames(place, index, ['fields', 'unique']);
  const { fields: names, unique = false } = index as Partial<CollectionIndex>;
  return { fields: toFieldNames(`${place}.fields`, names), isUnique: flag(`${place}.unique`, unique) };
}

export function toField(place: string, field: unknown): CollectionField {
  optionsObject(place, field);
  knownNames(place, field, ['name', 'type']);
  const { name, type } = field as Partial<CollectionField>;
  return { name: fieldName(`${place}.name`, name), type: oneOf(`${place}.type`, type, FIELD_TYPES) };
}

export function toFieldNames(place: string, names: unknown): string[] {
  return listOf(place, names, MAX_FIELDS).map((name, i) => fieldName(`${place}[${i}]`, name));
}

export function idFieldName(argument: string, name: unknown): string {
  const given = fieldName(argument, name);
  if (given.includes('.')) throw new ArgumentError(argument, `${argument} must not have dots`);
  return given;
}

/** What a collection is changed to. */
export function toIdField(changed: unknown): string {
  optionsObject('changed', changed);
  knownNames('changed', changed, ['idField']);
  return idFieldName('idField', (changed as { readonly idField?: unknown }).idField);
}

export async function createCollection(
  rpc: Rpc,
  collection: ReturnType<typeof toCollection>,
  options: CallOptions,
): Promise<void> {
  await rpc.unary('CreateCollection', collection, options);
}

export async function getCollection(rpc: Rpc, name: string, options: CallOptions): Promise<CollectionInfo> {
  const { collection } = await rpc.unary('GetCollection', { name }, options);
  const info = collectionOf(collection);
  if (info.name !== name)
    throw new TransportError('UNAVAILABLE', 'the server answered with another collection than was asked for');
  return info;
}

export async function listCollections(rpc: Rpc, options: CallOptions): Promise<CollectionInfo[]> {
  const { collections = [] } = await rpc.unary('GetCollections', {}, options);
  return collections.map(collectionOf);
}

/** The id field is among the fields, and its index among the indexes, as the server shows them. */
function collectionOf(shown: WireCollection | undefined): CollectionInfo {
  const { name = '', documentIdFieldName: idField = '', fields = [], indexes = [] } = shown ?? {};
  return resultOf({
    name,
    idField,
    fields: fields
      .filter((field) => field.name !== idField)
      .map((field) => ({ name: field.name ?? '', type: typeOf(field.type) })),
    indexes: indexes
      .map((index) => ({ fields: index.fields ?? [], unique: index.isUnique ?? false }))
      .filter(({ fields: of }) => of.length !== 1 || of[0] !== idField),
  });
}

/** The first one is not on the wire. */
function typeOf(type: string | number | undefined): FieldType {
  const found = FIELD_TYPES.find((known) => known === (type ?? 'STRING'));
  if (!found) throw new TransportError('UNAVAILABLE', 'the server answered with a field of no known type');
  return found;
}
