// What verified calls give of documents.
import { toHex } from '../../../../proof/bytes.js';
import type { DocumentFields } from '../../../../proof/documents/values.js';
import type { Root } from '../../../../verify/verifier.js';
import { resultOf } from '../../../results/result.js';
import type { DocumentCollection } from './level.js';
import type { ProvenDocument } from './prove.js';

/** A version of a document, proven to be in the one trusted history. */
export interface VerifiedDocument {
  /** In hex. */
  readonly id: string;
  /** As it was stored, with its id in the field that had it then. */
  readonly document: DocumentFields;
  /** Transaction that wrote it. */
  readonly tx: bigint;
  /** Header time of `tx` in unix seconds; 0 when the database leaves it out. */
  readonly timestamp: bigint;
  /** The collection that it is in, and where that is known from. */
  readonly collection: DocumentCollection;
  /** Trusted head under which it was proven. */
  readonly root: Root;
}

export function verifiedDocument(
  { stored, facts, in: collection }: ProvenDocument,
  root: Root,
): VerifiedDocument {
  return resultOf({
    id: toHex(stored.id),
    document: stored.fields,
    tx: facts.tx,
    timestamp: facts.ts,
    collection: resultOf(collection),
    root,
  });
}
