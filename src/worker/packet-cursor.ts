// Writing and reading of flat buffers: big-endian numbers and runs of bytes, nothing else.
import { EMPTY_HASH, HASH_SIZE } from '../proof/hash.js';
import type { KVMetadata } from '../proof/types.js';
import type { FrontierPeaks, Root } from './verifier.js';

const KV_PRESENT = 1;
const KV_DELETED = 2;
const KV_EXPIRES = 4;
const KV_NON_INDEXABLE = 8;

/** Bytes that {@link PacketWriter.kvMetadata}, `root` and `frontier` take. */
export function kvMetadataSize(metadata: KVMetadata | undefined): number {
  return metadata?.expiresAt === undefined ? 1 : 9;
}
export const ROOT_SIZE = 8 + HASH_SIZE;
export function frontierSize(frontier: FrontierPeaks): number {
  return 9 + frontier.peaks.length * HASH_SIZE;
}

/** Fills one buffer from front to back. It grows when it must: give the exact size and it never does. */
export class PacketWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #at = 0;

  constructor(size: number) {
    this.#bytes = new Uint8Array(size);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** What was written; the buffer itself when it is exactly full. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#at === this.#bytes.length ? this.#bytes : this.#bytes.slice(0, this.#at);
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
  }

  u16(value: number): void {
    this.#reserve(2);
    this.#view.setUint16(this.#at, value);
    this.#at += 2;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#at, value);
    this.#at += 4;
  }

  u64(value: bigint): void {
    this.#reserve(8);
    this.#view.setBigUint64(this.#at, value);
    this.#at += 8;
  }

  i64(value: bigint): void {
    this.#reserve(8);
    this.#view.setBigInt64(this.#at, value);
    this.#at += 8;
  }

  /** Bytes whose number the reader knows. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** u32 length, then the bytes. */
  bytes(bytes: Uint8Array): void {
    this.u32(bytes.length);
    this.raw(bytes);
  }

  root(root: Root): void {
    this.u64(root.tx);
    this.raw(root.alh);
  }

  kvMetadata(metadata: KVMetadata | undefined): void {
    if (!metadata) {
      this.u8(0);
      return;
    }
    const { deleted, expiresAt, nonIndexable } = metadata;
    const expires = expiresAt !== undefined;
    this.u8(
      KV_PRESENT |
        (deleted === true ? KV_DELETED : 0) |
        (expires ? KV_EXPIRES : 0) |
        (nonIndexable === true ? KV_NON_INDEXABLE : 0),
    );
    if (expires) this.i64(expiresAt);
  }

  frontier(frontier: FrontierPeaks): void {
    this.u64(frontier.size);
    this.u8(frontier.peaks.length);
    for (const peak of frontier.peaks) this.raw(peak);
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#at + length, 256));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

/** Reads such a buffer; runs of bytes are views of it. Throws RangeError where it ends too early. */
export class PacketReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#advance(8));
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#advance(8));
  }

  raw(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, this.#at);
  }

  digest(): Uint8Array {
    return this.raw(HASH_SIZE);
  }

  bytes(): Uint8Array {
    return this.raw(this.u32());
  }

  root(): Root {
    return { tx: this.u64(), alh: this.digest() };
  }

  kvMetadata(): KVMetadata | undefined {
    const flags = this.u8();
    if (flags === 0) return undefined;
    return {
      ...((flags & KV_DELETED) !== 0 && { deleted: true }),
      ...((flags & KV_EXPIRES) !== 0 && { expiresAt: this.i64() }),
      ...((flags & KV_NON_INDEXABLE) !== 0 && { nonIndexable: true }),
    };
  }

  frontier(): FrontierPeaks {
    const size = this.u64();
    const peaks = new Array<Uint8Array>(this.u8()).fill(EMPTY_HASH);
    for (let i = 0; i < peaks.length; i++) peaks[i] = this.digest();
    return { size, peaks };
  }

  #advance(length: number): number {
    const start = this.#at;
    if (length > this.#bytes.length - start) throw new RangeError('the packet ends too early');
    this.#at = start + length;
    return start;
  }
}
