// Before null is told: the server's newest state extends the trusted head, and where this client has proven a value of the
// key, it is proven what ended it. That a key was never written cannot be proven.
import { GONE_ENTRIES } from '../../../verify/readings/gone.js';
import { keyName } from '../../../verify/key-name.js';
import { readEntries } from '../../../verify/wire/answers.js';
import { unixSecondsBegun } from '../../input/unix-seconds.js';
import type { Rpc } from '../../net/rpc.js';
import { isKeyNotFound, isServerBehind, isTxNotFound } from '../../net/server-errors.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import { DELETED } from '../../trust/known/newest-versions.js';
import type { ProvenHistory } from '../../trust/known/proven-history.js';
import { askHistory, askTxUnder } from '../../trust/trust-wire.js';

/** What a null is told under. */
export interface Asking {
  readonly rpc: Rpc;
  readonly trust: DatabaseTrust;
  readonly known: ProvenHistory;
  readonly call: Call;
}

const NOTHING = new Uint8Array(0);

/**
 * Resolves when null may be told of a key. `floor`: newest tx in which an entry of it had been proven when it was asked for.
 *
 * @throws VerificationError when the server does not extend the head, or shows nothing that ended the key
 */
export async function assertMissing(asking: Asking, key: Uint8Array, floor: bigint): Promise<void> {
  const { trust, call } = asking;
  const assured = trust.assure(call.operation);
  if (assured) await call.deadline.race(assured, 'the server to prove that it extends what is trusted');
  if (floor > 0n) await assertEnded(asking, key, floor);
}

/**
 * Proves what ended the key, or else what ended what it refers to.
 *
 * @throws VerificationError when nothing that is shown did
 */
async function assertEnded(asking: Asking, key: Uint8Array, floor: bigint, isTarget = false): Promise<void> {
  if (hasEnded(asking.known, keyName(key))) return;
  const shown = await shownHistory(asking, key);
  const tx = endingTx(shown, floor) ?? (floor > 0n ? floor : 1n);
  const { reference } = await proveGone(asking, { kind: 'gone', key, tx, floor, shown });
  if (!reference) return;
  if (isTarget) throw await asking.trust.refuse(asking.call.operation, CHAINED);
  const { key: target, atTx } = reference;
  if (atTx > 0n) await proveGone(asking, { kind: 'gone', key: target, tx: atTx, floor: 0n });
  else await assertEnded(asking, target, asking.known.seen.floor(keyName(target)), true);
}

/**
 * Where the reference leads that is the key's version of `tx`, proven. Of one that is bound to a version it is proven too that this
 * one is gone. Undefined: the version has expired by now.
 *
 * @throws VerificationError when it is a value, or what it is bound to is still there
 */
export async function referenceNow(
  asking: Asking,
  key: Uint8Array,
  tx: bigint,
): Promise<{ readonly key: Uint8Array; readonly atTx: bigint } | undefined> {
  const shown = await shownHistory(asking, key);
  const { reference } = await proveGone(asking, { kind: 'gone', key, tx, floor: tx, shown });
  if (reference && reference.atTx > 0n)
    await proveGone(asking, { kind: 'gone', key: reference.key, tx: reference.atTx, floor: 0n });
  return reference;
}

const CHAINED = { check: 'gone.reference', detail: 'a reference is said to lead to another reference' };

/** The entry that was proven last ended the key, or was to end it by now. */
function hasEnded({ seen }: ProvenHistory, name: string): boolean {
  const end = seen.end(name);
  return end === DELETED || (end !== undefined && end <= unixSecondsBegun());
}

interface GoneQuestion {
  readonly kind: 'gone';
  readonly key: Uint8Array;
  readonly tx: bigint;
  readonly floor: bigint;
  readonly shown?: Uint8Array;
}

/** Proves what ended the key, and remembers it: the next null of the key needs no question. */
async function proveGone({ rpc, trust, known, call }: Asking, question: GoneQuestion) {
  const head = await trust.head(call);
  // Where nothing is shown there is nothing to be proven: the check says so.
  const answer =
    question.shown?.length === 0
      ? NOTHING
      : await trust
          .ask(call, head, () => askTxUnder(rpc, question.tx, head, call.deadline.left))
          .catch(noSuchTx);
  call.askedAt = unixSecondsBegun();
  const proven = await trust.prove(call, question, head, answer);
  const { how, expiresAt, subject } = proven;
  if (how !== 'reference') known.seen.note(keyName(question.key), subject.tx, expiresAt ?? DELETED);
  return proven;
}

/** A transaction that the server has shown an entry of, and does not have: the check says so. */
function noSuchTx(error: unknown): Uint8Array {
  if (isServerBehind(error) || isTxNotFound(error)) return NOTHING;
  throw error;
}

/** The newest entries of a key as the server shows them: raw, and empty when it shows none. */
async function shownHistory({ rpc, call }: Asking, key: Uint8Array): Promise<Uint8Array> {
  try {
    return await askHistory(rpc, key, GONE_ENTRIES, call.deadline.left);
  } catch (error) {
    if (isKeyNotFound(error)) return NOTHING;
    throw error;
  }
}

/**
 * Tx of the newest entry shown that ends the key: it may have been written anew since null was answered. Where none does, of
 * the newest one, which may be a reference; undefined where nothing can be read.
 */
function endingTx(shown: Uint8Array, floor: bigint): bigint | undefined {
  try {
    const entries = readEntries(shown, GONE_ENTRIES, false).map(({ entry }) => entry);
    const ends = ({ tx, expired, metadata }: (typeof entries)[number]) =>
      tx >= floor && tx > 0n && (expired || metadata?.deleted === true);
    const tx = (entries.find(ends) ?? entries[0])?.tx;
    return tx !== undefined && tx > 0n ? tx : undefined;
  } catch {
    return undefined;
  }
}
