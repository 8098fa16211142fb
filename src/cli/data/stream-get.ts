// `immu-ts stream-get`: a large value, to standard output or into a file.
import { UsageError } from '../command.js';
import type { Output } from '../output.js';
import { writeWholeFile } from '../whole-file.js';
import { visible } from '../../visible.js';
import { KEY_OPTIONS, verifiedCommand } from './connect.js';
import { keyOf } from './input.js';
import { jsonLine } from './show.js';

export const streamGetCommand = verifiedCommand({
  name: 'stream-get',
  operand: 'KEY',
  summary: 'Reads a large value in pieces and proves it.',
  options: {
    out: {
      type: 'string',
      value: 'FILE',
      says: 'into a new file, which is there only when all of it is proven',
    },
    early: { type: 'boolean', says: 'to standard output as it comes: it is proven, or not, at its end only' },
    ...KEY_OPTIONS,
  },
  more: `To standard output, the value is held in memory (at most 32 MiB) until it is proven; with --early it is not, and
exit code 3 says that what was written is not the value. Exit code 1: there is no such key, by the server's word.`,
  check({ out, early, ...options }, [key]) {
    keyOf(key, options);
    if (early && out !== undefined) throw new UsageError('--early goes without --out');
    const { json = false, unverified = false } = options as { json?: boolean; unverified?: boolean };
    if (early && unverified) throw new UsageError('--early goes without --unverified: nothing is held then');
    if (json && out === undefined)
      throw new UsageError('--json goes with --out: standard output has the value');
  },
  async run({ client, values, words: [word], io, call }) {
    const key = keyOf(word, values);
    const buffer = !values.early && values.out === undefined;
    const verified = values.unverified ? null : await client.verifiedStreamGet(key, { ...call, buffer });
    const found = values.unverified ? await client.streamGet(key, call) : verified;
    if (!found) {
      await io.err.write(`there is no key ${JSON.stringify(word)}, by the server's word\n`);
      if (values.json) await io.out.write('null\n');
      return 1;
    }
    // Reading says so too.
    verified?.proven.catch(() => undefined);
    let size = 0;
    const copy = async (out: Output) => {
      for await (const piece of found.value) {
        await out.bytes(piece);
        size += piece.length;
        // As when `head` has seen enough.
        if (out.gone) throw new Error('nobody reads any longer: nothing is proven');
      }
      await verified?.proven;
    };
    const proof = () =>
      verified
        ? `verified: tx ${verified.tx.toString()}, ${size} bytes`
        : `NOT VERIFIED, the server's word: ${size} bytes`;
    if (values.out === undefined) {
      await copy(io.out);
      await io.err.write(`${proof()}\n`);
      return 0;
    }
    const { sha256 } = await writeWholeFile(values.out, copy);
    const shown = { file: values.out, size, sha256, ...(verified && { tx: verified.tx.toString() }) };
    if (values.json) await io.out.write(jsonLine(verified !== null, shown));
    else await io.out.write(`${visible(values.out)}, SHA-256 ${sha256}\n${proof()}\n`);
    return 0;
  },
});
