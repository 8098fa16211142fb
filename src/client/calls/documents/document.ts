// Documents as callers see them, and what of an answer becomes one.
import { TransportError } from '../../../errors.js';
import { fieldOf } from '../../../proof/documents/values.js';
import { decodeStruct } from '../../../proof/documents/struct-reader.js';
import type { DocumentFields } from '../../../proof/documents/values.js';
import { readPlain } from '../../results/plain-answer.js';
import { MAX_ID_BYTES } from './names.js';

/** A document, by the server's word. */
export interface Document {
  /** 1 to 32 bytes, in hex. */
  readonly id: string;
  /** With its id, under the name that the id field had when it was written. */
  readonly document: DocumentFields;
}

/** A document at one of its versions, by the server's word. */
export interface DocumentRevision {
  readonly id: string;
  readonly tx: bigint;
  /** 1, 2, 3, … */
  readonly revision: bigint;
  readonly deleted: boolean;
  /** Not there for a deletion, nor with `omitPayload`. */
  readonly document?: DocumentFields;
  /** Who wrote it; empty when the server does not say. */
  readonly user: string;
  /** Unix seconds. */
  readonly timestamp: bigint;
}

const ID = /^(?:[0-9a-f]{2})+$/;

/** The id that an answer names. */
export function shownId(id: string): string {
  if (id.length > 2 * MAX_ID_BYTES || !ID.test(id))
    throw new TransportError('UNAVAILABLE', 'the server answered with an id that none has');
  return id;
}

/** A document of an answer that nothing proves. */
export function plainDocument(bytes: Uint8Array): DocumentFields {
  return readPlain(() => decodeStruct(bytes));
}

/** The field in which a document holds its own id, whatever it is called. */
export function idFieldsOf(document: DocumentFields, id: string): string[] {
  return Object.keys(document).filter((name) => fieldOf(document, name) === id);
}

/** @throws TransportError: nothing that an immudb answers */
export function notAsked(what: string): never {
  throw new TransportError('UNAVAILABLE', `the server answered with ${what}`);
}
