// Counts of a stretch of transactions: gathered while it is checked, added up over stretches, carried between threads.
import type { PacketReader, PacketWriter } from './pack/packet-cursor.js';
import type { StretchCounts } from './verifier.js';

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
