// The records of an ingestion that are on their way: taken from the source while there is room, put into transactions, and handed on
// in order.
import { ArgumentError, ClosedError, TransportError } from '../../../errors.js';
import type { Root } from '../../../verify/verifier.js';
import { keyName } from '../../../verify/key-name.js';
import { whenAborted } from '../../flow/abort-listeners.js';
import { EntryBatch } from '../../group/entry-batch.js';
import type { PairNames } from '../../group/entry-batch.js';
import { toKey } from '../../input/bytes-input.js';
import type { BytesInput } from '../../input/bytes-input.js';
import type { CallOptions } from '../../input/call-options.js';
import { settledOnce } from './once.js';
import type { OnceClient } from './once.js';
import type { IngestRefusal } from './receipts.js';
import { refusalOf } from './refusals.js';
import { RecordSource, sourceFailed } from './source.js';
import type { IngestRecord, IngestSource } from './source.js';
import type { BatchEnd, RecordBatch } from './record-batch.js';

/** A transaction of records that is on its way. */
export interface SentBatch {
  readonly batch: RecordBatch;
  readonly ended: Promise<BatchEnd>;
}

/** What ingestion needs of a client. */
export interface IngestClient extends OnceClient {
  /** What it may hold at a time. */
  readonly maxRecords: number;
  readonly maxBytes: number;
  /** Begins a transaction with the one record that is in `entries`. */
  begin(entries: EntryBatch, options: CallOptions): SentBatch;
  /** The trusted head; proves first that `root` lies on its history, when one is given. */
  head(root: Root | undefined, options: CallOptions): Promise<Root>;
  /** Tells once that the client is closed. Returns what takes it back. */
  whenClosed(tell: () => void): () => void;
}

export interface WindowOptions {
  readonly call: CallOptions;
  readonly maxRecords: number;
  readonly maxBytes: number;
  /** Records that are taken from the source and passed over. */
  readonly skip: number;
  /** What may have been written before is not written again. */
  readonly once: boolean;
  /** Records that can never be written are handed on as such. */
  readonly refuses: boolean;
}

/** A transaction of records, and of what was refused between them before it was sent. */
export interface Sent<S> {
  /** Index of its first record. */
  readonly first: number;
  readonly entries: EntryBatch;
  readonly ended: Promise<BatchEnd>;
  /** What the records were given with, by their place; absent where none was given with anything. */
  sources?: (S | undefined)[];
  /** In order; `place`: so many entries come before it. */
  refused?: { readonly place: number; readonly refusal: IngestRefusal<S> }[];
  /** It is handed on: nothing more joins it. */
  isRead?: boolean;
}

const NOTHING_SENT: Promise<BatchEnd> = Promise.resolve({ parts: [], failures: [] });

