// Documents and their collections, by the server's word: input is checked here, one line each.
import { auditInput, auditPage } from '../calls/documents/audit.js';
import type { AuditDocumentOptions, AuditStep } from '../calls/documents/audit.js';
import {
  CREATE_COLLECTION_NAMES,
  createCollection,
  getCollection,
  toIdField,
  listCollections,
  toCollection,
  toField,
  toFieldNames,
  toIndex,
} from '../calls/documents/collections.js';
import type {
  CollectionField,
  CollectionIndex,
  CollectionInfo,
  CreateCollectionOptions,
} from '../calls/documents/collections.js';
import type { Document, DocumentRevision } from '../calls/documents/document.js';
import { insertDocuments, replaceDocuments, storable, toDocuments } from '../calls/documents/insert.js';
import type { Inserted, Replaced } from '../calls/documents/insert.js';
import { collectionName, documentId, fieldName } from '../calls/documents/names.js';
import { toQuery } from '../calls/documents/query.js';
import type { DocumentQuery } from '../calls/documents/query.js';
import { insertRequest, queryRequest, replaceRequest } from '../calls/documents/requests.js';
import { endSearch, firstPage, searchInput, searchPage } from '../calls/documents/search.js';
import type { SearchInput, SearchOptions, SearchStep } from '../calls/documents/search.js';
import { readPlain } from '../results/plain-answer.js';
import { pages } from '../calls/scans/pages.js';
import type { TellNext } from '../calls/scans/pages.js';
import { checkOptions, NO_OPTIONS } from '../input/call-options.js';
import type { CallOptions } from '../input/call-options.js';
import { toDocument } from '../input/document-input.js';
import type { DocumentInput } from '../input/document-input.js';
import { ArgumentError } from '../../errors.js';
import { readDocumentCount } from '../../verify/wire/documents.js';
import type { Connection } from '../room/connection.js';
import type { Room } from '../room/room.js';

export class DocumentCalls {
  /** @internal */
  protected readonly connection: Connection;
  readonly #database: () => string;

  /** @internal `database`: that calls go to now. */
  constructor(connection: Connection, database: () => string) {
    this.connection = connection;
    this.#database = database;
  }

