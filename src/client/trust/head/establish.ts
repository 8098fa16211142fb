// First contact with a database: how the first head comes to be trusted (docs/trust-rules.md 10), and when a head that another
// client, or this one under another policy, has trusted may be used (docs/trust-rules.md 16).
import { StoreError } from '../../../errors.js';
import { toHex, equalBytes } from '../../../proof/bytes.js';
import { EMPTY_HASH } from '../../../proof/hash.js';
import type { RootStore } from '../../../store/root-store.js';
import type { Context, Job, Proven, Refuted, Root, Verifier } from '../../../verify/verifier.js';
import type { TrustPolicy } from '../../options/options.js';
import type { CallOptions } from '../../input/call-options.js';
import type { Introduction } from '../../net/identity.js';
import type { Rpc } from '../../net/rpc.js';
import { isServerBehind } from '../../net/server-errors.js';
import { askAgainIfSilent } from './ask-again.js';
import { headAt } from './head.js';
import type { Head } from './head.js';
import type { TrustLog } from '../log/trust-log.js';
import { newestState } from './newest-state.js';
import type { NewestState } from './newest-state.js';
import { isSigned } from './signed-root.js';
import { askHeader } from '../trust-wire.js';

export interface EstablishOptions {
  readonly rpc: Rpc;
  readonly store: RootStore;
  readonly trustLog: TrustLog;
  readonly verifier: Verifier;
  readonly policy: TrustPolicy;
  /** With the state key, when one is configured. */
  readonly contextFor: (head: Root | null) => Context;
  readonly introduction?: Introduction;
}

export interface Established {
  readonly head: Head;
  /** It is the server's newest state, as it was shown just now. */
  readonly isFirstUse: boolean;
}

type Proof = Extract<Proven, { kind: 'tx' }> & { readonly job: Job };

const OPERATION = 'firstContact';
/** Each is the work of another process, which moved or forgot the stored head at the same time. */
const MAX_ATTEMPTS = 16;

/**
 * The stored head; without one, what the policy says: the pinned root, or the server's present state, proven by
 * itself, and logged as first use. With a key configured none of them is used before a signature of that key over it, or over
 * a root that is proven to extend it, was checked.
 */
export async function establish(options: EstablishOptions, call: CallOptions): Promise<Established> {
  const { store, trustLog, policy } = options;
  const startedAt = performance.now();
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const stored = await store.head(trustLog.key);
    const isFirstUse = !stored && policy.policy === 'first-use';
    const head =
      policy.policy === 'pinned'
        ? await pinnedHead(options, stored, policy, call, startedAt)
        : stored
          ? await storedHead(options, stored, call)
          : await firstUse(options, call, startedAt);
    // Somebody else was first: what they trusted is what this store trusts, and is looked at like any stored head.
    if (head) return { head, isFirstUse };
  }
  throw new StoreError(
    'STORE_FAILED',
    `the stored head of ${trustLog.key.database} does not stay what it is`,
  );
}

/** Undefined when there is a stored head by now. */
async function firstUse(
  options: EstablishOptions,
  call: CallOptions,
  startedAt: number,
): Promise<Head | undefined> {
  const { trustLog, introduction } = options;
  // With a key the signature says that the database is the server's, wherever it answers.
  if (!hasKey(options)) await introduction?.assertMayBegin();
  const { root, job } = await firstState(options, call);
  const move = {
    outcome: 'first-use',
    operation: OPERATION,
    calls: 0,
    startedAt,
    ...where(options),
  } as const;
  const outcome = await trustLog.advance(null, root, move, job);
  if (outcome.moved) return headAt(root);
  const { current, conflict } = outcome;
  if (!conflict || conflict.forgotten) return undefined;
  const detail = `tx ${root.tx.toString()} has another hash in row ${conflict.seq.toString()} of the log`;
  const refuted = different('trust.fork', detail, conflict.alh, root.alh);
  throw await trustLog.refuse('fork', OPERATION, current, { ...refuted, tx: root.tx }, job);
}

