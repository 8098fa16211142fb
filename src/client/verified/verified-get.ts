// verifiedGet, top to bottom: question → answer → proof → trusted head → what lies behind a reference.
import { toHex } from '../../proof/bytes.js';
import { ArgumentError } from '../../errors.js';
import type { KVMetadata } from '../../proof/types.js';
import type { Root } from '../../worker/verifier.js';
import { toKey } from '../bytes-input.js';
import type { BytesInput } from '../bytes-input.js';
import type { CallOptions } from '../options.js';
import { isKeyNotFound } from '../server-errors.js';
import type { Call, DatabaseTrust } from '../trust/database-trust.js';
import type { VerifiedRpc } from './verified-rpc.js';

/** Which version is asked for; at most one of `atTx` and (`sinceTx`, `atRevision`). */
export interface VerifiedGetOptions extends CallOptions {
  /** The version written by exactly this tx: proven. */
  readonly atTx?: bigint;
  /** The trusted history must reach this tx before the answer counts: proven. */
  readonly sinceTx?: bigint;
  /** 1 = first version, -1 = the one before the latest. Which tx that is, is the server's word. */
  readonly atRevision?: bigint;
}

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
  keyInput: BytesInput,
  options: VerifiedGetOptions = {},
): Promise<VerifiedEntry | null> {
  const key = toKey(keyInput, 'key');
  const { atTx, sinceTx, atRevision } = checkVersion(options);
  const floor = atTx === undefined && atRevision === undefined ? trust.seen.floor(key) : 0n;
  const head = await trust.head(call);

  const request = {
    keyRequest: {
      key,
      ...(atTx !== undefined && { atTx: atTx.toString() }),
      ...(sinceTx !== undefined && { sinceTx: sinceTx.toString() }),
      ...(atRevision !== undefined && { atRevision: atRevision.toString() }),
    },
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
  if (subject.tx < floor) throw await stale(trust, call, key, subject.tx, floor);
  if (floor > 0n || atTx === undefined) trust.seen.note(key, subject.tx);

  if (found.kind === 'value') {
    const { key: _, unprovenRevision, ...entry } = found.entry;
    const root = await trust.head(call);
    return {
      key,
      ...entry,
      tx: subject.tx,
      timestamp: subject.ts,
      root: { tx: root.tx, alh: root.alh },
      unproven: { revision: unprovenRevision },
    };
  }
  const { claimed, metadata } = found;
  const target = await provenTarget(rpc, trust, call, claimed.key, claimed.tx);
  return {
    ...target,
    reference: { key, tx: subject.tx, atTx: found.atTx, ...(metadata && { metadata }) },
    unproven: { revision: claimed.unprovenRevision },
  };
}

/** Second claim of a read through a reference: the entry it points to, of exactly the tx that was shown. */
async function provenTarget(
  rpc: VerifiedRpc,
  trust: DatabaseTrust,
  call: Call,
  key: Uint8Array,
  atTx: bigint,
): Promise<VerifiedEntry> {
  const head = await trust.head(call);
  const request = { keyRequest: { key, atTx: atTx.toString() }, proveSinceTx: head.tx.toString() };
  const answer = await trust.ask(call, head, () => rpc.get(request, call.deadline.left));
  const proven = await trust.prove(call, { kind: 'get', key, atTx, noReference: true }, head, answer);
  if (proven.found.kind !== 'value') throw new Error('unreachable: noReference was asked');
  const { key: _, unprovenRevision, ...entry } = proven.found.entry;
  const root = await trust.head(call);
  return {
    key,
    ...entry,
    tx: proven.subject.tx,
    timestamp: proven.subject.ts,
    root: { tx: root.tx, alh: root.alh },
    unproven: { revision: unprovenRevision },
  };
}

function checkVersion({ atTx, sinceTx, atRevision }: VerifiedGetOptions) {
  for (const [name, value] of Object.entries({ atTx, sinceTx, atRevision })) {
    if (value === undefined) continue;
    if (typeof value !== 'bigint')
      throw new ArgumentError(name, `${name} must be a bigint, not ${typeof value}`);
    if (name !== 'atRevision' && value < 1n)
      throw new ArgumentError(name, `${name} must be 1 or more, not ${value.toString()}`);
    if (BigInt.asIntN(64, value) !== value)
      throw new ArgumentError(name, `${name} is out of range: ${value.toString()}`);
  }
  if (atTx !== undefined && (sinceTx !== undefined || atRevision !== undefined)) {
    throw new ArgumentError(
      'atTx',
      'atTx names one version: it cannot be combined with sinceTx or atRevision',
    );
  }
  return { atTx, sinceTx, atRevision: atRevision === 0n ? undefined : atRevision };
}

async function askOrMissing(ask: () => Promise<Uint8Array>): Promise<Uint8Array | null> {
  try {
    return await ask();
  } catch (error) {
    if (isKeyNotFound(error)) return null;
    throw error;
  }
}

function stale(trust: DatabaseTrust, call: Call, key: Uint8Array, tx: bigint, floor: bigint) {
  return trust.refuse(call, {
    check: 'get.stale',
    detail: `key ${toHex(key)} was answered with its version of tx ${tx.toString()}, but a newer one, of tx ${floor.toString()}, was proven before`,
    expected: floor.toString(),
    computed: tx.toString(),
    tx,
  });
}