/** Takes records from the source while there is room, and sends them. */
export class IngestWindow<S> {
  readonly #client: IngestClient;
  readonly #options: WindowOptions;
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  readonly #source: RecordSource<S>;
  readonly #sent: Sent<S>[] = [];
  readonly #stopListening: readonly ((() => void) | undefined)[];
  /** Of the record that is put in next. */
  readonly #names: PairNames = {
    key: () => `key of record ${this.#index}`,
    value: () => `value of record ${this.#index}`,
  };
  /** The transaction that takes more, and what is to be known of it. */
  #open: RecordBatch | undefined;
  #newest: Sent<S> | undefined;
  /** What was handed on last: its records are in the window until the next is asked for. */
  #given: Sent<S> | undefined;
  #held = 0;
  #bytes = 0;
  #index = 0;
  #skip: number;
  #failure: { readonly error: unknown } | undefined;
  /** Set by an abort, and by the close of the client: nobody waits for anything then. */
  #over: { readonly error: unknown } | undefined;
  #closed = false;
  /** Whoever waits for a change: the reader for a transaction, the pump for room. */
  #changed: (() => void)[] = [];
  #whenOver: ((error: unknown) => void) | undefined;

  constructor(client: IngestClient, records: IngestSource<S>, options: WindowOptions) {
    this.#client = client;
    this.#options = options;
    this.#maxRecords = Math.min(options.maxRecords, client.maxRecords);
    this.#maxBytes = Math.min(options.maxBytes, client.maxBytes);
    this.#skip = options.skip;
    this.#source = new RecordSource(records);
    const { signal } = options.call;
    const onAbort = () => this.#end(abortedError(signal));
    if (signal?.aborted) onAbort();
    this.#stopListening = [
      signal && !signal.aborted ? whenAborted(signal, onAbort) : undefined,
      client.whenClosed(() => this.#end(new ClosedError('the client'))),
    ];
    void this.#pump();
  }

  get taken(): number {
    return this.#index;
  }

  /** The next transaction in order, sent; undefined behind the last. */
  async next(): Promise<Sent<S> | undefined> {
    for (;;) {
      this.#given = this.#sent.shift();
      if (this.#given) return this.#given;
      if (this.#failure) throw this.#failure.error;
      if (this.#source.ended) return undefined;
      await this.#change();
    }
  }

  /** So many receipts were taken: there is room for other records. */
  release(records: number, bytes: number): void {
    this.#held -= records;
    this.#bytes -= bytes;
    // Told of every single place, the pump would come and go for each record.
    if (this.#held <= this.#maxRecords - Math.max(1, this.#maxRecords >> 2)) this.#tell();
  }

  /** Waits for what the caller does; not beyond an abort, nor the close of the client. @throws what that, or the caller, has thrown */
  async during(work: PromiseLike<void>): Promise<void> {
    if (this.#over) throw this.#over.error;
    const over = new Promise<never>((_, reject) => (this.#whenOver = reject));
    try {
      await Promise.race([work, over]);
    } finally {
      this.#whenOver = undefined;
    }
  }

  /** Lets go of the source. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const stop of this.#stopListening) stop?.();
    this.#tell();
    await this.#source.close();
  }

  /** Never rejects: the reader is told. */
  async #pump(): Promise<void> {
    try {
      while (!this.#isOver()) {
        if (this.#held >= this.#maxRecords || this.#bytes >= this.#maxBytes) {
          await this.#change();
          continue;
        }
        const room = this.#client.room();
        if (room) {
          await room;
          continue;
        }
        const taken = this.#source.next();
        // Awaiting what is there already would cost a turn of the queue for every record.
        const step = 'then' in taken ? await taken : taken;
        if (this.#source.ended || this.#isOver()) break;
        const record = step.value as IngestRecord<S>;
        const use = this.#use(record);
        if (use === 'in') continue;
        // What is full goes out before the next is begun: that one would go with it, with one record.
        if (this.#open) await turnOfTheLoop();
        if (typeof use === 'object') await this.#behind(use);
        if (!this.#isOver()) this.#begin(record, use !== 'fast');
      }
    } catch (error) {
      this.#fail(sourceFailed(error));
    }
    this.#tell();
  }

  #isOver(): boolean {
    return this.#closed || this.#failure !== undefined;
  }

  /** What becomes of a record; what is not in has to begin a transaction. A transaction: with `once`, the one that has its key. */
  #use(record: IngestRecord<S>): 'in' | 'fast' | 'careful' | Sent<S> {
    if (this.#skip > 0) {
      this.#skip -= 1;
      this.#index += 1;
      return 'in';
    }
    const isPair = isPairOrThrow(record, this.#index);
    const key = isPair ? record[0] : record.key;
    const open = this.#open;
    const way = this.#options.once && this.#mayBeThere(record) ? 'careful' : 'fast';
    try {
      const other = this.#options.once && this.#holderOf(key);
      if (other) return other;
      if (!open || (way === 'careful' && !open.entries.mustNotExist)) return way;
      const before = open.entries.bytes;
      if (!open.add(key, isPair ? record[1] : record.value, this.#names)) return way;
      this.#took(isPair ? undefined : record.source, open.entries, before);
    } catch (error) {
      this.#refuse(record, error);
    }
    return 'in';
  }

  /** Waits until it is known what became of the transaction. */
  async #behind({ ended }: Sent<S>): Promise<void> {
    await ended.catch(() => undefined);
    for (let room = this.#client.room(); room && !this.#isOver(); room = this.#client.room()) await room;
  }

  #begin(record: IngestRecord<S>, isCareful: boolean): void {
    const isPair = isPairOrThrow(record, this.#index);
    const { once, call } = this.#options;
    const entries = new EntryBatch(this.#open?.entries.requestBytes, isCareful);
    try {
      if (isPair) entries.add(record[0], record[1], this.#names);
      else entries.add(record.key, record.value, this.#names);
    } catch (error) {
      this.#refuse(record, error);
      return;
    }
    const begun = this.#client.begin(entries, call);
    const ended = once ? settledOnce(this.#client, entries, begun.ended, call) : begun.ended;
    ended.catch(() => undefined);
    this.#open = begun.batch;
    this.#newest = { first: this.#index, entries, ended };
    this.#sent.push(this.#newest);
    this.#took(isPair ? undefined : record.source, entries, 0);
    this.#tell();
  }

  /** Requires that the record was put into the newest transaction. `before`: the bytes that this had without it. */
  #took(source: S | undefined, entries: EntryBatch, before: number): void {
    if (source !== undefined) ((this.#newest as Sent<S>).sources ??= [])[entries.count - 1] = source;
    this.#held += 1;
    this.#bytes += entries.bytes - before;
    this.#index += 1;
  }

  /** Hands the record on as refused, in its place. @throws the error, where nobody takes that */
  #refuse(record: IngestRecord<S>, error: unknown): void {
    if (!this.#options.refuses || !(error instanceof ArgumentError)) throw error;
    const index = this.#index;
    if (!this.#newest || this.#newest.isRead) {
      this.#newest = { first: index, entries: new EntryBatch(0), ended: NOTHING_SENT };
      this.#open = undefined;
      this.#sent.push(this.#newest);
    }
    const place = this.#newest.entries.count;
    (this.#newest.refused ??= []).push({ place, refusal: refusalOf(record, index, error) });
    this.#held += 1;
    this.#index += 1;
    this.#tell();
  }

  /** An earlier run may have written it. @throws ArgumentError */
  #mayBeThere(record: IngestRecord<S>): boolean {
    const redelivered: unknown = 'redelivered' in record ? record.redelivered : undefined;
    if (redelivered !== undefined && typeof redelivered !== 'boolean')
      throw new ArgumentError('redelivered', `redelivered of record ${this.#index} must be a boolean`);
    return redelivered === true || this.#index - this.#options.skip < this.#maxRecords;
  }

  /** The newest transaction in the window that has this key. @throws ArgumentError */
  #holderOf(key: BytesInput): Sent<S> | undefined {
    const name = keyName(toKey(key, this.#names.key));
    for (let i = this.#sent.length - 1; i >= 0; i--) {
      const sent = this.#sent[i] as Sent<S>;
      if (sent.entries.has(name)) return sent;
    }
    return this.#given?.entries.has(name) ? this.#given : undefined;
  }

  /** Ends the ingestion behind what was sent. */
  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#tell();
  }

  /** Ends it, and every wait. */
  #end(error: unknown): void {
    this.#over ??= { error };
    this.#fail(error);
    this.#whenOver?.(error);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#changed.push(resolve));
  }

  #tell(): void {
    if (this.#changed.length === 0) return;
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}

function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function abortedError(signal: AbortSignal | undefined): TransportError {
  return new TransportError('ABORTED', 'the ingestion was aborted by the caller', { cause: signal?.reason });
}

/** Whether it is `[key, value]`, rather than `{ key, value }`. */
function isPairOrThrow<S>(
  record: IngestRecord<S>,
  index: number,
): record is Extract<IngestRecord<S>, readonly unknown[]> {
  const given: unknown = record;
  if (typeof given !== 'object' || given === null)
    throw new ArgumentError('records', `record ${index} is neither [key, value] nor { key, value }`);
  return Array.isArray(given) || !('key' in given);
}
