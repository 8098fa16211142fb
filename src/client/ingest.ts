// Ingestion: records in, receipts of proven writes out, in order; as fast as groups of writes go, with bounded memory, and
// with a token to go on from after whatever happened.
import { ArgumentError, ImmuError } from '../errors.js';
import { fromHex, toHex } from '../proof/bytes.js';
import type { Root } from '../worker/verifier.js';
import { toKey, toValue } from './bytes-input.js';
import type { BytesInput } from './bytes-input.js';
import type { CallOptions } from './options.js';
import { optionsObject, whole } from './option-checks.js';
import type { VerifiedWrite } from './verified/verified-set.js';

/** A record to write: `[key, value]` or `{ key, value }`. */
export type IngestRecord =
  readonly [BytesInput, BytesInput] | { readonly key: BytesInput; readonly value: BytesInput };

export interface IngestOptions {
  /** Ends the ingestion; what is on its way may still be written. */
  readonly signal?: AbortSignal;
  /** Deadline of each record's write in milliseconds. @default the client's `timeoutMs` */
  readonly timeoutMs?: number;
  /** Records that are on their way, or proven and not yet taken, at a time. @default 4096 */
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

/**
 * A record could not be written and proven: all before it are. `code` and `cause` say why, `resume` goes on with it. Records
 * behind it may have been written.
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

/** What ingestion needs of a client. */
export interface IngestClient {
  write(key: Uint8Array, value: Uint8Array, options: CallOptions): Promise<VerifiedWrite>;
  /** The trusted head; proves first that `root` lies on its history, when one is given. */
  head(root: Root | undefined, options: CallOptions): Promise<Root>;
}

const PROGRESS_MS = 1000;
const TOKEN = /^immu-ingest-1\.(\d{1,15})\.(\d{1,19})\.([0-9a-f]{64})$/;

interface Sent {
  readonly index: number;
  readonly key: Uint8Array;
  readonly bytes: number;
  readonly written: Promise<VerifiedWrite>;
}

/** Requires checked options ({@link checkIngestOptions}). */
export async function* ingest(
  client: IngestClient,
  records: AsyncIterable<IngestRecord> | Iterable<IngestRecord>,
  options: IngestOptions,
): AsyncGenerator<IngestReceipt, void, undefined> {
  const { signal, timeoutMs } = options;
  const call = { ...(signal && { signal }), ...(timeoutMs !== undefined && { timeoutMs }) };
  const from = options.resume === undefined ? undefined : parseToken(options.resume);
  const head = await client.head(from?.root, call);
  const window = new Window(client, records, options, call, from?.count ?? 0);
  let resume = token(from?.count ?? 0, from?.root ?? head);
  const startedAt = performance.now();
  let toldAt = startedAt;
  let bytes = 0;
  let proven = from?.count ?? 0;
  const tell = () => {
    toldAt = performance.now();
    const seconds = (toldAt - startedAt) / 1000;
    options.onProgress?.({ taken: window.taken, proven, bytes, seconds, resume });
  };
  try {
    for (let sent = await window.next(); sent; sent = await window.next()) {
      const { tx, alh, timestamp, root } = await sent.written;
      proven = sent.index + 1;
      bytes += sent.bytes;
      resume = token(proven, root);
      const { index, key } = sent;
      if (performance.now() - toldAt > PROGRESS_MS) tell();
      yield { index, key, tx, alh, timestamp, root, proven: true, resume };
      window.release(sent);
    }
    tell();
  } catch (error) {
    throw error instanceof ImmuError ? new IngestError(error, proven, resume) : error;
  } finally {
    await window.close();
  }
}

/** Takes records from the source while there is room, and sends them. */
class Window {
  readonly #client: IngestClient;
  readonly #call: CallOptions;
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  readonly #source: AsyncIterator<IngestRecord> | Iterator<IngestRecord>;
  readonly #sent: Sent[] = [];
  #first = 0;
  #held = 0;
  #bytes = 0;
  #index = 0;
  #skip: number;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #closed = false;
  /** Whoever waits for a change: the reader for a record, the pump for room. */
  #changed: (() => void)[] = [];
  readonly #pumping: Promise<void>;

  constructor(
    client: IngestClient,
    records: AsyncIterable<IngestRecord> | Iterable<IngestRecord>,
    options: IngestOptions,
    call: CallOptions,
    skip: number,
  ) {
    this.#client = client;
    this.#call = call;
    this.#maxRecords = options.window ?? 4096;
    this.#maxBytes = options.windowBytes ?? 16 * 1024 * 1024;
    this.#skip = skip;
    this.#source =
      Symbol.asyncIterator in records ? records[Symbol.asyncIterator]() : records[Symbol.iterator]();
    this.#pumping = this.#pump();
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

  async close(): Promise<void> {
    this.#closed = true;
    this.#tell();
    await this.#pumping;
    for (const { written } of this.#sent.slice(this.#first)) written.catch(() => undefined);
  }

  async #pump(): Promise<void> {
    try {
      while (!this.#closed) {
        if (this.#held >= this.#maxRecords || this.#bytes >= this.#maxBytes) {
          await this.#change();
          continue;
        }
        const next = this.#source.next();
        // Awaiting what is there already would cost a turn of the queue for every record.
        const step: IteratorResult<IngestRecord, unknown> = 'then' in next ? await next : next;
        if (step.done === true) {
          this.#ended = true;
          break;
        }
        if (this.#skip > 0) {
          this.#skip -= 1;
          this.#index += 1;
        } else {
          this.#send(step.value);
        }
      }
      if (!this.#ended) await this.#source.return?.();
    } catch (error) {
      this.#failure = { error };
    }
    this.#tell();
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

  #change(): Promise<void> {
    return new Promise((resolve) => this.#changed.push(resolve));
  }

  #tell(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}

/** Throws ArgumentError naming the option. */
export function checkIngestOptions(options: IngestOptions): void {
  optionsObject('options', options);
  const { window, windowBytes, resume, onProgress } = options;
  if (window !== undefined) whole('window', window, 1, 1_000_000);
  if (windowBytes !== undefined) whole('windowBytes', windowBytes, 1, 0x7fff_ffff);
  if (resume !== undefined) parseToken(resume);
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw new ArgumentError('onProgress', 'onProgress must be a function');
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

function token(count: number, { tx, alh }: Root): string {
  return `immu-ingest-1.${count}.${tx.toString()}.${toHex(alh)}`;
}

function parseToken(text: string): { count: number; root: Root } {
  const [, count, tx, alh] = (typeof text === 'string' && TOKEN.exec(text)) || [];
  if (count === undefined || tx === undefined || alh === undefined)
    throw new ArgumentError('resume', 'resume is no token of an ingestion');
  return { count: Number(count), root: { tx: BigInt(tx), alh: fromHex(alh) } };
}
