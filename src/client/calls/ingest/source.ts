// Where the records of an ingestion come from: an iterator that may do anything, asked for one record at a time.
import { ImmuError } from '../../../errors.js';
import { visible } from '../../../visible.js';
import type { BytesInput } from '../../input/bytes-input.js';

/** A record to write: `[key, value]` or `{ key, value }`, the latter with what its receipt is to bring back. */
export type IngestRecord<S = unknown> =
  | readonly [BytesInput, BytesInput]
  | {
      readonly key: BytesInput;
      readonly value: BytesInput;
      /** Whatever the caller acknowledges it by, such as the message of a broker: it comes back on the receipt, untouched. */
      readonly source?: S;
      /** The source has given it before, or may have. Looked at with `once` only. */
      readonly redelivered?: boolean;
    };

export type IngestSource<S = unknown> = AsyncIterable<IngestRecord<S>> | Iterable<IngestRecord<S>>;

/** Longest wait for a source to be let go, in milliseconds. */
const RELEASE_MS = 1000;

type Step<S> = IteratorResult<IngestRecord<S>, unknown>;

export class RecordSource<S> {
  readonly #records: AsyncIterator<IngestRecord<S>> | Iterator<IngestRecord<S>>;
  /** It was asked and has not answered yet. */
  #asking = false;
  #ended = false;

  /** @throws ImmuError SOURCE_FAILED */
  constructor(records: IngestSource<S>) {
    this.#records = iteratorOf(records);
  }

  /** It has no more, or failed. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Asks for the next record. @throws ImmuError SOURCE_FAILED, or rejects with it */
  next(): Step<S> | Promise<Step<S>> {
    try {
      const next = this.#records.next();
      if (!('then' in next)) return this.#step(next);
      this.#asking = true;
      return next.then(this.#answered, this.#failed);
    } catch (error) {
      this.#ended = true;
      throw sourceFailed(error);
    }
  }

  readonly #answered = (step: unknown): Step<S> => {
    this.#asking = false;
    if (typeof step !== 'object' || step === null)
      return this.#failed(new TypeError('the source gave no step'));
    return this.#step(step as Step<S>);
  };

  readonly #failed = (error: unknown): never => {
    this.#asking = false;
    this.#ended = true;
    throw sourceFailed(error);
  };

  #step(step: Step<S>): Step<S> {
    if (step.done === true) this.#ended = true;
    return step;
  }

  /** Lets go of it. One that does not answer, to this or to what it was asked before, holds nobody up. */
  async close(): Promise<void> {
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
      await this.#records.return?.();
    } catch {
      // Nobody waits for more of it.
    }
  }
}

function iteratorOf<S>(records: IngestSource<S>): AsyncIterator<IngestRecord<S>> | Iterator<IngestRecord<S>> {
  try {
    return Symbol.asyncIterator in records ? records[Symbol.asyncIterator]() : records[Symbol.iterator]();
  } catch (error) {
    throw sourceFailed(error);
  }
}

/** `what`: of the caller's has thrown it. */
export function sourceFailed(cause: unknown, what = 'the source of records'): ImmuError {
  if (cause instanceof ImmuError) return cause;
  const words = cause instanceof Error ? cause.message : String(cause);
  return new ImmuError('SOURCE_FAILED', `${what} failed: ${visible(words)}`, { cause });
}
