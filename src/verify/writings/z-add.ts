// A ZAdd by what its request must have become: one entry without a value, whose key says all of it.
import { entryLeaf } from '../../proof/entry.js';
import type { TxHeader } from '../../proof/types.js';
import type { SentMember } from '../wire/requests.js';
import { readZAddRequest } from '../wire/requests.js';
import { bytesWords } from '../words.js';
import { versionWords } from './reference.js';
import { storedMember } from './stored.js';
import { writing } from './written.js';

export function memberLeaf({ version, id }: TxHeader, member: SentMember): Uint8Array {
  const { rawKey, rawValue } = storedMember(member, id);
  return entryLeaf(version, rawKey, undefined, rawValue);
}

export function memberWords({ set, score, key, atTx }: SentMember): string {
  const shown = Object.is(score, -0) ? '-0' : String(score);
  return `to put ${bytesWords(key)}${versionWords(atTx)} into the set ${bytesWords(set)} at ${shown}`;
}

export const added = writing({
  kind: 'added',
  tag: 23,
  provenTag: 25,
  leaves: (request, header) => [memberLeaf(header, readZAddRequest(request))],
  words: (request) => memberWords(readZAddRequest(request)),
});
