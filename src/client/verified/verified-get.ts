// verifiedGet, top to bottom: question → answer → proof → trusted head → what lies behind a reference.
import { equalBytes, toHex } from '../../proof/bytes.js';
import type { KVMetadata } from '../../proof/types.js';
import type { ProvenEntry, ProvenTx, Root } from '../../worker/verifier.js';
import { versionFields } from '../get-options.js';
import type { Version } from '../get-options.js';
import { keyName } from '../../worker/key-name.js';
import { isKeyNotFound, isServerBehind } from '../server-errors.js';
import { copyBytes } from '../pooled-bytes.js';
import type { Call } from '../trust/call.js';
import type { DatabaseTrust } from '../trust/database-trust.js';
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
}

export interface VerifiedReference {
  readonly key: Uint8Array;
  readonly tx: bigint;
  /** Version it is bound to; 0 = whatever is latest, which is the server's word. */
  readonly atTx: bigint;
  readonly metadata?: KVMetadata;
}

/**
 * Reads an entry and proves it. Null when the server says there is none: absence is not proven.
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
  const { atTx, sinceTx, atRevision } = version;
  const name = keyName(key);
  const floor = atTx === undefined && atRevision === undefined ? trust.seen.floor(name) : 0n;
  const head = await trust.head(call);

  const request = {
    keyRequest: { key, ...versionFields(version) },
    proveSinceTx: head.tx.toString(),
  };
  const answer = await askOrMissing(() => trust.ask(call, head, () => rpc.get(request, call.deadline.left)));
  if (!answer) return null;

  const question = {
    kind: 'get',
    key,
    ...(atTx !== undefined && { atTx }),
    ...(atRevision !== undefined && { atRevision }),
  } as const;
  const { subject, found } = await trust.prove(call, question, head, answer);
  if (sinceTx !== undefined) await trust.reach(call, sinceTx);
  if (subject.tx < floor) throw await refuseStale(trust, call.operation, key, subject.tx, floor);
  trust.seen.note(name, subject.tx);

  if (found.kind === 'value') return toVerified(await trust.head(call), subject, found.entry);
  const { claimed, metadata } = found;
  const target = await provenTarget(rpc, trust, call, claimed);
  if (!target) return null;
  return {
    ...target,
    reference: { key, tx: subject.tx, atTx: found.atTx, ...(metadata && { metadata }) },
    unproven: { revision: claimed.unprovenRevision },
  };
}

/**
 * Second claim of a read through a reference: the entry it points to, of exactly the tx that was shown. It must be what
 * the first answer showed; null when it expired between the two.
 */
async function provenTarget(
  rpc: VerifiedRpc,
  trust: DatabaseTrust,
  call: Call,
  claimed: ProvenEntry & { readonly tx: bigint },
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
    throw await trust.refuse(call.operation, {
      check: 'get.reference-target',
      detail: `a reference was answered with an entry of tx ${atTx.toString()} that the server does not have`,
      tx: atTx,
    });
  }
  const { subject, found } = await trust.prove(
    call,
    { kind: 'get', key, atTx, noReference: true },
    head,
    answer,
  );
  if (found.kind !== 'value') throw new Error('unreachable: noReference was asked');
  if (!equalBytes(found.entry.value, claimed.value)) {
    throw await trust.refuse(call.operation, {
      check: 'get.reference-value',
      detail: 'a reference was answered with another value than the entry that it points to has',
      expected: toHex(found.entry.value.subarray(0, 64)),
      computed: toHex(claimed.value.subarray(0, 64)),
      tx: atTx,
    });
  }
  return toVerified(await trust.head(call), subject, found.entry);
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
