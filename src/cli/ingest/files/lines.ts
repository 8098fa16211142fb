// Lines of text that comes in chunks: however many there are, one chunk of them is held.
import { visible } from '../../../visible.js';
import { MAX_VALUE_BYTES } from '../../data/input.js';

/** Longest line: JSON of a value may be some longer than it. */
export const MAX_LINE_BYTES = 2 * MAX_VALUE_BYTES;
const LF = 10;
const CR = 13;

/** What a record is made of. */
export interface Line {
  readonly file: string;
  /** From 1; of a record of several lines the last one. */
  readonly number: number;
  /** As it stands there in UTF-8, without its end. */
  readonly bytes: Buffer;
  /** Of CSV: the names in the header, and what stands under them, whose bytes are taken for Latin-1. */
  readonly cells?: { readonly names: readonly string[]; readonly values: readonly string[] };
}

/** @throws Error for a line that is too long */
export async function* linesOf(
  file: string,
  text: AsyncIterable<Buffer>,
): AsyncGenerator<Line, void, undefined> {
  /** What has come of a line whose end has not. */
  let begun: Buffer[] = [];
  let length = 0;
  let number = 0;
  for await (const chunk of text) {
    let from = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, from)) {
      const line = chunk.subarray(from, end);
      const bytes = withoutReturn(begun.length === 0 ? line : Buffer.concat([...begun, line]));
      yield { file, number: (number += 1), bytes };
      begun = [];
      length = 0;
      from = end + 1;
    }
    if (from === chunk.length) continue;
    begun.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > MAX_LINE_BYTES)
      throw new Error(`${visible(file)} has a line of more than ${MAX_LINE_BYTES} bytes`);
  }
  if (length > 0) yield { file, number: number + 1, bytes: withoutReturn(Buffer.concat(begun)) };
}

function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === CR ? line.subarray(0, -1) : line;
}