/** What the server said of its newest tx, and did not prove a moment later: no lie of one that was put back meanwhile. */
interface Doubt {
  readonly said: Root;
  readonly refuted: Refuted & { readonly tx: bigint };
  /** Of the answer that it does not agree with. */
  readonly job: Job;
}

/**
 * What is trusted first, and what proves it; nothing does so for the empty database. The server may have been put back between
 * the two questions, once: what it says then is asked for again.
 */
async function firstState(
  options: EstablishOptions,
  call: CallOptions,
  before?: Doubt,
): Promise<{ root: Root | Proof['target']; job?: Job }> {
  const state = await newestState(options, OPERATION, null, call);
  if (before && isSame(before.said, state)) throw await refuse(options, null, before.refuted, before.job);
  if (state.tx === 0n) return { root: { tx: 0n, alh: EMPTY_HASH } };
  const proof = await proveHeader(options, null, state.tx, call).catch((error: unknown) => {
    if (isServerBehind(error)) return undefined;
    throw error;
  });
  if (proof && equalBytes(proof.target.alh, state.alh)) return { root: proof.target, job: proof.job };
  const doubt = proof ? contradicted(state, proof) : unproven(state);
  if (before) throw await refuse(options, null, doubt.refuted, doubt.job);
  return firstState(options, call, doubt);
}

function unproven(said: NewestState): Doubt {
  const detail = `the server cannot prove tx ${said.tx.toString()}, which it says is its newest`;
  return { said, refuted: { check: 'state.tx', detail, tx: said.tx }, job: said.job };
}

function contradicted(said: NewestState, { target, job }: Proof): Doubt {
  const refuted = {
    ...different('state.alh', 'the state is not what its proof proves', said.alh, target.alh),
    tx: said.tx,
  };
  return { said, refuted, job };
}

function isSame(a: Root, b: Root): boolean {
  return a.tx === b.tx && equalBytes(a.alh, b.alh);
}

/** The empty database has no server's secret in it: it needs no signature. */
async function storedHead(options: EstablishOptions, stored: Root, call: CallOptions): Promise<Head> {
  const context = options.contextFor(null);
  if (stored.tx === 0n || !hasKey(options)) return stored;
  if (await isSigned(options.store.audit, options.trustLog.key, stored, context)) return stored;
  const { target } = await proveSigned(options, stored, call, {
    check: 'trust.fork',
    what: 'the stored head, which was trusted without the configured key',
    wayOut: 'check serverPublicKey and who answers; forgetTrust begins anew under the key',
  });
  await options.trustLog.noteSigned(target);
  return headAt(target);
}

/** A pinned root starts trust, or must lie on the history that is already trusted. Undefined: see {@link firstUse}. */
async function pinnedHead(
  options: EstablishOptions,
  stored: Root | null,
  pinned: Root,
  call: CallOptions,
  startedAt: number,
): Promise<Head | undefined> {
  const { trustLog, store } = options;
  const root = { tx: pinned.tx, alh: pinned.alh };
  if (!stored) {
    const proof =
      root.tx > 0n && hasKey(options)
        ? await proveSigned(options, root, call, {
            check: 'trust.pinned',
            what: 'the pinned root',
            wayOut: 'check the pinned root, serverPublicKey and who answers',
          })
        : undefined;
    const head = proof?.target ?? root;
    const move = { outcome: 'pinned', operation: OPERATION, calls: 0, startedAt, ...where(options) } as const;
    const outcome = await trustLog.advance(null, head, move, proof?.job);
    return outcome.moved ? headAt(head) : undefined;
  }
  if (root.tx === 0n) return storedHead(options, stored, call);
  // Whichever is older is proven to lie on the other's history; with a key the newer one is signed.
  const [older, newer] = root.tx <= stored.tx ? [root, stored] : [stored, root];
  const { subject, target, job } = await proveHeader(options, newer, older.tx, call).catch((error: unknown) =>
    unreached(options, newer, call, error),
  );
  if (!equalBytes(subject.alh, older.alh)) {
    const detail = 'the pinned root is not on the trusted history: check it first';
    const refuted = different('trust.pinned', detail, older.alh, subject.alh);
    throw await trustLog.refuse('fork', OPERATION, stored, { ...refuted, tx: older.tx }, job);
  }
  if (hasKey(options) && !(await isSigned(store.audit, trustLog.key, newer, options.contextFor(null))))
    await trustLog.noteSigned(target);
  return newer === stored ? headAt(target) : stored;
}

