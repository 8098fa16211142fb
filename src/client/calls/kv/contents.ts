// From what a write is given to what it is made of. Throws ArgumentError naming what is wrong: nothing is sent then.
import { ArgumentError } from '../../../errors.js';
import { keyName } from '../../../verify/key-name.js';
import { readSetRequest } from '../../../verify/wire/requests.js';
import type { SentEntry, SentMember, SentOp, SentReference } from '../../../verify/wire/requests.js';
import { EntryBatch } from '../../group/entry-batch.js';
import { NO_CONDITIONS } from '../../group/write-form.js';
import type { WriteContent, WriteForm } from '../../group/write-form.js';
import { DELETE, EXEC_ALL, SET, SET_REFERENCE, Z_ADD } from '../../group/write-forms.js';
import { MAX_TX_ENTRIES, toKey, toValue } from '../../input/bytes-input.js';
import type { BytesInput } from '../../input/bytes-input.js';
import { NO_OPTIONS } from '../../input/call-options.js';
import { toConditions } from '../../input/conditions.js';
import { assertSelfContained, toOps, toScore } from '../../input/operations.js';
import type { Op } from '../../input/operations.js';
import { flag, optionsObject } from '../../input/option-checks.js';
import { txId } from '../../input/tx-id.js';
import { checkMetadata } from '../../input/write-options.js';
import type {
  ConditionalOptions,
  DeleteOptions,
  EntryMetadata,
  NoWaitOptions,
  OwnTxOptions,
  SetOptions,
  VersionOptions,
  WriteOptions,
} from '../../input/write-options.js';
import { bytesOf, isKeys, toKeys } from './kv.js';

/** Pairs to write: a Map, a plain object, or anything that yields [key, value]. */
export type Pairs = Iterable<readonly [BytesInput, BytesInput]> | Readonly<Record<string, BytesInput>>;

/** One entry that is checked already. */
export function entryContent(entry: SentEntry): WriteContent<SentEntry> {
  const bytes = entry.key.length + entry.value.length;
  return { form: SET, entries: [entry], conditions: NO_CONDITIONS, bytes };
}

/** One entry. */
export function setContent(key: BytesInput, value: BytesInput, options: SetOptions): WriteContent<SentEntry> {
  const entry = { key: toKey(key, 'key'), value: toValue(value, 'value') };
  if (options === NO_OPTIONS) return entryContent(entry);
  const metadata = metadataOf(options);
  const bytes = entry.key.length + entry.value.length;
  return contentOf(SET, [metadata ? { ...entry, metadata } : entry], bytes, options);
}

/**
 * From so many entries on they go as a transaction of their own, without an object for any of them: fewer share one with what else
 * is written at the time.
 */
const MIN_BATCH = 64;
/** So do fewer of so many bytes: hardly anything would fit beside them. */
const MIN_BATCH_BYTES = 256 * 1024;
/** From so many entries on it is known about how long the others are. */
const SAMPLE = 8;

/** Up to 1024 entries, of distinct keys. */
export function setAllContent(pairs: Pairs, options: SetOptions): WriteContent<SentEntry> {
  const metadata = metadataOf(options);
  const { preconditions, noWait, includeProof } = options as WriteOptions;
  const isPlain = preconditions === undefined && noWait !== true && includeProof !== true;
  const batch = toBatch(pairs);
  const isLarge = batch.count >= MIN_BATCH || batch.bytes >= MIN_BATCH_BYTES;
  if (isPlain && !metadata && isLarge) return { ...contentOf(SET, [], batch.bytes, options), batch };
  const read = readSetRequest(batch.request());
  const entries = metadata ? read.map((entry) => ({ ...entry, metadata })) : read;
  return contentOf(SET, entries, batch.bytes, options);
}

/** One key, or up to 1024 distinct ones. */
export function deleteContent(
  keys: BytesInput | Iterable<BytesInput>,
  options: DeleteOptions,
): WriteContent<Uint8Array> {
  const entries = toDeletedKeys(keys);
  const content = contentOf(DELETE, entries, bytesOf(entries), options);
  const { sinceTx } = options;
  return sinceTx === undefined ? content : { ...content, sinceTx: txId('sinceTx', sinceTx) };
}

/** A reference, to share a transaction or to go alone. */
export function referenceContent(
  key: BytesInput,
  to: BytesInput,
  options: ConditionalOptions & VersionOptions & OwnTxOptions,
  isShared: boolean,
): WriteContent<SentOp> | WriteContent<SentReference> {
  const reference = { key: toKey(key, 'key'), to: toKey(to, 'to'), atTx: versionOf(options) };
  const bytes = reference.key.length + reference.to.length;
  return isShared && options.noWait !== true && options.ownTx !== true
    ? contentOf(EXEC_ALL, [{ reference }], bytes, options)
    : contentOf(SET_REFERENCE, [reference], bytes, options);
}

