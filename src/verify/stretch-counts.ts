// Counts of a stretch of transactions: gathered while it is checked, added up over stretches, carried between threads.
import type { PacketReader, PacketWriter } from './pack/packet-cursor.js';

/** What was found in a stretch of txs, and how much of it was checked. */
export interface StretchCounts {
  readonly txs: number;
  /** All of them hashed to their header's entries root. */
  readonly entries: number;
  /** Entries by the kind of their key; together all entries. */
  readonly keyValue: number;
  readonly sortedSet: number;
  readonly sql: number;
  readonly document: number;
  readonly otherKind: number;
  /** Entries by attribute. */
  readonly deleted: number;
  readonly expiring: number;
  /** Those of them, documents apart, that had expired by our clock. */
  readonly expired: number;
  /** Values hashed, and their bytes. */
  readonly values: number;
  readonly valueBytes: number;
  /** Entries whose value was asked for and not shown. */
  readonly valuesNotShown: number;
  /** Of these: entries that had expired, and documents. Servers do not show them in this way. */
  readonly valuesExpired: number;
  readonly valuesOfDocuments: number;
  /** Headers whose tree root was recomputed; those that commit to no tree among them. */
  readonly treeRoots: number;
  /** Headers whose tree ends before the stretch, as tree lag leaves it: their root was not recomputed. */
  readonly treeRootsNotChecked: number;
}

export type MutableCounts = { -readonly [Name in keyof StretchCounts]: number };

export function noCounts(): MutableCounts {
  return {
    txs: 0,
    entries: 0,
    keyValue: 0,
    sortedSet: 0,
    sql: 0,
    document: 0,
    otherKind: 0,
    deleted: 0,
    expiring: 0,
    expired: 0,
    values: 0,
    valueBytes: 0,
    valuesNotShown: 0,
    valuesExpired: 0,
    valuesOfDocuments: 0,
    treeRoots: 0,
    treeRootsNotChecked: 0,
  };
}

export const COUNT_NAMES = Object.keys(noCounts()) as readonly (keyof StretchCounts)[];

export function addCounts(sum: MutableCounts, counts: StretchCounts): void {
  for (const name of COUNT_NAMES) sum[name] += counts[name];
}

export function writeCounts(writer: PacketWriter, counts: StretchCounts): void {
  for (const name of COUNT_NAMES) writer.u64(BigInt(counts[name]));
}

export function readCounts(reader: PacketReader): StretchCounts {
  const counts = noCounts();
  for (const name of COUNT_NAMES) counts[name] = Number(reader.u64());
  return counts;
}
