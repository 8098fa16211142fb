// Documents, proven.
import { encodeStruct } from '../../proof/documents/struct-writer.js';
import type { DocumentFields } from '../../proof/documents/values.js';
import { auditInput } from '../calls/documents/audit.js';
import type { AuditDocumentOptions, AuditStep } from '../calls/documents/audit.js';
import { storable, toDocuments } from '../calls/documents/insert.js';
import { collectionName, documentId } from '../calls/documents/names.js';
import { toQuery } from '../calls/documents/query.js';
import type { DocumentQuery } from '../calls/documents/query.js';
import { searchInput } from '../calls/documents/search.js';
import type { SearchOptions } from '../calls/documents/search.js';
import { verifiedAuditPage } from '../calls/documents/verified/audit.js';
import type { VerifiedRevision } from '../calls/documents/verified/audit.js';
import { verifiedDeleteDocuments } from '../calls/documents/verified/delete.js';
import type { VerifiedDelete } from '../calls/documents/verified/delete.js';
import { verifiedGetDocument } from '../calls/documents/verified/get.js';
import { latestDocumentNow } from '../calls/documents/verified/latest-document.js';
import type { AbsentDocument, LatestDocument } from '../calls/documents/verified/latest-document.js';
import { verifiedInsertDocuments, verifiedReplaceDocuments } from '../calls/documents/verified/insert.js';
import type { VerifiedInsert, VerifiedReplace } from '../calls/documents/verified/insert.js';
import { CATALOG_NAMES, catalogChoice, followedChoice } from '../calls/documents/verified/level.js';
import type { CatalogOptions, FollowedCatalogOptions } from '../calls/documents/verified/level.js';
import type { VerifiedDocument } from '../calls/documents/verified/result.js';
import { VerifiedSearch, assertProvable } from '../calls/documents/verified/search.js';
import { toDocument } from '../input/document-input.js';
import type { DocumentInput } from '../input/document-input.js';
import { checkOptions, NO_OPTIONS } from '../input/call-options.js';
import type { CallOptions } from '../input/call-options.js';
import { isLatest } from '../input/get-options.js';
import type { LatestOptions } from '../input/get-options.js';
import { optionsObject } from '../input/option-checks.js';
import { txId } from '../input/tx-id.js';
import { DocumentCalls } from './document-calls.js';

/** How a document is read and proven. */
export interface VerifiedDocumentOptions extends CallOptions, CatalogOptions {
  /** The version that exactly this transaction wrote. @default the newest */
  readonly atTx?: bigint;
}

const GET_NAMES = ['atTx', ...CATALOG_NAMES];

/**
 * Collections of documents of one database. Names of verified calls say so; all others take the server's word.
 */
export class Documents extends DocumentCalls {
  /**
   * A document, proven: its row, with exactly this content, is in transaction `tx` of the one trusted history, under this id, in the
   * collection of this name (`collection.level` says where that is known from), in this database; its id field and the fields that
   * the collection knows agree with it. Not older than a version that was proven before. That there is no newer one is the server's
   * word. Null: the server says there is none, and where one was proven before, its deletion is proven; at `atTx`: that transaction
   * is proven to have deleted it, or to hold nothing of it.
   *
   * `latest`: it is proven to be the latest version, or not to be there (`absent` says why), as of a followed head that is not older than
   * the one that is trusted when it is called (`provenLatestAt`). Requires `follow()`, from genesis; absence is told without a question.
   *
   * @example
   * const found = await client.documents.verifiedGet('people', id);
   * if (found) console.log(found.document, found.tx, found.collection.level);
   * @throws NotProvableError with `latest`, where the database is not followed from genesis on
   * @throws VerificationError when the answer is not proven
   * @throws ServerError NOT_FOUND when there is no such collection
   */
  async verifiedGet(
    collection: string,
    id: string,
    options: LatestOptions,
  ): Promise<LatestDocument | AbsentDocument>;
  async verifiedGet(
    collection: string,
    id: string,
    options?: VerifiedDocumentOptions,
  ): Promise<VerifiedDocument | null>;
  async verifiedGet(
    collection: string,
    id: string,
    options: VerifiedDocumentOptions | LatestOptions = NO_OPTIONS,
  ): Promise<VerifiedDocument | null | LatestDocument | AbsentDocument> {
    const name = collectionName(collection);
    const hex = documentId('id', id);
    if (isLatest(options))
      return this.room.enterVerified('documents.verifiedGet', options, ['latest'], (verified) =>
        latestDocumentNow(verified, { collection: name, id: hex }),
      );
    checkOptions(options, GET_NAMES);
    const { atTx } = options;
    if (atTx !== undefined) txId('atTx', atTx);
    const asked = { collection: name, id: hex, atTx, catalog: catalogChoice(options) };
    return this.room.enterVerified('documents.verifiedGet', options, GET_NAMES, (verified) =>
      verifiedGetDocument(verified, asked),
    );
  }

  /**
   * {@link insert}, proven: transaction `tx` of the one trusted history, which no other write of this client was answered with, holds
   * exactly these documents, in this collection, under these ids, with exactly the content that was sent.
   *
   * @example
   * const { tx, ids } = await client.documents.verifiedInsert('people', [{ name: 'Ada' }, { name: 'Alan' }]);
   * @throws VerificationError when it is not so
   * @throws TransportError OUTCOME_UNKNOWN when they may be stored, but that could not be proven
   */
  async verifiedInsert(
    collection: string,
    documents: DocumentInput | readonly DocumentInput[],
    options: CallOptions & CatalogOptions = NO_OPTIONS,
  ): Promise<VerifiedInsert> {
    const name = collectionName(collection);
    const list = toDocuments(documents);
    checkOptions(options, CATALOG_NAMES);
    const asked = { collection: name, documents: list, catalog: catalogChoice(options) };
    return this.room.enterVerified(
      'documents.verifiedInsert',
      options,
      CATALOG_NAMES,
      (verified) => verifiedInsertDocuments(verified, asked),
      sizeOf(list),
    );
  }

