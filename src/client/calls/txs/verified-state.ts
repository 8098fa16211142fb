// The server's newest state, proven to extend the trusted head, which moves there.
import { equalBytes, toHex } from '../../../proof/bytes.js';
import type { Root } from '../../../verify/verifier.js';
import type { Rpc } from '../../net/rpc.js';
import { isServerBehind } from '../../net/server-errors.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import { askHeaderUnder } from '../../trust/trust-wire.js';
import { resultOf } from '../../results/result.js';

/** The newest transaction of a database when the server was asked, proven. Another may have been written since. */
export interface VerifiedState extends Root {
  readonly database: string;
  /** Header time of `tx` in unix seconds; 0 when the database leaves it out, and of an empty one. */
  readonly timestamp: bigint;
  /** The server's signature over (database, tx, alh), where it signs: DER. Checked where a state key is configured. */
  readonly signature?: Uint8Array;
  /** The signature is valid by the state key that this client was given. False: it was given none. */
  readonly signed: boolean;
  /** Trusted head under which it was proven: this state or a newer one. */
  readonly root: Root;
}

export async function verifiedState(
  rpc: Rpc,
  trust: DatabaseTrust,
  call: Call,
  database: string,
): Promise<VerifiedState> {
  await trust.ready(call);
  const head = await trust.head(call);
  const { operation, startedAt, deadline } = call;
  const { job, ...state } = await trust.claimedState(operation, head, deadline.left);
  const signed = trust.headContext?.publicKey !== undefined;
  if (state.tx === 0n) {
    await trust.ready(call);
    trust.countCalls(operation, startedAt, 1);
    return resultOf({ database, ...state, timestamp: 0n, signed, root: trust.root });
  }

  let answer: Uint8Array;
  try {
    answer = await trust.ask(call, head, () => askHeaderUnder(rpc, state.tx, head, deadline.left));
  } catch (error) {
    if (!isServerBehind(error)) throw error;
    const detail = `the server cannot prove tx ${state.tx.toString()}, which it says is its newest`;
    throw await trust.refuse(operation, { check: 'trust.unproven-tx', detail, tx: state.tx }, job);
  }
  const question = { kind: 'tx', tx: state.tx } as const;
  const { subject, target } = await trust.prove(call, question, head, answer);
  const { tx, alh, ts } = subject;
  if (!equalBytes(alh, state.alh)) {
    const detail = 'the state that the server claims is not what its proof proves';
    const refuted = { check: 'state.alh', detail, expected: toHex(state.alh), computed: toHex(alh), tx };
    throw await trust.refuse(operation, refuted, trust.job(question, head, answer));
  }
  return resultOf({
    ...{ database, tx, alh: new Uint8Array(alh), timestamp: ts },
    ...(target.signature && { signature: new Uint8Array(target.signature) }),
    ...{ signed, root: trust.root },
  });
}
