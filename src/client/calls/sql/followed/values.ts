// Raw values of entries that were followed, which are proven by their hashes: asked for by their transactions, a run of them at a
// time, and held against what was followed.
import { ServerError } from '../../../../errors.js';
import { toHex } from '../../../../proof/bytes.js';
import { ProofFailure } from '../../../../proof/failure.js';
import { EMPTY_HASH, sha256 } from '../../../../proof/hash.js';
import { readTxList } from '../../../../verify/wire/answers.js';
import type { LazyTx } from '../../../../verify/wire/answers.js';
import { takeShownValues } from '../../../../verify/wire/shown-txs.js';
import { FewAtATime } from '../../../trust/known/few-at-a-time.js';
import type { BriefVersion } from '../../../trust/latest/ranges.js';
import { truncated } from '../../txs/transaction.js';
import { specOf } from '../../txs/wanted.js';
import type { SqlAsking } from '../catalog.js';

/** A version of a key as it was followed. */
export interface FollowedVersion {
  /** Raw. */
  readonly key: Uint8Array;
  readonly tx: bigint;
  readonly hValue: Uint8Array;
  readonly deleted: boolean;
}

/** Where one of these is wanted: its place in the list. */
export interface Wanted {
  readonly tx: bigint;
  /** By the raw keys, in hex. */
  readonly places: Map<string, number>;
}

/** Transactions that are asked for in one question. */
interface Run {
  readonly first: bigint;
  readonly last: bigint;
  readonly txs: readonly Wanted[];
}

/** Transactions in between that nothing is wanted of cost less than a question does. */
const MAX_GAP = 8n;
/** What a server gives in one answer. */
const MAX_RUN = 256n;
/** Entries that are wanted of one run: several are under way at a time. */
const MAX_ENTRIES = 1024;
const AT_A_TIME = 8;

const RAW_SQL = specOf({ entries: 'raw', kinds: ['sql'] });

/**
 * The values, in the order of `versions`: views of the answers, which hold much else.
 *
 * @throws VerificationError where another value is shown, or none
 * @throws ServerError TRUNCATED where the server has it no more
 */
export async function followedValues(
  asking: SqlAsking,
  versions: readonly BriefVersion[],
): Promise<Uint8Array[]> {
  const values: Uint8Array[] = [];
  const few = new FewAtATime(AT_A_TIME);
  let failed = false;
  const take = async (run: Run): Promise<void> => {
    // After the first that failed nothing more is asked.
    if (failed) return;
    try {
      await takeRun(asking, run, versions, values);
    } catch (error) {
      failed = true;
      throw error;
    }
  };
  const ended = await Promise.allSettled(runsOf(versions).map((run) => few.run(() => take(run))));
  for (const each of ended) if (each.status === 'rejected') throw each.reason;
  return values;
}

/** As the index has it. */
export function briefVersion({ key, tx, hValue, deleted }: FollowedVersion): BriefVersion {
  return { key: toHex(key), tx: tx.toString(), hash: toHex(hValue), deleted };
}

/** Places by transactions, which ascend. */
export function byTx(versions: readonly BriefVersion[]): Wanted[] {
  const found = new Map<string, Map<string, number>>();
  versions.forEach(({ tx, key }, place) => {
    const places = found.get(tx);
    if (places) places.set(key, place);
    else found.set(tx, new Map([[key, place]]));
  });
  const txs = [...found].map(([tx, places]): Wanted => ({ tx: BigInt(tx), places }));
  return txs.sort((a, b) => (a.tx < b.tx ? -1 : 1));
}

/** Neighbouring transactions in one question. */
function runsOf(versions: readonly BriefVersion[]): Run[] {
  const runs: { first: bigint; last: bigint; txs: Wanted[] }[] = [];
  let entries = 0;
  for (const wanted of byTx(versions)) {
    const { tx } = wanted;
    const run = runs.at(-1);
    entries += wanted.places.size;
    if (run && tx - run.last <= MAX_GAP && tx - run.first < MAX_RUN && entries <= MAX_ENTRIES) {
      run.last = tx;
      run.txs.push(wanted);
    } else {
      runs.push({ first: tx, last: tx, txs: [wanted] });
      entries = wanted.places.size;
    }
  }
  return runs;
}

