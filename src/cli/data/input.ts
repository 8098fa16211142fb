// What people hand to the commands that read and write: keys, values, standard input.
import { addAbortSignal } from 'node:stream';
import { UsageError } from '../command.js';
import type { Io } from '../command.js';

/** What stands for standard input in place of a value or a file. */
export const STDIN = '-';
/** The largest value that an immudb takes in one request, and the largest that it takes at all, by stream. */
export const MAX_VALUE_BYTES = 32 * 1024 * 1024 - 4096;
export const MAX_STREAM_BYTES = 32 * 1024 * 1024 - 1;

/** A key as it was given. @throws UsageError */
export function keyOf(
  word: string | undefined,
  { base64 }: { readonly base64: boolean },
): Uint8Array | string {
  if (word === undefined || word === '') throw new UsageError('no KEY');
  return base64 ? fromBase64('KEY', word) : word;
}

/** All of standard input. @throws Error when it is longer than `max` bytes */
export async function readInput({ input, signal }: Io, what: string, max = MAX_VALUE_BYTES): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of addAbortSignal(signal, input()) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > max) throw new Error(`${what} on standard input is longer than ${max} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** @throws UsageError naming `name` */
export function fromBase64(name: string, text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  // Node passes over what is no base64.
  if (bytes.toString('base64').replace(/=+$/, '') !== text.replace(/=+$/, ''))
    throw new UsageError(`${name} is not base64: ${JSON.stringify(text)}`);
  return bytes;
}
