// What is checked of a document that a server shows with its row (ProofDocument) before the row can be proven: it is of this id, in
// this collection and database, and hashes to what its transaction is said to have. Where that transaction lies is no matter of
// this check: the proof that comes with the answer has no chain, and is passed over.
import { ArgumentError } from '../../errors.js';
import { equalBytes, toHex } from '../../proof/bytes.js';
import { ProofFailure } from '../../proof/failure.js';
import { assertSame } from '../../proof/guard.js';
import { sha256 } from '../../proof/hash.js';
import { alh } from '../../proof/header.js';
import { decodeDocument, documentKey, MAX_DOCUMENT_ID_BYTES } from '../../proof/documents/document.js';
import type { StoredDocument } from '../../proof/documents/document.js';
import { isSqlDeletion } from '../../proof/sql/catalog-entry.js';
import { assertBytes, assertTx } from '../asserts.js';
import { rawClaim } from '../claims/raw-claim.js';
import type { Claim } from '../claims/claim.js';
import type { Kind } from '../kind.js';
import { readClaim, writeClaim } from '../pack/claims-packet.js';
import type { PacketReader, PacketWriter } from '../pack/packet-cursor.js';
import type { Context } from '../terms.js';
import { readShownDocument } from '../wire/documents.js';

/** Answer: ProofDocumentResponse. */
export interface DocumentQuestion {
  readonly kind: 'document';
  /** 1 to 32 bytes. */
  readonly id: Uint8Array;
  /** The version that this transaction wrote, a deletion too; 0: the latest, which is none. */
  readonly tx: bigint;
  /** Id of the collection's table, by its catalog; 0: whichever the server says. */
  readonly collection: number;
}

/** Nothing but the binding to the question is proven yet: the claim has to be, and the header that the answer shows. */
export interface DocumentProven {
  readonly kind: 'document';
  readonly claim: Claim;
  readonly collection: number;
  /** The field that the server says has the ids of this collection now. */
  readonly idField: string;
  readonly deleted: boolean;
  /** Hash of the header that was shown for the claim's tx: where it is the proven one, `extra` is the transaction's. */
  readonly shownAlh: Uint8Array;
  readonly extra?: Uint8Array;
  /** What the claim's value says. */
  readonly stored: StoredDocument;
}

function checkDocument(
  { id, tx, collection }: DocumentQuestion,
  context: Context,
  answer: Uint8Array,
): DocumentProven {
  const { database, collectionId, idField, encoded, header, entries } = readShownDocument(answer);
  if (database !== context.database)
    throw new ProofFailure('document.database', 'a document of another database', context.database, database);
  if (collectionId < 1 || (collection !== 0 && collectionId !== collection))
    throw new ProofFailure(
      'document.collection',
      'a document of another collection',
      collection,
      collectionId,
    );
  if (tx !== 0n && header.id !== tx)
    throw new ProofFailure('document.tx', 'another version than asked for', tx, header.id);

  const key = documentKey(collectionId, id);
  const [entry, more] = entries.filter((each) => equalBytes(each.key, key));
  if (!entry || more)
    throw new ProofFailure('document.entry', 'its transaction is not shown to hold this document');
  assertSame(sha256(encoded), entry.hValue, 'document.value', 'the document is not the one that was hashed');
  const deleted = isSqlDeletion(entry.metadata);
  if (deleted && tx === 0n)
    throw new ProofFailure('document.deleted', 'a document that was deleted is shown as the latest');

  const stored = decodeDocument(encoded);
  if (!equalBytes(stored.id, id))
    throw new ProofFailure('document.id', 'the row of another document', id, stored.id);
  const { extra } = header.metadata ?? {};
  return {
    kind: 'document',
    claim: rawClaim(header.id, { key, value: encoded, ...(deleted && { metadata: { deleted } }) }),
    ...{ collection: collectionId, idField, deleted, stored },
    shownAlh: alh(header),
    ...(extra && { extra }),
  };
}

const TAG = 70;
const PROVEN_TAG = 70;
const DELETED = 1;
const EXTRA = 2;

export const document: Kind<DocumentQuestion, DocumentProven> = {
  kind: 'document',
  tags: [TAG],
  provenTags: [PROVEN_TAG],

  assert({ id, tx, collection }) {
    assertBytes(id, 'question.id');
    if (id.length < 1 || id.length > MAX_DOCUMENT_ID_BYTES)
      throw new ArgumentError('question.id', `ids have 1 to ${MAX_DOCUMENT_ID_BYTES} bytes`);
    assertTx(tx, 0n, 'question.tx');
    if (!Number.isInteger(collection) || collection < 0 || collection > 0xffff_ffff)
      throw new ArgumentError('question.collection', 'question.collection must be a number of 32 bits');
  },

  size: ({ id }) => 1 + 8 + 4 + 4 + id.length,
  write(writer, { id, tx, collection }) {
    writer.u8(TAG);
    writer.u64(tx);
    writer.u32(collection);
    writer.bytes(id);
  },
  read: (reader) => ({ kind: 'document', tx: reader.u64(), collection: reader.u32(), id: reader.bytes() }),

  check: checkDocument,

  writeProven: writeDocument,
  readProven: (reader) => readDocument(reader),

  words: ({ id, tx, collection }) => {
    const at = tx === 0n ? '' : ` at tx ${tx.toString()}`;
    return `document ${toHex(id)} of collection ${collection || 'that the server says'}${at}`;
  },
};

function writeDocument(writer: PacketWriter, proven: DocumentProven): void {
  const { claim, collection, idField, deleted, shownAlh, extra } = proven;
  writer.u8(PROVEN_TAG);
  writer.u8((deleted ? DELETED : 0) | (extra ? EXTRA : 0));
  writer.u32(collection);
  writer.bytes(Buffer.from(idField));
  writer.raw(shownAlh);
  if (extra) writer.bytes(extra);
  writer.bytes(claim.key);
  writer.bytes(claim.value);
  writeClaim(writer, claim);
}

function readDocument(reader: PacketReader): DocumentProven {
  const flags = reader.u8();
  const collection = reader.u32();
  const idField = Buffer.from(reader.bytes()).toString();
  const shownAlh = reader.digest();
  const extra = (flags & EXTRA) !== 0 ? reader.bytes() : undefined;
  const key = reader.bytes();
  const value = reader.bytes();
  const claim: Claim = { ...readClaim(reader, key, value, false), isRaw: true };
  return {
    kind: 'document',
    ...{ claim, collection, idField, shownAlh },
    deleted: (flags & DELETED) !== 0,
    ...(extra && { extra }),
    stored: decodeDocument(value),
  };
}
