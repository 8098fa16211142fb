// What an ingestion gives: receipts, by the record and by the transaction, what was refused, how it ended.
import { ImmuError } from '../../../errors.js';
import type { Root } from '../../../verify/verifier.js';

/** A record that is proven to be in the one trusted history, its root durable. */
export interface IngestReceipt<S = unknown> {
  /** Place of the record in the source, from 0. */
  readonly index: number;
  readonly key: Uint8Array;
  /** What the record was given with, if anything. */
  readonly source?: S;
  readonly tx: bigint;
  readonly alh: Uint8Array;
  readonly timestamp: bigint;
  readonly root: Root;
  /** Always: what is not proven has no receipt. */
  readonly proven: true;
  /** With `once`: an earlier write, in `tx`, had put it there with this value, and it was not written again. */
  readonly wasThere?: true;
  /** Goes on behind this record: see `IngestOptions.resume`. */
  readonly resume: string;
}

/**
 * Records in a row that are proven to be in a transaction of the one trusted history, its root durable: all that it holds, in
 * their order, but where others of it were refused, or with `once` were there already: then several of these are of one transaction.
 */
export interface IngestBatch<S = unknown> {
  /** Places in the source of its first record and its last, from 0. */
  readonly first: number;
  readonly last: number;
  readonly count: number;
  /** What its records were given with, in their order; absent where none of them was given with anything. */
  readonly sources?: readonly (S | undefined)[];
  /** Of keys and values. */
  readonly bytes: number;
  readonly tx: bigint;
  readonly alh: Uint8Array;
  readonly timestamp: bigint;
  readonly root: Root;
  /** Always: what is not proven has no receipt. */
  readonly proven: true;
  /** With `once`: an earlier write had put them there, among others maybe, with these values, and they were not written again. */
  readonly wasThere?: true;
  /** Goes on behind these records: see `IngestOptions.resume`. */
  readonly resume: string;
}

/** A record that can never be written, and was passed over. */
export interface IngestRefusal<S = unknown> {
  /** Place of the record in the source, from 0. */
  readonly index: number;
  /** Absent where what was given is neither bytes nor well-formed text. */
  readonly key?: Uint8Array;
  /** What the record was given with, if anything. */
  readonly source?: S;
  /**
   * Why: INVALID_ARGUMENT for what is no key or no value, LIMIT_EXCEEDED for what this database or server does not take,
   * PRECONDITION_FAILED for a key that is there with another value (with `once`).
   */
  readonly error: ImmuError;
}

/** How an ingestion ended that came to the end of its source. */
export interface IngestSummary {
  /** Records that were proven in this run; so many of them were there already. */
  readonly records: number;
  readonly wasThere: number;
  /** Records that were handed to `onRefused`. */
  readonly refused: number;
  /** Of keys and values proven. */
  readonly bytes: number;
  readonly seconds: number;
  /** Goes on behind the last record. */
  readonly resume: string;
}

/**
 * A record could not be written and proven, or there was none: all before it are proven, or were refused. `code` and `cause` say why
 * (`SOURCE_FAILED`: the source, `onProven` or `onRefused` threw `cause.cause`), `resume` goes on with it. Records behind it may
 * have been written.
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
