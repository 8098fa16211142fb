// Scans, histories and counts that are proven to leave nothing out: of a database that is followed.
import { AsOf } from '../calls/latest/as-of.js';
import { historyEnd, wholeHistory } from '../calls/latest/complete-history.js';
import type { CompleteHistoryOptions, NumberedVersion } from '../calls/latest/complete-history.js';
import { isComplete, completeInput } from '../calls/latest/complete-options.js';
import { completeScanInput, completeScanPage, firstScanStep } from '../calls/latest/complete-scan.js';
import type { CompleteScanOptions, RangeStep } from '../calls/latest/complete-scan.js';
import { completeZScanInput, completeZScanPage, firstZScanStep } from '../calls/latest/complete-z-scan.js';
import type { CompleteZScanOptions, ProvenMember } from '../calls/latest/complete-z-scan.js';
import type { LatestEntry } from '../calls/latest/latest-get.js';
import { countedPrefix } from '../calls/scans/count.js';
import { historyInput } from '../calls/scans/history.js';
import type { HistoryOptions } from '../calls/scans/history.js';
import { pages } from '../calls/scans/pages.js';
import type { PagesOptions } from '../calls/scans/pages.js';
import type { ScanOptions } from '../calls/scans/scan.js';
import type { VerifiedVersion } from '../calls/scans/verified-history.js';
import type { VerifiedZEntry } from '../calls/scans/verified-z-scan.js';
import type { ZScanOptions } from '../calls/scans/z-scan.js';
import type { VerifiedEntry } from '../calls/kv/verified-entry.js';
import { plainKey } from '../../proof/entry.js';
import type { Root } from '../../verify/verifier.js';
import type { BytesInput } from '../input/bytes-input.js';
import { NO_OPTIONS, callOptionsOf } from '../input/call-options.js';
import type { CallOptions } from '../input/call-options.js';
import { resultOf } from '../results/result.js';
import type { Room } from '../room/room.js';
import { prefixRange } from '../trust/latest/ranges.js';
import { FollowCalls } from './follow.js';

/** How many keys there are, proven. */
export interface ProvenCount {
  readonly count: bigint;
  /** Every transaction up to this root was followed. */
  readonly provenLatestAt: Root;
}

