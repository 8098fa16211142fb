// Entries that a server streams one after another, as streamScan, streamHistory and streamZScan do: each whole, one held at a time.
import { FrameFault } from './frames.js';
import type { FrameReader } from './frames.js';
import { MAX_SHOWN_KEY } from './stream-get.js';

/** What a stream may hold; more is refused before it is held. */
export interface EntryLimits {
  readonly maxEntries: number;
  readonly maxValueBytes: number;
}

/** All that the server tells of it: neither its transaction nor its metadata. */
export interface StreamedKeyValue {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A member of a sorted set. */
export interface StreamedMember extends StreamedKeyValue {
  readonly set: Uint8Array;
  readonly score: number;
  /** 0 = whatever is latest. */
  readonly atTx: bigint;
}

/** Of streamScan and streamHistory, whose deletions have an empty value. @throws FrameFault */
export async function* streamedEntries(
  frames: FrameReader,
  limits: EntryLimits,
): AsyncGenerator<StreamedKeyValue, void, undefined> {
  for (let count = 0; ; count++) {
    const key = await next(frames, limits, count, 'a key');
    if (!key) return;
    yield { key, value: await inside(frames, 'a value', limits.maxValueBytes) };
  }
}

/** Of streamZScan. @throws FrameFault */
export async function* streamedMembers(
  frames: FrameReader,
  limits: EntryLimits,
): AsyncGenerator<StreamedMember, void, undefined> {
  for (let count = 0; ; count++) {
    const set = await next(frames, limits, count, 'a set');
    if (!set) return;
    const key = await inside(frames, 'a key', MAX_SHOWN_KEY);
    const score = viewOf(await number(frames, 'a score')).getFloat64(0);
    const atTx = viewOf(await number(frames, 'a transaction')).getBigUint64(0);
    yield { set, key, score, atTx, value: await inside(frames, 'a value', limits.maxValueBytes) };
  }
}

/** What an entry begins with; undefined at the end of the stream. */
async function next(
  frames: FrameReader,
  { maxEntries }: EntryLimits,
  count: number,
  what: string,
): Promise<Uint8Array | undefined> {
  const first = await frames.whole(what, MAX_SHOWN_KEY);
  if (first && count >= maxEntries) throw new FrameFault(`has more than the ${maxEntries} entries asked for`);
  return first;
}

async function inside(frames: FrameReader, what: string, max: number): Promise<Uint8Array> {
  const message = await frames.whole(what, max);
  if (!message) throw new FrameFault(`ends before ${what}`);
  return message;
}

async function number(frames: FrameReader, what: string): Promise<Uint8Array> {
  const bytes = await inside(frames, what, 8);
  if (bytes.length !== 8) throw new FrameFault(`has ${what} of ${bytes.length} bytes`);
  return bytes;
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
