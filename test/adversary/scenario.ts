// What a scenario of the lying proxy is, and how it tells what every caller was told.
import { VerificationError } from '#dist/index.js';
import type { VerifiedEntry, VerifiedStream, VerifiedVersion, VerifiedWrite } from '#dist/index.js';
import { entryDigest } from '#dist/proof/entry.js';
import { sha256 } from '#dist/proof/hash.js';
import type { KVMetadata, TxEntry } from '#dist/proof/types.js';
import type * as wire from '#dist/wire/messages.js';
import type { WireClient } from '../support/wire-client.js';
import type { Stage } from './stage.js';

/** What a call told its caller, as text that can be compared; what is named unproven is left out. */
export type Told = string;

/** What became of one caller. */
export type CallerOutcome =
  | { readonly kind: 'told'; readonly told: Told }
  | { readonly kind: 'refused'; readonly error: VerificationError }
  /** Neither: no error that a caller could take for a verdict. */
  | { readonly kind: 'failed'; readonly error: unknown };

/** RPCs whose answers verified calls build on, with the type of their answers. */
export const ANSWERS = {
  Get: 'Entry',
  GetAll: 'Entries',
  Set: 'TxHeader',
  VerifiableGet: 'VerifiableEntry',
  VerifiableSet: 'VerifiableTx',
  VerifiableTxById: 'VerifiableTx',
  TxById: 'Tx',
  TxScan: 'TxList',
  CurrentState: 'ImmutableState',
  Delete: 'TxHeader',
  ExecAll: 'TxHeader',
  SetReference: 'TxHeader',
  ZAdd: 'TxHeader',
  streamSet: 'TxHeader',
  streamExecAll: 'TxHeader',
  streamVerifiableGet: 'VerifiableEntry',
  Scan: 'Entries',
  History: 'Entries',
  ZScan: 'ZEntries',
  GetCollection: 'immudb.model.GetCollectionResponse',
  InsertDocuments: 'immudb.model.InsertDocumentsResponse',
  ReplaceDocuments: 'immudb.model.ReplaceDocumentsResponse',
  SearchDocuments: 'immudb.model.SearchDocumentsResponse',
  AuditDocument: 'immudb.model.AuditDocumentResponse',
  ProofDocument: 'immudb.model.ProofDocumentResponse',
} as const;
export type AnswerMethod = keyof typeof ANSWERS;

/** What the answer is decoded as: of a stream, that of the same call in one message. */
export function codecOf(method: AnswerMethod): AnswerMethod {
  return method === 'streamVerifiableGet' ? 'VerifiableGet' : method;
}

/** Decoded request or answer. */
export type Message = Record<string, unknown>;

export interface Scenario {
  readonly name: string;
  /** The RPC whose answer is changed: of those in the run that `asked` says yes to, the first, or after so many. */
  readonly method: AnswerMethod;
  readonly asked?: (request: Message, stage: Stage) => boolean;
  readonly after?: number;
  /** Callers are refused even if nothing is changed. */
  readonly refuses?: true;
  /** What has to be so before the run; nothing is changed on its way yet. */
  readonly prepare?: (stage: Stage) => Promise<void>;
  /** Makes the calls. */
  readonly run: (stage: Stage) => Promise<CallerOutcome[]>;
}

/** Told when there is nothing. */
export const NOTHING: Told = 'nothing';

/** Waits for all callers, each on its own. */
export async function callers(...calls: Promise<Told>[]): Promise<CallerOutcome[]> {
  const settled = await Promise.allSettled(calls);
  return settled.map((result): CallerOutcome => {
    if (result.status === 'fulfilled') return { kind: 'told', told: result.value };
    const error: unknown = result.reason;
    return error instanceof VerificationError ? { kind: 'refused', error } : { kind: 'failed', error };
  });
}

/** All that is proven of an entry. */
export function tell(entry: VerifiedEntry | null): Told {
  if (!entry) return NOTHING;
  const { key, value, tx, metadata, timestamp, reference } = entry;
  return show({ key, value, tx, metadata, timestamp, reference });
}

/** The same of a stream, once it was read and proven. */
export async function tellStream(stream: VerifiedStream | null): Promise<Told> {
  if (!stream) return NOTHING;
  const pieces: Uint8Array[] = [];
  for await (const piece of stream.value) pieces.push(piece);
  const { key, tx, metadata, timestamp, reference } = await stream.proven;
  return show({ key, value: new Uint8Array(Buffer.concat(pieces)), tx, metadata, timestamp, reference });
}

/** All that is proven of a version. */
export function tellVersion(version: VerifiedVersion | undefined): Told {
  if (!version) return NOTHING;
  const { key, value, tx, metadata, deleted, expired, timestamp, reference } = version;
  return show({ key, value, tx, metadata, deleted, expired, timestamp, reference });
}

