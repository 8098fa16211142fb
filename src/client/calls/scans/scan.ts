// scan and verifiedScan, page by page: keys of a range in order, by the server's word and proven.
import { TransportError } from '../../../errors.js';
import { follows } from '../../../verify/readings/scan.js';
import type { KeyRange } from '../../../verify/readings/scan.js';
import { readEntries } from '../../../verify/wire/answers.js';
import type { ScanRequest } from '../../../wire/messages.js';
import { toKey, toPrefix } from '../../input/bytes-input.js';
import type { BytesInput } from '../../input/bytes-input.js';
import type { CallOptions } from '../../input/call-options.js';
import { flag } from '../../input/option-checks.js';
import { copyBytes } from '../../input/pooled-bytes.js';
import type { Rpc } from '../../net/rpc.js';
import { readPlain } from '../../results/plain-answer.js';
import type { Entry } from '../kv/entries.js';
import { entryOf } from '../kv/plain-entry.js';
import type { VerifiedEntry } from '../kv/verified-entry.js';
import { checkResultsOptions, optional, sinceTxField } from './options.js';
import type { ResultsOptions, WaitOptions } from './options.js';
import type { TellNext } from './pages.js';
import { assertGoesOn, endingOf, scannedKey } from './scan-end.js';
import type { EndAsker, Ending } from './scan-end.js';
import { MAX_RESULTS, PageSize, firstStep, nextStep } from './steps.js';
import type { Step } from './steps.js';
import { count } from './count.js';
import { Together } from './together.js';
import { VerifiedPage } from './verified-page.js';
import type { PageRoom } from './verified-page.js';

/** Which keys a scan gives, and how. */
export interface ScanOptions extends ResultsOptions, WaitOptions {
  /** What keys begin with. @default all keys */
  readonly prefix?: BytesInput;
  /** Where to start: behind this key, or with `desc` before it. It need not be there. */
  readonly seekKey?: BytesInput;
  /** Where to end: before this key, or with `desc` behind it. */
  readonly endKey?: BytesInput;
  /** With the entry of `seekKey` itself. @default false */
  readonly inclusiveSeek?: boolean;
  /** With the entry of `endKey` itself. @default false */
  readonly inclusiveEnd?: boolean;
}

export const SCAN_NAMES = ['prefix', 'seekKey', 'endKey', 'inclusiveSeek', 'inclusiveEnd', 'noWait'];

/** What a scan was asked for, checked. */
export interface ScanInput {
  readonly range: KeyRange;
  readonly options: ScanOptions;
  readonly size: PageSize;
  readonly first: ScanStep;
}

/** Seek: the last key of the page before. */
export interface ScanStep extends Step<Uint8Array> {
  /** The page before showed less than was asked for: that may have been the end. So many have shown nothing since. */
  readonly vain?: number;
}

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Throws ArgumentError naming the option. */
export function scanInput(options: ScanOptions): ScanInput {
  checkResultsOptions(options, SCAN_NAMES);
  const { prefix, seekKey, endKey, inclusiveSeek, inclusiveEnd } = options;
  optional('inclusiveSeek', inclusiveSeek, flag);
  optional('inclusiveEnd', inclusiveEnd, flag);
  const range = {
    prefix: prefix === undefined ? NO_BYTES : toPrefix(prefix, 'prefix'),
    seekKey: seekKey === undefined ? NO_BYTES : toKey(seekKey, 'seekKey'),
    endKey: endKey === undefined ? NO_BYTES : toKey(endKey, 'endKey'),
    inclusiveSeek: inclusiveSeek ?? false,
    inclusiveEnd: inclusiveEnd ?? false,
    desc: options.desc ?? false,
  };
  const size = new PageSize(options.pageSize);
  const { offset, limit } = options;
  const first = firstStep<Uint8Array>(size, {
    ...(offset !== undefined && { offset }),
    ...(limit !== undefined && { limit }),
  });
  return { range, options, size, first };
}

/** The range of what is left: behind the last key that was shown. */
function rangeAt({ range }: ScanInput, { seek }: ScanStep): KeyRange {
  return seek ? { ...range, seekKey: seek, inclusiveSeek: false } : range;
}

