// verifiedTx, top to bottom: asked for under the head, with all its entries, their values beside it → proven → shown.
import type { PortableProof } from '../../../verify/portable/format.js';
import type { Root } from '../../../verify/verifier.js';
import { readShownTx, readVerifiableTx } from '../../../verify/wire/answers.js';
import type { Rpc } from '../../net/rpc.js';
import { isServerBehind } from '../../net/server-errors.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import { askTxUnder } from '../../trust/trust-wire.js';
import { provenEntries } from './proven-entries.js';
import { headerFields } from './transaction.js';
import type { Transaction } from './transaction.js';
import { askShownTx } from './tx-by-id.js';
import type { Wanted } from './wanted.js';
import { resultOf } from '../../results/result.js';

/** A transaction whose header lies on the trusted history, and that holds exactly these entries. */
export interface VerifiedTransaction extends Transaction {
  /** Trusted head under which it was proven. */
  readonly root: Root;
  /** With `includeProof`: what anyone can check it by. */
  readonly proof?: PortableProof;
}

/** Null when the server says that there is none, and its newest state, which extends the trusted head, ends before it. */
export async function verifiedTx(
  rpc: Rpc,
  trust: DatabaseTrust,
  call: Call,
  tx: bigint,
  wanted: Wanted,
): Promise<VerifiedTransaction | null> {
  await trust.ready(call);
  for (;;) {
    const head = await trust.head(call);
    const asked = askValues(rpc, call, tx, wanted);
    const answer = await askOrNone(() =>
      trust.ask(call, head, () => askTxUnder(rpc, tx, head, call.deadline.left)),
    );
    if (!answer) {
      if (await isAbsent(trust, call, tx, head)) return null;
      continue;
    }
    const values = await asked;
    const question = { kind: 'tx', tx, leaves: true, ...(values && { values }) } as const;
    const { subject, leaves } = await trust.prove(call, question, head, answer);
    trust.known.headers.add(subject);
    if (leaves && subject.nentries > 1) trust.known.leaves.add(tx, leaves);
    const whole = readVerifiableTx(answer).tx;
    const entries = provenEntries(whole, values && readShownTx(values), wanted);
    return resultOf({ ...headerFields(whole.header), entries, root: trust.root });
  }
}

/** Undefined: none are wanted. Asked for at the same time; what goes wrong is told once the transaction itself is there. */
function askValues(rpc: Rpc, { deadline }: Call, tx: bigint, { entries }: Wanted) {
  if (entries !== 'raw') return undefined;
  const asked = askShownTx(rpc, tx, { entries }, deadline.left);
  asked.catch(() => undefined);
  return asked;
}

async function askOrNone(ask: () => Promise<Uint8Array>): Promise<Uint8Array | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isServerBehind(error)) return undefined;
    throw error;
  }
}

/**
 * `askedUnder`: the head when it was asked for. Whether a transaction that the server does not have lies beyond its newest state. False: not any more.
 *
 * @throws VerificationError when it lies on the trusted history, or that state does not extend the head
 */
export async function isAbsent(
  trust: DatabaseTrust,
  call: Call,
  tx: bigint,
  askedUnder: Root,
): Promise<boolean> {
  if (tx <= askedUnder.tx) throw await trust.refuse(call.operation, withheldTx(tx));
  const assured = trust.assureNow(call.operation);
  await call.deadline.race(assured, 'the server to prove that it extends what is trusted');
  return tx > trust.headTx;
}

function withheldTx(tx: bigint) {
  const detail = `the server says that it has no tx ${tx.toString()}, which lies on the trusted history`;
  return { check: 'trust.unproven-tx', detail, tx };
}

/** The same with entries of the wanted kinds only. */
export function shownOf(found: VerifiedTransaction, { kinds }: Wanted): VerifiedTransaction {
  return kinds
    ? resultOf({ ...found, entries: found.entries.filter(({ kind }) => kinds.some((each) => each === kind)) })
    : found;
}
