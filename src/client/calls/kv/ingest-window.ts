// The records of an ingestion that are on their way: taken from the source while there is room, put into transactions, and handed on
// in order.
import { ArgumentError, ClosedError, TransportError } from '../../../errors.js';
import type { Root } from '../../../verify/verifier.js';
import { whenAborted } from '../../flow/abort-listeners.js';
import { EntryBatch } from '../../group/entry-batch.js';
import type { PairNames } from '../../group/entry-batch.js';
import type { CallOptions } from '../../input/call-options.js';
import { RecordSource, sourceFailed } from './ingest-source.js';
import type { IngestRecord, IngestSource } from './ingest-source.js';
import type { BatchEnd, RecordBatch } from './record-batch.js';

/** A transaction of records that is on its way. */
export interface SentBatch {
  readonly batch: RecordBatch;
  readonly ended: Promise<BatchEnd>;
}

/** What ingestion needs of a client. */
export interface IngestClient {
  /** What it may hold at a time. */
  readonly maxRecords: number;
  readonly maxBytes: number;
  /** Begins a transaction with the one record that is in `entries`. */
  begin(entries: EntryBatch, options: CallOptions): SentBatch;
  /** The trusted head; proves first that `root` lies on its history, when one is given. */
  head(root: Root | undefined, options: CallOptions): Promise<Root>;
  /** Resolves when a write would be let in at once; undefined: it would be now. */
  room(): Promise<void> | undefined;
  /** Tells once that the client is closed. Returns what takes it back. */
  whenClosed(tell: () => void): () => void;
}

export interface WindowOptions {
  readonly call: CallOptions;
  readonly maxRecords: number;
  readonly maxBytes: number;
}

/** A transaction of records: its first one is the record of this index. */
export interface Sent extends SentBatch {
  readonly first: number;
}

/** Takes records from the source while there is room, and sends them. */
export class IngestWindow {
  readonly #client: IngestClient;
  readonly #call: CallOptions;
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  readonly #source: RecordSource;
  readonly #sent: Sent[] = [];
  readonly #stopListening: readonly ((() => void) | undefined)[];
  /** Of the record that is put in next. */
  readonly #names: PairNames = {
    key: () => `key of record ${this.#index}`,
    value: () => `value of record ${this.#index}`,
  };
  /** The transaction that takes more. */
  #open: RecordBatch | undefined;
  #held = 0;
  #bytes = 0;
  #index = 0;
  #skip: number;
  #failure: { readonly error: unknown } | undefined;
  #closed = false;
  /** Whoever waits for a change: the reader for a transaction, the pump for room. */
  #changed: (() => void)[] = [];

  /** `skip`: records that are taken from the source and passed over. */
  constructor(
    client: IngestClient,
    records: IngestSource,
    { call, maxRecords, maxBytes }: WindowOptions,
    skip: number,
  ) {
    this.#client = client;
    this.#call = call;
    this.#maxRecords = Math.min(maxRecords, client.maxRecords);
    this.#maxBytes = Math.min(maxBytes, client.maxBytes);
    this.#skip = skip;
    this.#source = new RecordSource(records);
    const { signal } = call;
    const onAbort = () => this.#fail(abortedError(signal));
    if (signal?.aborted) onAbort();
    this.#stopListening = [
      signal && !signal.aborted ? whenAborted(signal, onAbort) : undefined,
      client.whenClosed(() => this.#fail(new ClosedError('the client'))),
    ];
    void this.#pump();
  }

  get taken(): number {
    return this.#index;
  }

  /** The next transaction in order, sent; undefined behind the last. */
  async next(): Promise<Sent | undefined> {
    for (;;) {
      const sent = this.#sent.shift();
      if (sent) return sent;
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
        const record = step.value as IngestRecord;
        if (this.#use(record)) continue;
        // What is full goes out before the next is begun: that one would go with it, with one record.
        if (this.#open) await turnOfTheLoop();
        if (!this.#isOver()) this.#begin(record);
      }
    } catch (error) {
      this.#fail(sourceFailed(error));
    }
    this.#tell();
  }

  #isOver(): boolean {
    return this.#closed || this.#failure !== undefined;
  }

  /** False for a record that has to begin a transaction. */
  #use(record: IngestRecord): boolean {
    if (this.#skip > 0) {
      this.#skip -= 1;
      this.#index += 1;
      return true;
    }
    const open = this.#open;
    const isPair = isPairOrThrow(record, this.#index);
    if (!open) return false;
    const before = open.entries.bytes;
    const joins = isPair
      ? open.add(record[0], record[1], this.#names)
      : open.add(record.key, record.value, this.#names);
    if (joins) this.#took(open.entries.bytes - before);
    return joins;
  }

  #begin(record: IngestRecord): void {
    const entries = new EntryBatch(this.#open?.entries.requestBytes);
    if (isPairOrThrow(record, this.#index)) entries.add(record[0], record[1], this.#names);
    else entries.add(record.key, record.value, this.#names);
    const { batch, ended } = this.#client.begin(entries, this.#call);
    ended.catch(() => undefined);
    this.#open = batch;
    this.#sent.push({ batch, ended, first: this.#index });
    this.#took(entries.bytes);
    this.#tell();
  }

  #took(bytes: number): void {
    this.#held += 1;
    this.#bytes += bytes;
    this.#index += 1;
  }

  /** Ends the ingestion behind what was sent. */
  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#tell();
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
function isPairOrThrow(
  record: IngestRecord,
  index: number,
): record is Extract<IngestRecord, readonly unknown[]> {
  const given: unknown = record;
  if (typeof given !== 'object' || given === null)
    throw new ArgumentError('records', `record ${index} is neither [key, value] nor { key, value }`);
  return Array.isArray(given) || !('key' in given);
}
