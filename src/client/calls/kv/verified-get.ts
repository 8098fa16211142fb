// verifiedGet, top to bottom: question → answer → proof → trusted head → what lies behind a reference.
import { equalBytes, toHex } from '../../../proof/bytes.js';
import type { Job, Proven, ProvenTx } from '../../../verify/verifier.js';
import { versionFields } from '../../input/get-options.js';
import type { Version } from '../../input/get-options.js';
import { keyName } from '../../../verify/key-name.js';
import { OUTSIDE_INDEX, SHOWN_VALUE_BYTES } from '../../../verify/known-beside.js';
import type { Rpc } from '../../net/rpc.js';
import { isKeyNotFound, isServerBehind } from '../../net/server-errors.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import type { ProvenHistory } from '../../trust/known/proven-history.js';
import { assertMissing } from './absence.js';
import { isOutsideIndex, newerTarget, noteSeen, verifiedEntry } from './shown-read.js';
import type { ShownRead } from './shown-read.js';
import type { VerifiedEntry } from './verified-entry.js';
import { refuseStale } from './stale.js';

/**
 * Reads an entry and proves it. Null when the server says there is none, and its newest state extends the trusted head;
 * where an entry of the key was proven before, what ended it is proven too.
 *
 * @throws VerificationError when the answer is not proven, or shows an older version than was proven before
 */
export async function verifiedGet(
  rpc: Rpc,
  trust: DatabaseTrust,
  call: Call,
  key: Uint8Array,
  version: Version,
): Promise<VerifiedEntry | null> {
  await trust.ready(call);
  const { known } = trust;
  const asking = { rpc, trust, known, call, key, version };
  // A reference may be answered with a target that something proven meanwhile has overtaken: asked again, it must not be.
  for (let floors: ReadonlyMap<string, bigint> = NO_FLOORS; ;) {
    const found = await provenOnce(asking, floors);
    if (!('newer' in found)) return found.entry;
    floors = new Map([...floors, found.newer]);
  }
}

const NO_FLOORS: ReadonlyMap<string, bigint> = new Map();

interface Asking {
  readonly rpc: Rpc;
  readonly trust: DatabaseTrust;
  readonly known: ProvenHistory;
  readonly call: Call;
  readonly key: Uint8Array;
  readonly version: Version;
}

/** What was proven, or a floor of the target that was not known when the question was sent. */
type Found = { readonly entry: VerifiedEntry | null } | { readonly newer: readonly [string, bigint] };

/** `floors`: of targets of references, by their `keyName`, from before the question is sent. */
async function provenOnce(asking: Asking, floors: ReadonlyMap<string, bigint>): Promise<Found> {
  const { rpc, trust, known, call, key, version } = asking;
  const { atTx, sinceTx, atRevision } = version;
  const name = keyName(key);
  const floor = atTx === undefined && atRevision === undefined ? known.seen.floor(name) : 0n;
  const head = await trust.head(call);

  const request = {
    keyRequest: { key, ...versionFields(version) },
    proveSinceTx: head.tx.toString(),
  };
  const answer = await askOrMissing(() =>
    trust.ask(call, head, () => rpc.raw('VerifiableGet', request, call.deadline.left)),
  );
  if (!answer) {
    await assertMissing(asking, key, floor);
    return { entry: null };
  }

  const question = {
    kind: 'get',
    key,
    ...(atTx !== undefined && { atTx }),
    ...(atRevision !== undefined && { atRevision }),
  } as const;
  const { subject, found } = await trust.prove(call, question, head, answer);
  if (sinceTx !== undefined) await trust.reach(call, sinceTx);
  const job = trust.job(question, head, answer, call.askedAt);
  if (subject.tx < floor) throw await refuseStale(trust, call.operation, key, subject.tx, floor, job);
  const shown = shownBy(found, subject);
  if (atTx === undefined && isOutsideIndex(shown)) {
    const detail = `key ${toHex(key)} was answered with an entry that is not indexed: it is no value of its key`;
    throw await trust.refuse(call.operation, { check: OUTSIDE_INDEX, detail, tx: subject.tx }, job);
  }
  noteSeen(known, name, shown.claim);
  if (shown.kind === 'value') return { entry: toldUnder(asking, shown, subject) };

  const { target } = shown;
  const asked = shown.atTx === 0n ? floors.get(keyName(target.key)) : undefined;
  if (asked !== undefined && target.tx < asked)
    throw await refuseStale(trust, call.operation, target.key, target.tx, asked, job);
  const newer = newerTarget(known, shown);
  if (newer) return { newer };
  const proven = await provenTarget(asking, target, job);
  if (!proven) return { entry: null };
  noteSeen(known, keyName(target.key), proven.target);
  return { entry: toldUnder(asking, { ...shown, target: proven.target }, proven.subject) };
}

