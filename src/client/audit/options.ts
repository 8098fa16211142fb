// What audits can be told, checked once.
import { ArgumentError } from '../../errors.js';
import { MAX_ID } from '../../proof/bytes.js';
import type { SigningKey } from '../../store/audit-log.js';
import type { Root } from '../../verify/verifier.js';
import { flag, knownNames, oneOf, optionsObject, whole, wrongType } from '../input/option-checks.js';
import { callOptionsOf, checkOptions } from '../input/call-options.js';
import { toRoot } from '../input/root-input.js';
import type { CallOptions } from '../input/call-options.js';
import type { DatabaseProgress, RangeProgress, RootsProgress } from './report.js';

/** `timeoutMs` is the deadline of each request; an audit as a whole has none. An abort ends it with ABORTED. */
export interface AuditOptions extends CallOptions {
  /** What follows a finding: the rest is checked too, or the audit ends. @default 'continue' */
  readonly onFinding?: 'continue' | 'stop';
  /** Findings that are listed one by one; more are counted. @default 100 */
  readonly maxFindings?: number;
  /**
   * Requests under way at the same time. Each holds an answer in memory: 2 MiB at most, where single transactions
   * are larger one of those, and never more than the client's `maxMessageBytes`. @default 6
   */
  readonly inFlight?: number;
}

export interface DatabaseAuditOptions extends AuditOptions {
  /**
   * Where to begin: behind this root, which the history must then contain; behind this transaction, whatever its hash is;
   * or behind nothing. @default 0n, the empty database: everything
   */
  readonly after?: bigint | Root;
  /**
   * Goes on where an audit of this database was interrupted: `resume` of its last progress or report. What the report then
   * says of the part before rests on it, so the audit log of the store must have its hash: one that was changed is refused.
   */
  readonly resume?: string;
  /**
   * Fetches every value and hashes it too. Servers leave out the values of documents, of entries that have expired and of
   * what was truncated: those are counted as not shown. @default false
   */
  readonly values?: boolean;
  /** Told after each stretch of transactions, in order. What it throws ends the audit. */
  readonly onProgress?: (progress: DatabaseProgress) => void;
}

export interface RangeAuditOptions extends AuditOptions {
  /** Transactions `first` to `last`: all of them at or below `under`. */
  readonly first: bigint;
  readonly last: bigint;
  /** What they are proven against: a root that whoever joins the reports trusts. It must be on this client's trusted history. */
  readonly under: Root;
  /** An Ed25519 private key, as a KeyObject or PEM: signs the report. */
  readonly key: SigningKey;
  /** As of an audit of the whole. @default false */
  readonly values?: boolean;
  /** Told after each stretch of transactions, in order. What it throws ends the audit. */
  readonly onProgress?: (progress: RangeProgress) => void;
}

export interface RootsAuditOptions extends AuditOptions {
  /** Goes on behind the row of this seq: `after` of a report or of the last progress. */
  readonly after?: bigint;
  /** Inclusive. */
  readonly txRange?: { readonly from?: bigint; readonly to?: bigint };
  /** Inclusive, unix milliseconds of `verifiedAt`. */
  readonly timeRange?: { readonly from?: number; readonly to?: number };
  /** Told after each batch of rows, in order. What it throws ends the audit. */
  readonly onProgress?: (progress: RootsProgress) => void;
}

export interface ResolvedAuditOptions {
  readonly call: CallOptions;
  readonly stops: boolean;
  readonly maxFindings: number;
  readonly inFlight: number;
}

const COMMON = ['onFinding', 'maxFindings', 'inFlight', 'onProgress'];

/** @throws ArgumentError naming the option that makes no sense */
export function checkDatabaseOptions(options: DatabaseAuditOptions): ResolvedAuditOptions {
  const resolved = checkCommon(options, ['after', 'resume', 'values']);
  const { after, resume, values } = options;
  if (values !== undefined) flag('values', values);
  if (resume !== undefined && typeof resume !== 'string') wrongType('resume', 'a string', resume);
  if (resume !== undefined && after !== undefined)
    throw new ArgumentError('resume', 'resume says where to begin: leave after out');
  if (typeof after === 'object') {
    toRoot('after', after);
  } else if (after !== undefined) id('after', after);
  return resolved;
}

/** @throws ArgumentError naming the option that makes no sense */
export function checkRangeOptions(
  options: RangeAuditOptions,
): ResolvedAuditOptions & { readonly under: Root } {
  const resolved = checkCommon(options, ['first', 'last', 'under', 'key', 'values']);
  const { first, last, values } = options;
  const under = toRoot('under', options.under);
  if (values !== undefined) flag('values', values);
  for (const [name, tx] of Object.entries({ first, last })) {
    id(name, tx);
    if (tx === 0n) throw new ArgumentError(name, `${name} must be a bigint from 1 to 2^63-1`);
  }
  if (last < first) throw new ArgumentError('last', 'last is before first');
  if (last > under.tx)
    throw new ArgumentError('last', 'last is beyond the root that it is to be proven under');
  return { ...resolved, under };
}

/** @throws ArgumentError naming the option that makes no sense */
export function checkRootsOptions(options: RootsAuditOptions): ResolvedAuditOptions {
  const resolved = checkCommon(options, ['after', 'txRange', 'timeRange']);
  const { after, txRange, timeRange } = options;
  if (after !== undefined) id('after', after);
  for (const [name, range] of Object.entries({ txRange, timeRange })) {
    if (range === undefined) continue;
    optionsObject(name, range);
    knownNames(name, range, ['from', 'to']);
  }
  return resolved;
}

function checkCommon(options: AuditOptions, own: readonly string[]): ResolvedAuditOptions {
  checkOptions(options, [...COMMON, ...own]);
  const { onFinding = 'continue', maxFindings = 100, inFlight = 6 } = options;
  const { onProgress } = options as DatabaseAuditOptions;
  if (onProgress !== undefined && typeof onProgress !== 'function')
    wrongType('onProgress', 'a function', onProgress);
  return {
    call: callOptionsOf(options),
    stops: oneOf('onFinding', onFinding, ['continue', 'stop']) === 'stop',
    maxFindings: whole('maxFindings', maxFindings, 1, 100_000),
    inFlight: whole('inFlight', inFlight, 1, 64),
  };
}

function id(name: string, value: unknown): void {
  if (typeof value !== 'bigint' || value < 0n || value > MAX_ID)
    throw new ArgumentError(name, `${name} must be a bigint from 0 to 2^63-1`);
}
