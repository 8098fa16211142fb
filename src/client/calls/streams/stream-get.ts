// Reads a value as a stream: the server's word.
import type { CallOptions } from '../../input/call-options.js';
import { versionFields } from '../../input/get-options.js';
import type { Version } from '../../input/get-options.js';
import type { StreamRpc } from '../../net/rpc.js';
import { isKeyNotFound } from '../../net/server-errors.js';
import { FrameFault, FrameReader } from './frames.js';
import { ValueStream } from './value-stream.js';
import type { ValuePieces } from './value-stream.js';

/** Longest key that a server can store. */
export const MAX_SHOWN_KEY = 0xffff;

/** An entry whose value comes in pieces. */
export interface StreamedEntry {
  /** As the server says it: of a reference, the key that it leads to. */
  readonly key: Uint8Array;
  /** Bytes of the value. */
  readonly size: number;
  readonly value: ValuePieces;
}

/** Answers with null when the server says that there is no such key, or no such version of it. */
export async function streamGet(
  rpc: StreamRpc,
  key: Uint8Array,
  version: Version,
  options: CallOptions,
  answer: (entry: StreamedEntry | null) => void,
): Promise<void> {
  const request = { key, ...versionFields(version) };
  try {
    await rpc.down('streamGet', request, options, async (chunks) => {
      const frames = new FrameReader(chunks);
      const shown = await frames.whole('a key', MAX_SHOWN_KEY);
      if (!shown) throw new FrameFault('ends before its key');
      const size = await frames.length();
      if (size === undefined || size > BigInt(Number.MAX_SAFE_INTEGER))
        throw new FrameFault('has no value of a length that can be');
      const value = new ValueStream(piecesOf(frames, Number(size)));
      answer({ key: shown, size: Number(size), value });
      await Promise.race([value.ended, chunks.over]);
    });
  } catch (error) {
    if (!isKeyNotFound(error)) throw error;
    answer(null);
  }
}

async function* piecesOf(frames: FrameReader, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let left = size; left > 0;) {
    const piece = await frames.piece(left);
    if (!piece) throw new FrameFault('ends within its value');
    left -= piece.length;
    yield piece;
  }
  if (await frames.piece(1)) throw new FrameFault('goes on after its value');
}
