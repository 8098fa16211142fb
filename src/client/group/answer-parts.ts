// A long answer in parts that are checked one after the other: while one is on a thread, what came of the one before it is
// handed on.
import { WireReader } from '../../verify/wire/reader.js';

/** Keys and their entries (a message Entries of its own). */
export interface AnswerPart {
  /** Place of its first key among all. */
  readonly from: number;
  readonly keys: readonly Uint8Array[];
  readonly answer: Uint8Array;
}

/** Keys of a part: checking them takes about a millisecond. */
const PART_KEYS = 256;

/**
 * The parts of the answer to a GetAll. One that leaves keys out, or that is not like one, stays in one piece: which entry is of
 * which key is for the check to say, and every part's entries are held against its keys.
 */
export function answerParts(keys: readonly Uint8Array[], answer: Uint8Array): AnswerPart[] {
  const whole = [{ from: 0, keys, answer }];
  if (keys.length < 2 * PART_KEYS) return whole;
  const ends = entryEnds(answer);
  if (ends?.length !== keys.length) return whole;
  const parts: AnswerPart[] = [];
  let at = 0;
  for (let from = 0; from < keys.length; from += PART_KEYS) {
    const to = Math.min(from + PART_KEYS, keys.length);
    const end = ends[to - 1] as number;
    parts.push({ from, keys: keys.slice(from, to), answer: answer.subarray(at, end) });
    at = end;
  }
  return parts;
}

/** Where each entry ends; undefined when the answer holds anything else, or cannot be read. */
function entryEnds(answer: Uint8Array): number[] | undefined {
  const ends: number[] = [];
  try {
    const reader = new WireReader(answer);
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field !== 1) return undefined;
      reader.skip();
      ends.push(reader.at);
    }
  } catch {
    // The check says what is wrong with it.
    return undefined;
  }
  return ends;
}
