// An ExecAll by what its request must have become: one entry an operation, in their order. What is bound to its own tx names the
// id of that tx, so the entries depend on the header that answers.
import { plainLeaf } from '../../proof/entry.js';
import type { TxHeader } from '../../proof/types.js';
import type { SentOp } from '../wire/requests.js';
import { readExecAllRequest } from '../wire/requests.js';
import { bytesWords } from '../words.js';
import { referenceLeaf, referenceWords } from './reference.js';
import { writing } from './written.js';
import { memberLeaf, memberWords } from './z-add.js';

function leafOf(header: TxHeader, op: SentOp): Uint8Array {
  if ('set' in op) return plainLeaf(header.version, op.set.key, op.set.metadata, op.set.value);
  return 'reference' in op ? referenceLeaf(header, op.reference) : memberLeaf(header, op.zAdd);
}

function wordsOf(op: SentOp): string {
  if ('set' in op) return `to write ${bytesWords(op.set.key)} = ${bytesWords(op.set.value)}`;
  return 'reference' in op ? referenceWords(op.reference) : memberWords(op.zAdd);
}

export const executed = writing({
  kind: 'executed',
  tag: 21,
  provenTag: 23,
  leaves: (request, header) => readExecAllRequest(request).map((op) => leafOf(header, op)),
  words(request) {
    const [first, ...more] = readExecAllRequest(request);
    return `${first ? wordsOf(first) : 'to write nothing'}${more.length > 0 ? ` and ${more.length} more` : ''}`;
  },
});
