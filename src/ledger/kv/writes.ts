// Set, Delete, SetReference and ZAdd: from a request to a committed transaction, refused in immudb's order of checks.
import { plainKey, plainValue, referenceValue, sortedSetKey } from '../../proof/entry.js';
import { toHex } from '../../proof/bytes.js';
import type { KVMetadata, TxHeader } from '../../proof/types.js';
import type { Database, EntrySpec } from '../engine/database.js';
import { KeyNotFound, refuse } from '../errors.js';
import { getAt } from './lookup.js';
import { assertPreconditionCount, checkPreconditions, readPreconditions } from './preconditions.js';
import type { Precondition } from './preconditions.js';
import { bytes, id } from '../wire/messages.js';
import type {
  KeyValueRequest,
  ReferenceRequest,
  RequestId,
  SetRequest,
  ZAddRequest,
} from '../wire/messages.js';

const NOTHING = new Uint8Array(0);

export function set(db: Database, request: SetRequest | null | undefined): TxHeader {
  if (!request) throw refuse.illegalArguments();
  const pairs = request.KVs ?? [];
  const seen = new Set<string>();
  const specs: EntrySpec[] = [];
  for (const pair of pairs) {
    const key = bytes(pair.key);
    if (key.length === 0) throw refuse.illegalArguments();
    if (pairs.length > 1) {
      const name = toHex(key);
      if (seen.has(name)) throw refuse.duplicateKeys();
      seen.add(name);
    }
    addSpec(db, specs, plainSpec(pair));
  }
  return commitSpecs(db, specs, readPreconditions(db, request.preconditions));
}

export function plainSpec(pair: KeyValueRequest): EntrySpec {
  return {
    key: plainKey(bytes(pair.key)),
    metadata: readMetadata(pair.metadata),
    value: plainValue(bytes(pair.value)),
  };
}

function readMetadata(wire: KeyValueRequest['metadata']): KVMetadata | undefined {
  if (!wire) return undefined;
  const metadata = {
    ...(wire.deleted === true ? { deleted: true } : {}),
    ...(wire.expiration ? { expiresAt: id(wire.expiration.expiresAt) } : {}),
    ...(wire.nonIndexable === true ? { nonIndexable: true } : {}),
  };
  // No attributes are stored as no metadata.
  return Object.keys(metadata).length > 0 ? metadata : undefined;
}

export interface DeleteRequest {
  keys?: Uint8Array[];
  sinceTx?: RequestId;
}

export function deleteKeys(db: Database, request: DeleteRequest): TxHeader {
  if (id(request.sinceTx) > BigInt(db.last)) throw refuse.txNotFound();
  const specs: EntrySpec[] = [];
  const seen = new Set<string>();
  for (const key of request.keys ?? []) {
    if (key.length === 0) throw refuse.illegalArguments();
    const raw = plainKey(key);
    const name = toHex(key);
    // A reference is deleted as such, so it is not followed: only the newest entry of the key counts.
    const latest = db.index.latest(raw);
    if (!latest) throw new KeyNotFound();
    assertPresent(db, latest.entry);
    if (seen.has(name)) throw new KeyNotFound();
    seen.add(name);
    addSpec(db, specs, { key: raw, metadata: { deleted: true }, value: NOTHING });
  }
  return commitSpecs(db, specs, []);
}

function assertPresent(db: Database, entry: number): void {
  const metadata = db.log.metadata(entry);
  if (metadata?.expiresAt !== undefined && metadata.expiresAt <= BigInt(Math.floor(Date.now() / 1000))) {
    throw new KeyNotFound(true);
  }
  if (metadata?.deleted === true) throw new KeyNotFound();
}

export function setReference(db: Database, request: ReferenceRequest | null | undefined): TxHeader {
  if (!request) throw refuse.illegalArguments();
  const key = bytes(request.key);
  const referencedKey = bytes(request.referencedKey);
  if (key.length === 0 || referencedKey.length === 0) throw refuse.illegalArguments();
  const atTx = boundTx(request);
  const replaced = missingAsNothing(() => getAt(db, plainKey(key), atTx));
  if (replaced && !replaced.referencedBy) throw refuse.finalKeyIsPlain();
  assertPlainTarget(db, referencedKey, atTx);
  const specs: EntrySpec[] = [];
  addSpec(db, specs, { key: plainKey(key), value: referenceValue(atTx, referencedKey) });
  return commitSpecs(db, specs, readPreconditions(db, request.preconditions));
}

export function zAdd(db: Database, request: ZAddRequest | null | undefined): TxHeader {
  if (!request) throw refuse.illegalArguments();
  const set = bytes(request.set);
  const key = bytes(request.key);
  if (set.length === 0 || key.length === 0) throw refuse.illegalArguments();
  const atTx = boundTx(request);
  assertPlainTarget(db, key, atTx);
  const specs: EntrySpec[] = [];
  addSpec(db, specs, { key: sortedSetKey(set, request.score ?? 0, key, atTx), value: NOTHING });
  return commitSpecs(db, specs, []);
}

/** Outside ExecAll a bound reference names its tx, and only a bound one does. */
function boundTx(request: { atTx?: RequestId; boundRef?: boolean }): bigint {
  const atTx = id(request.atTx);
  if (atTx > 0n !== (request.boundRef === true)) throw refuse.illegalArguments();
  return atTx;
}

/** Throws unless the key holds a value of its own. */
export function assertPlainTarget(
  db: Database,
  userKey: Uint8Array,
  atTx: bigint,
  deletedFirst = false,
): void {
  const target = getAt(db, plainKey(userKey), atTx, { deletedFirst });
  if (target.referencedBy) throw refuse.referencedIsReference();
}

/** A missing or deleted key is nothing; an expired one is refused like any other error. */
export function missingAsNothing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof KeyNotFound && !error.expired) return undefined;
    throw error;
  }
}

/** The limits that immudb checks entry by entry, before it looks at preconditions. */
function addSpec(db: Database, specs: EntrySpec[], spec: EntrySpec): void {
  if (spec.key.length > db.limits.maxKeyBytes) throw refuse.keyTooLong();
  if (spec.value.length > db.limits.maxValueBytes) throw refuse.valueTooLong();
  if (specs.length > db.limits.maxTxEntries) throw refuse.tooManyEntries();
  specs.push(spec);
}

export function commitSpecs(
  db: Database,
  specs: readonly EntrySpec[],
  preconditions: readonly Precondition[],
): TxHeader {
  if (specs.length === 0) throw refuse.noEntries();
  if (specs.length > db.limits.maxTxEntries) throw refuse.tooManyEntries();
  assertPreconditionCount(db, preconditions);
  const prepared = db.prepare(specs);
  checkPreconditions(db, preconditions);
  return db.commit(prepared);
}
