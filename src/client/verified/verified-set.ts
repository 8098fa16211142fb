// verifiedSet, top to bottom: request → answer → exact entries proven in a new tx → trusted head.
import { ImmuError, TransportError, VerificationError } from '../../errors.js';
import type { Root, WrittenEntry } from '../../worker/verifier.js';
import { keyName } from '../../worker/key-name.js';
import type { Call } from '../trust/call.js';
import type { DatabaseTrust } from '../trust/database-trust.js';
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
  const head = await trust.head(call);
  const request = {
    setRequest: { KVs: entries.map(({ key, value }) => ({ key, value })) },
    proveSinceTx: head.tx.toString(),
  };
  const write = trust.writes.begin(head.tx);
  try {
    const answer = await trust.ask(call, head, () => rpc.set(request, call.deadline.left));
    const { subject } = await trust.prove(call, { kind: 'set', entries }, head, answer).catch(unproven);
    if (!trust.writes.claim(subject.tx)) {
      throw await trust.refuse(call.operation, {
        check: 'set.tx-shared',
        detail: `the write was answered with tx ${subject.tx.toString()}, which is that of another write`,
        tx: subject.tx,
      });
    }
    for (const { key } of entries) trust.seen.note(keyName(key), subject.tx);
    const root = await trust.head(call);
    return {
      tx: subject.tx,
      alh: subject.alh,
      timestamp: subject.ts,
      root: { tx: root.tx, alh: root.alh },
    };
  } finally {
    trust.writes.end(write, trust.headTx);
  }
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
