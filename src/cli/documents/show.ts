// How documents are shown: as one line of JSON, and for people whether they are proven, and by what.
import type { Document, DocumentFields, VerifiedDocument } from '../../index.js';
import { visible } from '../../visible.js';
import { rootWords } from '../data/show.js';

/** A document on one line, harmless to look at. */
export function lineOf(document: DocumentFields): string {
  return visible(JSON.stringify(document));
}

/** Whether a document is proven, and by what. */
export function proofWords(found: VerifiedDocument | Document): string {
  if (!('root' in found)) return "NOT VERIFIED, the server's word";
  const { tx, collection, root } = found;
  const where = `${collection.name} (${collection.id}, its catalog ${collection.level})`;
  return `verified: tx ${tx.toString()}, in ${where}, proven under ${rootWords(root)}`;
}
