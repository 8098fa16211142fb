// What is checked of the header that answers a write: it commits to exactly the entries that were sent, which this
// client hashes itself. No proof is needed in the answer; the header is proven when the head reaches it.
import { equalBytes } from '../../proof/bytes.js';
import { entriesRootOf } from '../../proof/tree/entries-tree.js';
import { FlatLeaves } from '../../proof/tree/flat-entries.js';
import { ProofFailure } from '../../proof/failure.js';
import { alh } from '../../proof/header.js';
import type { TxHeader } from '../../proof/types.js';
import { assertBytes } from '../asserts.js';
import { provenTx } from '../claims/proven.js';
import type { Kind } from '../kind.js';
import { readTx, writeTx } from '../pack/ends-packet.js';
import type { Context, ProvenTx, TreeAt } from '../terms.js';
import { readTxHeader } from '../wire/headers.js';
import { WireReader } from '../wire/reader.js';
import { setRequestLeaves } from '../wire/set-request-leaves.js';

/** Answer: TxHeader of the write whose request was these bytes: exactly what it says, in a tx newer than the head. */
export interface WrittenQuestion<K extends string> {
  readonly kind: K;
  readonly request: Uint8Array;
}

/** Exactly what was sent is what this header commits to; the header itself is proven when the head reaches it. */
export interface WrittenProven<K extends string> {
  readonly kind: K;
  readonly subject: ProvenTx;
  readonly tree: TreeAt;
}

/** A write by what its request must have become. */
export interface Written<K extends string> {
  readonly kind: K;
  readonly tag: number;
  readonly provenTag: number;
  /** Leaves of the entries tree, in order, of a tx with this header. Throws ProofFailure for what it cannot read. */
  readonly leaves: (request: Uint8Array, header: TxHeader) => readonly Uint8Array[] | FlatLeaves;
  readonly words: (request: Uint8Array) => string;
}

/**
 * Proves that a transaction with the answered header, if there is one, holds exactly the entries of the request, in
 * their order, and that it is newer than the head. The hash of that header is what the head must reach.
 */
function checkWritten<K extends string>(
  { kind, leaves }: Written<K>,
  request: Uint8Array,
  context: Context,
  answer: Uint8Array,
): WrittenProven<K> {
  const header = readTxHeader(new WireReader(answer));
  const hash = alh(header);

  // 1. It is a new transaction.
  const headTx = context.head?.tx ?? 0n;
  if (header.id <= headTx) {
    throw new ProofFailure('written.tx', 'not newer than the head', `above ${String(headTx)}`, header.id);
  }

  // 2. It holds what was sent and nothing else.
  const sent = leaves(request, header);
  const count = sent instanceof FlatLeaves ? sent.count : sent.length;
  if (header.nentries !== count) {
    throw new ProofFailure(
      'written.count',
      'another number of entries than was sent',
      count,
      header.nentries,
    );
  }
  const root = sent instanceof FlatLeaves ? sent.root() : entriesRootOf(sent);
  if (!equalBytes(root, header.eH)) {
    throw new ProofFailure('written.entries', 'other entries than were sent', root, header.eH);
  }

  // 3. It is a write and nothing else: the only attribute a server may add says who asked for it.
  const truncated = header.metadata?.truncatedTxId;
  if (truncated !== undefined) {
    throw new ProofFailure('written.truncation', 'the transaction is a truncation', undefined, truncated);
  }
  return {
    kind,
    subject: provenTx(header, hash),
    tree: { size: header.blTxId, root: header.blRoot },
  };
}

/** The record of a question whose answer is the header of the tx that was written. */
export function writing<const K extends string>(
  write: Written<K>,
): Kind<WrittenQuestion<K>, WrittenProven<K>> {
  const { kind, tag, provenTag, words } = write;
  return {
    kind,
    tags: [tag],
    provenTags: [provenTag],
    isWrite: true,

    assert({ request }) {
      assertBytes(request, 'question.request');
    },

    size: ({ request }) => 5 + request.length,
    write(writer, { request }) {
      writer.u8(tag);
      writer.bytes(request);
    },
    read: (reader) => ({ kind, request: reader.bytes() }),

    check: ({ request }, context, answer) => checkWritten(write, request, context, answer),

    writeProven(writer, { subject, tree }) {
      writer.u8(provenTag);
      writeTx(writer, subject);
      writer.u64(tree.size);
      writer.raw(tree.root);
    },
    readProven(reader) {
      const subject = readTx(reader);
      return { kind, subject, tree: { size: reader.u64(), root: reader.digest() } };
    },

    words: ({ request }) => words(request),
  };
}

/** A Set. */
export const written = writing({
  kind: 'written',
  tag: 7,
  provenTag: 9,
  leaves: (request, { version }) => setRequestLeaves(request, version),
  words: ({ length }) => `to write a group of ${length} bytes`,
});