async function takeRun(
  asking: SqlAsking,
  run: Run,
  versions: readonly BriefVersion[],
  values: Uint8Array[],
): Promise<void> {
  const { first, last, txs } = run;
  const { rpc, call } = asking;
  const count = Number(last - first) + 1;
  let answer: Uint8Array;
  try {
    const request = { initialTx: first.toString(), limit: count, ...RAW_SQL };
    answer = await rpc.raw('TxScan', request, call.deadline.left);
  } catch (error) {
    // Too much for one answer, or something in it is gone.
    const inPart =
      error instanceof ServerError && (error.code === 'LIMIT_EXCEEDED' || error.code === 'TRUNCATED');
    if (!inPart || txs.length === 1) throw error;
    const half = txs.length >> 1;
    for (const part of [txs.slice(0, half), txs.slice(half)]) {
      const [from, to] = [part[0] as Wanted, part[part.length - 1] as Wanted];
      await takeRun(asking, { first: from.tx, last: to.tx, txs: part }, versions, values);
    }
    return;
  }
  const wrong = takeAnswer(answer, run, versions, values);
  if (wrong) throw await refuseValue(asking, wrong);
}

/** What is wrong with an answer, and of which version. */
export type WrongValue = { readonly tx: bigint; readonly detail: string } | VersionShown;

interface VersionShown {
  readonly version: BriefVersion;
  /** Undefined: it was not shown. */
  readonly value: Uint8Array | undefined;
}

/** Takes the values that are wanted. Undefined: all of them were there, and are what was followed. */
function takeAnswer(
  answer: Uint8Array,
  { first, last, txs }: Run,
  versions: readonly BriefVersion[],
  values: Uint8Array[],
): WrongValue | undefined {
  let shown: LazyTx[];
  try {
    shown = readTxList(answer, last - first + 1n);
    for (const { tx, places } of txs) {
      const at = shown[Number(tx - first)];
      if (at?.header.id !== tx) return { tx, detail: `tx ${tx.toString()} was not shown` };
      const wrong = takeValues((take) => takeShownValues(at, take), places, versions, values);
      if (wrong) return wrong;
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof ProofFailure)) throw error;
    const detail = `tx ${first.toString()} and those behind it cannot be read (${error.message})`;
    return { tx: first, detail };
  }
}

/** Takes those values of one transaction's entries that are wanted, and are what was followed. */
export function takeValues(
  each: (take: (key: Uint8Array, value: Uint8Array) => void) => void,
  places: ReadonlyMap<string, number>,
  versions: readonly BriefVersion[],
  values: Uint8Array[],
): WrongValue | undefined {
  let wrong: VersionShown | undefined;
  each((key, value) => {
    const place = places.get(toHex(key));
    if (place === undefined || wrong) return;
    const version = versions[place] as BriefVersion;
    if (toHex(sha256(value)) === version.hash) values[place] = value;
    else wrong = { version, value };
  });
  if (wrong) return wrong;
  for (const place of places.values())
    if (!values[place]) return { version: versions[place] as BriefVersion, value: undefined };
  return undefined;
}

/** The error to be thrown: a value that is not what was followed, recorded; or one that a truncation has removed. */
export async function refuseValue({ trust, call }: SqlAsking, wrong: WrongValue): Promise<Error> {
  if (!('version' in wrong))
    return trust.refuse(call.operation, { check: 'sql.value', detail: wrong.detail, tx: wrong.tx });
  const { version, value } = wrong;
  const { key, hash } = version;
  const tx = BigInt(version.tx);
  if (value?.length === 0 && hash !== EMPTY_HASH_HEX) return truncated(tx);
  const detail = value
    ? `entry ${key} of tx ${version.tx} was shown with another value than was proven`
    : `entry ${key} of tx ${version.tx} was not shown`;
  const terms = { expected: hash, ...(value && { computed: toHex(sha256(value)) }), tx };
  return trust.refuse(call.operation, { check: 'sql.value', detail, ...terms });
}

const EMPTY_HASH_HEX = toHex(EMPTY_HASH);
