// Get, GetAll, History, Scan, ZScan and Count, with immudb's limits and its order of checks.
import { plainKey } from '../../proof/entry.js';
import { be64, concatBytes } from '../../proof/bytes.js';
import type { Database } from '../engine/database.js';
import { KeyNotFound, refuse } from '../errors.js';
import { readKeys } from './key-reader.js';
import type { KeyRange } from './key-reader.js';
import type { Latest } from '../engine/key-index.js';
import { RESOLUTION_LIMIT, getAt, isExpired } from './lookup.js';
import { wireKVMetadata } from '../wire/to-wire.js';
import { bytes, id } from '../wire/messages.js';
import type {
  HistoryRequest,
  KeyRequest,
  RequestId,
  ScanRequest,
  WireEntry,
  WireZEntry,
  ZScanRequest,
} from '../wire/messages.js';

/** Most results of one answer; what a request gets that names no limit. */
export const MAX_RESULTS = 2500;
const NOTHING = new Uint8Array(0);
const SORTED_SET_PREFIX = new Uint8Array([1]);

export function get(db: Database, request: KeyRequest | null | undefined): WireEntry {
  if (!request) throw refuse.illegalArgumentsBecause('empty request');
  const key = bytes(request.key);
  if (key.length === 0) throw refuse.illegalArgumentsBecause('empty key');
  const atTx = id(request.atTx);
  const sinceTx = id(request.sinceTx);
  const atRevision = id(request.atRevision);
  if (atTx > 0n) {
    if (sinceTx > 0n)
      throw refuse.illegalArgumentsBecause('SinceTx should not be specified when AtTx is used');
    if (atRevision !== 0n)
      throw refuse.illegalArgumentsBecause('AtRevision should not be specified when AtTx is used');
  }
  if (sinceTx > BigInt(db.last)) {
    throw refuse.illegalArgumentsBecause('SinceTx must not be greater than the current transaction ID');
  }
  return atRevision === 0n ? getAt(db, plainKey(key), atTx) : getAtRevision(db, plainKey(key), atRevision);
}

/** Versions count from 1; negative ones back from the newest. */
function getAtRevision(db: Database, key: Uint8Array, atRevision: bigint): WireEntry {
  const latest = db.index.latest(key);
  if (!latest) throw new KeyNotFound();
  const revision = atRevision > 0n ? atRevision : BigInt(latest.revisions) + atRevision;
  if (revision < 1n || revision > BigInt(latest.revisions)) throw refuse.invalidRevision();
  const entry = db.index.version(latest, Number(revision));
  return getAt(db, key, BigInt(db.log.txOfEntry(entry)), { revision: Number(revision) });
}

export function getAll(
  db: Database,
  request: { readonly keys?: Uint8Array[]; readonly sinceTx?: RequestId },
): { entries: WireEntry[] } {
  assertReached(db, request.sinceTx);
  const entries: WireEntry[] = [];
  for (const key of request.keys ?? []) {
    const entry = foundOnly(() => getAt(db, plainKey(key), 0n));
    if (entry) entries.push(entry);
  }
  return { entries };
}

export function history(db: Database, request: HistoryRequest): { entries: WireEntry[] } {
  const limit = request.limit ?? 0;
  if (limit > MAX_RESULTS) throw refuse.resultTooLarge(limit, MAX_RESULTS);
  assertReached(db, request.sinceTx);
  if (limit < 0) throw refuse.readerArguments();
  const latest = db.index.latest(plainKey(bytes(request.key)));
  if (!latest) throw new KeyNotFound();
  const total = BigInt(latest.revisions);
  const offset = id(request.offset);
  if (offset === total) throw refuse.noMoreEntries();
  if (offset > total) return { entries: [] };
  const count = Math.min(limit === 0 ? MAX_RESULTS : limit, Number(total - offset));
  const newest = request.desc === true ? Number(total - offset) : Number(offset) + count;
  const entries = db.index
    .versions(latest, newest, newest - count + 1)
    .map((ordinal, nth) => historyEntry(db, bytes(request.key), ordinal, newest - nth));
  return { entries: request.desc === true ? entries : entries.reverse() };
}

/** Deleted and expired versions are listed too, the latter without their values; references are not followed. */
function historyEntry(db: Database, key: Uint8Array, ordinal: number, revision: number): WireEntry {
  const metadata = db.log.metadata(ordinal);
  const entry: WireEntry = { tx: db.log.txOfEntry(ordinal), key, revision };
  if (metadata) entry.metadata = wireKVMetadata(metadata);
  if (isExpired(metadata)) entry.expired = true;
  else if (db.log.valueLength(ordinal) > 0) entry.value = db.log.value(ordinal).subarray(1);
  return entry;
}

