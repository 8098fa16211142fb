// A SetReference by what its request must have become: one entry, whose value names the key that it leads to.
import { entryLeaf } from '../../proof/entry.js';
import type { TxHeader } from '../../proof/types.js';
import type { SentReference, SentVersion } from '../wire/requests.js';
import { readReferenceRequest } from '../wire/requests.js';
import { bytesWords } from '../words.js';
import { storedReference } from './stored.js';
import { writing } from './written.js';

export function referenceLeaf({ version, id }: TxHeader, reference: SentReference): Uint8Array {
  const { rawKey, rawValue } = storedReference(reference, id);
  return entryLeaf(version, rawKey, undefined, rawValue);
}

export function referenceWords({ key, to, atTx }: SentReference): string {
  return `to let ${bytesWords(key)} refer to ${bytesWords(to)}${versionWords(atTx)}`;
}

export function versionWords(atTx: SentVersion): string {
  if (atTx === 'thisTx') return ' as of the same tx';
  return atTx === 0n ? '' : ` as of tx ${atTx.toString()}`;
}

export const referenced = writing({
  kind: 'referenced',
  tag: 22,
  provenTag: 24,
  leaves: (request, header) => [referenceLeaf(header, readReferenceRequest(request))],
  words: (request) => referenceWords(readReferenceRequest(request)),
});