interface Unsigned {
  /** What is not so when the server has signed another hash for the tx. */
  readonly check: 'trust.fork' | 'trust.pinned';
  readonly what: string;
  readonly wayOut: string;
}

/**
 * Has the server prove and sign exactly this root, by itself and not under it: so what a wrong root is held against is what
 * the key has signed. Requires a configured key.
 */
async function proveSigned(
  options: EstablishOptions,
  root: Root,
  call: CallOptions,
  { check, what, wayOut }: Unsigned,
): Promise<Proof> {
  const { tx } = root;
  const words = (why: string) =>
    `${what} (tx ${tx.toString()}) is not used: ${why}; trust is kept: ${wayOut}`;
  const proof = await proveHeader(options, null, tx, call, { words, trusted: root }).catch((error: unknown) =>
    unreached(options, root, call, error),
  );
  if (equalBytes(proof.target.alh, root.alh)) return proof;
  const detail = `${what} (tx ${tx.toString()}) is not used: the server has signed another hash for it`;
  const refuted = different(check, detail, root.alh, proof.target.alh);
  throw await options.trustLog.refuse('fork', OPERATION, root, { ...refuted, tx }, proof.job);
}

/** A server that does not have a tx that is trusted was rolled back, or keeps it back. */
async function unreached(
  options: EstablishOptions,
  root: Root,
  call: CallOptions,
  error: unknown,
): Promise<never> {
  if (!isServerBehind(error)) throw error;
  await newestState(options, OPERATION, root, call);
  const detail = `the server cannot prove tx ${root.tx.toString()}, which is trusted and not above its newest`;
  const job = jobOf(options, root, root.tx, new Uint8Array(0));
  throw await refuse(options, root, { check: 'trust.unproven-tx', detail, tx: root.tx }, job);
}

/** How it is told that a proof does not hold, and under which root it is logged. */
interface Refusal {
  readonly words: (why: string) => string;
  readonly trusted: Root | null;
}

async function proveHeader(
  options: EstablishOptions,
  head: Root | null,
  tx: bigint,
  call: CallOptions,
  refusal: Refusal = { words: (why) => why, trusted: head },
): Promise<Proof> {
  const answer = await askAgainIfSilent(
    (once) => askHeader(options.rpc, tx, head ? head.tx : 0n, once),
    call,
  );
  const job = jobOf(options, head, tx, answer);
  // Every call waits for the first head.
  const verdict = await options.verifier.verify(job, { urgent: true });
  if (!verdict.ok) {
    const detail = refusal.words(verdict.refuted.detail);
    throw await refuse(options, refusal.trusted, { ...verdict.refuted, detail, tx }, job);
  }
  return { ...(verdict.proven as Extract<Proven, { kind: 'tx' }>), job };
}

function jobOf({ contextFor }: EstablishOptions, head: Root | null, tx: bigint, answer: Uint8Array): Job {
  return { question: { kind: 'tx', tx }, context: contextFor(head), answer };
}

function hasKey({ contextFor }: EstablishOptions): boolean {
  return contextFor(null).publicKey !== undefined;
}

function where({ introduction }: EstablishOptions): { detail?: string } {
  return introduction ? { detail: `at ${introduction.address}` } : {};
}

function refuse(
  { trustLog }: EstablishOptions,
  head: Root | null,
  refuted: Refuted & { tx?: bigint },
  job?: Job,
) {
  return trustLog.refuse('failure', OPERATION, head, refuted, job);
}

function different(check: string, detail: string, expected: Uint8Array, computed: Uint8Array): Refuted {
  return { check, detail, expected: toHex(expected), computed: toHex(computed) };
}
