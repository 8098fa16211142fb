// Files and standard input as UTF-8, whatever their byte order mark says: one chunk after the other.
import { createReadStream } from 'node:fs';
import { addAbortSignal } from 'node:stream';
import { visible } from '../../../visible.js';
import type { Io } from '../../command.js';
import { STDIN } from '../../data/input.js';

/** So much decides about all of it: the longest byte order mark is 3 bytes. */
const MARK_BYTES = 4;

/** How a file is written, by its first bytes; `mark`: how many of them are no text. */
interface Encoding {
  readonly name: 'utf-8' | 'utf-16le' | 'utf-16be';
  readonly mark: number;
}

/** @throws Error for a file that cannot be read, or whose UTF-16 is broken */
export async function* textOf(
  file: string,
  { input, signal }: Pick<Io, 'input' | 'signal'>,
  onBytes: (read: number) => void,
): AsyncGenerator<Buffer, void, undefined> {
  const stream = file === STDIN ? addAbortSignal(signal, input()) : createReadStream(file, { signal });
  const text = new Decoder(file);
  for await (const read of stream as AsyncIterable<Uint8Array>) {
    onBytes(read.length);
    const decoded = text.next(Buffer.from(read.buffer, read.byteOffset, read.byteLength));
    if (decoded.length > 0) yield decoded;
  }
  const end = text.end();
  if (end.length > 0) yield end;
}

/** Any text to UTF-8. */
class Decoder {
  readonly #file: string;
  /** What has come while it was too little to tell. */
  #held: Buffer | undefined = Buffer.alloc(0);
  #decode: (chunk: Buffer, stream: boolean) => Buffer = (chunk) => chunk;

  constructor(file: string) {
    this.#file = file;
  }

  next(chunk: Buffer): Buffer {
    if (this.#held === undefined) return this.#decode(chunk, true);
    // Pipes may give one byte at a time.
    this.#held = Buffer.concat([this.#held, chunk]);
    return this.#held.length < MARK_BYTES ? Buffer.alloc(0) : this.#begin(this.#held);
  }

  end(): Buffer {
    const begun = this.#held === undefined ? Buffer.alloc(0) : this.#begin(this.#held);
    return Buffer.concat([begun, this.#decode(Buffer.alloc(0), false)]);
  }

  #begin(start: Buffer): Buffer {
    this.#held = undefined;
    const { name, mark } = encodingOf(start);
    if (name !== 'utf-8') this.#decode = decoderOf(this.#file, name);
    return this.#decode(start.subarray(mark), true);
  }
}

function encodingOf(start: Buffer): Encoding {
  const [a, b, c, d] = start;
  if (a === 0xef && b === 0xbb && c === 0xbf) return { name: 'utf-8', mark: 3 };
  if (a === 0xff && b === 0xfe) return { name: 'utf-16le', mark: 2 };
  if (a === 0xfe && b === 0xff) return { name: 'utf-16be', mark: 2 };
  // Without a mark: what a record begins with is ASCII, and no text has a NUL in it.
  if (a !== 0 && b === 0 && c !== 0 && d === 0) return { name: 'utf-16le', mark: 0 };
  if (a === 0 && b !== 0 && c === 0 && d !== 0) return { name: 'utf-16be', mark: 0 };
  return { name: 'utf-8', mark: 0 };
}

function decoderOf(file: string, name: 'utf-16le' | 'utf-16be'): (chunk: Buffer, stream: boolean) => Buffer {
  const decoder = new TextDecoder(name, { fatal: true, ignoreBOM: true });
  return (chunk, stream) => {
    try {
      return Buffer.from(decoder.decode(chunk, { stream }));
    } catch (cause) {
      throw new Error(`${visible(file)} begins as UTF-16, and is not all of it: make it UTF-8 first`, {
        cause,
      });
    }
  };
}
