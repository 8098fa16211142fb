// Decoding of the answers of the document service: results of searches and audits, what was inserted, and a document with its proof.
import { ProofFailure } from '../../proof/failure.js';
import type { TxEntry, TxHeader } from '../../proof/types.js';
import { readTxEntry } from './entries.js';
import { readTxHeader } from './headers.js';
import { WireReader, onlyOnce, present } from './reader.js';

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Names and ids are compared with ours, or shown: what is no UTF-8 is none of ours. */
const decoder = new TextDecoder();

/** A document as searches and audits show it. */
export interface ShownRevision {
  /** 0: not said, as in searches. */
  readonly tx: bigint;
  readonly id: string;
  readonly revision: bigint;
  readonly deleted: boolean;
  /** A Struct; absent: not shown. */
  readonly document?: Uint8Array;
  readonly user: string;
  /** Unix seconds. */
  readonly ts: bigint;
}

export interface ShownSearch {
  /** Of the search that is kept open; empty: it is at its end. */
  readonly searchId: string;
  readonly revisions: readonly ShownRevision[];
}

/** Throws when there are more than `max`. */
export function readSearch(answer: Uint8Array, max: number): ShownSearch {
  const reader = new WireReader(answer);
  const revisions: ShownRevision[] = [];
  let searchId = '';
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) searchId = decoder.decode(reader.bytes('SearchDocumentsResponse.searchId'));
    else if (field === 2) pushRevision(reader, revisions, max, 'SearchDocumentsResponse.revisions');
    else reader.skip();
  }
  return { searchId, revisions };
}

/** Of an AuditDocument or a ReplaceDocuments. Throws when there are more than `max`. */
export function readRevisions(answer: Uint8Array, max: number): ShownRevision[] {
  const reader = new WireReader(answer);
  const revisions: ShownRevision[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) pushRevision(reader, revisions, max, 'revisions');
    else reader.skip();
  }
  return revisions;
}

function pushRevision(reader: WireReader, revisions: ShownRevision[], max: number, name: string): void {
  if (revisions.length >= max) throw new ProofFailure('wire.bound', `${name}: more than asked for`, max);
  revisions.push(readRevision(reader.message(name)));
}

function readRevision(reader: WireReader): ShownRevision {
  let tx = 0n;
  let id = '';
  let revision = 0n;
  let deleted = false;
  let document: Uint8Array | undefined;
  let user = '';
  let ts = 0n;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) tx = reader.id('DocumentAtRevision.transactionId');
    else if (field === 2) id = decoder.decode(reader.bytes('DocumentAtRevision.documentId'));
    else if (field === 3) revision = reader.id('DocumentAtRevision.revision');
    else if (field === 4) deleted = readDeleted(reader.message('DocumentAtRevision.metadata')) || deleted;
    else if (field === 5) {
      onlyOnce(document, 'DocumentAtRevision.document');
      document = reader.bytes('DocumentAtRevision.document');
    } else if (field === 6) user = decoder.decode(reader.bytes('DocumentAtRevision.username'));
    else if (field === 7) ts = reader.int64('DocumentAtRevision.ts');
    else reader.skip();
  }
  return { tx, id, revision, deleted, ...(document && { document }), user, ts };
}

function readDeleted(reader: WireReader): boolean {
  let deleted = false;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) deleted = reader.bool('DocumentMetadata.deleted');
    else reader.skip();
  }
  return deleted;
}

export interface ShownInsert {
  readonly tx: bigint;
  readonly ids: readonly string[];
}

/** Throws when there are more ids than `max`. */
export function readInserted(answer: Uint8Array, max: number): ShownInsert {
  const reader = new WireReader(answer);
  const ids: string[] = [];
  let tx = 0n;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) tx = reader.id('InsertDocumentsResponse.transactionId');
    else if (field === 2) {
      if (ids.length >= max)
        throw new ProofFailure('wire.bound', 'InsertDocumentsResponse.documentIds: more than inserted', max);
      ids.push(decoder.decode(reader.bytes('InsertDocumentsResponse.documentIds')));
    } else reader.skip();
  }
  return { tx, ids };
}

export function readDocumentCount(answer: Uint8Array): bigint {
  const reader = new WireReader(answer);
  let count = 0n;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) count = reader.id('CountDocumentsResponse.count');
    else reader.skip();
  }
  return count;
}

/** A document's row, and the transaction that is said to hold it. */
export interface ShownDocument {
  /** Name of the database, as the server says. */
  readonly database: string;
  /** Of the table behind the collection, as the server says. */
  readonly collectionId: number;
  readonly idField: string;
  readonly encoded: Uint8Array;
  readonly header: TxHeader;
  readonly entries: readonly TxEntry[];
}

/** A ProofDocumentResponse, without what it brings as a proof: nothing is trusted on the strength of that. */
export function readShownDocument(answer: Uint8Array): ShownDocument {
  const reader = new WireReader(answer);
  let database = '';
  let collectionId = 0;
  let idField = '';
  let encoded: Uint8Array = NO_BYTES;
  let tx: ShownTx | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) database = decoder.decode(reader.bytes('ProofDocumentResponse.database'));
    else if (field === 2) collectionId = reader.count('ProofDocumentResponse.collectionId');
    else if (field === 3) idField = decoder.decode(reader.bytes('ProofDocumentResponse.documentIdFieldName'));
    else if (field === 4) encoded = reader.bytes('ProofDocumentResponse.encodedDocument');
    else if (field === 5) {
      onlyOnce(tx, 'ProofDocumentResponse.verifiableTx');
      tx = readVerifiableTx(reader.message('ProofDocumentResponse.verifiableTx'));
    } else reader.skip();
  }
  return { database, collectionId, idField, encoded, ...present(tx, 'ProofDocumentResponse.verifiableTx') };
}

interface ShownTx {
  readonly header: TxHeader;
  readonly entries: readonly TxEntry[];
}

function readVerifiableTx(reader: WireReader): ShownTx {
  let tx: ShownTx | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) {
      onlyOnce(tx, 'VerifiableTxV2.tx');
      tx = readTx(reader.message('VerifiableTxV2.tx'));
    } else reader.skip();
  }
  return present(tx, 'VerifiableTxV2.tx');
}

function readTx(reader: WireReader): ShownTx {
  let header: TxHeader | undefined;
  const entries: TxEntry[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) {
      onlyOnce(header, 'Tx.header');
      header = readTxHeader(reader.message('Tx.header'));
    } else if (field === 2) entries.push(readTxEntry(reader.message('Tx.entries')));
    else reader.skip();
  }
  return { header: present(header, 'Tx.header'), entries };
}
