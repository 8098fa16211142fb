// The value of a verified stream: hashed as it flows, and held against the proven hash when it has flowed.
import { ImmuError, TransportError } from '../../../errors.js';
import { equalBytes } from '../../../proof/bytes.js';
import { runningValueHash } from '../../../proof/entry.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import type { VerifiedEntry } from '../kv/verified-entry.js';
import type { ComingValue, ProvenValue } from './streamed-header.js';
import { FrameFault } from './frames.js';
import { ValueStream } from './value-stream.js';
import type { ValuePieces } from './value-stream.js';

/** All that is proven of an entry whose value came as a stream. */
export interface VerifiedEntryInfo extends Pick<
  VerifiedEntry,
  'key' | 'tx' | 'metadata' | 'timestamp' | 'reference' | 'root'
> {
  /** Bytes of the value. */
  readonly size: number;
}

/** An entry whose value comes in pieces. Key and transaction are proven; the bytes are when `proven` resolves. */
export interface VerifiedStream extends Omit<VerifiedEntryInfo, 'size'> {
  /**
   * The bytes as they come: **not proven before `proven` resolves**. Reading them ends with VerificationError where they are not those
   * of the entry, so whoever reads to the end without an error has the proven value.
   */
  readonly value: ValuePieces;
  /** Resolves when all bytes were read and are proven. Rejects with what reading them ended with. */
  readonly proven: Promise<VerifiedEntryInfo>;
}

export interface VerifiedValueOptions {
  readonly info: Omit<VerifiedEntryInfo, 'size'>;
  readonly coming: ComingValue;
  readonly proven: ProvenValue;
  readonly trust: DatabaseTrust;
  readonly call: Call;
}

/** Most that is held of a value for a reader who wants it proven first: what a server stores of one. */
const MAX_BUFFERED_BYTES = 1 << 25;

export class VerifiedValue {
  readonly #options: VerifiedValueOptions;
  readonly #proven: Promise<VerifiedEntryInfo>;
  #resolve: (info: VerifiedEntryInfo) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  readonly #stream: ValueStream;

  constructor(options: VerifiedValueOptions) {
    this.#options = options;
    const late = setTimeout(
      () => this.#reject(options.call.deadline.passed('the value to be read to its end')),
      options.call.deadline.endsAt - performance.now(),
    );
    late.unref();
    this.#proven = new Promise<VerifiedEntryInfo>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    }).finally(() => clearTimeout(late));
    // Whoever reads the bytes is told, too.
    this.#proven.catch(() => undefined);
    this.#stream = new ValueStream(this.#pieces(), () => {
      const message = 'the stream was left before its end: nothing is proven of its value';
      this.#reject(new TransportError('ABORTED', message));
    });
  }

  /** See {@link ValueStream.ended}. */
  get ended(): Promise<void> {
    return this.#stream.ended;
  }

  handedOut(): VerifiedStream {
    return Object.freeze({ ...this.#options.info, value: this.#stream, proven: this.#proven });
  }

  /**
   * The same when all of it has come and is proven.
   *
   * @throws VerificationError where it is not
   * @throws ImmuError LIMIT_EXCEEDED where the server says that it is longer than any value
   */
  async buffered(): Promise<VerifiedStream> {
    const { info, coming } = this.#options;
    if (coming.size > BigInt(MAX_BUFFERED_BYTES)) {
      const message = `a value of ${coming.size.toString()} bytes is not buffered: ${MAX_BUFFERED_BYTES} at most`;
      throw new ImmuError('LIMIT_EXCEEDED', message);
    }
    const bytes = new Uint8Array(Number(coming.size));
    let at = 0;
    for await (const piece of this.#stream) {
      bytes.set(piece, at);
      at += piece.length;
    }
    const value = new ValueStream(single(bytes.subarray(0, at)));
    return Object.freeze({ ...info, value, proven: this.#proven });
  }

  async *#pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    const { coming } = this.#options;
    const running = runningValueHash();
    let size = 0;
    try {
      for (;;) {
        const piece = await coming.frames.piece();
        if (!piece) break;
        running.update(piece);
        size += piece.length;
        // More than was announced is not handed out.
        if (BigInt(size) > coming.size) break;
        yield piece;
      }
      await this.#prove(running.digest());
      if (BigInt(size) !== coming.size) throw new FrameFault('has a value of another length than it says');
    } catch (error) {
      this.#reject(error);
      throw error;
    }
    this.#resolve(Object.freeze({ ...this.#options.info, size }));
  }

  /** @throws VerificationError where the value is not the proven one: recorded, with the hash of what came. */
  async #prove(valueHash: Uint8Array): Promise<void> {
    const { trust, call, proven } = this.#options;
    if (equalBytes(valueHash, proven.value)) return;
    const { question, head, answer, askedAt } = proven;
    await trust.check(
      call.operation,
      { ...question, valueHash: new Uint8Array(valueHash) },
      head,
      answer,
      askedAt,
    );
    throw new Error('unreachable: another hash does not pass the check');
  }
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  if (bytes.length > 0) yield await Promise.resolve(bytes);
}
