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
  let held: Buffer | undefined = Buffer.alloc(0);
  let decode: (chunk?: Buffer) => Buffer = (chunk = Buffer.alloc(0)) => chunk;
  const begin = (start: Buffer) => {
    held = undefined;
    const { name, mark } = encodingOf(start);
    if (name !== 'utf-8') decode = decoderOf(file, name);
    return decode(start.subarray(mark));
  };
  for await (const read of stream as AsyncIterable<Uint8Array>) {
    onBytes(read.length);
    let chunk: Buffer = Buffer.from(read.buffer, read.byteOffset, read.byteLength);
    if (held) {
      // Pipes may give one byte at a time.
      held = Buffer.concat([held, chunk]);
      if (held.length < MARK_BYTES) continue;
      chunk = begin(held);
    } else chunk = decode(chunk);
    if (chunk.length > 0) yield chunk;
  }
  const rest = held ? begin(held) : Buffer.alloc(0);
  const end = Buffer.concat([rest, decode()]);
  if (end.length > 0) yield end;
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

/** UTF-16 to UTF-8; called without a chunk at the end. */
function decoderOf(file: string, name: 'utf-16le' | 'utf-16be'): (chunk?: Buffer) => Buffer {
  const decoder = new TextDecoder(name, { fatal: true, ignoreBOM: true });
  return (chunk) => {
    try {
      return Buffer.from(decoder.decode(chunk, { stream: chunk !== undefined }));
    } catch (cause) {
      throw new Error(`${visible(file)} begins as UTF-16, and is not all of it: make it UTF-8 first`, {
        cause,
      });
    }
  };
}
