// A root that was trusted elsewhere, or earlier: is it on the trusted history?
import { equalBytes, toHex } from '../../../proof/bytes.js';
import type { VerificationError } from '../../../errors.js';
import type { Job, Refuted, Root } from '../../../verify/verifier.js';
import type { Rpc } from '../../net/rpc.js';
import type { Call } from '../call.js';
import type { Epoch } from '../epoch.js';
import type { ProofSource } from '../known/proof-source.js';
import { askHeaderUnder } from '../trust-wire.js';

/** The trust that it may be in. */
export interface GivenRootTrust extends Pick<ProofSource, 'check' | 'job'> {
  ask(call: Call, head: Root, send: () => Promise<Uint8Array>): Promise<Uint8Array>;
  refuse(operation: string, refuted: Refuted, job: Job): Promise<VerificationError>;
}

/**
 * Proves that the root of a tx above 0 lies on the history of the head, which is moved to it first where it is newer.
 *
 * @throws VerificationError FORK_DETECTED when it does not
 */
export async function proveGiven(
  trust: GivenRootTrust,
  { mover, known }: Pick<Epoch, 'mover' | 'known'>,
  rpc: Rpc,
  call: Call,
  { tx, alh }: Root,
  whose = 'that was given',
): Promise<void> {
  const { operation, startedAt } = call;
  if (tx > mover.head.tx) await mover.reach({ tx, operation, startedAt });
  const { head } = mover;
  if (head.tx === tx ? equalBytes(head.alh, alh) : known.headers.compare({ tx, alh }) === 'same') return;
  const answer = await trust.ask(call, head, () => askHeaderUnder(rpc, tx, head, call.deadline.left));
  const question = { kind: 'tx', tx } as const;
  const { subject } = await trust.check(operation, question, head, answer);
  if (equalBytes(subject.alh, alh)) return;
  const refuted = {
    check: 'trust.given',
    detail: `the root of tx ${tx.toString()} ${whose} is not on the trusted history`,
    expected: toHex(alh),
    computed: toHex(subject.alh),
    tx,
  };
  throw await trust.refuse(operation, refuted, trust.job(question, head, answer));
}
