// zScan, page by page: members of a sorted set in the order of the server's index.
import { ArgumentError, TransportError } from '../../../errors.js';
import { sortedSetKey } from '../../../proof/entry.js';
import { follows } from '../../../verify/readings/scan.js';
import { readMembers } from '../../../verify/wire/z-entries.js';
import type { ZScanRequest } from '../../../wire/messages.js';
import { toKey } from '../../input/bytes-input.js';
import type { BytesInput } from '../../input/bytes-input.js';
import type { CallOptions } from '../../input/call-options.js';
import { flag, knownNames, optionsObject, wrongType } from '../../input/option-checks.js';
import { copyBytes } from '../../input/pooled-bytes.js';
import type { Rpc } from '../../net/rpc.js';
import { readPlain } from '../../results/plain-answer.js';
import { resultOf } from '../../results/result.js';
import type { Entry } from '../kv/entries.js';
import { entryOf } from '../kv/plain-entry.js';
import { checkResultsOptions, id, optional, sinceTxField } from './options.js';
import type { ResultsOptions, WaitOptions } from './options.js';
import type { TellNext } from './pages.js';
import { PageSize, firstStep, nextStep } from './steps.js';
import type { Step } from './steps.js';

/** Which members of a sorted set a scan gives, and how. */
export interface ZScanOptions extends ResultsOptions, WaitOptions {
  /** @default all scores */
  readonly minScore?: number;
  /** @default all scores */
  readonly maxScore?: number;
  /** Where to start: behind this member, or with `desc` before it. It need not be there. */
  readonly seek?: ZSeek;
  /** With the member of `seek` itself. @default false */
  readonly inclusiveSeek?: boolean;
}

/** The place of a member in a sorted set. */
export interface ZSeek {
  readonly score: number;
  readonly key: BytesInput;
  /** Of a member that is bound to a transaction. @default 0n: it is not */
  readonly atTx?: bigint;
}

/** A member of a sorted set by the server's word. */
export interface ZEntry {
  readonly score: number;
  /** The key that is a member. */
  readonly key: Uint8Array;
  /** Version that it is bound to; 0 = whatever is latest. */
  readonly atTx: bigint;
  /** What that key holds. */
  readonly entry: Entry;
}

const Z_SCAN_NAMES = ['minScore', 'maxScore', 'seek', 'inclusiveSeek', 'noWait'];
const SEEK_NAMES = ['score', 'key', 'atTx'];

/** Place of a member. */
interface Place {
  readonly score: number;
  readonly key: Uint8Array;
  readonly atTx: bigint;
  readonly inclusive?: boolean;
}

/** Seek: the last member of the page before. */
export type ZScanStep = Step<Place>;

/** What a scan of a set was asked for, checked. */
export interface ZScanInput {
  readonly set: Uint8Array;
  readonly options: ZScanOptions;
  readonly size: PageSize;
  readonly first: ZScanStep;
}

/** Throws ArgumentError naming what is wrong. */
export function zScanInput(set: BytesInput, options: ZScanOptions): ZScanInput {
  const asked = toKey(set, 'set');
  checkResultsOptions(options, Z_SCAN_NAMES);
  const { minScore, maxScore, seek, inclusiveSeek = false, limit, offset } = options;
  optional('minScore', minScore, score);
  optional('maxScore', maxScore, score);
  flag('inclusiveSeek', inclusiveSeek);
  const size = new PageSize(options.pageSize);
  const first = firstStep<Place>(size, {
    ...(seek !== undefined && { seek: { ...toPlace(seek), inclusive: inclusiveSeek } }),
    ...(offset !== undefined && { offset }),
    ...(limit !== undefined && { limit }),
  });
  return { set: asked, options, size, first };
}

function toPlace(seek: ZSeek): Place {
  optionsObject('seek', seek);
  knownNames('seek', seek, SEEK_NAMES);
  const { score: at, key, atTx = 0n } = seek;
  return { score: score('seek.score', at), key: toKey(key, 'seek.key'), atTx: id('seek.atTx', atTx, 0n) };
}

function score(name: string, value: unknown): number {
  if (typeof value !== 'number') wrongType(name, 'a number', value);
  if (Number.isNaN(value)) throw new ArgumentError(name, `${name} must be a number, not NaN`);
  return value;
}

export function zScanRequest(
  { set, options }: ZScanInput,
  { seek, offset }: ZScanStep,
  limit: number,
  headTx?: bigint,
): ZScanRequest {
  const { minScore, maxScore, desc, sinceTx, noWait } = options;
  return {
    ...{ set, limit: limit.toString() },
    ...(seek && { seekKey: seek.key, seekScore: seek.score, seekAtTx: seek.atTx.toString() }),
    ...(seek?.inclusive && { inclusiveSeek: true }),
    ...(desc && { desc }),
    ...(minScore !== undefined && { minScore: { score: minScore } }),
    ...(maxScore !== undefined && { maxScore: { score: maxScore } }),
    ...(offset > 0 && { offset: offset.toString() }),
    ...sinceTxField(sinceTx, headTx),
    ...(noWait && { noWait }),
  };
}

/**
 * The step behind a page. Where scores above `maxScore` fill the largest page there may be negative ones behind them, which the
 * server orders last: they are looked for at their beginning.
 */
export function stepAfter(
  { size, options }: ZScanInput,
  step: ZScanStep,
  asked: number,
  count: number,
  last: Place | undefined,
): ZScanStep | undefined {
  const next = nextStep(size, step, asked, count, last);
  if (next || step.left <= count) return next;
  const { maxScore, minScore, desc } = options;
  const isBefore = !step.seek || step.seek.score > 0 || Object.is(step.seek.score, 0);
  const mayFollow = maxScore !== undefined && (minScore === undefined || minScore === 0) && desc !== true;
  if (!isBefore || !mayFollow || step.offset > 0) return undefined;
  return { ...step, seek: NEGATIVES, limit: size.now };
}

/** Before all members with negative scores, −0 among them. */
const NEGATIVES: Place = { score: -0, key: new Uint8Array(1), atTx: 0n, inclusive: true };

export function rawOf(set: Uint8Array, { score: at, key, atTx }: Place): Uint8Array {
  return sortedSetKey(set, at, key, atTx);
}

/** By the server's word. Refuses only what would keep the iterator from going on: members that are not behind the last one. */
export async function zScanPage(
  rpc: Rpc,
  input: ZScanInput,
  step: ZScanStep,
  call: CallOptions,
  next: TellNext<ZScanStep>,
): Promise<ZEntry[]> {
  const { set, options, size } = input;
  const { answer, asked } = await size.fitting(step.limit, (limit) =>
    rpc.raw('ZScan', zScanRequest(input, step, limit), call),
  );
  const members = readPlain(() => readMembers(answer, asked)).slice(0, step.left);
  let before = step.seek && !step.seek.inclusive ? rawOf(set, step.seek) : undefined;
  for (const member of members) {
    const raw = readPlain(() => rawOf(set, member));
    if (before && !follows(before, raw, options.desc ?? false))
      throw new TransportError('UNAVAILABLE', 'the server answered with members that are out of order');
    before = raw;
  }
  next(stepAfter(input, step, asked, members.length, placeOf(members.at(-1))));
  return members.map(({ score: at, key, atTx, shown: { entry } }) =>
    resultOf({
      score: at,
      key: copyBytes(key),
      atTx,
      entry: entryOf(entry.referencedBy?.key ?? entry.key, entry),
    }),
  );
}

export function placeOf(member: Place | undefined): Place | undefined {
  return member && { score: member.score, key: copyBytes(member.key), atTx: member.atTx };
}
