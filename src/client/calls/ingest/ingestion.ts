// Ingestion: records in, receipts of proven writes out, in order; as fast as groups of writes go, with bounded memory, and
// with a token to go on from after whatever happened.
import { ArgumentError } from '../../../errors.js';
import type { IngestOptions } from './options.js';
import { provenParts, receiptsIn } from './proven-parts.js';
import type { Proven } from './proven-parts.js';
import type { IngestBatch, IngestReceipt, IngestSummary } from './receipts.js';
import type { IngestSource } from './source.js';
import type { IngestClient } from './window.js';

/**
 * Receipts of an ingestion, in order: one for each record, as it is iterated, or one for each transaction ({@link batches}); or none,
 * where `onProven` is told them ({@link finished}). Nothing is taken from the source before the first is asked for.
 */
export class Ingestion<S = unknown> implements AsyncGenerator<IngestReceipt<S>, void, undefined> {
  #proven: (() => AsyncGenerator<Proven<S>, IngestSummary, undefined>) | undefined;
  #receipts: AsyncGenerator<IngestReceipt<S>, void, undefined> | undefined;

  /** @internal Requires checked options. */
  constructor(client: IngestClient, records: IngestSource<S>, options: IngestOptions<S>) {
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
  batches(): AsyncGenerator<IngestBatch<S>, void, undefined> {
    return batchesOf(this.#begin());
  }

  /**
   * Runs the ingestion to the end of its source, with nobody to take receipts but `onProven`.
   *
   * @example
   * const onProven = (receipts) => receipts.forEach(({ source }) => source.ack());
   * const { records, resume } = await client.ingest(messages, { onProven, once: true }).finished();
   * @throws IngestError with the code of what went wrong
   * @throws ArgumentError when receipts of this ingestion were asked for already
   */
  async finished(): Promise<IngestSummary> {
    const proven = this.#begin();
    for (;;) {
      const step = await proven.next();
      if (step.done) return step.value;
    }
  }

  /** Rejects with ArgumentError when {@link batches} were asked for. */
  next(): Promise<IteratorResult<IngestReceipt<S>, void>> {
    const each = this.#receipts;
    return each ? each.next() : this.#first();
  }

  return(): Promise<IteratorResult<IngestReceipt<S>, void>> {
    if (!this.#receipts && !this.#proven) return Promise.resolve({ done: true, value: undefined });
    return this.#each().return();
  }

  async throw(error: unknown): Promise<IteratorResult<IngestReceipt<S>, void>> {
    return this.#each().throw(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async #first(): Promise<IteratorResult<IngestReceipt<S>, void>> {
    return this.#each().next();
  }

  #each(): AsyncGenerator<IngestReceipt<S>, void, undefined> {
    return (this.#receipts ??= receiptsOf(this.#begin()));
  }

  #begin(): AsyncGenerator<Proven<S>, IngestSummary, undefined> {
    const begin = this.#proven;
    if (!begin) throw new ArgumentError('batches', 'receipts of this ingestion were asked for already');
    this.#proven = undefined;
    return begin();
  }
}

async function* batchesOf<S>(
  proven: AsyncGenerator<Proven<S>, IngestSummary, undefined>,
): AsyncGenerator<IngestBatch<S>, void, undefined> {
  for await (const { batch } of proven) yield batch;
}

async function* receiptsOf<S>(
  all: AsyncGenerator<Proven<S>, IngestSummary, undefined>,
): AsyncGenerator<IngestReceipt<S>, void, undefined> {
  for await (const part of all) {
    let count = 0;
    for (const receipt of part.receipts ?? receiptsIn(part)) {
      yield receipt;
      part.taken(++count);
    }
  }
}
