// verifiedDelete: which documents match → deleted by their ids → followed from the head of before until each deletion is found.
import { ArgumentError } from '../../../../errors.js';
import { fromHex, toHex } from '../../../../proof/bytes.js';
import { documentKey } from '../../../../proof/documents/document.js';
import type { TxHeader } from '../../../../proof/types.js';
import type { Root } from '../../../../verify/verifier.js';
import { readTxList } from '../../../../verify/wire/answers.js';
import { MAX_TX_ENTRIES } from '../../../input/bytes-input.js';
import { resultOf } from '../../../results/result.js';
import type { Verified } from './verified.js';
import { DELETED } from '../../../trust/known/newest-versions.js';
import { PageSize } from '../../txs/pages.js';
import { getCollection } from '../collections.js';
import { shownId } from '../document.js';
import { queryOfIds } from '../query.js';
import type { CheckedQuery } from '../query.js';
import { queryRequest } from '../requests.js';
import { askPlainPage, endSearch, firstPage } from '../search.js';
import type { SearchStep } from '../search.js';
import { BoundCollection } from './collection.js';
import { provenDigests } from './follow.js';
import { seenName } from './prove.js';
import { writeDocuments } from './write.js';

/** A document whose deletion is proven. */
export interface DeletedDocument {
  readonly id: string;
  /** Transaction that deleted it. */
  readonly tx: bigint;
  /** Header time of `tx` in unix seconds; 0 when the database leaves it out. */
  readonly timestamp: bigint;
}

export interface VerifiedDelete {
  /** Empty: the server says that none matched. */
  readonly deleted: readonly DeletedDocument[];
  /** Trusted head under which it was proven. */
  readonly root: Root;
}

const PAGE_SIZE = 512;

interface Found {
  readonly collection: BoundCollection;
  readonly ids: readonly string[];
  readonly idField: string;
  readonly from: bigint;
}

export async function verifiedDeleteDocuments(
  verified: Verified,
  query: CheckedQuery,
  catalog: 'proven' | 'followed',
): Promise<VerifiedDelete> {
  const { session, trust } = verified;
  return writeDocuments(
    verified,
    (reading) => find(reading, query, catalog),
    (options, { collection, ids, idField }) => {
      // Nothing is to be deleted: nothing is sent.
      if (ids.length === 0) return Promise.resolve(NOTHING);
      return session.raw('DeleteDocuments', queryRequest(queryOfIds(collection.name, idField, ids)), options);
    },
    async (reading, _sent, found) => {
      const deleted = found.ids.length === 0 ? [] : await proveDeletions(reading, found);
      return resultOf({ deleted, root: trust.root });
    },
  );
}

const NOTHING: Uint8Array = new Uint8Array(0);

/** What matches, by the server's word: whatever else it is, it is deleted or the call fails. */
async function find(verified: Verified, query: CheckedQuery, catalog: 'proven' | 'followed'): Promise<Found> {
  const { session, trust, call } = verified;
  const { tx: from } = await trust.head(call);
  const collection = await BoundCollection.find(verified, query.collection, catalog);
  const { idField } = await getCollection(session, query.collection, call.deadline.left);
  const input = { query, pageSize: PAGE_SIZE };
  const ids = new Set<string>();
  for (let step: SearchStep | undefined = firstPage(input); step;) {
    const { revisions, next } = await askPlainPage(session, input, step, call.deadline.left);
    for (const { id } of revisions) if (query.limit === 0 || ids.size < query.limit) ids.add(shownId(id));
    if (ids.size > MAX_TX_ENTRIES) {
      if (next) await endSearch(input, next, session, call.deadline.left).catch(() => undefined);
      const what = `query matches more than ${MAX_TX_ENTRIES} documents, which one transaction deletes at most: give a limit`;
      throw new ArgumentError('query', what, 'LIMIT_EXCEEDED');
    }
    step = next;
  }
  return { collection, ids: [...ids], idField, from };
}

async function proveDeletions(
  verified: Verified,
  { collection, ids, from }: Found,
): Promise<DeletedDocument[]> {
  const { trust, call } = verified;
  const due = new Map(ids.map((id) => [toHex(documentKey(collection.id, fromHex(id))), id]));
  const deleted = new Map<string, DeletedDocument>();
  const note = ({ id: tx, ts }: TxHeader, key: string) => {
    const id = due.get(key);
    if (id === undefined || deleted.has(id)) return;
    deleted.set(id, resultOf({ id, tx, timestamp: ts }));
    trust.known.seen.note(seenName(collection.id, fromHex(id)), tx, DELETED);
  };

  const assured = trust.assureNow(call.operation);
  await call.deadline.race(assured, 'the server to prove that it extends what is trusted');
  const { tx: to } = await trust.head(call);
  const size = new PageSize();
  for (let next = from + 1n; next <= to && deleted.size < due.size;) {
    const count = size.next(to - next + 1n);
    try {
      const digests = await provenDigests(verified, next, count);
      for (const tx of readTxList(digests, BigInt(count))) {
        for (const { key, metadata } of tx.entries()) {
          if (metadata?.deleted === true) note(tx.header, toHex(key));
        }
      }
      size.learn(count, digests.length);
      next += BigInt(count);
    } catch (error) {
      if (!size.shrink(error, count)) throw error;
    }
  }
  const kept = ids.find((id) => !deleted.has(id));
  if (kept !== undefined) {
    const detail = `document ${kept} is said to be deleted, and no transaction since has deleted it`;
    throw await trust.refuse(call.operation, { check: 'document.kept', detail });
  }
  return ids.map((id) => deleted.get(id) as DeletedDocument);
}
