// What is checked of a list of headers that follow a known one (TxScan, docs/protocol.md §19.2).
import { verifySegment } from '../../proof/chain.js';
import { ProofFailure } from '../../proof/failure.js';
import { Frontier } from '../../proof/tree/frontier.js';
import type { TxHeader } from '../../proof/types.js';
import type { Proven, Question } from '../verifier.js';
import { readTxListHeaders } from '../wire/answers.js';
import { provenTx } from '../claims/proven.js';

/**
 * Proves that the answer holds exactly the headers `after.tx + 1 … to`, each linked to the one before and the first
 * to `after`; with a frontier also that the history tree of the last one holds exactly these hashes behind it.
 * Whoever knows `after` can invent such a run: it is proven under the head once its last header is.
 */
export function checkSegment(
  question: Extract<Question, { kind: 'segment' }>,
  answer: Uint8Array,
): Extract<Proven, { kind: 'segment' }> {
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
