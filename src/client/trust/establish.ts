// First contact with a database: how the first head comes to be trusted (design, trust rule 10).
import { toHex, equalBytes } from '../../proof/bytes.js';
import { EMPTY_HASH } from '../../proof/hash.js';
import type { RootStore } from '../../store/root-store.js';
import type { Context, Job, Proven, Refuted, Root, Verifier } from '../../worker/verifier.js';
import type { CallOptions, TrustPolicy } from '../options.js';
import type { Rpc } from '../rpc.js';
import { isServerBehind } from '../server-errors.js';
import { headAt } from './head.js';
import type { Head } from './head.js';
import type { Journal } from './journal.js';
import { newestState } from './newest-state.js';
import { askHeader } from './trust-wire.js';

export interface EstablishOptions {
  readonly rpc: Rpc;
  readonly store: RootStore;
  readonly journal: Journal;
  readonly verifier: Verifier;
  readonly policy: TrustPolicy;
  readonly contextFor: (head: Root | null) => Context;
}

const OPERATION = 'firstContact';

/**
 * The stored head; without one, what the policy says: the pinned root, or the server's present state, proven by
 * itself, with its signature when a key is configured, and logged as first use.
 */
export async function establish(options: EstablishOptions, call: CallOptions): Promise<Head> {
  const { store, journal, policy } = options;
  const startedAt = performance.now();
  const stored = await store.head(journal.key);
  if (policy.policy === 'pinned') return establishPinned(options, stored, policy, call, startedAt);
  if (stored) return stored;

  const { head: found, job } = await firstState(options, call);
  const move = { outcome: 'first-use', operation: OPERATION, calls: 0, startedAt } as const;
  const outcome = await journal.advance(null, found, move, job);
  if (outcome.moved) return found;
  const { current, conflict } = outcome;
  if (conflict && !conflict.forgotten) {
    const detail = `tx ${found.tx.toString()} has another hash in row ${conflict.seq.toString()} of the log`;
    const refuted = different('trust.fork', detail, conflict.alh, found.alh);
    throw await refuse(options, current, { ...refuted, tx: found.tx }, job, 'fork');
  }
  // Somebody else was first: what they trusted is what this store trusts.
  return current ?? found;
}

/** What is trusted first, and what proves it; nothing does so for the empty database. */
interface FirstState {
  readonly head: Head;
  readonly job?: Job;
}

async function firstState(options: EstablishOptions, call: CallOptions): Promise<FirstState> {
  const state = await newestState(options, OPERATION, null, call);
  if (state.tx === 0n) return { head: { tx: 0n, alh: EMPTY_HASH } };
  const { proven, job } = await proveHeader(options, null, state.tx, call).catch(async (error: unknown) => {
    if (!isServerBehind(error)) throw error;
    const detail = `the server cannot prove tx ${state.tx.toString()}, which it says is its newest`;
    throw await refuse(options, null, { check: 'state.tx', detail, tx: state.tx });
  });
  if (!equalBytes(proven.target.alh, state.alh)) {
    const refuted = different(
      'state.alh',
      'the state is not what its proof proves',
      state.alh,
      proven.target.alh,
    );
    throw await refuse(options, null, refuted, job);
  }
  return { head: headAt(proven.target), job };
}

/** A pinned root starts trust, or must lie on the history that is already trusted. */
async function establishPinned(
  options: EstablishOptions,
  stored: Root | null,
  pinned: Root,
  call: CallOptions,
  startedAt: number,
): Promise<Head> {
  const root = { tx: pinned.tx, alh: pinned.alh };
  if (!stored) {
    const move = { outcome: 'pinned', operation: OPERATION, calls: 0, startedAt } as const;
    const outcome = await options.journal.advance(null, root, move);
    return outcome.moved || !outcome.current
      ? root
      : establishPinned(options, outcome.current, pinned, call, startedAt);
  }
  if (root.tx === 0n) return stored;
  // Whichever is older is proven to lie on the other's history.
  const [older, newer] = root.tx <= stored.tx ? [root, stored] : [stored, root];
  const { proven, job } = await proveHeader(options, newer, older.tx, call);
  if (!equalBytes(proven.subject.alh, older.alh)) {
    const refuted = different(
      'trust.pinned',
      'the pinned root is not on the trusted history',
      older.alh,
      proven.subject.alh,
    );
    throw await refuse(options, stored, { ...refuted, tx: older.tx }, job, 'fork');
  }
  return stored;
}

async function proveHeader(options: EstablishOptions, head: Root | null, tx: bigint, call: CallOptions) {
  const answer = await askHeader(options.rpc, tx, head ? head.tx : 0n, call);
  const job: Job = { question: { kind: 'tx', tx }, context: options.contextFor(head), answer };
  // Every call waits for the first head.
  const verdict = await options.verifier.verify(job, { urgent: true });
  if (!verdict.ok) throw await refuse(options, head, { ...verdict.refuted, tx }, job);
  return { proven: verdict.proven as Extract<Proven, { kind: 'tx' }>, job };
}

function refuse(
  { journal }: EstablishOptions,
  head: Root | null,
  refuted: Refuted & { tx?: bigint },
  job?: Job,
  outcome: 'failure' | 'fork' = 'failure',
) {
  return journal.refuse(outcome, OPERATION, head, refuted, job);
}

function different(check: string, detail: string, expected: Uint8Array, computed: Uint8Array): Refuted {
  return { check, detail, expected: toHex(expected), computed: toHex(computed) };
}
