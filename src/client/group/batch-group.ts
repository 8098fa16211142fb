// Many plain entries as one transaction, which holds nothing else: of one write, or the records of an ingestion while it waits.
import type { ImmuErrorCode } from '../../errors.js';
import type { AdaptiveSize } from './adaptive-size.js';
import type { EntryBatch } from './entry-batch.js';
import type { Ending } from './write-form.js';
import { SET } from './write-forms.js';
import { NO_ENDINGS } from './write-group.js';
import type { WaitingGroup } from './write-group.js';

/** Who waits for some of the entries, where they may be written apart: those from `from` to before `to`. */
export type WriterOf<W> = (from: number, to: number) => W;

export class BatchGroup<W> implements WaitingGroup<W> {
  readonly form = SET;
  readonly endings: ReadonlyMap<string, Ending> = NO_ENDINGS;
  readonly writes: readonly W[];
  readonly #from: number;
  readonly #to: number | undefined;

  /** `apart`: of entries that need not be written together. `to`: undefined for all, also those that come yet. */
  constructor(
    readonly size: AdaptiveSize,
    readonly batch: EntryBatch,
    write: W,
    readonly apart?: WriterOf<W>,
    from = 0,
    to?: number,
  ) {
    this.writes = [write];
    this.#from = from;
    this.#to = to;
  }

  get #end(): number {
    return this.#to ?? this.batch.count;
  }

  get count(): number {
    return this.#end - this.#from;
  }

  get request(): Uint8Array {
    return this.batch.request(this.#from, this.#end);
  }

  get names(): Iterable<string> {
    return this.batch.names(this.#from, this.#end);
  }

  readonly keys = () => this.batch.keys(this.#from, this.#end);

  meets(written: Iterable<string>, needed: Iterable<string> | undefined): boolean {
    for (const name of written) if (this.batch.has(name)) return true;
    if (needed) for (const name of needed) if (this.batch.has(name)) return true;
    return false;
  }

  follows(other: WaitingGroup<W>): boolean {
    if (other instanceof BatchGroup) return this.batch.meets(other.batch);
    return other.meets(this.names, undefined);
  }

  wanted(isSettled: (write: W) => boolean): BatchGroup<W> | undefined {
    return this.writes.some(isSettled) ? undefined : this;
  }

  halves(refused: ImmuErrorCode): readonly [BatchGroup<W>, BatchGroup<W>] | undefined {
    const { apart, count } = this;
    if (!apart || count < 2) return undefined;
    // Which of its keys are there is found out by reading them, not by trying.
    if (this.batch.mustNotExist && refused === 'PRECONDITION_FAILED') return undefined;
    const part = (from: number, to: number) =>
      new BatchGroup<W>(this.size, this.batch, apart(from, to), apart, from, to);
    const middle = this.#from + (count >> 1);
    return [part(this.#from, middle), part(middle, this.#end)];
  }
}
