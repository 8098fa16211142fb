// verifiedInsert and verifiedReplace: what was sent is what is stored, in a transaction that holds nothing else.
import type { DocumentFields } from '../../../../proof/documents/values.js';
import type { Root } from '../../../../verify/verifier.js';
import { readInserted, readRevisions } from '../../../../verify/wire/documents.js';
import { resultOf } from '../../../results/result.js';
import type { Verified } from './verified.js';
import { MAX_REPLACED } from '../insert.js';
import type { CheckedQuery } from '../query.js';
import { insertRequest, replaceRequest } from '../requests.js';
import { BoundCollection } from './collection.js';
import type { CatalogChoice, DocumentCollection } from './level.js';
import { readOrRefuse } from './read.js';
import { writeDocuments } from './write.js';
import type { SentDocuments } from './write.js';
import { proveWritten } from './written.js';

/** Documents that are proven to be stored as they were sent. */
export interface VerifiedInsert {
  /** In the order of the documents. */
  readonly ids: readonly string[];
  /** Transaction that holds exactly these documents. */
  readonly tx: bigint;
  readonly alh: Uint8Array;
  /** Header time of `tx` in unix seconds; 0 when the database leaves it out. */
  readonly timestamp: bigint;
  readonly collection: DocumentCollection;
  /** Trusted head under which it was proven. */
  readonly root: Root;
}

/** Documents that are proven to have the content that was sent. Without a `tx`: the server says that none matched. */
export interface VerifiedReplace
  extends Pick<VerifiedInsert, 'ids' | 'root'>, Partial<Omit<VerifiedInsert, 'ids' | 'root'>> {}

interface ToInsert {
  readonly collection: string;
  readonly documents: readonly DocumentFields[];
  readonly catalog: CatalogChoice;
}

export function verifiedInsertDocuments(
  verified: Verified,
  { collection: name, documents, catalog }: ToInsert,
): Promise<VerifiedInsert> {
  const request = insertRequest(name, documents);
  return writeDocuments(
    verified,
    (reading) => BoundCollection.find(reading, name, catalog),
    (options) => verified.session.raw('InsertDocuments', request, options),
    async (reading, sent, collection) => {
      const { tx, ids } = await read(reading, sent, 'inserted', (answer) => {
        const inserted = readInserted(answer, documents.length);
        if (inserted.ids.length !== documents.length) return undefined;
        return inserted.ids.every(isId) ? inserted : undefined;
      });
      const said = { tx, ids, contents: documents, how: 'inserted' } as const;
      const proven = await proveWritten(reading, collection, sent.head, said);
      const { alh, ts } = proven.subject;
      const { root } = verified.trust;
      return resultOf({
        ids,
        tx,
        alh: new Uint8Array(alh),
        timestamp: ts,
        collection: resultOf(proven.in),
        root,
      });
    },
  );
}

interface ToReplace {
  readonly query: CheckedQuery;
  readonly document: DocumentFields;
  readonly catalog: CatalogChoice;
}

export function verifiedReplaceDocuments(
  verified: Verified,
  { query, document, catalog }: ToReplace,
): Promise<VerifiedReplace> {
  const request = replaceRequest(query, document);
  return writeDocuments<BoundCollection, VerifiedReplace>(
    verified,
    (reading) => BoundCollection.find(reading, query.collection, catalog),
    (options) => verified.session.raw('ReplaceDocuments', request, options),
    async (reading, sent, collection) => {
      const revisions = await read(reading, sent, 'replaced', (answer) => {
        const shown = readRevisions(answer, MAX_REPLACED);
        const isOne = shown.every(({ id, tx }) => isId(id) && tx > 0n && tx === shown[0]?.tx);
        return isOne && (query.limit === 0 || shown.length <= query.limit) ? shown : undefined;
      });
      const { root } = verified.trust;
      const tx = revisions[0]?.tx;
      if (tx === undefined) return resultOf({ ids: [], root });
      const ids = revisions.map(({ id }) => id);
      const said = { tx, ids, contents: ids.map(() => document), how: 'replaced' } as const;
      const proven = await proveWritten(reading, collection, sent.head, said);
      const { alh, ts } = proven.subject;
      return resultOf({
        ...{ ids, tx, alh: new Uint8Array(alh), timestamp: ts, collection: resultOf(proven.in) },
        root: verified.trust.root,
      });
    },
  );
}

const ID = /^(?:[0-9a-f]{2}){1,32}$/;

function isId(id: string): boolean {
  return ID.test(id);
}

/** What the answer says; refused where that can be no answer to what was sent. */
async function read<T>(
  { session, trust, call }: Verified,
  { answer }: SentDocuments,
  how: 'inserted' | 'replaced',
  readAnswer: (answer: Uint8Array) => T | undefined,
): Promise<T> {
  const check = `document.${how}`;
  const said = await readOrRefuse({ session, trust, call }, check, () => readAnswer(answer));
  if (said !== undefined) return said;
  const detail = 'the server answered with other documents than were sent';
  throw await trust.refuse(call.operation, { check, detail });
}
