// The state of the server that an audit holds everything against: the trusted head, moved to where the server is now, or,
// where the server no longer extends the head, the state it claims instead.
import { MAX_ID, equalBytes, toHex } from '../../proof/bytes.js';
import { VerificationError } from '../../errors.js';
import { EMPTY_HASH } from '../../proof/hash.js';
import type { Root } from '../../verify/verifier.js';
import { claimedState } from '../calls/admin/server-info.js';
import { askHeader, askHeaderUnder } from '../trust/trust-wire.js';
import type { AskedUnder, AuditAccess, AuditAsker } from './access.js';
import { findingOf } from './findings.js';
import type { AuditFinding } from './findings.js';

export interface PresentState extends AskedUnder {
  /** The trusted head when the audit began. */
  readonly before: Root;
  /** With a state key: the state was signed with it. */
  readonly signed: boolean;
  /** Why the server's state is not the head: in the log already. */
  readonly finding?: AuditFinding;
}

/**
 * Moves the trusted head to the server's present state. A server that cannot prove that its state extends the head is in the
 * log afterwards; the state is then what it claims, proven by itself only.
 *
 * @throws VerificationError when the claimed state does not even prove itself
 */
export async function presentState(access: AuditAccess, asker: AuditAsker): Promise<PresentState> {
  const { trust, rpc, signed } = access;
  const before = await trust.head(asker.call());
  const state = await claimedState(rpc, asker.call().deadline.left);
  if (state.tx < 0n || state.tx > MAX_ID) {
    const detail = 'the state that the server claims is of a transaction that none can be';
    const computed = state.tx.toString();
    throw await trust.refuse(asker.operation, { check: 'state.tx', detail, expected: '0..2^63-1', computed });
  }
  try {
    if (state.tx > before.tx) await trust.reach(asker.call(), state.tx);
    else if (before.tx > 0n) await proveHead(access, asker, before);
    return { ...trust.root, trusted: true, before, signed: signed && trust.root.tx > 0n };
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    const claimed = await proveClaimed(access, asker, state);
    return { ...claimed, trusted: false, before, signed, finding: findingOf(error) };
  }
}

/** The server stands by the head itself, now, and signs it when a key is configured. */
async function proveHead({ trust, rpc }: AuditAccess, asker: AuditAsker, head: Root): Promise<void> {
  const call = asker.call();
  const answer = await trust.ask(call, head, () => askHeaderUnder(rpc, head.tx, head, call.deadline.left));
  await trust.check(asker.operation, { kind: 'tx', tx: head.tx }, head, answer);
}

async function proveClaimed({ trust, rpc }: AuditAccess, asker: AuditAsker, state: Root): Promise<Root> {
  if (state.tx === 0n) return { tx: 0n, alh: EMPTY_HASH };
  const answer = await askHeader(rpc, state.tx, 0n, asker.call().deadline.left);
  const job = trust.job({ kind: 'tx', tx: state.tx }, null, answer);
  const verdict = await asker.verify(job);
  const detail = 'the state that the server claims';
  if (!verdict.ok) throw await trust.refuse(asker.operation, { ...verdict.refuted, tx: state.tx }, job);
  const { target } = verdict.proven as Extract<typeof verdict.proven, { kind: 'tx' }>;
  if (!equalBytes(target.alh, state.alh)) {
    throw await trust.refuse(
      asker.operation,
      {
        check: 'state.alh',
        detail: `${detail} is not what its proof proves`,
        expected: toHex(state.alh),
        computed: toHex(target.alh),
        tx: state.tx,
      },
      job,
    );
  }
  return { tx: target.tx, alh: target.alh };
}
