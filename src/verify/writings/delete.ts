// A Delete by what its request must have become: one entry a key, marked as deleted, without a value.
import { entryLeaf, plainKey } from '../../proof/entry.js';
import { ProofFailure } from '../../proof/failure.js';
import { WireReader } from '../wire/reader.js';
import { bytesWords } from '../words.js';
import { writing } from './written.js';

const DELETED = { deleted: true } as const;
/** A deletion stores no value at all. */
const NOTHING = new Uint8Array(0);

/** Keys of a DeleteKeysRequest in their order. A field that this reader does not know would be sent but not checked: it fails. */
function keysOf(request: Uint8Array): Uint8Array[] {
  const reader = new WireReader(request);
  const keys: Uint8Array[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) keys.push(reader.bytes('DeleteKeysRequest.keys'));
    else {
      const detail = 'DeleteKeysRequest: a field that is not checked';
      throw new ProofFailure('wire.request', detail, undefined, field);
    }
  }
  return keys;
}

export const deleted = writing({
  kind: 'deleted',
  tag: 14,
  provenTag: 16,
  leaves: (request, version) =>
    keysOf(request).map((key) => entryLeaf(version, plainKey(key), DELETED, NOTHING)),
  words(request) {
    const [first, ...more] = keysOf(request);
    return `to delete ${first ? bytesWords(first) : 'nothing'}${more.length > 0 ? ` and ${more.length} more` : ''}`;
  },
});
