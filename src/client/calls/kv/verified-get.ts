// verifiedGet, top to bottom: question → answer → proof → trusted head → what lies behind a reference.
import { equalBytes, toHex } from '../../../proof/bytes.js';
import type { KVMetadata } from '../../../proof/types.js';
import type { PortableProof } from '../../../verify/portable/format.js';
import type { Job, Proven, ProvenEntry, ProvenTx, Root } from '../../../verify/verifier.js';
import { versionFields } from '../../input/get-options.js';
import type { Version } from '../../input/get-options.js';
import { keyName } from '../../../verify/key-name.js';
import { OUTSIDE_INDEX, SHOWN_VALUE_BYTES } from '../../../verify/known-beside.js';
import { isKeyNotFound, isServerBehind } from '../../net/server-errors.js';
import { copyBytes } from '../../input/pooled-bytes.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import type { ProvenHistory } from '../../trust/known/proven-history.js';
import { assertMissing } from './absence.js';
import { refuseStale } from './stale.js';
import type { VerifiedRpc } from './verified-rpc.js';

/** An entry whose key, value, metadata and transaction are proven under `root`. */
export interface VerifiedEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** Transaction that wrote this version. */
  readonly tx: bigint;
  readonly metadata?: KVMetadata;
  /** Header time of `tx` in unix seconds; 0 when the database leaves it out. */
  readonly timestamp: bigint;
  /** The reference that led here, itself proven: present when the requested key is a reference. */
  readonly reference?: VerifiedReference;
  /** Trusted head under which all of this was proven. */
  readonly root: Root;
  /** What no proof covers: the number of this version. Nor is it proven that no newer version exists. */
  readonly unproven: { readonly revision: bigint };
  /** With `includeProof`: what anyone can check it by. */
  readonly proof?: PortableProof;
}

export interface VerifiedReference {
  readonly key: Uint8Array;
  readonly tx: bigint;
  /** Version it is bound to; 0 = whatever is latest, which is the server's word. */
  readonly atTx: bigint;
  readonly metadata?: KVMetadata;
  /** With `includeProof`. */
  readonly proof?: PortableProof;
}

/**
 * Reads an entry and proves it. Null when the server says there is none, and its newest state extends the trusted head;
 * where an entry of the key was proven before, what ended it is proven too.
 *
 * @throws VerificationError when the answer is not proven, or shows an older version than was proven before
 */
export async function verifiedGet(
  rpc: VerifiedRpc,
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
  readonly rpc: VerifiedRpc;
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
  const answer = await askOrMissing(() => trust.ask(call, head, () => rpc.get(request, call.deadline.left)));
  if (!answer) {
    await assertMissing({ ...asking, rpc: rpc.plain }, key, floor);
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
  const metadata = found.kind === 'value' ? found.entry.metadata : found.metadata;
  if (atTx === undefined && isOutsideIndex(found)) {
    const detail = `key ${toHex(key)} was answered with an entry that is not indexed: it is no value of its key`;
    throw await trust.refuse(call.operation, { check: OUTSIDE_INDEX, detail, tx: subject.tx }, job);
  }
  noteSeen(known, name, subject.tx, metadata);

  if (found.kind === 'value') return { entry: toVerified(await trust.head(call), subject, found.entry) };
  const { claimed } = found;
  if (found.atTx === 0n) {
    const targetName = keyName(claimed.key);
    const asked = floors.get(targetName);
    if (asked !== undefined && claimed.tx < asked)
      throw await refuseStale(trust, call.operation, claimed.key, claimed.tx, asked, job);
    const now = known.seen.floor(targetName);
    if (claimed.tx < now) return { newer: [targetName, now] };
  }
  const target = await provenTarget(asking, claimed, job);
  if (!target) return { entry: null };
  noteSeen(known, keyName(claimed.key), target.tx, target.metadata);
  return {
    entry: {
      ...target,
      reference: { key, tx: subject.tx, atTx: found.atTx, ...(metadata && { metadata }) },
      unproven: { revision: claimed.unprovenRevision },
    },
  };
}

/**
 * Second claim of a read through a reference: the entry it points to, of exactly the tx that was shown. It must be what
 * the first answer (`job`) showed; null when it expired between the two.
 */
async function provenTarget(
  { rpc, trust, call }: Asking,
  claimed: ProvenEntry & { readonly tx: bigint },
  job: Job,
): Promise<VerifiedEntry | null> {
  const { key, tx: atTx } = claimed;
  const head = await trust.head(call);
  const request = { keyRequest: { key, atTx: atTx.toString() }, proveSinceTx: head.tx.toString() };
  let answer: Uint8Array;
  try {
    answer = await trust.ask(call, head, () => rpc.get(request, call.deadline.left));
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
  return toVerified(await trust.head(call), subject, found.entry);
}

/** Readable only by its transaction: no read of a key's latest version, or through an unbound reference, leads to it. */
function isOutsideIndex(found: Extract<Proven, { kind: 'get' }>['found']): boolean {
  if (found.kind === 'value') return found.entry.metadata?.nonIndexable === true;
  const { metadata, claimed, atTx } = found;
  return metadata?.nonIndexable === true || (atTx === 0n && claimed.metadata?.nonIndexable === true);
}

/** A proven entry is a floor of its key. One that is not indexed is none: reads of the key do not lead to it. */
export function noteSeen(
  { seen }: ProvenHistory,
  name: string,
  tx: bigint,
  metadata: KVMetadata | undefined,
): void {
  if (metadata === undefined) seen.note(name, tx);
  else if (metadata.nonIndexable !== true) seen.note(name, tx, metadata.expiresAt);
}

/** Bytes are copied: an entry kept by the caller does not keep the whole answer in memory. */
function toVerified(root: Root, subject: ProvenTx, entry: ProvenEntry): VerifiedEntry {
  return {
    key: copyBytes(entry.key),
    value: copyBytes(entry.value),
    tx: subject.tx,
    ...(entry.metadata && { metadata: entry.metadata }),
    timestamp: subject.ts,
    root: { tx: root.tx, alh: root.alh },
    unproven: { revision: entry.unprovenRevision },
  };
}

async function askOrMissing(ask: () => Promise<Uint8Array>): Promise<Uint8Array | null> {
  try {
    return await ask();
  } catch (error) {
    if (isKeyNotFound(error)) return null;
    throw error;
  }
}
