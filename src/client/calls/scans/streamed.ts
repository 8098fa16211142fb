// scan, history and zScan by one stream each: keys and values one after another, none of which is held longer than it is taken.
import { ArgumentError, ImmuError } from '../../../errors.js';
import type { DownMethod } from '../../../wire/methods.js';
import type { CallOptions } from '../../input/call-options.js';
import { flag, optionsObject } from '../../input/option-checks.js';
import type { StreamRpc } from '../../net/rpc.js';
import { isKeyNotFound, isPastEnd } from '../../net/server-errors.js';
import type { Methods } from '../../../wire/messages.js';
import { FrameReader } from '../streams/frames.js';
import { ValueStream } from '../streams/value-stream.js';
import type { ValuePieces } from '../streams/value-stream.js';
import { MAX_RESULTS } from './steps.js';

/** By one stream, for values that are too large to be held together. */
export interface StreamOption {
  /**
   * Each entry is given as soon as it has come, with its key and value and nothing else: more a stream does not tell, and of a
   * reference it tells the key that it leads to. One stream, of at most 2500 entries: `timeoutMs` is that of the whole, and there
   * are no pages. The server reads all of them before the first one comes: a `limit` spares its memory.
   */
  readonly stream: true;
}

/** The largest value that is taken: what a server stores of one. */
const MAX_VALUE_BYTES = 1 << 25;

type Method = DownMethod & ('streamScan' | 'streamHistory' | 'streamZScan');

/** What is asked for by one stream. */
export interface StreamedList<M extends Method, T> {
  readonly method: M;
  readonly request: Methods[M]['request'];
  readonly decode: (
    frames: FrameReader,
    limits: { readonly maxEntries: number; readonly maxValueBytes: number },
  ) => AsyncGenerator<T, void, undefined>;
  /** As the caller said it; undefined: all there is. */
  readonly limit: number | undefined;
}

/** Options without `stream`, and whether they have it. Throws ArgumentError. */
export function withoutStream<O extends CallOptions>(
  options: O,
): { readonly stream: boolean; readonly rest: Omit<O, 'stream'> } {
  optionsObject('options', options);
  if (!('stream' in options)) return { stream: false, rest: options };
  const { stream = false, ...rest } = options as O & { stream?: unknown };
  flag('stream', stream);
  if (stream === true && 'pageSize' in rest && rest.pageSize !== undefined)
    throw new ArgumentError('pageSize', 'pageSize goes without stream: a stream has no pages');
  return { stream: stream as boolean, rest };
}

/** How many are asked for. */
export function streamedLimit(limit: number | undefined): number {
  return limit ?? MAX_RESULTS;
}

/** Hands out the list as it begins; its place is held until it is over. */
export async function streamList<M extends Method, T>(
  rpc: StreamRpc,
  { method, request, decode, limit }: StreamedList<M, T>,
  options: CallOptions,
  answer: (items: ValuePieces<T>) => void,
): Promise<void> {
  const limits = { maxEntries: streamedLimit(limit), maxValueBytes: MAX_VALUE_BYTES };
  try {
    await rpc.down(method, request, options, async (chunks) => {
      const items = new ValueStream<T>(counted(decode(new FrameReader(chunks), limits), limit === undefined));
      // Not before it is known that there is something: a key that is missing has an empty history.
      const first = await items.next();
      const all = new ValueStream<T>(after(first, items));
      answer(all);
      await Promise.race([all.ended, chunks.over]);
    });
  } catch (error) {
    if (!isKeyNotFound(error) && !isPastEnd(error)) throw error;
    answer(new ValueStream<T>(nothing()));
  }
}

async function* after<T>(
  first: IteratorResult<T, undefined>,
  rest: ValuePieces<T>,
): AsyncGenerator<T, void, undefined> {
  if (first.done === true) return;
  yield first.value;
  yield* rest;
}

async function* nothing(): AsyncGenerator<never, void, undefined> {
  await Promise.resolve();
}

/** Where all were asked for, as many as a server gives at once may not be all. */
async function* counted<T>(
  items: AsyncGenerator<T, void, undefined>,
  isAll: boolean,
): AsyncGenerator<T, void, undefined> {
  let count = 0;
  for await (const item of items) {
    count += 1;
    yield item;
  }
  if (isAll && count >= MAX_RESULTS) {
    const what = `a stream has ${MAX_RESULTS} entries at most, and these may not be all: say how many with limit, and go on behind the last one`;
    throw new ImmuError('LIMIT_EXCEEDED', what);
  }
}

/** What `open` gives, as an iterator that asks when it is first taken from. */
export async function* streamedItems<T>(
  open: () => Promise<ValuePieces<T>>,
): AsyncGenerator<T, void, undefined> {
  await using items = await open();
  yield* items;
}
