// verifiedStreamGet, top to bottom: question → what comes before the value → proof → trusted head → the value, hashed as it flows →
// its hash held against the proven one.
import { toHex } from '../../../proof/bytes.js';
import type { Job } from '../../../verify/verifier.js';
import { keyName } from '../../../verify/key-name.js';
import { OUTSIDE_INDEX } from '../../../verify/known-beside.js';
import { versionFields } from '../../input/get-options.js';
import type { Version } from '../../input/get-options.js';
import { copyBytes } from '../../input/pooled-bytes.js';
import type { Rpc, StreamRpc } from '../../net/rpc.js';
import { isKeyNotFound, isServerBehind } from '../../net/server-errors.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import { assertMissing } from '../kv/absence.js';
import { refuseStale } from '../kv/stale.js';
import { noteSeen } from '../kv/shown-read.js';
import { askHeader } from './streamed-header.js';
import type { ProvenValue } from './streamed-header.js';
import { VerifiedValue } from './verified-value.js';
import type { VerifiedStream } from './verified-value.js';

export interface StreamAsking {
  readonly rpc: Rpc & StreamRpc;
  readonly trust: DatabaseTrust;
  readonly call: Call;
  readonly key: Uint8Array;
  readonly version: Version;
  /** The value is handed out when it is proven, not before. */
  readonly buffer: boolean;
}

/**
 * Reads an entry by stream. What comes before the value proves its transaction, its metadata and the hash of its value; answers
 * then, or with `buffer` when the value is proven too. Null like `verifiedGet`.
 *
 * @throws VerificationError when the answer is not proven, or shows an older version than was proven before
 */
export async function verifiedStreamGet(
  asking: StreamAsking,
  answer: (entry: VerifiedStream | null) => void,
): Promise<void> {
  const { trust, call } = asking;
  await trust.ready(call);
  // A reference may be answered with a target that something proven meanwhile has overtaken: asked again, it must not be.
  for (let floors: ReadonlyMap<string, bigint> = new Map(); ;) {
    const newer = await readOnce(asking, floors, answer);
    if (!newer) return;
    floors = new Map([...floors, newer]);
  }
}

/** A floor of a reference's target that was not known when the question was sent. */
type Newer = readonly [name: string, floor: bigint];

async function readOnce(
  asking: StreamAsking,
  floors: ReadonlyMap<string, bigint>,
  answer: (entry: VerifiedStream | null) => void,
): Promise<Newer | undefined> {
  const { rpc, trust, call, key, version, buffer } = asking;
  const { known } = trust;
  const name = keyName(key);
  const { atTx, sinceTx, atRevision } = version;
  const floor = atTx === undefined && atRevision === undefined ? known.seen.floor(name) : 0n;
  const question = { kind: 'streamed', key, ...(atTx !== undefined && { atTx }) } as const;
  try {
    return await askHeader(asking, question, versionFields(version), async (header, coming) => {
      const { subject, found, value } = header;
      if (sinceTx !== undefined) await trust.reach(call, sinceTx);
      const job = header.job();
      if (subject.tx < floor) throw await refuseStale(trust, call.operation, key, subject.tx, floor, job);
      const { metadata } = found;
      if (atTx === undefined && metadata?.nonIndexable === true) throw await refuseOutside(asking, header);
      noteSeen(known, name, { tx: subject.tx, ...(metadata && { metadata }) });

      let proven: ProvenValue = { ...header, value: value ?? NO_HASH };
      let reference: VerifiedStream['reference'];
      if (found.kind === 'reference') {
        const { key: target, claimedTx, atTx: boundTo } = found;
        const asked = boundTo === 0n ? floors.get(keyName(target)) : undefined;
        if (asked !== undefined && claimedTx < asked)
          throw await refuseStale(trust, call.operation, target, claimedTx, asked, job);
        const now = boundTo === 0n ? known.seen.floor(keyName(target)) : 0n;
        if (claimedTx < now) return [keyName(target), now];
        const behind = await targetOf(asking, target, claimedTx, job);
        if (!behind) {
          answer(null);
          return undefined;
        }
        if (boundTo === 0n && behind.found.metadata?.nonIndexable === true)
          throw await refuseOutside(asking, behind);
        noteSeen(known, keyName(target), {
          tx: claimedTx,
          ...(behind.found.metadata && { metadata: behind.found.metadata }),
        });
        proven = behind;
        reference = { key, tx: subject.tx, atTx: boundTo, ...(metadata && { metadata }) };
      }
      const { tx, alh } = trust.root;
      const stream = new VerifiedValue({
        info: {
          key: copyBytes(proven.key),
          tx: proven.subject.tx,
          ...(proven.found.metadata && { metadata: proven.found.metadata }),
          timestamp: proven.subject.ts,
          ...(reference && { reference }),
          root: { tx, alh },
        },
        coming,
        proven,
        trust,
        call,
      });
      if (buffer) answer(await stream.buffered());
      else {
        answer(stream.handedOut());
        await Promise.race([stream.ended, coming.over]);
      }
      return undefined;
    });
  } catch (error) {
    if (!isKeyNotFound(error)) throw error;
    await assertMissing({ rpc, trust, known, call }, key, floor);
    answer(null);
    return undefined;
  }
}

const NO_HASH = new Uint8Array(0);

/** The entry that a reference is said to lead to, proven; null when it has expired meanwhile. Its value is not waited for. */
async function targetOf(
  asking: StreamAsking,
  target: Uint8Array,
  tx: bigint,
  job: Job,
): Promise<ProvenValue | null> {
  const { trust, call } = asking;
  const question = { kind: 'streamed', key: target, atTx: tx, noReference: true } as const;
  try {
    return await askHeader(asking, question, { atTx: tx.toString() }, (header) => {
      if (!header.value) throw new Error('unreachable: noReference was asked');
      return Promise.resolve({ ...header, value: header.value });
    });
  } catch (error) {
    if (!isKeyNotFound(error) && !isServerBehind(error)) throw error;
    const detail = `a reference was answered with an entry of tx ${tx.toString()} that the server does not have`;
    throw await trust.refuse(call.operation, { check: 'get.reference-target', detail, tx }, job);
  }
}

async function refuseOutside(
  { trust, call }: StreamAsking,
  header: { key: Uint8Array } & Pick<ProvenValue, 'subject' | 'job'>,
) {
  const detail = `key ${toHex(header.key)} was answered with an entry that is not indexed: it is no value of its key`;
  const { tx } = header.subject;
  return trust.refuse(call.operation, { check: OUTSIDE_INDEX, detail, tx }, header.job());
}
