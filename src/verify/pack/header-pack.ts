// Proven headers as columns, and how they travel back from a thread: column by column, copied once.
import type { PacketReader, PacketWriter } from './packet-cursor.js';

/** Proven headers of consecutive txs, as columns: what claims are held against. */
export interface HeaderPack {
  readonly first: bigint;
  readonly count: number;
  /** 32 bytes a header. */
  readonly alhs: Uint8Array;
  readonly eHs: Uint8Array;
  /** Unix seconds. */
  readonly times: BigInt64Array;
  readonly versions: Uint8Array;
  readonly entryCounts: Uint32Array;
}

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

/** Alh of a tx of the pack. */
export function alhIn({ first, alhs }: HeaderPack, tx: bigint): Uint8Array {
  const at = 32 * Number(tx - first);
  return alhs.subarray(at, at + 32);
}

/** Bytes of one header in its columns. */
export const COLUMN_BYTES = 32 + 32 + 8 + 1 + 4;

/** The columns one after the other, numbers little-endian: alike on every machine, to be kept. */
export function packColumns({ count, alhs, eHs, times, versions, entryCounts }: HeaderPack): Uint8Array {
  const bytes = new Uint8Array(COLUMN_BYTES * count);
  const view = new DataView(bytes.buffer);
  bytes.set(alhs);
  bytes.set(eHs, 32 * count);
  for (let i = 0; i < count; i++) view.setBigInt64(64 * count + 8 * i, times[i] as bigint, true);
  bytes.set(versions, 72 * count);
  for (let i = 0; i < count; i++) view.setUint32(73 * count + 4 * i, entryCounts[i] as number, true);
  return bytes;
}

/** Requires {@link COLUMN_BYTES} for each header. Hashes and versions view `bytes`. */
export function unpackColumns(first: bigint, bytes: Uint8Array): HeaderPack {
  const count = bytes.length / COLUMN_BYTES;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    first,
    count,
    alhs: bytes.subarray(0, 32 * count),
    eHs: bytes.subarray(32 * count, 64 * count),
    times: BigInt64Array.from({ length: count }, (_, i) => view.getBigInt64(64 * count + 8 * i, true)),
    versions: bytes.subarray(72 * count, 73 * count),
    entryCounts: Uint32Array.from({ length: count }, (_, i) => view.getUint32(73 * count + 4 * i, true)),
  };
}
