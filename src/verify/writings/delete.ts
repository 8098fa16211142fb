// A Delete by what its request must have become: one entry a key, marked as deleted, without a value.
import { entryLeaf } from '../../proof/entry.js';
import { readDeleteRequest } from '../wire/requests.js';
import { bytesWords } from '../words.js';
import { storedDeletion } from './stored.js';
import { writing } from './written.js';

const DELETED = { deleted: true } as const;

export const deleted = writing({
  kind: 'deleted',
  tag: 14,
  provenTag: 16,
  leaves: (request, { version }) =>
    readDeleteRequest(request).map((key) => {
      const { rawKey, rawValue } = storedDeletion(key);
      return entryLeaf(version, rawKey, DELETED, rawValue);
    }),
  words(request) {
    const [first, ...more] = readDeleteRequest(request);
    return `to delete ${first ? bytesWords(first) : 'nothing'}${more.length > 0 ? ` and ${more.length} more` : ''}`;
  },
});
