// TxById and TxScan: transactions as they were committed, with their entries in the form that was asked for.
import type { Database } from '../engine/database.js';
import { refuse } from '../errors.js';
import { RESOLUTION_LIMIT, existingTx, getAt, isExpired, resolve } from './lookup.js';
import { MAX_RESULTS, assertReached, foundOnly, readSortedSetKey } from './reads.js';
import { wireHeader, wireTxEntry } from '../wire/to-wire.js';
import type { TxId } from '../engine/tx-log.js';
import { id } from '../wire/messages.js';
import type {
  EntriesSpec,
  TxRequest,
  TxScanRequest,
  WireTx,
  WireTxEntry,
  WireZEntry,
} from '../wire/messages.js';

const SORTED_SET_KIND = 0x01;

export function txById(db: Database, request: TxRequest): WireTx {
  if (request.keepReferencesUnresolved !== true) assertReached(db, request.sinceTx);
  const tx = existingTx(db, id(request.tx));
  return serializeTx(db, tx, request.entriesSpec, request.keepReferencesUnresolved === true);
}

export function txScan(db: Database, request: TxScanRequest): { txs: WireTx[] } {
  const limit = request.limit ?? 0;
  if (limit > MAX_RESULTS) throw refuse.resultTooLarge(limit, MAX_RESULTS);
  assertReached(db, request.sinceTx);
  const initial = id(request.initialTx);
  if (initial === 0n) throw refuse.illegalArguments();
  const txs: WireTx[] = [];
  if (initial > BigInt(db.last)) return { txs };
  const step = request.desc === true ? -1 : 1;
  let tx = Number(initial);
  for (let left = limit === 0 ? MAX_RESULTS : limit; left > 0 && tx >= 1 && tx <= db.last; left--) {
    txs.push(serializeTx(db, tx, request.entriesSpec, false));
    tx += step;
  }
  return { txs };
}

/** Without a spec: every entry as digest. With one: what it names of each kind, in the form it names. */
export function serializeTx(
  db: Database,
  tx: TxId,
  spec: EntriesSpec | null | undefined,
  unresolved: boolean,
): WireTx {
  const wire: WireTx = { header: wireHeader(db.log.header(tx)) };
  const end = db.log.entriesEnd(tx);
  for (let ordinal = db.log.entriesStart(tx); ordinal < end; ordinal++) {
    if (!spec) {
      (wire.entries ??= []).push(wireTxEntry(db, ordinal));
      continue;
    }
    const isMember = db.log.key(ordinal)[0] === SORTED_SET_KIND;
    const action = (isMember ? spec.zEntriesSpec : spec.kvEntriesSpec)?.action;
    if (action === 'ONLY_DIGEST') {
      (wire.entries ??= []).push(wireTxEntry(db, ordinal));
    } else if (action === 'RAW_VALUE') {
      if (!isExpired(db.log.metadata(ordinal))) (wire.entries ??= []).push(withValue(db, ordinal));
    } else if (action === 'RESOLVE') {
      if (isMember) addMember(db, wire, ordinal, unresolved);
      else addEntry(db, wire, tx, ordinal, unresolved);
    }
  }
  return wire;
}

function withValue(db: Database, ordinal: number): WireTxEntry {
  return { ...wireTxEntry(db, ordinal), value: db.log.value(ordinal) };
}

function addEntry(db: Database, wire: WireTx, tx: TxId, ordinal: number, unresolved: boolean): void {
  if (isExpired(db.log.metadata(ordinal))) return;
  const entry = foundOnly(() => resolve(db, ordinal, tx, 0, { unresolved }));
  if (entry) (wire.kvEntries ??= []).push(entry);
}

function addMember(db: Database, wire: WireTx, ordinal: number, unresolved: boolean): void {
  const { set, score, key, atTx } = readSortedSetKey(db.log.key(ordinal));
  const member: WireZEntry = { set, key: key.subarray(1), score, atTx: Number(atTx) };
  if (!unresolved) {
    const entry = foundOnly(() => getAt(db, key, atTx, { resolved: RESOLUTION_LIMIT }));
    if (!entry) return;
    member.entry = entry;
  }
  (wire.zEntries ??= []).push(member);
}
