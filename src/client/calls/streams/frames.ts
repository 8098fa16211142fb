// Messages in a stream of chunks (docs/protocol.md §25): `be64(length) ‖ payload`, wherever the chunks are cut.
import { TransportError } from '../../../errors.js';
import type { Chunk } from '../../../wire/messages.js';
import type { Messages } from '../../net/incoming.js';
import type { Body } from '../../net/outgoing.js';

const NOTHING: Uint8Array = new Uint8Array(0);
const LENGTH_BYTES = 8;

/** A stream that is not made of messages, or not of those that were asked for. */
export class FrameFault extends TransportError {
  constructor(what: string) {
    super('UNAVAILABLE', `the server's stream ${what}`);
  }
}

/** Takes messages apart as they come. Lengths are the server's word: nothing is allocated for one that is not bounded. */
export class FrameReader {
  readonly #chunks: Messages<Chunk>;
  #rest: Uint8Array = NOTHING;

  constructor(chunks: Messages<Chunk>) {
    this.#chunks = chunks;
  }

  /** Bytes as they come, at most `max`, at least one; undefined at the end of the stream. A view that nobody else holds. */
  async piece(max: number = Infinity): Promise<Uint8Array | undefined> {
    while (this.#rest.length === 0) {
      const chunk = await this.#chunks.next();
      if (!chunk) return undefined;
      this.#rest = chunk.content ?? NOTHING;
    }
    const { buffer, byteOffset, length } = this.#rest;
    const taken = Math.min(max, length);
    // A plain view of what may be a Buffer.
    const piece = new Uint8Array(buffer, byteOffset, taken);
    this.#rest = this.#rest.subarray(taken);
    return piece;
  }

  /** Length of the next message; undefined at the end of the stream. Throws {@link FrameFault} where it is cut off. */
  async length(): Promise<bigint | undefined> {
    const bytes = await this.#exactly(LENGTH_BYTES);
    return bytes && new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0);
  }

  /**
   * The next message, whole; undefined at the end of the stream. Throws {@link FrameFault} where it is cut off, or longer than
   * `max`.
   */
  async whole(what: string, max: number): Promise<Uint8Array | undefined> {
    const length = await this.length();
    if (length === undefined) return undefined;
    if (length > BigInt(max)) throw new FrameFault(`has ${what} of ${length.toString()} bytes`);
    if (length === 0n) return NOTHING;
    const message = await this.#exactly(Number(length));
    if (!message) throw new FrameFault(`ends before ${what}`);
    return message;
  }

  /** A copy of the next bytes; undefined when there are none at all. */
  async #exactly(count: number): Promise<Uint8Array | undefined> {
    const first = await this.piece(count);
    if (!first) return undefined;
    if (first.length === count) return first.slice();
    const parts = [first];
    for (let have = first.length; have < count;) {
      const more = await this.piece(count - have);
      if (!more) throw new FrameFault('ends within a message');
      parts.push(more);
      have += more.length;
    }
    const bytes = new Uint8Array(count);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }
}

/** Bytes of a chunk, as immudb cuts them. */
const CHUNK_BYTES = 1 << 16;
/** Chunk.content in its wire form: its tag, and a length of up to three bytes. */
const CONTENT = 0x0a;
const HEADER_BYTES = 4;

/** Cuts messages into chunks. Every message starts in a chunk of its own. */
export class FrameWriter {
  readonly #body: Body;
  #chunk: Buffer | undefined;
  #at = 0;

  constructor(body: Body) {
    this.#body = body;
  }

  /** A message whole. */
  async whole(message: Uint8Array): Promise<void> {
    await this.begin(message.length);
    await this.piece(message);
    await this.end();
  }

  /** A message of so many bytes begins. */
  async begin(size: number): Promise<void> {
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeBigUInt64BE(BigInt(size));
    await this.piece(length);
  }

  /** Some of its bytes. They are copied, and `sent` is told of the copies: what it sees is what leaves. */
  async piece(bytes: Uint8Array, sent?: (copy: Uint8Array) => void): Promise<void> {
    for (let from = 0; from < bytes.length;) {
      const chunk = (this.#chunk ??= Buffer.allocUnsafeSlow(HEADER_BYTES + CHUNK_BYTES));
      const room = CHUNK_BYTES - this.#at;
      const part = bytes.subarray(from, from + room);
      const at = HEADER_BYTES + this.#at;
      chunk.set(part, at);
      sent?.(chunk.subarray(at, at + part.length));
      this.#at += part.length;
      from += part.length;
      if (this.#at === CHUNK_BYTES) await this.end();
    }
  }

  /** What is left of the message leaves. */
  async end(): Promise<void> {
    const chunk = this.#chunk;
    if (!chunk || this.#at === 0) return;
    const length = this.#at;
    this.#chunk = undefined;
    this.#at = 0;
    await this.#body.send(framed(chunk, length));
  }
}

/** Puts the header of the wire form right before the content. */
function framed(chunk: Buffer, length: number): Buffer {
  let rest = length;
  const digits: number[] = [];
  do {
    digits.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  const start = HEADER_BYTES - 1 - digits.length;
  chunk[start] = CONTENT;
  digits.forEach((digit, i) => (chunk[start + 1 + i] = digit));
  return chunk.subarray(start, HEADER_BYTES + length);
}
