// verifiedHistory, page by page: every version proven in its transaction, whatever it is.
import { toHex } from '../../../proof/bytes.js';
import type { KVMetadata } from '../../../proof/types.js';
import { otherReading, txOfVersion } from '../../../verify/claims/version.js';
import type { ExpiredVersion, ShownVersion, VersionReference } from '../../../verify/claims/version.js';
import { keyName } from '../../../verify/key-name.js';
import type { Job, Root } from '../../../verify/verifier.js';
import { copyBytes } from '../../input/pooled-bytes.js';
import { unixSecondsBegun } from '../../input/unix-seconds.js';
import { EntryBase } from '../../results/entry-base.js';
import { DELETED } from '../../trust/known/newest-versions.js';
import { FewAtATime } from '../../trust/known/few-at-a-time.js';
import type { ProvenFacts } from '../../trust/known/proven-facts.js';
import { askTxUnder } from '../../trust/trust-wire.js';
import { ClaimRun } from './claim-run.js';
import { askHistoryPage, nextHistoryStep } from './history.js';
import type { HistoryInput, HistoryStep } from './history.js';
import type { TellNext } from './pages.js';
import { Together } from './together.js';
import { VerifiedPage } from './verified-page.js';
import type { PageRoom } from './verified-page.js';

/** A version whose key, value, metadata and transaction are proven under `root`. */
export class VerifiedVersion extends EntryBase {
  /** Empty for what has expired and for a reference, and for a deletion unless a value was set with its mark. */
  declare readonly value: Uint8Array;
  /** Transaction that wrote this version. */
  declare readonly tx: bigint;
  declare readonly metadata?: KVMetadata;
  /** This version is a deletion of the key. */
  declare readonly deleted: boolean;
  /** Its time is over: the server does not show its value any more. That the transaction holds it, and its time, is proven. */
  declare readonly expired: boolean;
  /** What it refers to: present when this version is a reference. */
  declare readonly reference?: VersionReference;
  /** Header time of `tx` in unix seconds; 0 when the database leaves it out. */
  declare readonly timestamp: bigint;
  /** Trusted head under which all of this was proven. */
  declare readonly root: Root;
  /** What no proof covers: the number of this version. */
  declare readonly unproven: { readonly revision: bigint };

  /** Bytes are its own from here on. */
  constructor({
    key,
    value,
    ...rest
  }: Omit<VerifiedVersion, keyof EntryBase> & Pick<VerifiedVersion, 'key' | 'value'>) {
    super(key, value);
    Object.assign(this, rest);
  }
}

/** Transactions that are asked for whole at a time, for their expired entries. */
const WHOLE_TXS = 8;

const NO_BYTES: Uint8Array = new Uint8Array(0);

export async function verifiedHistoryPage(
  room: PageRoom,
  input: HistoryInput,
  step: HistoryStep,
  next: TellNext<HistoryStep>,
): Promise<VerifiedVersion[]> {
  const page = await VerifiedPage.begin(room);
  const { call, head, known } = page;
  const { key } = input;
  const name = keyName(key);
  const floor = known.seen.floor(name);
  const asked = await askHistoryPage(
    input,
    step,
    (request) => page.ask((rpc) => rpc.raw('History', request, call.deadline.left)),
    head.tx,
  );
  // What expires within the second that has begun may have expired for the server.
  call.askedAt = unixSecondsBegun();
  if (typeof asked === 'string') {
    const newest = asked === 'missing' ? 0n : newestShown(input, step, [], true);
    if (newest !== undefined && newest < floor) throw await refuseStale(page, key, floor, newest);
    return page.end(new Together<VerifiedVersion>(0));
  }

  const { answer } = asked;
  const desc = input.options.desc ?? false;
  const question = { kind: 'history', key, desc, past: step.past, max: asked.asked } as const;
  const { versions, repeated } = await page.check(question, answer);
  const taken = versions.length > step.left ? versions.slice(0, step.left) : versions;
  const last = taken.at(-1);
  const count = { asked: asked.asked, shown: versions.length + repeated, repeated };
  next(nextHistoryStep(input, step, { ...count, last: last && txOfVersion(last) }));

  const newest = newestShown(input, step, versions, count.shown < count.asked);
  if (newest !== undefined && newest < floor)
    throw await refuseStale(page, key, floor, newest, page.trust.job(question, head, answer, call.askedAt));
  const proven = await page.end(proveVersions(page, key, taken));
  const top = desc ? proven.at(0) : proven.at(-1);
  if (top) known.seen.note(name, top.tx, top.deleted ? DELETED : top.metadata?.expiresAt);
  return proven;
}

