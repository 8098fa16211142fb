// What jobs and verdicts are written and read with: flat buffers, and the parts that several of them have.
import { ByteReader, ByteWriter } from '../../proof/byte-cursor.js';
import { EMPTY_HASH, HASH_SIZE } from '../../proof/hash.js';
import type { KVMetadata } from '../../proof/types.js';
import type { FrontierPeaks, Root } from '../terms.js';

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

/** Fills one buffer from front to back. */
export class PacketWriter extends ByteWriter {
  constructor(size: number) {
    super(size, (length) => new Uint8Array(length));
  }

  /** What was written; the buffer itself when it is exactly full. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.length === this.buffer.length ? this.buffer : this.buffer.slice(0, this.length);
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
}

/** Reads such a buffer; runs of bytes are views of it. Throws RangeError where it ends too early. */
export class PacketReader extends ByteReader {
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
}
