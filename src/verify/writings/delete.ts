// A Delete by what its request must have become: one entry a key, marked as deleted, without a value.
import { entryLeaf, plainKey } from '../../proof/entry.js';
import { readDeleteRequest } from '../wire/requests.js';
import { bytesWords } from '../words.js';
import { writing } from './written.js';

const DELETED = { deleted: true } as const;
/** A deletion stores no value at all. */
const NOTHING = new Uint8Array(0);

export const deleted = writing({
  kind: 'deleted',
  tag: 14,
  provenTag: 16,
  leaves: (request, { version }) =>
    readDeleteRequest(request).map((key) => entryLeaf(version, plainKey(key), DELETED, NOTHING)),
  words(request) {
    const [first, ...more] = readDeleteRequest(request);
    return `to delete ${first ? bytesWords(first) : 'nothing'}${more.length > 0 ? ` and ${more.length} more` : ''}`;
  },
});
