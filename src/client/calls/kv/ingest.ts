// Ingestion: records in, receipts of proven writes out, in order; as fast as groups of writes go, with bounded memory, and
// with a token to go on from after whatever happened.
import { ArgumentError, ImmuError } from '../../../errors.js';
import { fromHex, toHex } from '../../../proof/bytes.js';
import type { Root } from '../../../verify/verifier.js';
import type { EntryBatch } from '../../group/entry-batch.js';
import type { IngestSource } from './ingest-source.js';
import { IngestWindow } from './ingest-window.js';
import type { IngestClient, Sent } from './ingest-window.js';
import type { ProvenPart } from './record-batch.js';
import { whole } from '../../input/option-checks.js';
import { callOptionsOf, checkOptions } from '../../input/call-options.js';
import { resultOf } from '../../results/result.js';

export type { IngestRecord } from './ingest-source.js';
export type { IngestClient } from './ingest-window.js';

export interface IngestOptions {
  /** Ends the ingestion with ABORTED; what is on its way may still be written. */
  readonly signal?: AbortSignal;
  /** Deadline of each transaction in milliseconds, from its first record on. @default the client's `timeoutMs` */
  readonly timeoutMs?: number;
  /**
   * Records that are on their way, or proven and not yet taken, at a time: never more than half of what the client may hold
   * (`maxQueuedCalls`, `maxQueuedBytes`), so that other calls have room. @default 8192
   */
  readonly window?: number;
  /** The same in bytes of keys and values. @default 16 MiB */
  readonly windowBytes?: number;
  /**
   * Token of an earlier ingestion of the same records: those that it covers are taken from the source and passed over, after
   * the root in it has been proven to lie on the trusted history.
   */
  readonly resume?: string;
  /** Told about once a second, and at the end. */
  readonly onProgress?: (progress: IngestProgress) => void;
}

export interface IngestProgress {
  /** Records taken from the source, and proven, those passed over counted. */
  readonly taken: number;
  readonly proven: number;
  /** Bytes of keys and values proven in this run. */
  readonly bytes: number;
  readonly seconds: number;
  readonly resume: string;
}

/** A record that is proven to be in the one trusted history, its root durable. */
export interface IngestReceipt {
  /** Place of the record in the source, from 0. */
  readonly index: number;
  readonly key: Uint8Array;
  readonly tx: bigint;
  readonly alh: Uint8Array;
  readonly timestamp: bigint;
  readonly root: Root;
  /** Always: what is not proven has no receipt. */
  readonly proven: true;
  /** Goes on behind this record: see {@link IngestOptions.resume}. */
  readonly resume: string;
}

/** Records that are proven to be all that a transaction of the one trusted history holds, in their order, its root durable. */
export interface IngestBatch {
  /** Places in the source of its first record and its last, from 0. */
  readonly first: number;
  readonly last: number;
  readonly count: number;
  /** Of keys and values. */
  readonly bytes: number;
  readonly tx: bigint;
  readonly alh: Uint8Array;
  readonly timestamp: bigint;
  readonly root: Root;
  /** Always: what is not proven has no receipt. */
  readonly proven: true;
  /** Goes on behind these records: see {@link IngestOptions.resume}. */
  readonly resume: string;
}

/**
 * A record could not be written and proven, or there was none: all before it are. `code` and `cause` say why (`SOURCE_FAILED`:
 * the source threw `cause.cause`), `resume` goes on with it. Records behind it may have been written.
 */
export class IngestError extends ImmuError {
  readonly index: number;
  readonly resume: string;

  constructor(cause: ImmuError, index: number, resume: string) {
    super(cause.code, `record ${index}: ${cause.message}`, { cause });
    this.index = index;
    this.resume = resume;
  }
}

const PROGRESS_MS = 1000;
const WINDOW = 8192;
const WINDOW_BYTES = 16 * 1024 * 1024;
const TOKEN = /^immu-ingest-1\.(\d{1,15})\.(\d{1,19})\.([0-9a-f]{64})$/;
/** Goes on from the first record, whatever the history: the empty database is on each. */
const FROM_START = 'immu-ingest-1.0.0.e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** Records of one transaction, proven, of which receipts are made. */
interface Proven {
  readonly batch: IngestBatch;
  readonly entries: EntryBatch;
  /** Place of the first one in `entries`. */
  readonly from: number;
  /** So many receipts of them were taken. */
  readonly taken: (records: number) => void;
}

/**
 * Receipts of an ingestion, in order: one for each record, as it is iterated, or one for each transaction ({@link batches}).
 * Nothing is taken from the source before the first is asked for.
 */
export class Ingestion implements AsyncGenerator<IngestReceipt, void, undefined> {
  #proven: (() => AsyncGenerator<Proven, void, undefined>) | undefined;
  #receipts: AsyncGenerator<IngestReceipt, void, undefined> | undefined;

  /** @internal Requires checked options ({@link checkIngestOptions}). */
  constructor(client: IngestClient, records: IngestSource, options: IngestOptions) {
    this.#proven = () => provenParts(client, records, options);
  }

