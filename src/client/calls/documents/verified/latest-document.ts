// documents.verifiedGet of what is proven to be latest: which collection it is, and its newest version, are what was followed; the
// document itself is asked for and proven like every other.
import { ImmuError, ServerError } from '../../../../errors.js';
import { fromHex } from '../../../../proof/bytes.js';
import { documentKey } from '../../../../proof/documents/document.js';
import type { Root } from '../../../../verify/verifier.js';
import { resultOf } from '../../../results/result.js';
import { followedWhole } from '../../sql/followed/latest-row.js';
import { BoundCollection } from './collection.js';
import { catalogOf } from './follow.js';
import { proveDocument } from './prove.js';
import type { ProvenDocument } from './prove.js';
import { verifiedDocument } from './result.js';
import type { VerifiedDocument } from './result.js';
import type { Verified } from './verified.js';

/** A document that is proven to be the latest version. */
export interface LatestDocument extends VerifiedDocument {
  readonly absent?: undefined;
  /** Every transaction up to this root was followed: none of them has a newer version, and the collection is as of it. */
  readonly provenLatestAt: Root;
  /** How many versions there are with this one, deletions counted. */
  readonly revision: bigint;
}

/** A document that is proven not to be there. */
export interface AbsentDocument {
  readonly id: string;
  readonly document: null;
  readonly absent: 'never-written' | 'deleted';
  /** What deleted it. */
  readonly tx?: bigint;
  readonly collection: { readonly name: string; readonly id: number };
  /** Every transaction up to this root was followed, and the collection is as of it. */
  readonly provenLatestAt: Root;
}

/**
 * @throws NotProvableError where the database is not followed from genesis on
 * @throws VerificationError where the version that was followed is not shown
 */
export async function latestDocumentNow(
  verified: Verified,
  { collection: name, id }: { readonly collection: string; readonly id: string },
): Promise<LatestDocument | AbsentDocument> {
  for (;;) {
    const told = await once(verified, name, id);
    if (told) return told;
  }
}

/** Undefined: the collection was deleted, or the document changed, meanwhile. */
async function once(
  verified: Verified,
  name: string,
  id: string,
): Promise<LatestDocument | AbsentDocument | undefined> {
  const { trust, call } = verified;
  const latest = await followedWhole(verified);
  const key = (collection: number) => documentKey(collection, fromHex(id));
  // In one turn: as of one root.
  const { at } = latest;
  const table = catalogOf(verified).tableOf(name);
  if (table === undefined) {
    const why = 'no transaction that was followed has made one';
    throw new ImmuError('NOT_FOUND', `there is no collection ${name}: ${why}`);
  }
  const version = latest.get(key(table));
  if (!version || version.deleted) {
    trust.countCalls(call.operation, call.startedAt, 1);
    const absent = version
      ? ({ absent: 'deleted', tx: version.tx } as const)
      : ({ absent: 'never-written' } as const);
    const collection = { name, id: table };
    return Object.freeze(resultOf({ id, document: null, ...absent, collection, provenLatestAt: at }));
  }
  const { tx, revision } = version;
  const found = await shown(verified, name, table, id, tx);
  if (found) {
    trust.countCalls(call.operation, call.startedAt, 1);
    return Object.freeze(resultOf({ ...verifiedDocument(found, trust.root), provenLatestAt: at, revision }));
  }
  const assured = trust.assureNow(call.operation);
  await call.deadline.race(assured, 'the server to prove that it extends what is trusted');
  const now = await followedWhole(verified);
  if (catalogOf(verified).tableOf(name) !== table || now.get(key(table))?.tx !== tx) return undefined;
  const detail = `document ${id} is not shown as of tx ${tx.toString()}, which wrote it`;
  throw await trust.refuse(call.operation, { check: 'latest.missing', detail, tx });
}

/** Null: the server has no such version, or no such collection. */
async function shown(
  verified: Verified,
  name: string,
  table: number,
  id: string,
  tx: bigint,
): Promise<ProvenDocument | null> {
  try {
    const bound = await BoundCollection.find(verified, name, 'proven');
    return bound.id === table ? await proveDocument(verified, bound, fromHex(id), tx) : null;
  } catch (error) {
    if (error instanceof ServerError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}