/** Tx of the newest version that the key is said to have, 0 for none; undefined where that was not asked for, or not yet. */
function newestShown(
  { first, options }: HistoryInput,
  { past }: HistoryStep,
  versions: readonly ShownVersion[],
  isEnd: boolean,
): bigint | undefined {
  const isWhole = first.offset === 0;
  if (options.desc === true) {
    const newest = versions[0];
    return isWhole && past === 0n ? (newest ? txOfVersion(newest) : 0n) : undefined;
  }
  if (!isEnd) return undefined;
  const last = versions.at(-1);
  const newest = last ? txOfVersion(last) : past;
  // An offset may have passed over all there is.
  return isWhole || newest > 0n ? newest : undefined;
}

async function refuseStale(
  { trust, call }: VerifiedPage,
  key: Uint8Array,
  floor: bigint,
  newest: bigint,
  job?: Job,
): Promise<Error> {
  await trust.assertStanding(call.operation);
  const refuted = {
    check: 'history.stale',
    detail: `the history of key ${toHex(key)} ends at tx ${newest.toString()}, but a version of tx ${floor.toString()} was proven before`,
    expected: floor.toString(),
    computed: newest.toString(),
  };
  return trust.refuse(call.operation, refuted, job);
}

/** Each in its transaction: by its leaf, or, where its value is not shown any more, by what the whole transaction says. */
function proveVersions(
  page: VerifiedPage,
  key: Uint8Array,
  versions: readonly ShownVersion[],
): Together<VerifiedVersion> {
  const together = new Together<VerifiedVersion>(versions.length);
  const reject = (error: unknown) => together.reject(error);
  const few = new FewAtATime(WHOLE_TXS);
  versions.forEach((version, place) => {
    const resolve = (proven: VerifiedVersion) => together.resolve(proven, place);
    if (version.kind === 'expired') {
      const work = () => (together.settled ? undefined : proveExpired(page, key, version));
      few.run(async () => work()).then((proven) => proven && resolve(proven), reject);
      return;
    }
    const { claim, shown } = version;
    const read = () => otherReading(version);
    const end = {
      resolve: ({ ts }: ProvenFacts, isOther: boolean) =>
        resolve(toVersion(page, version, ts, isOther ? read()?.reference : undefined)),
      reject,
    };
    new ClaimRun(page, { key, claim, shown, as: 'version' }, end, () => read()?.claim).begin();
  });
  return together;
}

/** Bytes are copied: a version that is kept does not keep the whole answer. */
function toVersion(
  { trust }: VerifiedPage,
  { kind, claim }: Exclude<ShownVersion, ExpiredVersion>,
  timestamp: bigint,
  reference: VersionReference | undefined,
): VerifiedVersion {
  const { key, value, tx, metadata, unprovenRevision: revision } = claim;
  return new VerifiedVersion({
    key: copyBytes(key),
    value: reference ? NO_BYTES : copyBytes(value),
    tx,
    ...(metadata && { metadata }),
    deleted: kind === 'deleted',
    expired: false,
    ...(reference && { reference: { key: copyBytes(reference.key), atTx: reference.atTx } }),
    timestamp,
    root: trust.root,
    unproven: { revision },
  });
}

/** That its transaction holds an entry of the key with this time, which is over. */
async function proveExpired(
  { rpc, trust, call: page }: VerifiedPage,
  key: Uint8Array,
  { tx, metadata, unprovenRevision: revision }: ExpiredVersion,
): Promise<VerifiedVersion> {
  const call = { ...page };
  const head = await trust.head(call);
  const answer = await trust.ask(call, head, () => askTxUnder(rpc, tx, head, call.deadline.left));
  call.askedAt = unixSecondsBegun();
  const question = { kind: 'gone', key, tx, floor: 0n } as const;
  const { how, expiresAt, subject } = await trust.prove(call, question, head, answer);
  if (how !== 'expired' || expiresAt !== metadata.expiresAt) {
    const refuted = {
      check: 'history.time',
      detail: `key ${toHex(key)} has another time in its transaction than its history shows`,
      expected: expiresAt === undefined ? how : expiresAt.toString(),
      computed: metadata.expiresAt.toString(),
      tx,
    };
    throw await trust.refuse(call.operation, refuted, trust.job(question, head, answer, call.askedAt));
  }
  return new VerifiedVersion({
    key: copyBytes(key),
    value: NO_BYTES,
    tx,
    metadata,
    deleted: false,
    expired: true,
    timestamp: subject.ts,
    root: trust.root,
    unproven: { revision },
  });
}
