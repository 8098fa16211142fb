// What an ingestion can be told.
import { ArgumentError } from '../../../errors.js';
import { checkOptions } from '../../input/call-options.js';
import { flag, whole } from '../../input/option-checks.js';
import type { IngestReceipt, IngestRefusal } from './receipts.js';
import { parseToken } from './token.js';

export interface IngestOptions<S = unknown> {
  /** Ends the ingestion with ABORTED; what is on its way may still be written. */
  readonly signal?: AbortSignal;
  /** Deadline of each transaction in milliseconds, from its first record on. @default the client's `timeoutMs` */
  readonly timeoutMs?: number;
  /**
   * Records that are on their way, or proven and not yet taken, at a time: never more than half of what the client may hold
   * (`maxQueuedCalls`, `maxQueuedBytes`), so that other calls have room. @default 8192
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
  /**
   * Told what was proven, in the order of the source, once for each transaction that was sent, before its receipts are given: here
   * is where a broker's messages are acknowledged. It is awaited before the window moves on, so that no more is taken than is
   * acknowledged, and what it throws ends the ingestion with SOURCE_FAILED (an ImmuError: with its own code), whose token is
   * behind what was acknowledged. Whether these records are on disk is not open any more: they are, and their root is.
   */
  readonly onProven?: (receipts: readonly IngestReceipt<S>[]) => void | PromiseLike<void>;
  /**
   * Told, in order, each record that can never be written, which is passed over then: no key or no value (empty, too long, of another
   * type), too large for this database, or, with `once`, there already with another value. Awaited, and ends the ingestion, as
   * `onProven` does. Without it such a record ends the ingestion. What may go well another time, and what is not proven, is never
   * a refusal.
   */
  readonly onRefused?: (refusal: IngestRefusal<S>) => void | PromiseLike<void>;
  /**
   * Nothing is written a second time although the source gives it again. Records that may have been written are written on the
   * condition that their key is not there; where it is, its entry is read back verified: the same value is a receipt (`wasThere`),
   * another one is PRECONDITION_FAILED. A transaction whose outcome is unknown is read back and goes on. Written so are
   *
   * - records that are `redelivered`,
   * - as many as the window holds at first,
   * - those whose key is on its way in the window already;
   *
   * all others go the fast way, which writes whatever is there. So each record is written at least once, and only once as long as
   *
   * - a key belongs to one record, and nobody else writes it (one that was deleted or has expired counts as not there);
   * - what an earlier run may have written comes `redelivered`, or among the first that the window holds: then a source without
   *   such a flag has to go on in order, right behind what was acknowledged or at the token, and neither `window` nor the client's
   *   `maxQueuedCalls` may be smaller than in that run;
   * - the server has carried out, or lost, what an earlier run had sent before this one reads or writes these records (the same holds
   *   within a run for a fast transaction whose outcome is unknown): a write without a condition that comes later is a second one;
   * - the server keeps to the condition, which nothing proves: one that hides an entry writes it again.
   *
   * That a record is there, with this value, is proven in each case. @default false
   */
  readonly once?: boolean;
}

export interface IngestProgress {
  /** Records taken from the source, and proven, those passed over counted. */
  readonly taken: number;
  readonly proven: number;
  /** Records that were handed to `onRefused` in this run. */
  readonly refused: number;
  /** Bytes of keys and values proven in this run. */
  readonly bytes: number;
  readonly seconds: number;
  readonly resume: string;
}

const OWN = ['window', 'windowBytes', 'resume', 'onProgress', 'onProven', 'onRefused', 'once'];

/** Throws ArgumentError naming the option. */
export function checkIngestOptions<S>(options: IngestOptions<S>): void {
  checkOptions(options, OWN);
  const { window, windowBytes, resume, once, onProgress, onProven, onRefused } = options;
  if (window !== undefined) whole('window', window, 1, 1_000_000);
  if (windowBytes !== undefined) whole('windowBytes', windowBytes, 1, 0x7fff_ffff);
  if (resume !== undefined) parseToken(resume);
  if (once !== undefined) flag('once', once);
  for (const [name, told] of Object.entries({ onProgress, onProven, onRefused }))
    if (told !== undefined && typeof told !== 'function')
      throw new ArgumentError(name, `${name} must be a function`);
}
