// An ingestion from its source to what is proven of it, in order: told to the caller, handed on, and let go of.
import { ImmuError } from '../../../errors.js';
import type { EntryBatch } from '../../group/entry-batch.js';
import { callOptionsOf } from '../../input/call-options.js';
import { resultOf } from '../../results/result.js';
import type { IngestOptions } from './options.js';
import { IngestError } from './receipts.js';
import type { IngestBatch, IngestReceipt, IngestRefusal, IngestSummary } from './receipts.js';
import type { FailedPart, ProvenPart } from './record-batch.js';
import { isForGood } from './refusals.js';
import { sourceFailed } from './source.js';
import type { IngestSource } from './source.js';
import { FROM_START, parseToken, tokensOf } from './token.js';
import { IngestWindow } from './window.js';
import type { IngestClient, Sent } from './window.js';

const PROGRESS_MS = 1000;
const WINDOW = 8192;
const WINDOW_BYTES = 16 * 1024 * 1024;

/** Records of one transaction, proven, of which receipts are made. */
export interface Proven<S> {
  readonly batch: IngestBatch<S>;
  readonly entries: EntryBatch;
  /** Place of the first one in `entries`. */
  readonly from: number;
  /** Of all of them, where they were made already. */
  readonly receipts?: readonly IngestReceipt<S>[];
  /** So many receipts of them were taken. */
  readonly taken: (records: number) => void;
}

/** What became of records of a transaction. */
type Outcome<S> =
  | { readonly kind: 'proven'; readonly batch: IngestBatch<S>; readonly from: number }
  | { readonly kind: 'refused'; readonly refusal: IngestRefusal<S> }
  | { readonly kind: 'failed'; readonly error: unknown };

/** Requires checked options. */
export async function* provenParts<S>(
  client: IngestClient,
  records: IngestSource<S>,
  options: IngestOptions<S>,
): AsyncGenerator<Proven<S>, IngestSummary, undefined> {
  const { onProven, onRefused, onProgress, once = false } = options;
  const call = callOptionsOf(options);
  const limits = { maxRecords: options.window ?? WINDOW, maxBytes: options.windowBytes ?? WINDOW_BYTES };
  const start = options.resume === undefined ? undefined : parseToken(options.resume);
  const skip = start?.count ?? 0;
  const startedAt = performance.now();
  const counts = { records: 0, wasThere: 0, refused: 0, bytes: 0 };
  let resume = options.resume ?? FROM_START;
  let tokens = tokensOf(parseToken(resume).root);
  /** Records of the source that the token is behind. */
  let behind = skip;
  let window: IngestWindow<S> | undefined;
  let toldAt = startedAt;
  let told = behind;
  const seconds = () => (performance.now() - startedAt) / 1000;
  const tell = (taken: number) => {
    toldAt = performance.now();
    told = behind;
    const { refused, bytes } = counts;
    onProgress?.({ taken, proven: skip + counts.records, refused, bytes, seconds: seconds(), resume });
  };
  try {
    const head = await client.head(start?.root, call);
    tokens = tokensOf(start?.root ?? head);
    resume = tokens(behind);
    const refuses = onRefused !== undefined;
    const open = (window = new IngestWindow<S>(client, records, { call, ...limits, skip, once, refuses }));
    // A source that gives nothing for long does not hold back what was proven before.
    const next = async () => {
      const sent = open.next();
      while (!(await isOverWithin(PROGRESS_MS, sent))) if (behind > told) tell(open.taken);
      return sent;
    };
    for (let sent = await next(); sent; sent = await next()) {
      const { entries } = sent;
      const end = await sent.ended;
      sent.isRead = true;
      const outcomes = outcomesOf(sent, [...end.parts, ...end.failures], refuses);
      for (let outcome = outcomes.next(); !outcome.done;) {
        const parts: Proven<S>[] = [];
        for (; !outcome.done && outcome.value.kind === 'proven'; outcome = outcomes.next())
          parts.push(provenOf(outcome.value, entries, open, onProven !== undefined));
        if (onProven && parts.length > 0)
          await called('onProven', open, () => onProven(parts.flatMap(({ receipts = [] }) => receipts)));
        for (const part of parts) {
          const { batch } = part;
          behind = batch.last + 1;
          counts.records += batch.count;
          counts.bytes += batch.bytes;
          if (batch.wasThere) counts.wasThere += batch.count;
          tokens = tokensOf(batch.root);
          ({ resume } = batch);
        }
        if (performance.now() - toldAt > PROGRESS_MS) tell(open.taken);
        for (const part of parts) {
          yield part;
          part.taken(part.batch.count);
        }
        for (; !outcome.done && outcome.value.kind !== 'proven'; outcome = outcomes.next()) {
          if (outcome.value.kind === 'failed') throw outcome.value.error;
          const { refusal } = outcome.value;
          await called('onRefused', open, () => onRefused?.(refusal));
          behind = refusal.index + 1;
          counts.refused += 1;
          resume = tokens(behind);
          open.release(1, 0);
        }
      }
    }
    tell(open.taken);
    return resultOf({ ...counts, seconds: seconds(), resume });
  } catch (error) {
    throw error instanceof ImmuError ? new IngestError(error, behind, resume) : error;
  } finally {
    await window?.close();
  }
}

