// Lines of files and of standard input, one after the other: however many there are, one chunk of them is held.
import { createReadStream } from 'node:fs';
import { addAbortSignal } from 'node:stream';
import type { Readable } from 'node:stream';
import type { Io } from '../../command.js';
import { MAX_VALUE_BYTES, STDIN } from '../../data/input.js';

/** Longest line: JSON of a value may be some longer than it. */
const MAX_LINE_BYTES = 2 * MAX_VALUE_BYTES;
const LF = 10;
const CR = 13;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

export interface Line {
  readonly file: string;
  /** From 1. */
  readonly number: number;
  /** Without its end. */
  readonly bytes: Buffer;
}

/** @throws Error for a file that cannot be read, is UTF-16, or has a line that is too long */
export async function* linesOf(
  files: readonly string[],
  { input, signal }: Pick<Io, 'input' | 'signal'>,
  onBytes: (read: number) => void,
): AsyncGenerator<Line, void, undefined> {
  for (const file of files) {
    const stream = file === STDIN ? addAbortSignal(signal, input()) : createReadStream(file, { signal });
    let number = 0;
    for await (const bytes of split(stream, file, onBytes)) {
      number += 1;
      yield { file, number, bytes };
    }
  }
}

async function* split(
  stream: Readable,
  file: string,
  onBytes: (read: number) => void,
): AsyncGenerator<Buffer, void, undefined> {
  /** What has come of a line whose end has not. */
  let begun: Buffer[] = [];
  let length = 0;
  let first = true;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    onBytes(chunk.length);
    let bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (first) {
      first = false;
      if (isUtf16(bytes)) throw new Error(`${file} is UTF-16: make it UTF-8 first`);
      if (bytes.subarray(0, BOM.length).equals(BOM)) bytes = bytes.subarray(BOM.length);
    }
    let from = 0;
    for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, from)) {
      const line = bytes.subarray(from, end);
      yield withoutReturn(begun.length === 0 ? line : Buffer.concat([...begun, line]));
      begun = [];
      length = 0;
      from = end + 1;
    }
    if (from === bytes.length) continue;
    begun.push(bytes.subarray(from));
    length += bytes.length - from;
    if (length > MAX_LINE_BYTES) throw new Error(`${file} has a line of more than ${MAX_LINE_BYTES} bytes`);
  }
  if (length > 0) yield withoutReturn(Buffer.concat(begun));
}

function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === CR ? line.subarray(0, -1) : line;
}

function isUtf16(bytes: Buffer): boolean {
  const [a, b] = bytes;
  return (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff);
}