  /**
   * One receipt for each transaction, with the range of its records, which are proven to be all that it holds: the fastest way in.
   * As with single receipts, the source is read no faster than they are taken.
   *
   * @example
   * for await (const { last, tx, resume } of client.ingest(records).batches()) checkpoint(resume);
   * @throws ArgumentError when receipts of this ingestion were asked for already
   */
  batches(): AsyncGenerator<IngestBatch, void, undefined> {
    return batchesOf(this.#begin());
  }

  /** Rejects with ArgumentError when {@link batches} were asked for. */
  next(): Promise<IteratorResult<IngestReceipt, void>> {
    const each = this.#receipts;
    return each ? each.next() : this.#first();
  }

  return(): Promise<IteratorResult<IngestReceipt, void>> {
    if (!this.#receipts && !this.#proven) return Promise.resolve({ done: true, value: undefined });
    return this.#each().return();
  }

  async throw(error: unknown): Promise<IteratorResult<IngestReceipt, void>> {
    return this.#each().throw(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async #first(): Promise<IteratorResult<IngestReceipt, void>> {
    return this.#each().next();
  }

  #each(): AsyncGenerator<IngestReceipt, void, undefined> {
    return (this.#receipts ??= receiptsOf(this.#begin()));
  }

  #begin(): AsyncGenerator<Proven, void, undefined> {
    const begin = this.#proven;
    if (!begin) throw new ArgumentError('batches', 'receipts of this ingestion were asked for already');
    this.#proven = undefined;
    return begin();
  }
}

async function* batchesOf(
  proven: AsyncGenerator<Proven, void, undefined>,
): AsyncGenerator<IngestBatch, void, undefined> {
  for await (const { batch } of proven) yield batch;
}

async function* receiptsOf(
  all: AsyncGenerator<Proven, void, undefined>,
): AsyncGenerator<IngestReceipt, void, undefined> {
  for await (const { batch, entries, from, taken } of all) {
    const { first, count, tx, alh, timestamp, root } = batch;
    const goOn = tokensOf(root);
    for (let i = 0; i < count; i++) {
      const index = first + i;
      const resume = goOn(index + 1);
      const key = entries.key(from + i);
      yield resultOf({ index, key, tx, alh, timestamp, root, proven: true, resume });
      taken(i + 1);
    }
  }
}

async function* provenParts(
  client: IngestClient,
  records: IngestSource,
  options: IngestOptions,
): AsyncGenerator<Proven, void, undefined> {
  const call = callOptionsOf(options);
  const limits = { maxRecords: options.window ?? WINDOW, maxBytes: options.windowBytes ?? WINDOW_BYTES };
  const from = options.resume === undefined ? undefined : parseToken(options.resume);
  let resume = options.resume ?? FROM_START;
  const startedAt = performance.now();
  let toldAt = startedAt;
  let bytes = 0;
  let proven = from?.count ?? 0;
  let window: IngestWindow | undefined;
  let told = proven;
  const tell = (taken: number) => {
    toldAt = performance.now();
    told = proven;
    const seconds = (toldAt - startedAt) / 1000;
    options.onProgress?.({ taken, proven, bytes, seconds, resume });
  };
  try {
    const head = await client.head(from?.root, call);
    resume = tokensOf(from?.root ?? head)(proven);
    const open = (window = new IngestWindow(client, records, { call, ...limits }, proven));
    // A source that gives nothing for long does not hold back what was proven before.
    const next = async () => {
      const sent = open.next();
      while (!(await isOverWithin(PROGRESS_MS, sent))) if (proven > told) tell(open.taken);
      return sent;
    };
    for (let sent = await next(); sent; sent = await next()) {
      const { entries } = sent.batch;
      const { parts, failure } = await sent.ended;
      for (const part of parts) {
        const receipt = receiptOf(part, sent);
        proven = receipt.last + 1;
        bytes += receipt.bytes;
        ({ resume } = receipt);
        if (performance.now() - toldAt > PROGRESS_MS) tell(open.taken);
        let gone = part.from;
        const taken = (count: number) => {
          const to = part.from + count;
          open.release(to - gone, entries.bytesTo(to) - entries.bytesTo(gone));
          gone = to;
        };
        yield { batch: receipt, entries, from: part.from, taken };
        taken(receipt.count);
      }
      if (failure) throw failure.error;
    }
    tell(open.taken);
  } catch (error) {
    throw error instanceof ImmuError ? new IngestError(error, proven, resume) : error;
  } finally {
    await window?.close();
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

function receiptOf({ from, to, write }: ProvenPart, { first, batch: { entries } }: Sent): IngestBatch {
  const { tx, alh, timestamp, root } = write;
  const last = first + to - 1;
  const bytes = entries.bytesTo(to) - entries.bytesTo(from);
  const resume = tokensOf(root)(last + 1);
  return resultOf({
    ...{ first: first + from, last, count: to - from, bytes, tx, alh, timestamp, root, proven: true, resume },
  });
}

/** Throws ArgumentError naming the option. */
export function checkIngestOptions(options: IngestOptions): void {
  checkOptions(options, ['window', 'windowBytes', 'resume', 'onProgress']);
  const { window, windowBytes, resume, onProgress } = options;
  if (window !== undefined) whole('window', window, 1, 1_000_000);
  if (windowBytes !== undefined) whole('windowBytes', windowBytes, 1, 0x7fff_ffff);
  if (resume !== undefined) parseToken(resume);
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw new ArgumentError('onProgress', 'onProgress must be a function');
}

/** Tokens that go on behind so many records, under this root. */
function tokensOf({ tx, alh }: Root): (count: number) => string {
  const end = `${tx.toString()}.${toHex(alh)}`;
  return (count) => `immu-ingest-1.${count}.${end}`;
}

function parseToken(text: string): { count: number; root: Root } {
  const [, count, tx, alh] = (typeof text === 'string' && TOKEN.exec(text)) || [];
  if (count === undefined || tx === undefined || alh === undefined)
    throw new ArgumentError('resume', 'resume is no token of an ingestion');
  return { count: Number(count), root: { tx: BigInt(tx), alh: fromHex(alh) } };
}