export function scanRequest(
  range: KeyRange,
  { offset }: ScanStep,
  limit: number,
  { sinceTx, noWait }: ScanOptions,
  headTx?: bigint,
): ScanRequest {
  return {
    ...range,
    limit: limit.toString(),
    ...(offset > 0 && { offset: offset.toString() }),
    ...sinceTxField(sinceTx, headTx),
    ...(noWait && { noWait }),
  };
}

/** Whether the scan ends where this page begins, where the page before it may have been the last. */
async function endingAt(
  { first }: ScanInput,
  { seek, vain }: ScanStep,
  range: KeyRange,
  ask: EndAsker,
): Promise<Ending | undefined> {
  // An offset may have passed over all there is.
  const isOffset = first.offset > 0 && seek === undefined;
  return vain === undefined || isOffset ? undefined : endingOf(range, ask);
}

/** The step behind a page, whose ending was looked at: see {@link nextStep}. */
function stepBehind(
  { size }: ScanInput,
  step: ScanStep,
  asked: number,
  count: number,
  last: Uint8Array | undefined,
  ending: Ending | undefined,
): ScanStep | undefined {
  if (last === undefined) {
    if (step.vain === undefined) return { ...step, limit: MAX_RESULTS, vain: 0 };
    if (ending === undefined) return undefined;
    const vain = step.vain + 1;
    assertGoesOn(ending, vain);
    return { ...step, offset: step.offset + asked, vain };
  }
  const next: ScanStep | undefined = nextStep(size, step, asked, count, last);
  return next && count < asked ? { ...next, vain: 0 } : next;
}

/** By the server's word. Refuses only what would keep the iterator from going on: keys that are not behind the last one. */
export async function scanPage(
  rpc: Rpc,
  input: ScanInput,
  step: ScanStep,
  call: CallOptions,
  next: TellNext<ScanStep>,
): Promise<Entry[]> {
  const { options, size } = input;
  const range = rangeAt(input, step);
  const ending = await endingAt(input, step, range, {
    scan: (request) => rpc.raw('Scan', request, call),
    count: (prefix) => count(rpc, prefix, call),
  });
  if (ending === 'end') return [];
  const { answer, asked } = await size.fitting(step.limit, (limit) =>
    rpc.raw('Scan', scanRequest(range, step, limit, options), call),
  );
  const shown = readPlain(() => readEntries(answer, asked, false)).slice(0, step.left);
  let last = step.seek;
  for (const { entry } of shown) {
    const key = scannedKey(entry);
    if (last && !follows(last, key, range.desc))
      throw new TransportError('UNAVAILABLE', 'the server answered with keys that are out of order');
    last = key;
  }
  const end = shown.length > 0 && last ? copyBytes(last) : undefined;
  next(stepBehind(input, step, asked, shown.length, end, ending));
  return shown.map(({ entry }) => entryOf(scannedKey(entry), entry));
}

/** Every entry proven as verifiedGet proves it; see the face for what that is. */
export async function verifiedScanPage(
  room: PageRoom,
  input: ScanInput,
  step: ScanStep,
  next: TellNext<ScanStep>,
): Promise<VerifiedEntry[]> {
  const { options, size } = input;
  const page = await VerifiedPage.begin(room);
  const { call, head } = page;
  const range = rangeAt(input, step);
  const ending = await endingAt(input, step, range, {
    scan: (request) => page.rpc.raw('Scan', request, call.deadline.left),
    count: (prefix) => count(page.rpc, prefix, call.deadline.left),
  });
  if (ending === 'end') return page.end(new Together<VerifiedEntry>(0));
  const { answer, asked } = await size.fitting(step.limit, (limit) =>
    page.ask((rpc) => rpc.raw('Scan', scanRequest(range, step, limit, options, head.tx), call.deadline.left)),
  );
  const { claims } = await page.check({ kind: 'scan', ...range, max: asked }, answer);
  const taken = claims.length > step.left ? claims.slice(0, step.left) : claims;
  const last = taken.at(-1)?.claim.key;
  next(stepBehind(input, step, asked, taken.length, last && copyBytes(last), ending));
  const together = new Together<VerifiedEntry | null>(taken.length);
  page.prove(taken, together);
  const entries = await page.end(together);
  return entries.filter((entry) => entry !== null);
}
