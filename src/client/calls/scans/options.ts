// What scans and histories are told, checked before anything is sent.
import { ArgumentError } from '../../../errors.js';
import { checkOptions } from '../../input/call-options.js';
import type { CallOptions } from '../../input/call-options.js';
import { flag, whole, wrongType } from '../../input/option-checks.js';

/** What every iterator over results can be told. `timeoutMs` is that of each page, `signal` ends the whole. */
export interface ResultsOptions extends CallOptions {
  /** The last ones first. @default false */
  readonly desc?: boolean;
  /** Most results, 1 or more. @default all */
  readonly limit?: number;
  /** Results to be passed over at the start. @default 0 */
  readonly offset?: number;
  /** The server must have indexed this tx before it answers. @default all that is committed */
  readonly sinceTx?: bigint;
  /**
   * Results that are asked for at once, 1 or more; fewer where so many do not fit into a message. The server gives up to 2500,
   * and refuses more with LIMIT_EXCEEDED. @default 1000
   */
  readonly pageSize?: number;
}

const MAX_INT32 = 0x7fff_ffff;
const RESULT_NAMES = ['desc', 'limit', 'offset', 'sinceTx', 'pageSize'];

/** The same for scans, which have ranges. */
export interface WaitOptions {
  /** Not to wait for the index. An immudb 1.11 takes it and waits all the same. */
  readonly noWait?: boolean;
}

/** Throws ArgumentError naming the option. `own`: names that this iterator has beside those of all. */
export function checkResultsOptions(options: ResultsOptions & WaitOptions, own: readonly string[]): void {
  checkOptions(options, [...RESULT_NAMES, ...own]);
  const { desc, limit, offset, sinceTx, pageSize, noWait } = options;
  optional('desc', desc, flag);
  optional('noWait', noWait, flag);
  optional('limit', limit, (name, value) => whole(name, value, 1, Number.MAX_SAFE_INTEGER));
  optional('offset', offset, (name, value) => whole(name, value, 0, Number.MAX_SAFE_INTEGER));
  optional('pageSize', pageSize, (name, value) => whole(name, value, 1, MAX_INT32));
  optional('sinceTx', sinceTx, (name, value) => id(name, value, 1n));
}

export function optional<T>(
  name: string,
  value: T | undefined,
  check: (name: string, value: T) => unknown,
): void {
  if (value !== undefined) check(name, value);
}

export function id(name: string, value: unknown, min: bigint): bigint {
  if (typeof value !== 'bigint') wrongType(name, 'a bigint', value);
  if (value < min || BigInt.asIntN(64, value) !== value)
    throw new ArgumentError(
      name,
      `${name} must be from ${min.toString()} to 2^63-1, not ${value.toString()}`,
    );
  return value;
}

/** The tx that a verified scan waits for: a snapshot of before the head could show less than was proven. */
export function sinceTxField(sinceTx: bigint | undefined, headTx = 0n): { sinceTx?: string } {
  if (sinceTx === undefined) return {};
  return { sinceTx: (sinceTx > headTx ? sinceTx : headTx).toString() };
}