export function scan(db: Database, request: ScanRequest): { entries: WireEntry[] } {
  assertReached(db, request.sinceTx);
  const limit = assertLimit(id(request.limit));
  const range: KeyRange = {
    seekKey: rawOrNothing(request.seekKey),
    endKey: rawOrNothing(request.endKey),
    prefix: plainKey(bytes(request.prefix)),
    descending: request.desc === true,
    inclusiveSeek: request.inclusiveSeek === true,
    inclusiveEnd: request.inclusiveEnd === true,
  };
  const entries: WireEntry[] = [];
  for (const latest of page(db, range, id(request.offset), limit)) {
    const tx = BigInt(db.log.txOfEntry(latest.entry));
    const key = db.log.key(latest.entry);
    const entry = foundOnly(() => getAt(db, key, tx, { revision: latest.revisions }));
    if (entry) entries.push(entry);
  }
  return { entries };
}

export function zScan(db: Database, request: ZScanRequest): { entries: WireZEntry[] } {
  const set = bytes(request.set);
  if (set.length === 0) throw refuse.illegalArguments();
  const limit = assertLimit(id(request.limit));
  assertReached(db, request.sinceTx);
  const prefix = concatBytes(SORTED_SET_PREFIX, be64(BigInt(set.length)), set);
  const range: KeyRange = {
    seekKey: sortedSetSeek(request, prefix),
    endKey: NOTHING,
    prefix,
    descending: request.desc === true,
    inclusiveSeek: request.inclusiveSeek === true,
    inclusiveEnd: false,
  };
  const entries: WireZEntry[] = [];
  for (const latest of page(db, range, id(request.offset), limit)) {
    const member = readSortedSetKey(db.log.key(latest.entry));
    if (request.minScore && member.score < (request.minScore.score ?? 0)) continue;
    if (request.maxScore && member.score > (request.maxScore.score ?? 0)) continue;
    const entry = foundOnly(() => getAt(db, member.key, member.atTx, { resolved: RESOLUTION_LIMIT }));
    if (!entry) continue;
    entries.push({ set, key: member.key.subarray(1), entry, score: member.score, atTx: Number(member.atTx) });
  }
  return { entries };
}

/** Where a walk through a sorted set begins: scores are ordered by their bits, so they are compared as bytes. */
function sortedSetSeek(request: ZScanRequest, prefix: Uint8Array): Uint8Array {
  const seekKey = bytes(request.seekKey);
  if (seekKey.length > 0) {
    const raw = plainKey(seekKey);
    return concatBytes(
      prefix,
      scoreBits(request.seekScore ?? 0),
      be64(BigInt(raw.length)),
      raw,
      be64(id(request.seekAtTx)),
    );
  }
  if (request.desc === true) {
    return concatBytes(
      prefix,
      scoreBits(request.maxScore ? (request.maxScore.score ?? 0) : Number.MAX_VALUE),
    );
  }
  return concatBytes(prefix, scoreBits(request.minScore ? (request.minScore.score ?? 0) : 0));
}

function scoreBits(score: number): Uint8Array {
  const bits = new Uint8Array(8);
  new DataView(bits.buffer).setFloat64(0, score);
  return bits;
}

export interface SortedSetMember {
  readonly set: Uint8Array;
  readonly score: number;
  /** Raw key of the member. */
  readonly key: Uint8Array;
  readonly atTx: bigint;
}

/** Parts of a sorted-set entry's raw key. */
export function readSortedSetKey(raw: Uint8Array): SortedSetMember {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const setEnd = 9 + Number(view.getBigUint64(1));
  return {
    set: raw.subarray(9, setEnd),
    score: view.getFloat64(setEnd),
    key: raw.subarray(setEnd + 16, raw.length - 8),
    atTx: view.getBigUint64(raw.length - 8),
  };
}

/** Counts keys by prefix, deleted and expired ones included. */
export function count(db: Database, prefix: Uint8Array): { count: number } {
  const range: KeyRange = {
    seekKey: NOTHING,
    endKey: NOTHING,
    prefix: plainKey(prefix),
    descending: false,
    inclusiveSeek: false,
    inclusiveEnd: false,
  };
  return { count: [...readKeys(db.index, range, db.limits.maxKeyBytes)].length };
}

/** Present keys of a range behind an offset. Keys that turn out unreadable later count against the limit too. */
function* page(db: Database, range: KeyRange, offset: bigint, limit: number): Generator<Latest> {
  let skipped = 0n;
  let given = 0;
  for (const latest of readKeys(db.index, range, db.limits.maxKeyBytes)) {
    const metadata = db.log.metadata(latest.entry);
    if (metadata?.deleted === true || isExpired(metadata)) continue;
    if (skipped < offset) {
      skipped++;
      continue;
    }
    yield latest;
    given++;
    if (given === limit) return;
  }
}

function rawOrNothing(key: Uint8Array | undefined): Uint8Array {
  return bytes(key).length === 0 ? NOTHING : plainKey(bytes(key));
}

export function assertReached(db: Database, sinceTx: RequestId): void {
  if (id(sinceTx) > BigInt(db.last)) throw refuse.illegalArguments();
}

function assertLimit(limit: bigint): number {
  if (limit > BigInt(MAX_RESULTS)) throw refuse.resultTooLarge(limit, MAX_RESULTS);
  return limit === 0n ? MAX_RESULTS : Number(limit);
}

/** Missing, deleted and expired entries are nothing. */
export function foundOnly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof KeyNotFound) return undefined;
    throw error;
  }
}
