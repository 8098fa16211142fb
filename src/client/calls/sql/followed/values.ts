// Raw values of entries that were followed, which are proven by their hashes: asked for by their transactions, a run of them at a
// time, and held against what was followed.
import { ServerError } from '../../../../errors.js';
import { equalBytes, toHex } from '../../../../proof/bytes.js';
import { ProofFailure } from '../../../../proof/failure.js';
import { EMPTY_HASH, sha256 } from '../../../../proof/hash.js';
import { readTxList } from '../../../../verify/wire/answers.js';
import { keyName } from '../../../../verify/key-name.js';
import { shownValues } from '../../../../verify/wire/shown-txs.js';
import { FewAtATime } from '../../../trust/known/few-at-a-time.js';
import { truncated } from '../../txs/transaction.js';
import { specOf } from '../../txs/wanted.js';
import type { SqlAsking } from '../catalog.js';

/** A version of a key as it was followed. */
export interface FollowedVersion {
  /** Raw. */
  readonly key: Uint8Array;
  readonly tx: bigint;
  readonly hValue: Uint8Array;
}

/** What of one transaction is wanted: places in the list. */
interface Wanted {
  readonly tx: bigint;
  readonly places: number[];
}

/** Transactions that are asked for in one question. */
interface Run {
  readonly first: bigint;
  readonly last: bigint;
  readonly txs: readonly Wanted[];
}

type Values = ReadonlyMap<string, Uint8Array> | undefined;

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
  versions: readonly FollowedVersion[],
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

/** Neighbouring transactions in one question. */
function runsOf(versions: readonly FollowedVersion[]): Run[] {
  const byTx = new Map<bigint, number[]>();
  versions.forEach(({ tx }, place) => {
    const places = byTx.get(tx);
    if (places) places.push(place);
    else byTx.set(tx, [place]);
  });
  const txs = [...byTx].map(([tx, places]): Wanted => ({ tx, places }));
  txs.sort((a, b) => (a.tx < b.tx ? -1 : 1));
  const runs: { first: bigint; last: bigint; txs: Wanted[] }[] = [];
  let entries = 0;
  for (const wanted of txs) {
    const { tx } = wanted;
    const run = runs.at(-1);
    entries += wanted.places.length;
    if (run && tx - run.last <= MAX_GAP && tx - run.first < MAX_RUN && entries <= MAX_ENTRIES) {
      run.last = tx;
      run.txs.push(wanted);
    } else {
      runs.push({ first: tx, last: tx, txs: [wanted] });
      entries = wanted.places.length;
    }
  }
  return runs;
}

async function takeRun(
  asking: SqlAsking,
  run: Run,
  versions: readonly FollowedVersion[],
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
  const refuse = (detail: string) =>
    asking.trust.refuse(call.operation, { check: 'sql.value', detail, tx: first });
  let found: Values[];
  try {
    found = valuesIn(answer, first, count);
  } catch (error) {
    if (!(error instanceof ProofFailure)) throw error;
    throw await refuse(`tx ${first.toString()} and those behind it cannot be read (${error.message})`);
  }
  for (const { tx, places } of txs) {
    const entries = found[Number(tx - first)];
    if (!entries) throw await refuse(`tx ${tx.toString()} was not shown`);
    for (const place of places) {
      const version = versions[place] as FollowedVersion;
      values[place] = await proven(asking, version, entries.get(keyName(version.key)));
    }
  }
}

/** Of each transaction, its values by the names of their raw keys; undefined: it is another one. Throws ProofFailure. */
function valuesIn(answer: Uint8Array, first: bigint, count: number): Values[] {
  return readTxList(answer, BigInt(count)).map((shown, i) => {
    if (shown.header.id !== first + BigInt(i)) return undefined;
    return new Map(shownValues(shown));
  });
}

async function proven(
  { trust, call }: SqlAsking,
  { key, tx, hValue }: FollowedVersion,
  value: Uint8Array | undefined,
): Promise<Uint8Array> {
  const hash = value && sha256(value);
  if (value && hash && equalBytes(hash, hValue)) return value;
  if (value?.length === 0 && !equalBytes(hValue, EMPTY_HASH)) throw truncated(tx);
  const detail = value
    ? `entry ${toHex(key)} of tx ${tx.toString()} was shown with another value than was proven`
    : `entry ${toHex(key)} of tx ${tx.toString()} was not shown`;
  const terms = { expected: toHex(hValue), ...(hash && { computed: toHex(hash) }), tx };
  throw await trust.refuse(call.operation, { check: 'sql.value', detail, ...terms });
}
