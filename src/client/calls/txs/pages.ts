// How a run of transactions is asked for in pages: as many at a time as make an answer of a good size.
import { ArgumentError, ServerError } from '../../../errors.js';
import { txId } from '../../input/tx-id.js';
import { flag } from '../../input/option-checks.js';
import { MAX_ID } from '../../../proof/bytes.js';

/** Which transactions, in which order. */
export interface TxRange {
  /** The first that is given. @default 1, or with `desc` the newest */
  readonly from?: bigint;
  /** The last that is given. @default the newest, or with `desc` 1 */
  readonly to?: bigint;
  /** Newest first. @default false */
  readonly desc?: boolean;
}

/** Names of these options. */
export const RANGE_NAMES = ['from', 'to', 'desc'];

/** `from` absent: at the newest one. */
export interface CheckedRange {
  readonly from?: bigint;
  readonly to: bigint;
  readonly desc: boolean;
}

/** Throws ArgumentError. */
export function checkRange({ from, to, desc = false }: TxRange): CheckedRange {
  flag('desc', desc);
  if (from !== undefined) txId('from', from);
  if (to !== undefined) txId('to', to);
  if (from !== undefined && to !== undefined && (desc ? to > from : to < from))
    throw new ArgumentError('to', `to lies ${desc ? 'above' : 'below'} from`);
  const start = from ?? (desc ? undefined : 1n);
  return { ...(start !== undefined && { from: start }), to: to ?? (desc ? 1n : MAX_ID), desc };
}

const FIRST_PAGE = 64;
const LARGEST_PAGE = 1024;
/** An answer of this size is worth its round trip; a larger one is held in memory for little. */
const GOOD_BYTES = 1 << 20;

export class PageSize {
  #size = FIRST_PAGE;

  /** How many are asked for next, of those that are left. */
  next(left: bigint): number {
    return left < BigInt(this.#size) ? Number(left) : this.#size;
  }

  /** So many came in an answer of so many bytes. */
  learn(count: number, bytes: number): void {
    const each = Math.max(1, bytes / Math.max(1, count));
    this.#size = Math.min(LARGEST_PAGE, 4 * this.#size, Math.max(1, Math.floor(GOOD_BYTES / each)));
  }

  /** Whether a page that could not be had may be had in part: it was too large, or something in it is gone. */
  shrink(error: unknown, count: number): boolean {
    const inPart =
      error instanceof ServerError && (error.code === 'LIMIT_EXCEEDED' || error.code === 'TRUNCATED');
    if (!inPart || count <= 1) return false;
    this.#size = count >> 1;
    return true;
  }
}
