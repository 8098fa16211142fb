// insert and replace, by the server's word: what is sent, and which documents the server says it has written.
import { ArgumentError } from '../../../errors.js';
import type { DocumentFields } from '../../../proof/documents/values.js';
import { fieldOf } from '../../../proof/documents/values.js';
import { readInserted, readRevisions } from '../../../verify/wire/documents.js';
import { MAX_TX_ENTRIES } from '../../input/bytes-input.js';
import type { CallOptions } from '../../input/call-options.js';
import { DocumentBudget, toDocument } from '../../input/document-input.js';
import type { Rpc } from '../../net/rpc.js';
import { resultOf } from '../../results/result.js';
import { readPlain } from '../../results/plain-answer.js';
import { notAsked, shownId } from './document.js';
import { listOf } from './names.js';

/** What was inserted, by the server's word. */
export interface Inserted {
  readonly tx: bigint;
  /** In the order of the documents: each got 16 bytes of its own, in hex. */
  readonly ids: readonly string[];
}

/** A document that was replaced, by the server's word. */
export interface Replaced {
  readonly id: string;
  readonly tx: bigint;
  readonly revision: bigint;
}

/** Documents to be inserted, checked: one or several. Throws ArgumentError naming the place. */
export function toDocuments(input: unknown): DocumentFields[] {
  if (!Array.isArray(input)) return [storable('document', toDocument('document', input))];
  const budget = new DocumentBudget('documents');
  return listOf('documents', input, MAX_TX_ENTRIES).map((each, i) => {
    const place = `documents[${i}]`;
    return storable(place, toDocument(place, each, budget));
  });
}

/** Throws ArgumentError for a field that servers keep to themselves. */
export function storable(place: string, document: DocumentFields): DocumentFields {
  if (fieldOf(document, '_doc') !== undefined)
    throw new ArgumentError(`${place}._doc`, `${place} must not have a field _doc, which is reserved`);
  return document;
}

export async function insertDocuments(
  rpc: Rpc,
  request: Uint8Array,
  count: number,
  options: CallOptions,
): Promise<Inserted> {
  const answer = await rpc.raw('InsertDocuments', request, options);
  const { tx, ids } = readPlain(() => readInserted(answer, count));
  if (tx < 1n || new Set(ids).size !== count) notAsked('other documents than were inserted');
  return resultOf({ tx, ids: ids.map(shownId) });
}

/** What a server replaces in one transaction, and so all that it can answer. */
export const MAX_REPLACED = 1 << 20;

export async function replaceDocuments(
  rpc: Rpc,
  request: Uint8Array,
  options: CallOptions,
): Promise<Replaced[]> {
  const answer = await rpc.raw('ReplaceDocuments', request, options);
  const revisions = readPlain(() => readRevisions(answer, MAX_REPLACED));
  if (revisions.some(({ tx }) => tx < 1n)) notAsked('a document that was replaced in no transaction');
  return revisions.map(({ id, tx, revision }) => resultOf({ id: shownId(id), tx, revision }));
}
