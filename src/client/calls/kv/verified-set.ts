// verifiedSet, top to bottom: request → answer → exact entries proven in a new tx → trusted head.
import { ImmuError, TransportError, VerificationError } from '../../../errors.js';
import type { Job, Root, WrittenEntry } from '../../../verify/verifier.js';
import { keyName } from '../../../verify/key-name.js';
import { OtherConnection } from '../../net/rpc.js';
import { isNotDone } from '../../net/server-errors.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import type { VerifiedRpc } from './verified-rpc.js';

/** A write that is proven to be in the one trusted history. */
export interface VerifiedWrite {
  /** Transaction that holds exactly the entries sent. */
  readonly tx: bigint;
  readonly alh: Uint8Array;
  /** Header time of `tx` in unix seconds; 0 when the database leaves it out. */
  readonly timestamp: bigint;
  /** Trusted head under which it was proven. */
  readonly root: Root;
}

/**
 * Writes entries in one transaction and proves that it holds exactly them: keys, values, metadata and order, in a
 * tx newer than the head before the request was sent, which no other write of this client got. Never repeated by itself.
 *
 * @throws VerificationError when the answer does not prove the write
 * @throws TransportError OUTCOME_UNKNOWN when the server may have written, but that could not be proven
 */
export async function verifiedSet(
  rpc: VerifiedRpc,
  trust: DatabaseTrust,
  call: Call,
  entries: readonly WrittenEntry[],
): Promise<VerifiedWrite> {
  for (;;) {
    try {
      return await setOnce(rpc, trust, call, entries);
    } catch (error) {
      // Not sent: over the next connection another server may answer, which has to show first that it is none.
      if (!(error instanceof OtherConnection)) throw error;
    }
  }
}

async function setOnce(
  rpc: VerifiedRpc,
  trust: DatabaseTrust,
  call: Call,
  entries: readonly WrittenEntry[],
): Promise<VerifiedWrite> {
  await trust.ready(call, true);
  const over = rpc.plain.connects;
  const { known } = trust;
  const head = await trust.head(call);
  const request = {
    setRequest: { KVs: entries.map(({ key, value }) => ({ key, value })) },
    proveSinceTx: head.tx.toString(),
  };
  const write = trust.writes.begin(head.tx);
  let mayBeDone = true;
  try {
    const answer = await trust
      .ask(call, head, () => rpc.set(request, call.deadline.left, over))
      .catch((error: unknown) => {
        mayBeDone = !isNotDone(error);
        throw error;
      });
    const question = { kind: 'set', entries } as const;
    const { subject } = await trust.prove(call, question, head, answer).catch(unproven);
    if (!trust.writes.claim(subject.tx))
      throw await refuseShared(trust, call.operation, subject.tx, trust.job(question, head, answer));
    mayBeDone = false;
    for (const { key } of entries) known.seen.note(keyName(key), subject.tx);
    const root = await trust.head(call);
    return {
      tx: subject.tx,
      alh: subject.alh,
      timestamp: subject.ts,
      root: { tx: root.tx, alh: root.alh },
    };
  } finally {
    if (mayBeDone) trust.writes.doubt();
    trust.writes.end(write, trust.headTx);
  }
}

/** Records that a write was answered with the tx of another one: the server has done one of the two only. */
export function refuseShared(
  trust: DatabaseTrust,
  operation: string,
  tx: bigint,
  job: Job,
): Promise<VerificationError> {
  const detail = `the write was answered with tx ${tx.toString()}, which is that of another write`;
  return trust.refuse(operation, { check: 'set.tx-shared', detail, computed: tx.toString(), tx }, job);
}

/** The server has answered, so it has most likely written: a failure on our side must not look like "not done". */
export function unproven(error: unknown): never {
  if (error instanceof VerificationError) throw error;
  const why = error instanceof ImmuError ? `${error.code}: ${error.message}` : 'unexpected failure';
  throw new TransportError(
    'OUTCOME_UNKNOWN',
    `the server answered the write, but it could not be proven (${why}); read the keys back with verifiedGet`,
    { cause: error },
  );
}
