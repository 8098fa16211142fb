// verifiedScan of all that there is: the keys come from what was followed, the values from the server, each proven.
import { plainKey } from '../../../proof/entry.js';
import type { CallOptions } from '../../input/call-options.js';
import { after, beyond, narrowed, prefixRange } from '../../trust/latest/ranges.js';
import type { KeyRange, RangeRow } from '../../trust/latest/ranges.js';
import { scanInput } from '../scans/scan.js';
import type { ScanInput, ScanOptions } from '../scans/scan.js';
import { completeInput } from './complete-options.js';
import type { CompleteOptions } from './complete-options.js';
import type { LatestEntry } from './latest-get.js';
import { reasonOf } from './proven.js';
import type { AsOf } from './as-of.js';

/** A scan that is proven to leave nothing out: without `sinceTx` and `noWait`, for it goes by what was followed. */
export interface CompleteScanOptions extends Omit<ScanOptions, 'sinceTx' | 'noWait'>, CompleteOptions {}

export function completeScanInput(options: CompleteScanOptions): { at: bigint; input: ScanInput } {
  const { at, rest } = completeInput(options);
  return { at, input: scanInput(rest) };
}

/** Where a page begins. */
export interface RangeStep {
  readonly range: KeyRange;
  /** Results to be passed over, and those that the caller still takes. */
  readonly offset: number;
  readonly left: number;
}

export function firstScanStep({ range, first }: ScanInput): RangeStep {
  return { range: rawRange(range), offset: first.offset, left: first.left };
}

/** Raw keys of the range. */
function rawRange({
  prefix,
  seekKey,
  endKey,
  inclusiveSeek,
  inclusiveEnd,
  desc,
}: ScanInput['range']): KeyRange {
  const whole = prefixRange(plainKey(prefix));
  const [low, lowIn, high, highIn] = desc
    ? [endKey, inclusiveEnd, seekKey, inclusiveSeek]
    : [seekKey, inclusiveSeek, endKey, inclusiveEnd];
  const from = low.length === 0 ? undefined : lowIn ? plainKey(low) : after(plainKey(low));
  const to = high.length === 0 ? undefined : highIn ? after(plainKey(high)) : plainKey(high);
  return narrowed(whole, { ...(from && { from }), ...(to && { to }) });
}

/** The values of a page of rows, and where the next one begins; undefined: nowhere. */
export async function completePage<T>(
  step: RangeStep,
  rows: readonly RangeRow[],
  { size, desc }: { readonly size: number; readonly desc: boolean },
  read: (rows: readonly RangeRow[]) => Promise<(T | null)[]>,
): Promise<{ readonly results: T[]; readonly next: RangeStep | undefined }> {
  const found = (await read(rows)).filter((result) => result !== null);
  const results = found.slice(step.offset, step.offset + step.left);
  const offset = Math.max(0, step.offset - found.length);
  const left = step.left - results.length;
  const last = rows.at(-1);
  if (!last || rows.length < size || left <= 0) return { results, next: undefined };
  return { results, next: { range: beyond(step.range, last.key, desc), offset, left } };
}

export async function completeScanPage(
  asOf: AsOf,
  { size, range: { desc } }: ScanInput,
  step: RangeStep,
  call: CallOptions,
): Promise<{ readonly results: LatestEntry[]; readonly next: RangeStep | undefined }> {
  const limit = size.now;
  const rows = asOf.view.page({ ...step.range, desc, limit });
  return completePage(step, rows, { size: limit, desc }, async (page) => {
    const live = page.filter((row) => reasonOf(row) === undefined);
    return asOf.read(
      live.map((row) => ({ key: row.key.subarray(1), version: row })),
      call,
    );
  });
}