/** For entries whose key and tx differ from run to run: whether the server really has this entry there. */
export async function tellAt(wire: WireClient, asked: string, entry: VerifiedEntry | null): Promise<Told> {
  if (!entry) return NOTHING;
  const { key, value, tx, metadata, timestamp, reference } = entry;
  const there = await isOnServer(wire, { key, value, tx, timestamp });
  const found = Buffer.from(key).toString() === asked ? 'the key' : `key ${Buffer.from(key).toString()}`;
  return show({
    found,
    value,
    metadata,
    reference,
    at: there ? 'its tx' : `tx ${tx} (${timestamp} s): not there`,
  });
}

/** Whether what was told of a write of `entries` is what the server really has. */
export async function tellWrite(
  wire: WireClient,
  { tx, alh, timestamp }: VerifiedWrite,
  entries: readonly (readonly [key: string, value: string])[],
): Promise<Told> {
  const there = await Promise.all(
    entries.map(([key, value]) =>
      isOnServer(wire, { key: Buffer.from(key), value: Buffer.from(value), tx, timestamp, alh }),
    ),
  );
  return there.every(Boolean) ? 'written' : `tx ${tx}, which is not on the server so`;
}

/** Whether the server has these deletions, in that tx. */
export async function tellDelete(
  wire: WireClient,
  { tx, alh, timestamp }: VerifiedWrite,
  keys: readonly string[],
): Promise<Told> {
  const at = await wire.call('VerifiableTxById', { tx: String(tx), proveSinceTx: String(tx) });
  const newest = await Promise.all(
    keys.map(
      async (key) => (await wire.call('History', { key: Buffer.from(key), desc: true, limit: 1 })).entries[0],
    ),
  );
  const isThere =
    newest.every((entry) => entry.tx === String(tx) && entry.metadata?.deleted === true) &&
    BigInt(at.tx.header.ts) === timestamp &&
    Buffer.from(alh).equals(at.dualProof.linearProof.terms[0]);
  return isThere ? 'deleted' : `tx ${tx}, which is not on the server so`;
}

/** An entry as it is hashed, value and all. */
export interface RawEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly metadata?: KVMetadata;
}

/** Whether the server has these raw entries in that tx: bound to their own tx where they say so. */
export async function tellRaw(
  wire: WireClient,
  { tx, alh, timestamp }: VerifiedWrite,
  entriesOf: (tx: bigint) => readonly RawEntry[],
): Promise<Told> {
  const missing = `tx ${tx}, which is not on the server so`;
  const asked = { tx: String(tx), proveSinceTx: String(tx) };
  const at = await wire.call('VerifiableTxById', asked).catch(() => undefined);
  if (at === undefined) return missing;
  const leaf = ({ key, hValue, metadata }: TxEntry) =>
    Buffer.from(entryDigest(1, { key, hValue, ...(metadata && { metadata }) })).toString('hex');
  const there = new Set(
    (at.tx.entries as WireTxEntry[]).map(({ key, hValue, metadata }) =>
      leaf({ key, hValue, ...(metadata && { metadata: metadataOf(metadata) }) }),
    ),
  );
  const isThere =
    entriesOf(tx).every(({ value, ...entry }) => there.has(leaf({ ...entry, hValue: sha256(value) }))) &&
    BigInt(at.tx.header.ts) === timestamp &&
    Buffer.from(alh).equals(at.dualProof.linearProof.terms[0]);
  return isThere ? 'written' : missing;
}

interface WireTxEntry {
  readonly key: Uint8Array;
  readonly hValue: Uint8Array;
  readonly metadata?: wire.KVMetadata;
}

function metadataOf({ deleted, expiration, nonIndexable }: wire.KVMetadata): KVMetadata {
  return {
    ...(deleted && { deleted }),
    ...(expiration && { expiresAt: BigInt(expiration.expiresAt ?? 0) }),
    ...(nonIndexable && { nonIndexable }),
  };
}

interface Stored {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly tx: bigint;
  readonly timestamp: bigint;
  readonly alh?: Uint8Array;
}

/** Asks the server itself, past the proxy. */
async function isOnServer(wire: WireClient, { key, value, tx, timestamp, alh }: Stored): Promise<boolean> {
  const [entry, at] = await Promise.all([
    wire.call('Get', { key, atTx: String(tx) }).catch(() => undefined),
    wire.call('VerifiableTxById', { tx: String(tx), proveSinceTx: String(tx) }).catch(() => undefined),
  ]);
  return (
    Buffer.from(value).equals(entry?.value ?? Buffer.alloc(0)) &&
    BigInt(at?.tx.header.ts ?? -1) === timestamp &&
    (!alh || Buffer.from(alh).equals(at.dualProof.linearProof.terms[0]))
  );
}

/** Anything as text. */
export function show(value: unknown): Told {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'bigint'
      ? String(each)
      : each instanceof Uint8Array
        ? Buffer.from(each).toString('hex')
        : each,
  );
}
