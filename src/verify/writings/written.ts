// What is checked of the header that answers a plain Set: it commits to exactly the entries that were sent, which this
// client hashes itself. No proof is needed in the answer; the header is proven when the head reaches it.
import { equalBytes } from '../../proof/bytes.js';
import { entriesRootOf } from '../../proof/tree/entries-tree.js';
import { plainLeaf } from '../../proof/entry.js';
import { ProofFailure } from '../../proof/failure.js';
import { alh } from '../../proof/header.js';
import { assertBytes } from '../asserts.js';
import { provenTx } from '../claims/proven.js';
import type { Kind } from '../kind.js';
import { readTx, writeTx } from '../pack/ends-packet.js';
import type { Context, ProvenTx, TreeAt } from '../terms.js';
import { readTxHeader } from '../wire/headers.js';
import { WireReader } from '../wire/reader.js';
import { readSetRequest } from '../wire/requests.js';

/** Answer: TxHeader of the Set whose request was these bytes: exactly its entries, in a tx newer than the head. */
export interface WrittenQuestion {
  readonly kind: 'written';
  readonly request: Uint8Array;
}

/** Exactly what was sent is what this header commits to; the header itself is proven when the head reaches it. */
export interface WrittenProven {
  readonly kind: 'written';
  readonly subject: ProvenTx;
  readonly tree: TreeAt;
}

/**
 * Proves that a transaction with the answered header, if there is one, holds exactly the entries of the request, in
 * their order, and that it is newer than the head. The hash of that header is what the head must reach.
 */
function checkWritten(question: WrittenQuestion, context: Context, answer: Uint8Array): WrittenProven {
  const header = readTxHeader(new WireReader(answer));
  const hash = alh(header);

  // 1. It is a new transaction.
  const headTx = context.head?.tx ?? 0n;
  if (header.id <= headTx) {
    throw new ProofFailure('written.tx', 'not newer than the head', `above ${String(headTx)}`, header.id);
  }

  // 2. It holds what was sent and nothing else.
  const entries = readSetRequest(question.request);
  if (header.nentries !== entries.length) {
    throw new ProofFailure(
      'written.count',
      'another number of entries than was sent',
      entries.length,
      header.nentries,
    );
  }
  const root = entriesRootOf(
    entries.map(({ key, value }) => plainLeaf(header.version, key, undefined, value)),
  );
  if (!equalBytes(root, header.eH)) {
    throw new ProofFailure('written.entries', 'other entries than were sent', root, header.eH);
  }

  // 3. It is a write and nothing else: the only attribute a server may add says who asked for it.
  const truncated = header.metadata?.truncatedTxId;
  if (truncated !== undefined) {
    throw new ProofFailure('written.truncation', 'the transaction is a truncation', undefined, truncated);
  }
  return {
    kind: 'written',
    subject: provenTx(header, hash),
    tree: { size: header.blTxId, root: header.blRoot },
  };
}

const TAG = 7;
const PROVEN_TAG = 9;

export const written: Kind<WrittenQuestion, WrittenProven> = {
  kind: 'written',
  tags: [TAG],
  provenTags: [PROVEN_TAG],
  isWrite: true,

  assert({ request }) {
    assertBytes(request, 'question.request');
  },

  size: ({ request }) => 5 + request.length,
  write(writer, { request }) {
    writer.u8(TAG);
    writer.bytes(request);
  },
  read: (reader) => ({ kind: 'written', request: reader.bytes() }),

  check: checkWritten,

  writeProven(writer, { subject, tree }) {
    writer.u8(PROVEN_TAG);
    writeTx(writer, subject);
    writer.u64(tree.size);
    writer.raw(tree.root);
  },
  readProven(reader) {
    const subject = readTx(reader);
    return { kind: 'written', subject, tree: { size: reader.u64(), root: reader.digest() } };
  },

  words: ({ request }) => `to write a group of ${request.length} bytes`,
};
