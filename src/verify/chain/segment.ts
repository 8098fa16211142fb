// What is checked of a list of headers that follow a known one (TxScan, docs/protocol.md §19.2).
import { ArgumentError } from '../../errors.js';
import { verifySegment } from '../../proof/chain.js';
import { ProofFailure } from '../../proof/failure.js';
import { Frontier } from '../../proof/tree/frontier.js';
import type { TxHeader } from '../../proof/types.js';
import { assertDigest, assertRoot, assertTx } from '../asserts.js';
import { provenTx } from '../claims/proven.js';
import type { Kind } from '../kind.js';
import { readTxRest, writeTxRest } from '../pack/ends-packet.js';
import { ROOT_SIZE, frontierSize } from '../pack/packet-cursor.js';
import type { Context, FrontierPeaks, ProvenTx, Root } from '../terms.js';
import { readTxListHeaders } from '../wire/answers.js';

/**
 * Answer: TxList of headers `after.tx + 1 … to`, all of them. Chains on from `after`; when `frontier` (at
 * `after.tx`) is given every header is held against the history tree too (docs/trust-rules.md 15).
 */
export interface SegmentQuestion {
  readonly kind: 'segment';
  readonly after: Root;
  readonly to: bigint;
  readonly frontier?: FrontierPeaks;
}

export interface SegmentProven {
  readonly kind: 'segment';
  /** In order of tx. */
  readonly headers: readonly ProvenTx[];
  readonly frontier?: FrontierPeaks;
}

/**
 * Proves that the answer holds exactly the headers `after.tx + 1 … to`, each linked to the one before and the first
 * to `after`; with a frontier also that the history tree of the last one holds exactly these hashes behind it.
 * Whoever knows `after` can invent such a run: it is proven under the head once its last header is.
 */
function checkSegment(question: SegmentQuestion, _context: Context, answer: Uint8Array): SegmentProven {
  const { after, to } = question;

  // 1. All of them and nothing else. That each is the next one is checked along the chain.
  const count = to - after.tx;
  const headers = readTxListHeaders(answer, count);
  if (BigInt(headers.length) !== count) {
    throw new ProofFailure('segment.count', 'headers are missing', count, headers.length);
  }

  // 2. The chain, and the tree when there is a frontier to grow.
  const frontier = question.frontier && Frontier.from(question.frontier);
  const alhs = verifySegment(headers, after, frontier);

  return {
    kind: 'segment',
    headers: headers.map((header: TxHeader, i) => provenTx(header, alhs[i] as Uint8Array)),
    ...(frontier && { frontier: { size: frontier.size, peaks: frontier.peaks } }),
  };
}

const TAG = 4;
const FRONTIER = 1;
const PROVEN_TAG = 6;
const PROVEN_FRONTIER = 4;

export const segment: Kind<SegmentQuestion, SegmentProven> = {
  kind: 'segment',
  tags: [TAG],
  provenTags: [PROVEN_TAG],

  assert({ after, to, frontier }) {
    assertRoot(after, 'question.after');
    assertTx(to, after.tx + 1n, 'question.to');
    if (frontier) assertFrontier(frontier, after.tx);
  },

  size: ({ frontier }) => 1 + ROOT_SIZE + 8 + 1 + (frontier ? frontierSize(frontier) : 0),
  write(writer, { after, to, frontier }) {
    writer.u8(TAG);
    writer.root(after);
    writer.u64(to);
    writer.u8(frontier ? FRONTIER : 0);
    if (frontier) writer.frontier(frontier);
  },
  read(reader) {
    const after = reader.root();
    const to = reader.u64();
    const frontier = (reader.u8() & FRONTIER) !== 0 ? reader.frontier() : undefined;
    return { kind: 'segment', after, to, ...(frontier && { frontier }) };
  },

  check: checkSegment,

  // Of a chain each hash is sent once.
  writeProven(writer, { headers, frontier }) {
    writer.u8(PROVEN_TAG);
    writer.u32(headers.length);
    for (const header of headers) {
      writer.raw(header.alh);
      writeTxRest(writer, header);
    }
    writer.u8(frontier ? PROVEN_FRONTIER : 0);
    if (frontier) writer.frontier(frontier);
  },
  readProven(reader, _tag, { after }) {
    let prevAlh = after.alh;
    let tx = after.tx;
    const count = reader.u32();
    const headers: ProvenTx[] = [];
    for (let i = 0; i < count; i++) {
      const alh = reader.digest();
      headers.push(readTxRest(reader, ++tx, alh, prevAlh));
      prevAlh = alh;
    }
    const frontier = (reader.u8() & PROVEN_FRONTIER) !== 0 ? reader.frontier() : undefined;
    return { kind: 'segment', headers, ...(frontier && { frontier }) };
  },

  words: ({ after, to }) => `the headers from tx ${(after.tx + 1n).toString()} to ${to.toString()}`,
};

function assertFrontier({ size, peaks }: FrontierPeaks, tx: bigint): void {
  if (size !== tx)
    throw new ArgumentError('question.frontier', 'the frontier is not the one at question.after');
  // As many peaks as the size has one bits, each of them a digest.
  let bits = 0;
  for (let rest = size; rest > 0n; rest &= rest - 1n) bits++;
  if (peaks.length !== bits)
    throw new ArgumentError('question.frontier', `a tree of this size has ${bits} peaks`);
  for (const peak of peaks) assertDigest(peak, 'question.frontier');
}