/** `subject`: the tx of the value. */
function toldUnder({ trust, known, key }: Asking, shown: ShownRead, { ts }: ProvenTx): VerifiedEntry {
  if (trust.knownNow !== known) throw trust.forgotten();
  return verifiedEntry(key, shown, ts, trust.root);
}

/** What an answer proves of the key's own entry, and shows of the one behind it. */
function shownBy(found: Extract<Proven, { kind: 'get' }>['found'], { tx }: ProvenTx): ShownRead {
  if (found.kind === 'value') return { kind: 'value', claim: { ...found.entry, tx } };
  const { atTx, metadata, claimed } = found;
  return { kind: 'reference', claim: { tx, ...(metadata && { metadata }) }, atTx, target: claimed };
}

type Target = Extract<ShownRead, { kind: 'reference' }>['target'];

/**
 * Second claim of a read through a reference: the entry it points to, of exactly the tx that was shown. It must be what
 * the first answer (`job`) showed; null when it expired between the two.
 */
async function provenTarget(
  { rpc, trust, call }: Asking,
  claimed: Target,
  job: Job,
): Promise<{ readonly subject: ProvenTx; readonly target: Target } | null> {
  const { key, tx: atTx } = claimed;
  const head = await trust.head(call);
  const request = { keyRequest: { key, atTx: atTx.toString() }, proveSinceTx: head.tx.toString() };
  let answer: Uint8Array;
  try {
    answer = await trust.ask(call, head, () => rpc.raw('VerifiableGet', request, call.deadline.left));
  } catch (error) {
    if (!isKeyNotFound(error) && !isServerBehind(error)) throw error;
    const expiresAt = claimed.metadata?.expiresAt;
    if (expiresAt !== undefined && expiresAt <= BigInt(Math.ceil(Date.now() / 1000))) return null;
    const detail = `a reference was answered with an entry of tx ${atTx.toString()} that the server does not have`;
    throw await trust.refuse(call.operation, { check: 'get.reference-target', detail, tx: atTx }, job);
  }
  const question = { kind: 'get', key, atTx, noReference: true } as const;
  const { subject, found } = await trust.prove(call, question, head, answer);
  if (found.kind !== 'value') throw new Error('unreachable: noReference was asked');
  if (!equalBytes(found.entry.value, claimed.value)) {
    const refuted = {
      check: 'get.reference-value',
      detail: 'a reference was answered with another value than the entry that it points to has',
      expected: toHex(found.entry.value.subarray(0, SHOWN_VALUE_BYTES)),
      computed: toHex(claimed.value.subarray(0, SHOWN_VALUE_BYTES)),
      tx: atTx,
    };
    throw await trust.refuse(call.operation, refuted, trust.job(question, head, answer, call.askedAt));
  }
  return { subject, target: { ...found.entry, tx: atTx, unprovenRevision: claimed.unprovenRevision } };
}

async function askOrMissing(ask: () => Promise<Uint8Array>): Promise<Uint8Array | null> {
  try {
    return await ask();
  } catch (error) {
    if (isKeyNotFound(error)) return null;
    throw error;
  }
}
