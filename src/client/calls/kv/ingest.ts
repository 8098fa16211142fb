// Ingestion: records in, receipts of proven writes out, in order; as fast as groups of writes go, with bounded memory, and
// with a token to go on from after whatever happened.
import { ArgumentError, ImmuError } from '../../../errors.js';
import { fromHex, toHex } from '../../../proof/bytes.js';
import type { Root } from '../../../verify/verifier.js';
import { IngestWindow } from './ingest-window.js';
import type { IngestClient, IngestSource } from './ingest-window.js';
import { whole } from '../../input/option-checks.js';
import { callOptionsOf, checkOptions } from '../../input/call-options.js';
import { resultOf } from '../../results/result.js';

export type { IngestClient, IngestRecord } from './ingest-window.js';

export interface IngestOptions {
  /** Ends the ingestion with ABORTED; what is on its way may still be written. */
  readonly signal?: AbortSignal;
  /** Deadline of each record's write in milliseconds. @default the client's `timeoutMs` */
  readonly timeoutMs?: number;
  /**
   * Records that are on their way, or proven and not yet taken, at a time: never more than half of what the client may hold
   * (`maxQueuedCalls`, `maxQueuedBytes`), so that other calls have room. @default 4096
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
const WINDOW = 4096;
const WINDOW_BYTES = 16 * 1024 * 1024;
const TOKEN = /^immu-ingest-1\.(\d{1,15})\.(\d{1,19})\.([0-9a-f]{64})$/;
/** Goes on from the first record, whatever the history: the empty database is on each. */
const FROM_START = 'immu-ingest-1.0.0.e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** Requires checked options ({@link checkIngestOptions}). */
export async function* ingest(
  client: IngestClient,
  records: IngestSource,
  options: IngestOptions,
): AsyncGenerator<IngestReceipt, void, undefined> {
  const call = callOptionsOf(options);
  const limits = { maxRecords: options.window ?? WINDOW, maxBytes: options.windowBytes ?? WINDOW_BYTES };
  const from = options.resume === undefined ? undefined : parseToken(options.resume);
  let resume = options.resume ?? FROM_START;
  const startedAt = performance.now();
  let toldAt = startedAt;
  let bytes = 0;
  let proven = from?.count ?? 0;
  let window: IngestWindow | undefined;
  const tell = (taken: number) => {
    toldAt = performance.now();
    const seconds = (toldAt - startedAt) / 1000;
    options.onProgress?.({ taken, proven, bytes, seconds, resume });
  };
  try {
    const head = await client.head(from?.root, call);
    resume = token(proven, from?.root ?? head);
    window = new IngestWindow(client, records, { call, ...limits }, proven);
    for (let sent = await window.next(); sent; sent = await window.next()) {
      const { tx, alh, timestamp, root } = await sent.written;
      proven = sent.index + 1;
      bytes += sent.bytes;
      resume = token(proven, root);
      const { index, key } = sent;
      if (performance.now() - toldAt > PROGRESS_MS) tell(window.taken);
      yield resultOf({ index, key, tx, alh, timestamp, root, proven: true, resume });
      window.release(sent);
    }
    tell(window.taken);
  } catch (error) {
    throw error instanceof ImmuError ? new IngestError(error, proven, resume) : error;
  } finally {
    await window?.close();
  }
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

function token(count: number, { tx, alh }: Root): string {
  return `immu-ingest-1.${count}.${tx.toString()}.${toHex(alh)}`;
}

function parseToken(text: string): { count: number; root: Root } {
  const [, count, tx, alh] = (typeof text === 'string' && TOKEN.exec(text)) || [];
  if (count === undefined || tx === undefined || alh === undefined)
    throw new ArgumentError('resume', 'resume is no token of an ingestion');
  return { count: Number(count), root: { tx: BigInt(tx), alh: fromHex(alh) } };
}
