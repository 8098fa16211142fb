// Finding entries by key, and following references, with immudb's rules for deleted and expired ones.
import { equalBytes } from '../../proof/bytes.js';
import type { KVMetadata } from '../../proof/types.js';
import type { Database } from '../engine/database.js';
import { KeyNotFound, refuse } from '../errors.js';
import type { TxId } from '../engine/tx-log.js';
import { wireKVMetadata } from '../wire/to-wire.js';
import type { WireEntry } from '../wire/messages.js';

const REFERENCE_PREFIX = 0x01;
/** A reference may lead to a plain entry, not to another reference. */
export const RESOLUTION_LIMIT = 1;

export function isExpired(metadata: KVMetadata | undefined): boolean {
  return metadata?.expiresAt !== undefined && metadata.expiresAt <= BigInt(Math.floor(Date.now() / 1000));
}

/** Ordinal of the entry with this raw key in a tx. Throws when there is no such tx or entry. */
export function findInTx(db: Database, key: Uint8Array, tx: bigint): number {
  const at = existingTx(db, tx);
  for (let ordinal = db.log.entriesStart(at); ordinal < db.log.entriesEnd(at); ordinal++) {
    if (equalBytes(db.log.key(ordinal), key)) return ordinal;
  }
  throw new KeyNotFound();
}

/** The id as this room uses it. Throws when the transaction does not exist. */
export function existingTx(db: Database, tx: bigint): TxId {
  if (tx === 0n) throw refuse.illegalArguments();
  if (tx > BigInt(db.last)) throw refuse.txNotFound();
  return Number(tx);
}

/** Newest version of a key, if it is neither deleted nor expired. */
function findLatest(
  db: Database,
  key: Uint8Array,
  deletedFirst: boolean,
): { entry: number; revisions: number } {
  const latest = db.index.latest(key);
  if (!latest) throw new KeyNotFound();
  const metadata = db.log.metadata(latest.entry);
  if (deletedFirst && metadata?.deleted === true) throw new KeyNotFound();
  if (isExpired(metadata)) throw new KeyNotFound(true);
  if (metadata?.deleted === true) throw new KeyNotFound();
  return latest;
}

export interface LookupOptions {
  /** References already followed. */
  readonly resolved?: number;
  /** Revision to report for an entry that is looked up by tx. */
  readonly revision?: number;
  /** Inside ExecAll a deleted entry counts as missing even when it has expired too. */
  readonly deletedFirst?: boolean;
}

/** Entry of a raw key in tx `atTx`, or its newest version for 0, with references followed. */
export function getAt(db: Database, key: Uint8Array, atTx: bigint, options: LookupOptions = {}): WireEntry {
  if (atTx === 0n) {
    const latest = findLatest(db, key, options.deletedFirst === true);
    return resolve(db, latest.entry, db.log.txOfEntry(latest.entry), latest.revisions, options);
  }
  const ordinal = findInTx(db, key, atTx);
  if (isExpired(db.log.metadata(ordinal))) throw new KeyNotFound(true);
  return resolve(db, ordinal, Number(atTx), options.revision ?? 0, options);
}

/** The entry as an answer; a reference is followed unless `unresolved`. */
export function resolve(
  db: Database,
  ordinal: number,
  tx: TxId,
  revision: number,
  options: LookupOptions & { readonly unresolved?: boolean } = {},
): WireEntry {
  const metadata = db.log.metadata(ordinal);
  if (metadata?.deleted === true) throw new KeyNotFound();
  const key = db.log.key(ordinal);
  const value = db.log.value(ordinal);
  if (value[0] !== REFERENCE_PREFIX) {
    const entry: WireEntry = { tx, key: key.subarray(1), value: value.subarray(1), revision };
    if (metadata) entry.metadata = wireKVMetadata(metadata);
    return entry;
  }
  const resolved = options.resolved ?? 0;
  if (resolved === RESOLUTION_LIMIT) throw refuse.resolutionLimit();
  const { atTx, target } = decodeReference(value);
  const entry: WireEntry =
    options.unresolved === true
      ? { key: target.subarray(1), tx: Number(atTx) }
      : getAt(db, target, atTx, { ...options, revision: 0, resolved: resolved + 1 });
  entry.referencedBy = { tx, key: key.subarray(1), atTx: Number(atTx), revision };
  if (metadata) entry.referencedBy.metadata = wireKVMetadata(metadata);
  return entry;
}

function decodeReference(value: Uint8Array): { atTx: bigint; target: Uint8Array } {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  return { atTx: view.getBigUint64(1), target: value.subarray(9) };
}
