// All collections of a database that is followed, as of one transaction: that there are no others is known, and their names, which the
// server says, are held against what was followed.
import { DOCUMENT_COLUMN } from '../../../../proof/documents/document.js';
import { listCollections } from '../collections.js';
import type { DocumentCatalog } from './catalog.js';
import type { NamedColumn } from './collection.js';
import { catalogOf } from './follow.js';
import type { Verified } from './verified.js';

export interface FollowedCollection {
  readonly id: number;
  readonly name: string;
  readonly idField: string;
  /** Of fields. */
  readonly columns: readonly NamedColumn[];
}

/**
 * Requires that the database is followed from its first transaction on, up to `tx`. One that is gone by now, and that nobody has said
 * the name of before, is left out.
 *
 * @throws VerificationError where the server does not say the name of one
 */
export async function collectionsAt(verified: Verified, tx: bigint): Promise<FollowedCollection[]> {
  const catalog = catalogOf(verified);
  const live = catalog.tablesAt(tx);
  const known = () => live.map(({ id, hash }) => named(catalog, id, hash, tx));
  let found = known();
  if (found.includes(undefined)) {
    const { session, call } = verified;
    for (const { name, idField, fields } of await listCollections(session, call.deadline.left)) {
      catalog.learnCollection(name, idField);
      catalog.learn(fields.map((field) => field.name));
    }
    found = known();
  }
  for (const [i, { id, hash }] of live.entries())
    if (!found[i]) await assertGone(verified, catalog, id, hash);
  return found.filter((collection) => collection !== undefined);
}

/** Undefined: nobody has said the names of all. */
function named(
  catalog: DocumentCatalog,
  id: number,
  hash: string,
  tx: bigint,
): FollowedCollection | undefined {
  const name = catalog.tableName(hash);
  const idField = catalog.knownIdFieldAt(id, tx);
  if (name === undefined || idField === undefined) return undefined;
  const columns: NamedColumn[] = [];
  for (const column of catalog.columnsAt(id, tx)) {
    if (column.id <= DOCUMENT_COLUMN) continue;
    const field = catalog.nameOf(column);
    if (field === undefined) return undefined;
    columns.push({ ...column, name: field });
  }
  return { id, name, idField, columns };
}

/** Of one that has changed meanwhile the names are said as they are now. */
async function assertGone(
  { trust, call }: Verified,
  catalog: DocumentCatalog,
  id: number,
  hash: string,
): Promise<void> {
  const { followed } = catalog;
  const isSame = catalog.tablesAt(followed).some((table) => table.id === id && table.hash === hash);
  if (!isSame || named(catalog, id, hash, followed)) return;
  const detail = `collection ${id} was made, and the server does not say what it, or a field of it, is called`;
  throw await trust.refuse(call.operation, { check: 'document.catalog', detail });
}
