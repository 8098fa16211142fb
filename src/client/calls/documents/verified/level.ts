// What the name of a collection, and what its columns are, is taken from; and what callers are told of it.
import { knownNames, oneOf, optionsObject, whole } from '../../../input/option-checks.js';
import type { CatalogLevel } from '../../sql/schema.js';
import { idFieldName } from '../collections.js';
import { listOf } from '../names.js';

/** A collection as its caller knows it. */
export interface CollectionPin {
  /** Of the table behind it, as results show it: never given to another collection of the database. */
  readonly collectionId: number;
  /** Names that its id field has, or had. */
  readonly idField: string | readonly string[];
}

export interface CatalogOptions {
  /**
   * How the collection is known. `proven`: transactions are followed, from the first one on, until the one that made it is found (and
   * further where a document does not fit to what was found); `followed`: to the newest. Both keep what they found for later calls.
   * @default 'proven'
   */
  readonly catalog?: 'claimed' | 'proven' | 'followed' | CollectionPin;
}

/** For calls that need more than the name of a collection: its fields, or all that was written since. */
export interface FollowedCatalogOptions {
  /** As for other calls. @default 'proven' */
  readonly catalog?: 'proven' | 'followed';
}

export const CATALOG_NAMES = ['catalog'];

/** Checked. */
export type CatalogChoice = 'claimed' | 'proven' | 'followed' | Pinned;

export interface Pinned {
  readonly collectionId: number;
  readonly idFields: readonly string[];
}

const SOURCES = ['claimed', 'proven', 'followed'] as const;
const MAX_ID_FIELDS = 100;

/** Throws ArgumentError. */
export function catalogChoice(options: CatalogOptions): CatalogChoice {
  const { catalog = 'proven' } = options;
  if (typeof catalog === 'string') return oneOf('catalog', catalog, SOURCES);
  optionsObject('catalog', catalog);
  knownNames('catalog', catalog, ['collectionId', 'idField']);
  const { collectionId, idField } = catalog;
  const names = Array.isArray(idField) ? listOf('catalog.idField', idField, MAX_ID_FIELDS) : [idField];
  return {
    collectionId: whole('catalog.collectionId', collectionId, 1, 0xffff_ffff),
    idFields: names.map((name) => idFieldName('catalog.idField', name)),
  };
}

/** Throws ArgumentError. */
export function followedChoice({ catalog = 'proven' }: FollowedCatalogOptions): 'proven' | 'followed' {
  return oneOf('catalog', catalog, ['proven', 'followed'] as const);
}

/** What a result says of the collection that a document is in. */
export interface DocumentCollection {
  readonly name: string;
  /** Of the table behind it. */
  readonly id: number;
  /** What the id field was called when the document was written. */
  readonly idField: string;
  /** Where name, id and columns come from. */
  readonly level: CatalogLevel;
}
