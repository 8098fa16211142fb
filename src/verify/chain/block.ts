// What is checked of a block of headers (TxScan) and the proof of its last one (VerifiableTxById): chain and tree must
// tell one history (docs/protocol.md §19.3, docs/trust-rules.md 15).
import { ArgumentError } from '../../errors.js';
import { toHex } from '../../proof/bytes.js';
import { verifySegmentEnding, verifySegmentInTree } from '../../proof/chain.js';
import { ProofFailure } from '../../proof/failure.js';
import type { DualProof, TxHeader } from '../../proof/types.js';
import { assertBytes, assertTx } from '../asserts.js';
import { bindTx } from '../claims/bind-tx.js';
import type { Kind } from '../kind.js';
import { alhIn, emptyPack, readHeaderPack, writeHeaderPack } from '../pack/header-pack.js';
import type { HeaderPack } from '../pack/header-pack.js';
import type { Context } from '../terms.js';
import { readTxListHeaders, readVerifiableTx } from '../wire/answers.js';
import { signedTarget } from './signature.js';

/** Headers that are proven together: a complete subtree of the history tree, so that one path binds all of it. */
export const BLOCK_TXS = 1024;

/**
 * Answer: TxList of headers `first … last`, all of them, `first - 1` a multiple of {@link BLOCK_TXS} and at most that
 * many. `proof`: the VerifiableTx that proves `last` under the head.
 */
export interface BlockQuestion {
  readonly kind: 'block';
  readonly first: bigint;
  readonly last: bigint;
  readonly proof: Uint8Array;
}

export interface BlockProven {
  readonly kind: 'block';
  readonly headers: HeaderPack;
}

/**
 * Proves all headers `first … last`:
 *
 * 1. the header of `last` lies on the head's history;
 * 2. the headers are consecutive, each linked to the one before, and end in that proven hash: so they are what the
 *    chain holds;
 * 3. the history tree that is proven along with `last` holds these hashes at their places: so tree and chain agree.
 */
function checkBlock(question: BlockQuestion, context: Context, answer: Uint8Array): BlockProven {
  const { first, last, proof } = question;
  const verifiableTx = readVerifiableTx(proof);
  const { subject } = bindTx(last, verifiableTx, context);

  const count = last - first + 1n;
  const headers = readTxListHeaders(answer, count);
  if (BigInt(headers.length) !== count) {
    throw new ProofFailure('block.count', 'headers are missing', count, headers.length);
  }
  if (headers[0]?.id !== first) {
    throw new ProofFailure('block.first', 'the headers start at another tx', first, headers[0]?.id);
  }
  const alhs = verifySegmentEnding(headers, subject.alh);
  verifyInTree(alhs, first, last, verifiableTx.dualProof);
  return { kind: 'block', headers: packHeaders(headers, alhs) };
}

/**
 * The block starts where a complete subtree of {@link BLOCK_TXS} leaves does, so the path of its last leaf is enough.
 * That leaf is in the tree of the proof's newer end, with its path: as the source itself, or as the leaf before the target.
 */
function verifyInTree(alhs: Uint8Array[], first: bigint, last: bigint, dualProof: DualProof): void {
  const { targetTxHeader: target, inclusionProof, lastInclusionProof } = dualProof;
  const tree = { size: target.blTxId, root: target.blRoot };
  if (last < tree.size) {
    verifySegmentInTree(alhs, first, tree, { last: inclusionProof });
  } else if (last === tree.size) {
    verifySegmentInTree(alhs, first, tree, { last: lastInclusionProof });
  } else if (tree.size === last - 1n) {
    // The last header is the head itself, which no tree holds yet: its own tree ends with the one before it.
    if (last > first) verifySegmentInTree(alhs.slice(0, -1), first, tree, { last: lastInclusionProof });
  } else {
    throw new ProofFailure('block.lag', 'the proven tree does not reach the block', last, tree.size);
  }
}

export function packHeaders(headers: readonly TxHeader[], alhs: readonly Uint8Array[]): HeaderPack {
  const pack = emptyPack(headers[0]?.id ?? 1n, headers.length);
  headers.forEach((header, i) => {
    pack.alhs.set(alhs[i] as Uint8Array, 32 * i);
    pack.eHs.set(header.eH, 32 * i);
    pack.times[i] = header.ts;
    pack.versions[i] = header.version;
    pack.entryCounts[i] = header.nentries;
  });
  return pack;
}

/** First tx of the block that holds `tx`. */
export function blockStart(tx: bigint): bigint {
  return tx - ((tx - 1n) % BigInt(BLOCK_TXS));
}

const TAG = 8;
const PROVEN_TAG = 10;

export const block: Kind<BlockQuestion, BlockProven> = {
  kind: 'block',
  tags: [TAG],
  provenTags: [PROVEN_TAG],

  assert({ first, last, proof }) {
    assertTx(first, 1n, 'question.first');
    assertTx(last, first, 'question.last');
    if (last - first >= BigInt(BLOCK_TXS))
      throw new ArgumentError('question.last', `a block has at most ${BLOCK_TXS} headers`);
    assertBytes(proof, 'question.proof');
  },

  size: ({ proof }) => 17 + 4 + proof.length,
  write(writer, { first, last, proof }) {
    writer.u8(TAG);
    writer.u64(first);
    writer.u64(last);
    writer.bytes(proof);
  },
  read: (reader) => ({ kind: 'block', first: reader.u64(), last: reader.u64(), proof: reader.bytes() }),

  check: checkBlock,

  writeProven(writer, { headers }) {
    writer.u8(PROVEN_TAG);
    writeHeaderPack(writer, headers);
  },
  readProven: (reader) => ({ kind: 'block', headers: readHeaderPack(reader) }),

  words: ({ first, last }) => `the headers from tx ${first.toString()} to ${last.toString()}`,

  signed: ({ proof }, { database }) => signedTarget(database, readVerifiableTx(proof)),

  rootWith({ headers }, hash) {
    for (let i = 0; i < headers.count; i++) {
      const tx = headers.first + BigInt(i);
      const alh = alhIn(headers, tx);
      if (toHex(alh) === hash) return { tx, alh };
    }
    return undefined;
  },
};
