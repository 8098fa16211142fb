// verifiedZScan of all that there is: members and their scores come from what was followed, the values from the server, proven.
import { plainKey, readSortedSetKey, sortedSetKey, sortedSetPrefix } from '../../../proof/entry.js';
import type { SortedSetMember } from '../../../proof/entry.js';
import type { Root } from '../../../verify/verifier.js';
import { resultOf } from '../../results/result.js';
import type { CallOptions } from '../../input/call-options.js';
import { after, narrowed, prefixRange } from '../../trust/latest/ranges.js';
import { zScanInput } from '../scans/z-scan.js';
import type { ZScanInput, ZScanOptions } from '../scans/z-scan.js';
import type { BytesInput } from '../../input/bytes-input.js';
import { FewAtATime } from '../../trust/known/few-at-a-time.js';
import type { AsOf, VersionOfKey } from './as-of.js';
import { completeInput } from './complete-options.js';
import type { CompleteOptions } from './complete-options.js';
import { completePage } from './complete-scan.js';
import type { RangeStep } from './complete-scan.js';
import type { LatestEntry } from './latest-get.js';
import { reasonOf } from './proven.js';

/** Bound versions are asked for one by one. */
const BOUND_AT_A_TIME = 8;

/** A scan of a sorted set that is proven to leave nothing out: without `sinceTx` and `noWait`, for it goes by what was followed. */
export interface CompleteZScanOptions extends Omit<ZScanOptions, 'sinceTx' | 'noWait'>, CompleteOptions {}

/** A member of a sorted set: proven that it is one, with this score, and what its key holds. */
export interface ProvenMember {
  readonly key: Uint8Array;
  readonly score: number;
  /** Version that it is bound to; 0 = whatever is latest. */
  readonly atTx: bigint;
  readonly entry: LatestEntry;
  /** Every transaction up to this root was followed. */
  readonly provenLatestAt: Root;
}

export function completeZScanInput(
  set: BytesInput,
  options: CompleteZScanOptions,
): { at: bigint; input: ZScanInput } {
  const { at, rest } = completeInput(options);
  return { at, input: zScanInput(set, rest) };
}

export function firstZScanStep({ set, options: { desc = false }, first }: ZScanInput): RangeStep {
  const { seek, offset, left } = first;
  const all = prefixRange(sortedSetPrefix(set));
  if (!seek) return { range: all, offset, left };
  const raw = sortedSetKey(set, seek.score, seek.key, seek.atTx);
  const inclusive = seek.inclusive ?? false;
  const start = desc ? { to: inclusive ? after(raw) : raw } : { from: inclusive ? raw : after(raw) };
  return { range: narrowed(all, start), offset, left };
}

/** Members as they were as of the root; those whose key had no value are left out. */
export async function completeZScanPage(
  asOf: AsOf,
  { set, size, options: { minScore = -Infinity, maxScore = Infinity, desc = false } }: ZScanInput,
  step: RangeStep,
  call: CallOptions,
): Promise<{ readonly results: ProvenMember[]; readonly next: RangeStep | undefined }> {
  const limit = size.now;
  const rows = asOf.view.page({ ...step.range, desc, limit });
  return completePage(step, rows, { size: limit, desc }, async (page) => {
    const members = page
      .map((row) => readSortedSetKey(set, row.key))
      .filter((member) => member !== undefined)
      .filter(({ score }) => score >= minScore && score <= maxScore);
    const entries = await entriesOf(asOf, members, call);
    return members.map(({ key, score, atTx }, i) => {
      const entry = entries[i];
      return entry ? resultOf({ key, score, atTx, entry, provenLatestAt: asOf.view.at }) : null;
    });
  });
}

/** What the key of each member held: its latest as of the root, or the version that the member is bound to. */
async function entriesOf(
  asOf: AsOf,
  members: readonly SortedSetMember[],
  call: CallOptions,
): Promise<(LatestEntry | null)[]> {
  const entries = new Array<LatestEntry | null>(members.length).fill(null);
  const unbound: (VersionOfKey & { readonly place: number })[] = [];
  const bound: Promise<unknown>[] = [];
  const few = new FewAtATime(BOUND_AT_A_TIME);
  members.forEach(({ key, atTx }, place) => {
    if (atTx > 0n) {
      const read = () => asOf.readVersion(key, { tx: atTx }, call);
      bound.push(few.run(read).then((entry) => (entries[place] = entry)));
      return;
    }
    const version = asOf.view.get(plainKey(key));
    if (version && reasonOf(version) === undefined) unbound.push({ key, version, place });
  });
  const [latest] = await Promise.all([asOf.read(unbound, call), ...bound]);
  unbound.forEach(({ place }, i) => (entries[place] = latest[i] ?? null));
  return entries;
}
