// Documents, proven.
import { catalogChoice, CATALOG_NAMES } from '../calls/documents/verified/level.js';
import type { CatalogOptions } from '../calls/documents/verified/level.js';
import { verifiedGetDocument } from '../calls/documents/verified/get.js';
import type { VerifiedDocument } from '../calls/documents/verified/result.js';
import { collectionName, documentId } from '../calls/documents/names.js';
import { checkOptions, NO_OPTIONS } from '../input/call-options.js';
import type { CallOptions } from '../input/call-options.js';
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
   * @example
   * const found = await client.documents.verifiedGet('people', id);
   * if (found) console.log(found.document, found.tx, found.collection.level);
   * @throws VerificationError when the answer is not proven
   * @throws ServerError NOT_FOUND when there is no such collection
   */
  async verifiedGet(
    collection: string,
    id: string,
    options: VerifiedDocumentOptions = NO_OPTIONS,
  ): Promise<VerifiedDocument | null> {
    const name = collectionName(collection);
    const hex = documentId('id', id);
    checkOptions(options, GET_NAMES);
    const { atTx } = options;
    if (atTx !== undefined) txId('atTx', atTx);
    const asked = { collection: name, id: hex, atTx, catalog: catalogChoice(options) };
    return this.room.enterVerified('documents.verifiedGet', options, GET_NAMES, (verified) =>
      verifiedGetDocument(verified, asked),
    );
  }
}