  /** @internal */
  protected get room(): Room {
    return this.connection.rooms.of(this.#database());
  }

  // Collections

  /**
   * Makes a collection. `fields` are what queries and indexes know of its documents, which may have any others beside. Answers
   * nothing: {@link collection} shows it.
   *
   * @example
   * await client.documents.createCollection('people', {
   *   fields: [{ name: 'name', type: 'STRING' }, { name: 'address.city', type: 'STRING' }],
   *   indexes: [{ fields: ['name'], unique: true }],
   * });
   * @throws ArgumentError naming the part that is wrong: nothing is sent
   * @throws ServerError PRECONDITION_FAILED when there is one of this name
   */
  async createCollection(name: string, options: CreateCollectionOptions = NO_OPTIONS): Promise<void> {
    const given = collectionName(name, 'name');
    checkOptions(options, CREATE_COLLECTION_NAMES);
    const collection = toCollection(given, options);
    return this.room.enter(options, CREATE_COLLECTION_NAMES, (session, call) =>
      createCollection(session, collection, call),
    );
  }

  /**
   * Has the documents of a collection hold their ids under another name from now on; those that are there keep the old one.
   *
   * @throws ServerError NOT_FOUND when there is no such collection; PRECONDITION_FAILED when it has a field of this name
   */
  async updateCollection(
    name: string,
    changed: { readonly idField: string },
    options: CallOptions = NO_OPTIONS,
  ): Promise<void> {
    const request = {
      name: collectionName(name),
      documentIdFieldName: toIdField(changed),
    };
    await this.room.enter(options, [], (session, call) => session.unary('UpdateCollection', request, call));
  }

  /**
   * Deletes a collection with all its documents: they are found no more, and stay in their transactions. `confirm` has to be its
   * name once more.
   *
   * @throws ArgumentError when `confirm` is not its name: nothing is sent
   * @throws ServerError NOT_FOUND when there is no such collection
   */
  async deleteCollection(name: string, options: CallOptions & { readonly confirm: string }): Promise<void> {
    const given = collectionName(name);
    checkOptions(options, ['confirm']);
    if (collectionName(options.confirm, 'confirm') !== given) throw notConfirmed(given);
    await this.room.enter(options, ['confirm'], (session, call) =>
      session.unary('DeleteCollection', { name: given }, call),
    );
  }

  /** A collection as it is now. Throws ServerError NOT_FOUND when there is none of this name. */
  async collection(name: string, options: CallOptions = NO_OPTIONS): Promise<CollectionInfo> {
    const given = collectionName(name);
    return this.room.enter(options, [], (session, call) => getCollection(session, given, call));
  }

  /** All collections of the database. */
  async collections(options: CallOptions = NO_OPTIONS): Promise<CollectionInfo[]> {
    return this.room.enter(options, [], listCollections);
  }

  // Fields and indexes

  /**
   * Adds a field: queries find documents by it that are written from now on; those that are there have none.
   *
   * @throws ServerError NOT_FOUND, or PRECONDITION_FAILED when the collection has one of this name
   */
  async addField(
    collection: string,
    field: CollectionField,
    options: CallOptions = NO_OPTIONS,
  ): Promise<void> {
    const request = { collectionName: collectionName(collection), field: toField('field', field) };
    await this.room.enter(options, [], (session, call) => session.unary('AddField', request, call));
  }

  /**
   * Removes a field; documents stay as they are.
   *
   * @throws ServerError NOT_FOUND; PRECONDITION_FAILED when an index has it
   */
  async removeField(collection: string, field: string, options: CallOptions = NO_OPTIONS): Promise<void> {
    const request = { collectionName: collectionName(collection), fieldName: fieldName('field', field) };
    await this.room.enter(options, [], (session, call) => session.unary('RemoveField', request, call));
  }

  /**
   * Makes an index over fields; a unique one over a collection without documents only.
   *
   * @throws ServerError NOT_FOUND; PRECONDITION_FAILED when there is one, and for a unique one when there are documents (CONFLICT
   *   where they were written just then)
   */
  async createIndex(
    collection: string,
    index: CollectionIndex,
    options: CallOptions = NO_OPTIONS,
  ): Promise<void> {
    const request = { collectionName: collectionName(collection), ...toIndex('index', index) };
    await this.room.enter(options, [], (session, call) => session.unary('CreateIndex', request, call));
  }

  /** Deletes the index over exactly these fields. Throws ServerError NOT_FOUND when there is none. */
  async deleteIndex(
    collection: string,
    fields: readonly string[],
    options: CallOptions = NO_OPTIONS,
  ): Promise<void> {
    const request = { collectionName: collectionName(collection), fields: toFieldNames('fields', fields) };
    await this.room.enter(options, [], (session, call) => session.unary('DeleteIndex', request, call));
  }

  // Documents

  /**
   * Stores a document, or several in one transaction, and says which ids they were given. Values are those of JSON, and numbers
   * that it has not: NaN, the infinities, −0. What a document cannot hold without loss (undefined, functions, bigints beyond
   * 2^53−1, dates, bytes, what holds itself) is an ArgumentError that names the place.
   *
   * @example
   * const { tx, ids } = await client.documents.insert('people', [{ name: 'Ada' }, { name: 'Alan', age: 41 }]);
   * @throws ArgumentError naming the place in the document: nothing is sent
   * @throws ServerError NOT_FOUND when there is no such collection; CONFLICT when a unique index has the values
   * @throws TransportError OUTCOME_UNKNOWN when they may have been stored
   */
  async insert(
    collection: string,
    documents: DocumentInput | readonly DocumentInput[],
    options: CallOptions = NO_OPTIONS,
  ): Promise<Inserted> {
    const list = toDocuments(documents);
    const request = insertRequest(collectionName(collection), list);
    return this.room.writeApart(
      options,
      [],
      request.length,
      (session, deadline) => insertDocuments(session, request, list.length, deadline.left),
      ({ tx }) => [tx],
    );
  }

  /**
   * Gives every document that matches this content, and keeps its id. Answers which they were: none when none matches.
   *
   * @example
   * await client.documents.replace('people', { where: { name: 'Alan' } }, { name: 'Alan', age: 42 });
   * @throws ServerError as {@link insert}
   */
  async replace(
    collection: string,
    query: DocumentQuery,
    document: DocumentInput,
    options: CallOptions = NO_OPTIONS,
  ): Promise<Replaced[]> {
    const asked = toQuery(collectionName(collection), query);
    const request = replaceRequest(asked, storable('document', toDocument('document', document)));
    return this.room.writeApart(
      options,
      [],
      request.length,
      (session, deadline) => replaceDocuments(session, request, deadline.left),
      ([first]) => (first ? [first.tx] : []),
    );
  }

  /**
   * Deletes every document that matches; with an empty query all of the collection. The server answers neither which nor how
   * many they were.
   *
   * @example
   * await client.documents.delete('people', { where: { name: 'Alan' } });
   */
  async delete(collection: string, query: DocumentQuery, options: CallOptions = NO_OPTIONS): Promise<void> {
    const request = queryRequest(toQuery(collectionName(collection), query));
    await this.room.enter(
      options,
      [],
      (session, call) => session.raw('DeleteDocuments', request, call),
      request.length,
    );
  }

  /**
   * The documents that match, as they were when the search began: none twice and none left out, whatever others write
   * meanwhile (should the login end on the way, the rest is of a new search). Pages are asked for when they are needed.
   *
   * @example
   * const found = client.documents.search('people', { where: { age: { GE: 18 } }, orderBy: { field: 'name' } });
   * for await (const { id, document } of found) console.log(id, document);
   * @throws ArgumentError at once, naming the option
   * @throws ServerError NOT_FOUND from the iterator when the collection has no such field, or is none
   */
  search(collection: string, options: SearchOptions = NO_OPTIONS): AsyncGenerator<Document, void, undefined> {
    const input = searchInput(collectionName(collection), options);
    return this.searchPages(input, options, (room, step, call, next) =>
      room.enter(call, [], (session, left) => searchPage(session, input, step, left, next)),
    );
  }

  /** How many documents match. The server's word. */
  async count(
    collection: string,
    query: DocumentQuery = {},
    options: CallOptions = NO_OPTIONS,
  ): Promise<bigint> {
    const request = queryRequest(toQuery(collectionName(collection), query));
    return this.room.enter(options, [], async (session, call) => {
      const answer = await session.raw('CountDocuments', request, call);
      return readPlain(() => readDocumentCount(answer));
    });
  }

  /**
   * The versions of a document, the oldest first, or with `desc` the newest: deletions too, without a document. Empty when there
   * never was one.
   *
   * @example
   * for await (const { tx, user, document } of client.documents.audit('people', id)) console.log(tx, user, document);
   */
  audit(
    collection: string,
    id: string,
    options: AuditDocumentOptions = NO_OPTIONS,
  ): AsyncGenerator<DocumentRevision, void, undefined> {
    const input = auditInput(collectionName(collection), documentId('id', id), options);
    return this.pages<DocumentRevision, AuditStep>(
      options,
      { page: 1, left: input.limit },
      (room, step, call, next) =>
        room.enter(call, [], (session, left) => auditPage(session, input, step, left, next)),
    );
  }

  /** @internal Of the database that is selected now, whatever is selected while the iterator goes on. */
  protected pages<T, At>(
    options: CallOptions,
    first: At,
    ask: (room: Room, at: At, call: CallOptions, next: TellNext<At>) => Promise<readonly T[]>,
  ): AsyncGenerator<T, void, undefined> {
    const { door } = this.connection;
    const { room } = this;
    return pages({
      first,
      options,
      whenClosed: (tell) => door.whenClosed(tell),
      ask: async (at, call, next) => ask(room, at, call, next),
    });
  }

  /** @internal The same of a search, which the server is told to end when its caller does. */
  protected async *searchPages<T>(
    input: SearchInput,
    options: CallOptions,
    ask: (
      room: Room,
      step: SearchStep,
      call: CallOptions,
      next: TellNext<SearchStep>,
    ) => Promise<readonly T[]>,
  ): AsyncGenerator<T, void, undefined> {
    let open: SearchStep | undefined;
    const { room } = this;
    try {
      yield* this.pages<T, SearchStep>(options, firstPage(input), (of, step, call, tellNext) =>
        ask(of, step, call, (next) => {
          open = next;
          tellNext(next);
        }),
      );
    } finally {
      // Whether it does is for the server to say: its session ends it in any case.
      const left = open;
      if (left) {
        await room
          .enter({ timeoutMs: END_MS }, [], (session, call) => endSearch(input, left, session, call))
          .catch(() => undefined);
      }
    }
  }
}

/** Longest wait for a search to be ended that nobody takes any more of. */
const END_MS = 2000;

function notConfirmed(name: string): ArgumentError {
  return new ArgumentError('confirm', `confirm must be the name of the collection to delete: '${name}'`);
}
