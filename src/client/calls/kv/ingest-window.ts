// The records of an ingestion that are on their way: taken from the source while there is room, sent, and handed on in order.
import { ArgumentError, ClosedError, ImmuError, TransportError } from '../../../errors.js';
import { visible } from '../../../visible.js';
import type { Root } from '../../../verify/verifier.js';
import { whenAborted } from '../../flow/abort-listeners.js';
import { toKey, toValue } from '../../input/bytes-input.js';
import type { BytesInput } from '../../input/bytes-input.js';
import type { CallOptions } from '../../input/call-options.js';
import type { VerifiedWrite } from '../../trust/write.js';

/** A record to write: `[key, value]` or `{ key, value }`. */
export type IngestRecord =
  readonly [BytesInput, BytesInput] | { readonly key: BytesInput; readonly value: BytesInput };

export type IngestSource = AsyncIterable<IngestRecord> | Iterable<IngestRecord>;

/** What ingestion needs of a client. */
export interface IngestClient {
  /** What it may hold at a time. */
  readonly maxRecords: number;
  readonly maxBytes: number;
  write(key: Uint8Array, value: Uint8Array, options: CallOptions): Promise<VerifiedWrite>;
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

/** Longest wait for a source to be let go, in milliseconds. */
const RELEASE_MS = 1000;

interface Sent {
  readonly index: number;
  readonly key: Uint8Array;
  readonly bytes: number;
  readonly written: Promise<VerifiedWrite>;
}

/** Takes records from the source while there is room, and sends them. */
export class IngestWindow {
  readonly #client: IngestClient;
  readonly #call: CallOptions;
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  readonly #source: AsyncIterator<IngestRecord> | Iterator<IngestRecord>;
  readonly #sent: Sent[] = [];
  readonly #stopListening: readonly ((() => void) | undefined)[];
  #first = 0;
  #held = 0;
  #bytes = 0;
  #index = 0;
  #skip: number;
  /** The source has no more, or failed. */
  #ended = false;
  /** The source was asked and has not answered yet. */
  #asking = false;
  #failure: { readonly error: unknown } | undefined;
  #closed = false;
  /** Whoever waits for a change: the reader for a record, the pump for room. */
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
    this.#source = iteratorOf(records);
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

  /** The next record in order, sent; undefined behind the last. */
  async next(): Promise<Sent | undefined> {
    for (;;) {
      const sent = this.#sent[this.#first];
      if (sent) {
        this.#first += 1;
        if (this.#first > 1024) {
          this.#sent.splice(0, this.#first);
          this.#first = 0;
        }
        return sent;
      }
      if (this.#failure) throw this.#failure.error;
      if (this.#ended) return undefined;
      await this.#change();
    }
  }

  /** The receipt was taken: there is room for another record. */
  release({ bytes }: Sent): void {
    this.#held -= 1;
    this.#bytes -= bytes;
    this.#tell();
  }

  /** Lets go of the source. One that does not answer, to this or to what it was asked before, holds nobody up. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const stop of this.#stopListening) stop?.();
    this.#tell();
    if (this.#ended) return;
    const released = this.#release();
    if (this.#asking) return;
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<void>((resolve) => (timer = setTimeout(resolve, RELEASE_MS)));
    await Promise.race([released, timeUp]);
    clearTimeout(timer);
  }

  async #release(): Promise<void> {
    try {
      await this.#source.return?.();
    } catch {
      // Nobody waits for more of it.
    }
  }

  /** Never rejects: the reader is told. */
  async #pump(): Promise<void> {
    try {
      while (!this.#closed && !this.#failure) {
        if (this.#held >= this.#maxRecords || this.#bytes >= this.#maxBytes) {
          await this.#change();
          continue;
        }
        const room = this.#client.room();
        if (room) {
          await room;
          continue;
        }
        const taken = this.#take();
        // Awaiting what is there already would cost a turn of the queue for every record.
        const step = 'then' in taken ? await taken : taken;
        if (step.done === true) this.#ended = true;
        if (this.#ended || this.#isOver()) break;
        this.#use(step.value as IngestRecord);
      }
    } catch (error) {
      this.#fail(sourceFailed(error));
    }
    this.#tell();
  }

  /** Asks the source. What it throws is told as its failure. */
  #take(): IteratorResult<IngestRecord, unknown> | Promise<IteratorResult<IngestRecord, unknown>> {
    try {
      const next = this.#source.next();
      if (!('then' in next)) return next;
      this.#asking = true;
      return this.#taken(next);
    } catch (error) {
      this.#ended = true;
      throw sourceFailed(error);
    }
  }

  async #taken(
    next: Promise<IteratorResult<IngestRecord, unknown>>,
  ): Promise<IteratorResult<IngestRecord, unknown>> {
    try {
      const step: unknown = await next;
      if (typeof step !== 'object' || step === null) throw new TypeError('the source gave no step');
      return step as IteratorResult<IngestRecord, unknown>;
    } catch (error) {
      this.#ended = true;
      throw sourceFailed(error);
    } finally {
      this.#asking = false;
    }
  }

  /** What came meanwhile is not sent any more. */
  #isOver(): boolean {
    return this.#closed || this.#failure !== undefined;
  }

  #use(record: IngestRecord): void {
    if (this.#skip > 0) {
      this.#skip -= 1;
      this.#index += 1;
    } else {
      this.#send(record);
    }
  }

  #send(record: IngestRecord): void {
    const index = this.#index;
    const { key, value } = checkedRecord(record, index);
    this.#index += 1;
    const bytes = key.length + value.length;
    const written = this.#client.write(key, value, this.#call);
    written.catch(() => undefined);
    this.#sent.push({ index, key, bytes, written });
    this.#held += 1;
    this.#bytes += bytes;
    if (this.#changed.length > 0) this.#tell();
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
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}

function iteratorOf(records: IngestSource): AsyncIterator<IngestRecord> | Iterator<IngestRecord> {
  try {
    return Symbol.asyncIterator in records ? records[Symbol.asyncIterator]() : records[Symbol.iterator]();
  } catch (error) {
    throw sourceFailed(error);
  }
}

function sourceFailed(cause: unknown): ImmuError {
  if (cause instanceof ImmuError) return cause;
  const words = cause instanceof Error ? cause.message : String(cause);
  return new ImmuError('SOURCE_FAILED', `the source of records failed: ${visible(words)}`, { cause });
}

function abortedError(signal: AbortSignal | undefined): TransportError {
  return new TransportError('ABORTED', 'the ingestion was aborted by the caller', { cause: signal?.reason });
}

function checkedRecord(record: IngestRecord, index: number): { key: Uint8Array; value: Uint8Array } {
  const given: unknown = record;
  if (typeof given !== 'object' || given === null)
    throw new ArgumentError('records', `record ${index} is neither [key, value] nor { key, value }`);
  const [key, value] = 'key' in record ? [record.key, record.value] : record;
  return {
    key: toKey(key, () => `key of record ${index}`),
    value: toValue(value, () => `value of record ${index}`),
  };
}