export abstract class CompleteCalls extends FollowCalls {
  /**
   * With `complete`: every entry of the range, as of a root that was followed to, and **proven to be all**, each with the version
   * that was its latest then, whatever is written meanwhile. Which keys there are is not asked for but known; the values are, and
   * are proven. Requires `follow({ ordered: true })`, from genesis.
   *
   * @example
   * await client.follow({ ordered: true });
   * for await (const { key, provenLatestAt } of client.verifiedScan({ prefix: 'revoked/', complete: true })) console.log(key);
   * @throws NotProvableError from the iterator where the database is not followed so
   * @throws VerificationError from the iterator when an entry is not shown
   */
  override verifiedScan(options: CompleteScanOptions): AsyncGenerator<LatestEntry, void, undefined>;
  override verifiedScan(options?: ScanOptions): AsyncGenerator<VerifiedEntry, void, undefined>;
  override verifiedScan(
    options: ScanOptions | CompleteScanOptions = NO_OPTIONS,
  ): AsyncGenerator<VerifiedEntry, void, undefined> {
    if (!isComplete(options)) return super.verifiedScan(options);
    const { at, input } = completeScanInput(options);
    return this.#complete('verifiedScan', options, at, firstScanStep(input), (asOf, step, call) =>
      completeScanPage(asOf, input, step, call),
    );
  }

  /**
   * With `complete`: every version of the key up to a root that was followed to, **proven to be all**, with its number. All of them
   * are read before the first is given. Requires `follow()`, from genesis.
   *
   * @throws NotProvableError from the iterator where the database is not followed so
   * @throws VerificationError from the iterator when a version is not shown
   */
  override verifiedHistory(
    key: BytesInput,
    options: CompleteHistoryOptions,
  ): AsyncGenerator<NumberedVersion, void, undefined>;
  override verifiedHistory(
    key: BytesInput,
    options?: HistoryOptions,
  ): AsyncGenerator<VerifiedVersion, void, undefined>;
  override verifiedHistory(
    key: BytesInput,
    options: HistoryOptions | CompleteHistoryOptions = NO_OPTIONS,
  ): AsyncGenerator<VerifiedVersion, void, undefined> {
    if (!isComplete(options)) return super.verifiedHistory(key, options);
    const { at, rest } = completeInput(options);
    const { key: asked } = historyInput(key, rest);
    return givenWhole(this.#room(), asked, at, rest, super.verifiedHistory(key, withoutSlice(rest)));
  }

  /**
   * With `complete`: every member of the set as of a root that was followed to, **proven to be all**, each with its score, and with
   * what its key held then. In the order of the server (negative scores behind the positive ones); unlike the server it gives all
   * members whose score is from `minScore` to `maxScore`. Requires `follow({ ordered: true })`, from genesis.
   *
   * @throws NotProvableError from the iterator where the database is not followed so
   * @throws VerificationError from the iterator when what a member leads to is not shown
   */
  override verifiedZScan(
    set: BytesInput,
    options: CompleteZScanOptions,
  ): AsyncGenerator<ProvenMember, void, undefined>;
  override verifiedZScan(
    set: BytesInput,
    options?: ZScanOptions,
  ): AsyncGenerator<VerifiedZEntry, void, undefined>;
  override verifiedZScan(
    set: BytesInput,
    options: ZScanOptions | CompleteZScanOptions = NO_OPTIONS,
  ): AsyncGenerator<VerifiedZEntry | ProvenMember, void, undefined> {
    if (!isComplete(options)) return super.verifiedZScan(set, options);
    const { at, input } = completeZScanInput(set, options);
    return this.#complete('verifiedZScan', options, at, firstZScanStep(input), (asOf, step, call) =>
      completeZScanPage(asOf, input, step, call),
    );
  }

  /**
   * How many keys begin with `prefix` as of a followed head, proven: deleted and expired ones included, as {@link count} has it.
   * Asks the server nothing once the database is followed. Requires `follow({ ordered: true })`, from genesis.
   *
   * @throws NotProvableError where the database is not followed so
   */
  async verifiedCount(prefix: BytesInput, options: CallOptions = NO_OPTIONS): Promise<ProvenCount> {
    const range = prefixRange(plainKey(countedPrefix(prefix)));
    const { view } = await AsOf.begin(this.room, 'verifiedCount', options);
    try {
      return resultOf({ count: view.count(range), provenLatestAt: view.at });
    } finally {
      view.close();
    }
  }

  #complete<T>(
    operation: string,
    given: CallOptions,
    at: bigint,
    first: RangeStep,
    page: Page<T>,
  ): AsyncGenerator<T, void, undefined> {
    const { door } = this.connection;
    const options = callOptionsOf(given);
    const whenClosed = (tell: () => void) => door.whenClosed(tell);
    const begin = (call: CallOptions) => AsOf.begin(room, operation, call, at);
    const room = this.#room();
    return asOfOneRoot({ first, options, whenClosed }, begin, page);
  }

  /** Of the database that is selected now, whatever is selected while an iterator goes on. */
  #room(): Room {
    const { rooms } = this.connection;
    return rooms.of(this.ownName ?? rooms.selectedName);
  }
}

type Page<T> = (
  asOf: AsOf,
  step: RangeStep,
  call: CallOptions,
) => Promise<{ readonly results: T[]; readonly next: RangeStep | undefined }>;

/** From its first page on. */
async function* asOfOneRoot<T>(
  of: Omit<PagesOptions<T, RangeStep>, 'ask'>,
  begin: (call: CallOptions) => Promise<AsOf>,
  page: Page<T>,
): AsyncGenerator<T, void, undefined> {
  let asOf: AsOf | undefined;
  try {
    yield* pages<T, RangeStep>({
      ...of,
      ask: async (step, call, tellNext) => {
        asOf ??= await begin(call);
        const { results, next } = await page(asOf, step, call);
        tellNext(next);
        return results;
      },
    });
  } finally {
    asOf?.view.close();
  }
}

async function* givenWhole(
  room: Room,
  key: Uint8Array,
  at: bigint,
  options: HistoryOptions,
  shown: AsyncIterable<VerifiedVersion>,
): AsyncGenerator<NumberedVersion, void, undefined> {
  const { desc = false, offset = 0, limit = Infinity } = options;
  const call = callOptionsOf(options);
  const end = await historyEnd(room, key, call, at);
  const versions = await wholeHistory(room, end, shown, call);
  yield* (desc ? versions.reverse() : versions).slice(offset, offset + limit);
}

/** All versions, the oldest first: which of them are given is decided here. */
function withoutSlice(options: HistoryOptions): HistoryOptions {
  const { pageSize } = options;
  return { ...callOptionsOf(options), ...(pageSize !== undefined && { pageSize }) };
}