  /**
   * {@link replace}, proven: transaction `tx` holds new versions of exactly these documents of the collection, each with exactly the
   * content that was sent and its own id. Which documents matched, and that all that matched are among them, is the server's word.
   *
   * @example
   * const { ids, tx } = await client.documents.verifiedReplace('people', { where: { name: 'Alan' } }, { name: 'Alan', age: 42 });
   * @throws VerificationError when it is not so
   * @throws TransportError OUTCOME_UNKNOWN when they may be stored, but that could not be proven
   */
  async verifiedReplace(
    collection: string,
    query: DocumentQuery,
    document: DocumentInput,
    options: CallOptions & CatalogOptions = NO_OPTIONS,
  ): Promise<VerifiedReplace> {
    const asked = toQuery(collectionName(collection), query);
    const content = storable('document', toDocument('document', document));
    checkOptions(options, CATALOG_NAMES);
    const write = { query: asked, document: content, catalog: catalogChoice(options) };
    return this.room.enterVerified(
      'documents.verifiedReplace',
      options,
      CATALOG_NAMES,
      (verified) => verifiedReplaceDocuments(verified, write),
      sizeOf([content]),
    );
  }

  /**
   * {@link delete}, proven: the documents that match, by the server's word, are deleted by their ids, and the deletion of each is
   * found among all entries of the transactions since. At most 1024 at a time.
   *
   * @example
   * const { deleted } = await client.documents.verifiedDelete('people', { where: { name: 'Alan' } });
   * @throws ArgumentError LIMIT_EXCEEDED when more documents match: nothing is deleted
   * @throws VerificationError when one of them is not deleted
   * @throws TransportError OUTCOME_UNKNOWN when they may be deleted, but that could not be proven
   */
  async verifiedDelete(
    collection: string,
    query: DocumentQuery,
    options: CallOptions & FollowedCatalogOptions = NO_OPTIONS,
  ): Promise<VerifiedDelete> {
    const asked = toQuery(collectionName(collection), query);
    checkOptions(options, CATALOG_NAMES);
    const catalog = followedChoice(options);
    return this.room.enterVerified('documents.verifiedDelete', options, CATALOG_NAMES, (verified) =>
      verifiedDeleteDocuments(verified, asked, catalog),
    );
  }

  /**
   * {@link search} with every document proven as {@link verifiedGet} proves it, and found to be what was asked for: the query is
   * evaluated anew over what is proven, as is the order; none is given twice. A document that was changed since the search began is
   * given as it is now, if it still matches. That **none is left out** cannot be proven, nor that none is newer.
   *
   * @example
   * for await (const { document, tx } of client.documents.verifiedSearch('people', { where: { age: { GE: 18 } } })) console.log(document, tx);
   * @throws ArgumentError at once, naming the option; from the iterator for a value that the field cannot be compared with
   * @throws VerificationError from the iterator when a document is not proven: nothing of its page is given
   */
  verifiedSearch(
    collection: string,
    options: SearchOptions & FollowedCatalogOptions = NO_OPTIONS,
  ): AsyncGenerator<VerifiedDocument, void, undefined> {
    optionsObject('options', options);
    const { catalog: given, ...search } = options;
    const input = searchInput(collectionName(collection), search);
    assertProvable(input.query);
    const searching = new VerifiedSearch(
      input,
      followedChoice(given === undefined ? {} : { catalog: given }),
    );
    return this.searchPages(input, search, (room, step, call, next) =>
      room.enterVerified('documents.verifiedSearch', call, [], (verified) =>
        searching.page(verified, step, next),
      ),
    );
  }

  /**
   * {@link audit} with every version proven to be in its transaction, in the one trusted history: content or deletion, collection and
   * id as by {@link verifiedGet}, user and time by the proven header. In strict order of their transactions, none twice; the newest
   * is not older than a version that was proven before. That **none is left out** cannot be proven; `revision` is the server's word.
   *
   * @example
   * for await (const { tx, user, deleted, document } of client.documents.verifiedAudit('people', id)) console.log(tx, user, document);
   * @throws VerificationError from the iterator when a version is not proven: nothing of its page is given
   */
  verifiedAudit(
    collection: string,
    id: string,
    options: AuditDocumentOptions & CatalogOptions = NO_OPTIONS,
  ): AsyncGenerator<VerifiedRevision, void, undefined> {
    optionsObject('options', options);
    const { catalog: given, ...audit } = options;
    const input = auditInput(collectionName(collection), documentId('id', id), audit);
    const catalog = catalogChoice(given === undefined ? {} : { catalog: given });
    return this.pages<VerifiedRevision, AuditStep>(
      audit,
      { page: 1, left: input.limit },
      (room, step, call, next) =>
        room.enterVerified('documents.verifiedAudit', call, [], (verified) =>
          verifiedAuditPage(verified, input, catalog, step, next),
        ),
    );
  }
}

/** About what these documents take while they are on their way. */
function sizeOf(documents: readonly DocumentFields[]): number {
  return documents.reduce((sum, each) => sum + encodeStruct(each).length, 0);
}