/** A member of a sorted set, to share a transaction or to go alone. */
export function memberContent(
  set: BytesInput,
  score: number,
  key: BytesInput,
  options: NoWaitOptions & VersionOptions & OwnTxOptions,
  isShared: boolean,
): WriteContent<SentOp> | WriteContent<SentMember> {
  const zAdd = {
    set: toKey(set, 'set'),
    score: toScore('score', score),
    key: toKey(key, 'key'),
    atTx: versionOf(options),
  };
  const bytes = zAdd.set.length + zAdd.key.length;
  return isShared && options.noWait !== true && options.ownTx !== true
    ? contentOf(EXEC_ALL, [{ zAdd }], bytes, options)
    : contentOf(Z_ADD, [zAdd], bytes, options);
}

/** Up to 1024 operations. */
export function execAllContent(given: Iterable<Op>, options: ConditionalOptions): WriteContent<SentOp> {
  const ops = toOps(given);
  const content = contentOf(
    EXEC_ALL,
    ops,
    ops.reduce((sum, op) => sum + bytesOfOp(op), 0),
    options,
  );
  if (content.noWait === true) assertSelfContained(ops);
  return content;
}

/** Whether the write is one that shares its transaction with no other. */
export function isAlone({ noWait, sinceTx }: WriteContent): boolean {
  return noWait === true || sinceTx !== undefined;
}

function contentOf<E>(
  form: WriteForm<E>,
  entries: readonly E[],
  bytes: number,
  options: ConditionalOptions,
): WriteContent<E> {
  optionsObject('options', options);
  const { preconditions, noWait = false } = options;
  flag('noWait', noWait);
  const conditions = preconditions === undefined ? NO_CONDITIONS : toConditions(preconditions);
  return { form, entries, conditions, bytes, ...(noWait && { noWait }) };
}

function metadataOf(options: SetOptions): EntryMetadata | undefined {
  optionsObject('options', options);
  return checkMetadata('metadata', options.metadata);
}

/** 0: bound to no version. */
function versionOf(options: VersionOptions): bigint {
  optionsObject('options', options);
  const { atTx } = options;
  return atTx === undefined ? 0n : txId('atTx', atTx);
}

function bytesOfOp(op: SentOp): number {
  if ('set' in op) return op.set.key.length + op.set.value.length;
  if ('reference' in op) return op.reference.key.length + op.reference.to.length;
  return op.zAdd.set.length + op.zAdd.key.length;
}

function toDeletedKeys(keys: BytesInput | Iterable<BytesInput>): Uint8Array[] {
  if (!isKeys(keys)) return [toKey(keys, 'key')];
  const checked = toKeys(keys, MAX_TX_ENTRIES);
  if (checked.length === 0) throw new ArgumentError('keys', 'keys must not be empty');
  const names = new Set<string>();
  checked.forEach((key, i) => {
    if (names.has(keyName(key))) throw new ArgumentError('keys', `keys[${i}] occurs twice`);
    names.add(keyName(key));
  });
  return checked;
}

/** Pairs in their order. Throws ArgumentError for none, for too many, and for a key that occurs twice. */
function toBatch(pairs: Pairs): EntryBatch {
  const batch = new EntryBatch();
  const names = {
    key: () => `key of entry ${batch.count}`,
    value: () => `value of entry ${batch.count}`,
  };
  const given = entriesOf(pairs);
  // Read only as far as needed: the source may be endless.
  for (const pair of given) {
    const i = batch.count;
    if (i === SAMPLE) batch.expect(Math.min(countOf(given), MAX_TX_ENTRIES));
    if (i === MAX_TX_ENTRIES) {
      throw new ArgumentError('entries', `too many entries: one transaction takes at most ${MAX_TX_ENTRIES}`);
    }
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw new ArgumentError('entries', `entry ${i} is no [key, value] pair`);
    }
    if (!batch.add(pair[0] as BytesInput, pair[1] as BytesInput, names))
      throw new ArgumentError('entries', `the key of entry ${i} occurs twice`);
  }
  if (batch.count === 0) throw new ArgumentError('entries', 'entries must not be empty');
  return batch;
}

/** How many there are, as far as that can be told; 0 otherwise. */
function countOf(given: Iterable<unknown>): number {
  if (Array.isArray(given)) return given.length;
  return given instanceof Map ? given.size : 0;
}

function entriesOf(pairs: Pairs): Iterable<unknown> {
  if (typeof pairs !== 'object' || (pairs as Pairs | null) === null || pairs instanceof Uint8Array) {
    throw new ArgumentError('entries', 'entries must be a Map, an object or an iterable of [key, value]');
  }
  return Symbol.iterator in pairs ? (pairs as Iterable<unknown>) : Object.entries(pairs);
}
