// `immu-ts stream-set`: a large value, from a file or from standard input.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { addAbortSignal } from 'node:stream';
import type { Readable } from 'node:stream';
import { UsageError } from '../command.js';
import type { Io } from '../command.js';
import { countOf } from '../query-options.js';
import { KEY_OPTIONS, verifiedCommand } from './connect.js';
import { MAX_STREAM_BYTES, STDIN, keyOf, readInput } from './input.js';
import { showWrite } from './show.js';

export const streamSetCommand = verifiedCommand({
  name: 'stream-set',
  operand: 'KEY',
  second: 'FILE',
  summary:
    'Writes a file as a value, in pieces, in a transaction of its own, and proves it. FILE - : standard input.',
  options: {
    size: {
      type: 'string',
      value: 'N',
      says: 'with - : its bytes; without it all is read first, at most 32 MiB',
    },
    ...KEY_OPTIONS,
  },
  more: `1 byte to 32 MiB less one. A file that ends early, or Ctrl-C, writes nothing, or it is said that this is not certain.`,
  check({ size, ...options }, [key, file]) {
    keyOf(key, options);
    if (file === undefined) throw new UsageError('stream-set takes KEY and FILE (- reads standard input)');
    if (size !== undefined && file !== STDIN) throw new UsageError('--size goes with - for standard input');
    if (size !== undefined) countOf('size', size);
  },
  async run({ client, values, words: [word, file = STDIN], io, call }) {
    const key = keyOf(word, values);
    const { value, size } = await sourceOf(file, values.size, io);
    try {
      const options = { ...call, size };
      const write = values.unverified
        ? await client.streamSet(key, value, options)
        : await client.verifiedStreamSet(key, value, options);
      await showWrite(io, values.json, write);
      return 0;
    } finally {
      if (!Buffer.isBuffer(value)) value.destroy();
    }
  },
});

/** A size goes before its value: it must be known. */
async function sourceOf(
  file: string,
  given: string | undefined,
  io: Io,
): Promise<{ readonly value: Readable | Buffer; readonly size: number }> {
  if (file !== STDIN) {
    const { size } = await stat(file);
    return { value: createReadStream(file), size };
  }
  if (given !== undefined)
    return { value: addAbortSignal(io.signal, io.input()), size: countOf('size', given) };
  const value = await readInput(io, 'the value', MAX_STREAM_BYTES);
  return { value, size: value.length };
}
