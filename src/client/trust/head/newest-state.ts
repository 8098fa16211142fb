// The server's word about its newest transaction, held against what is trusted: it may have been rolled back, replaced by
// an older copy, or be on another branch.
import { check } from '../../../verify/check.js';
import type { Context, Job, Root } from '../../../verify/verifier.js';
import type { CallOptions } from '../../input/call-options.js';
import type { Rpc } from '../../net/rpc.js';
import { askAgainIfSilent } from './ask-again.js';
import type { TrustLog } from '../log/trust-log.js';
import { askState } from '../trust-wire.js';

export interface StateAsker {
  readonly rpc: Rpc;
  readonly trustLog: TrustLog;
  readonly contextFor: (head: Root | null) => Context;
}

/** The server's word, with the answer it is from. */
export interface NewestState extends Root {
  readonly job: Job;
}

/**
 * Asks for it and returns it; it never changes trust.
 *
 * @throws VerificationError, recorded with the answer, when it is behind the head, has another hash for it, is that of
 * another database, or of an empty one that is not signed as it must be
 */
export async function newestState(
  { rpc, trustLog, contextFor }: StateAsker,
  operation: string,
  head: Root | null,
  options: CallOptions,
): Promise<NewestState> {
  const answer = await askAgainIfSilent((call) => askState(rpc, call), options);
  const context = contextFor(head && { tx: head.tx, alh: head.alh });
  const job: Job = { question: { kind: 'state' }, context, answer };
  // Here, not on a thread: it is one comparison, and a server that went back is told of whatever the threads do.
  const verdict = check(job);
  if (!verdict.ok) {
    const { refuted } = verdict;
    throw await trustLog.refuse('failure', operation, head, refuted, job);
  }
  if (verdict.proven.kind !== 'state') throw new Error(`a ${verdict.proven.kind} is no state`);
  return { ...verdict.proven.claimed, job };
}
