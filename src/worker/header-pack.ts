// Proven headers as columns, and how they travel back from a thread: column by column, copied once.
import type { PacketReader, PacketWriter } from './packet-cursor.js';
import type { HeaderPack } from './verifier.js';

export function writeHeaderPack(writer: PacketWriter, pack: HeaderPack): void {
  writer.u64(pack.first);
  writer.u32(pack.count);
  for (const column of columns(pack)) writer.raw(column);
}

export function readHeaderPack(reader: PacketReader): HeaderPack {
  const first = reader.u64();
  const count = reader.u32();
  const pack = emptyPack(first, count);
  for (const column of columns(pack)) column.set(reader.raw(column.length));
  return pack;
}

/** Numbers travel in this machine's byte order: they do not leave it. */
function columns({ alhs, eHs, times, versions, entryCounts }: HeaderPack): Uint8Array[] {
  const bytesOf = (column: BigInt64Array | Uint32Array) =>
    new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
  return [alhs, eHs, bytesOf(times), versions, bytesOf(entryCounts)];
}

export function emptyPack(first: bigint, count: number): HeaderPack {
  return {
    first,
    count,
    alhs: new Uint8Array(32 * count),
    eHs: new Uint8Array(32 * count),
    times: new BigInt64Array(count),
    versions: new Uint8Array(count),
    entryCounts: new Uint32Array(count),
  };
}