/** Has the caller told, and waits for it. @throws ImmuError SOURCE_FAILED when it throws */
async function called<S>(
  name: string,
  window: IngestWindow<S>,
  call: () => void | PromiseLike<void>,
): Promise<void> {
  try {
    const work = call();
    if (work !== undefined) await window.during(work);
  } catch (error) {
    throw sourceFailed(error, name);
  }
}

/** In the order of the source, up to what failed. */
function* outcomesOf<S>(
  sent: Sent<S>,
  parts: (ProvenPart | FailedPart)[],
  refuses: boolean,
): Generator<Outcome<S>, void, undefined> {
  const { first, entries, refused = [] } = sent;
  let next = 0;
  for (const part of parts.length > 1 ? parts.sort((a, b) => a.from - b.from) : parts) {
    for (let { from } = part; from < part.to;) {
      for (; refused[next]?.place === from; next++)
        yield { kind: 'refused', refusal: (refused[next] as (typeof refused)[number]).refusal };
      const to = Math.min(part.to, refused[next]?.place ?? part.to);
      const index = first + from + next;
      if ('write' in part) yield { kind: 'proven', batch: batchOf(sent, part, from, to, index), from };
      else if (refuses && part.to - part.from === 1 && isForGood(part.error)) {
        const source = sent.sources?.[from];
        const told = { index, key: entries.key(from), ...(source !== undefined && { source }) };
        yield { kind: 'refused', refusal: resultOf({ ...told, error: part.error }) };
      } else {
        yield { kind: 'failed', error: part.error };
        return;
      }
      from = to;
    }
  }
  for (; next < refused.length; next++)
    yield { kind: 'refused', refusal: (refused[next] as (typeof refused)[number]).refusal };
}

/** Entries in a row of one transaction: their first is the record of this index. */
function batchOf<S>(
  { entries, sources }: Sent<S>,
  { write, wasThere }: ProvenPart,
  from: number,
  to: number,
  first: number,
): IngestBatch<S> {
  const { tx, alh, timestamp, root } = write;
  const count = to - from;
  const last = first + count - 1;
  const bytes = entries.bytesTo(to) - entries.bytesTo(from);
  const resume = tokensOf(root)(last + 1);
  const given = sources && Array.from({ length: count }, (_, i) => sources[from + i]);
  return resultOf({
    ...{ first, last, count, bytes, tx, alh, timestamp, root, proven: true as const, resume },
    ...(given?.some((source) => source !== undefined) && { sources: given }),
    ...(wasThere && { wasThere }),
  });
}

function provenOf<S>(
  { batch, from }: Extract<Outcome<S>, { kind: 'proven' }>,
  entries: EntryBatch,
  window: IngestWindow<S>,
  withReceipts: boolean,
): Proven<S> {
  let gone = from;
  const taken = (count: number) => {
    const to = from + count;
    window.release(to - gone, entries.bytesTo(to) - entries.bytesTo(gone));
    gone = to;
  };
  const part = { batch, entries, from, taken };
  return withReceipts ? { ...part, receipts: [...receiptsIn(part)] } : part;
}

/** One for each record. */
export function* receiptsIn<S>({
  batch,
  entries,
  from,
}: Pick<Proven<S>, 'batch' | 'entries' | 'from'>): Generator<IngestReceipt<S>, void, undefined> {
  const { first, count, tx, alh, timestamp, root, sources, wasThere } = batch;
  const goOn = tokensOf(root);
  for (let i = 0; i < count; i++) {
    const index = first + i;
    const resume = goOn(index + 1);
    const key = entries.key(from + i);
    const receipt = { index, key, tx, alh, timestamp, root, proven: true as const, resume };
    const source = sources?.[i];
    const more = source !== undefined || wasThere !== undefined;
    yield resultOf(
      more ? { ...receipt, ...(source !== undefined && { source }), ...(wasThere && { wasThere }) } : receipt,
    );
  }
}

/** Whether it is over, in whichever way, within this time. */
async function isOverWithin(ms: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const over = promise.then(
    () => true,
    () => true,
  );
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), ms)));
  try {
    return await Promise.race([over, late]);
  } finally {
    clearTimeout(timer);
  }
}
