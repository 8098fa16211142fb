// Decoding of transactions for people to look at (message Tx): entries with the raw values that come with them, or resolved.
// Nothing here is proven by being here; every list is bounded by the header beside it.
import { ProofFailure } from '../../proof/failure.js';
import type { TxEntry } from '../../proof/types.js';
import type { LazyTx } from './answers.js';
import { readEntry, readTxEntry } from './entries.js';
import type { Entry } from './entries.js';
import { WireReader } from './reader.js';
import { readMemberFields } from './z-entries.js';

const ENTRIES = 2;
const KV_ENTRIES = 3;
const Z_ENTRIES = 4;

/** An entry as it is stored. `value`: raw, and empty where none is shown. */
export interface ShownTxEntry extends TxEntry {
  readonly value: Uint8Array;
}

/** A member of a sorted set, with the entry that it leads to. */
export interface ShownMember {
  readonly set: Uint8Array;
  readonly key: Uint8Array;
  readonly score: number;
  readonly atTx: bigint;
  readonly entry?: Entry;
}

/** What a transaction wrote, as its keys lead to now. */
export interface ResolvedEntries {
  readonly entries: readonly Entry[];
  readonly members: readonly ShownMember[];
}

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Entries in their order, with the values that are shown. Throws when there are more than the header says. */
export function shownEntries(tx: LazyTx): ShownTxEntry[] {
  atMost(tx, tx.entryCount);
  const shown: ShownTxEntry[] = [];
  const reader = tx.message;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === ENTRIES) shown.push(readShownTxEntry(reader.message('Tx.entries')));
    else reader.skip();
  }
  return shown;
}

/** What was asked for with RESOLVE. Throws when there are more than the header says. */
export function resolvedEntries(tx: LazyTx): ResolvedEntries {
  const entries: Entry[] = [];
  const members: ShownMember[] = [];
  const reader = tx.message;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === KV_ENTRIES) entries.push(readEntry(reader.message('Tx.kvEntries')));
    else if (field === Z_ENTRIES) members.push(readMember(reader.message('Tx.zEntries')));
    else reader.skip();
    atMost(tx, entries.length + members.length);
  }
  return { entries, members };
}

/** Takes raw key and raw value of each entry that is shown, in their order; nothing else of them is read. Throws when there are too many. */
export function takeShownValues(tx: LazyTx, take: (key: Uint8Array, value: Uint8Array) => void): void {
  const reader = tx.message;
  let count = 0;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field !== ENTRIES) {
      reader.skip();
      continue;
    }
    atMost(tx, ++count);
    const entry = reader.message('Tx.entries');
    let [key, value] = [NO_BYTES, NO_BYTES];
    for (let of = entry.next(); of !== 0; of = entry.next()) {
      if (of === 1) key = entry.bytes('TxEntry.key');
      else if (of === 5) value = entry.bytes('TxEntry.value');
      else entry.skip();
    }
    take(key, value);
  }
}

function readShownTxEntry(reader: WireReader): ShownTxEntry {
  const values = reader.fork();
  let value = NO_BYTES;
  for (let field = values.next(); field !== 0; field = values.next()) {
    if (field === 5) value = values.bytes('TxEntry.value');
    else values.skip();
  }
  return { ...readTxEntry(reader), value };
}

function readMember(reader: WireReader): ShownMember {
  const { entry, ...member } = readMemberFields(reader);
  return entry ? { ...member, entry: readEntry(new WireReader(entry)) } : member;
}

function atMost({ header }: LazyTx, count: number): void {
  if (count <= header.nentries) return;
  throw new ProofFailure('wire.bound', 'Tx: more entries than the header says', header.nentries, count);
}
