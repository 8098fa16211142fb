// Messages inside byte streams: `be64(length) ‖ payload`, cut into chunks (docs/protocol.md §25).
import { be64, concatAll, concatBytes } from '../../proof/bytes.js';

const CHUNK_BYTES = 1 << 16;

/** Chunks of one message; every message starts in a chunk of its own. */
export function* chunksOf(message: Uint8Array): Generator<Uint8Array> {
  const framed = concatBytes(be64(BigInt(message.length)), message);
  for (let at = 0; at < framed.length; at += CHUNK_BYTES) yield framed.subarray(at, at + CHUNK_BYTES);
}

/** Reads messages from the bytes of a whole stream, wherever its chunks were cut. */
export class MessageReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(chunks: readonly Uint8Array[]) {
    this.#bytes = concatAll(chunks);
  }

  /** The next message. Undefined at the end, at a message that is cut off, and, as in immudb, at an empty one. */
  next(): Uint8Array | undefined {
    const { length } = this.#bytes;
    if (this.#at + 8 > length) return undefined;
    const size = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, 8).getBigUint64(0);
    const start = this.#at + 8;
    if (size > BigInt(length - start)) return undefined;
    this.#at = start + Number(size);
    return size === 0n ? undefined : this.#bytes.subarray(start, this.#at);
  }
}
