// Raw values of documents that were followed, which are proven by their hashes. No list of transactions has them: they come with whole
// transactions, as replicas are sent them, or one by one where the user may not ask for these.
import { ServerError } from '../../../../errors.js';
import { fromHex, toHex } from '../../../../proof/bytes.js';
import { ProofFailure } from '../../../../proof/failure.js';
import { MAX_DOCUMENT_ID_BYTES } from '../../../../proof/documents/document.js';
import { decodeKeyValues } from '../../../../proof/sql/key-values.js';
import { decodeSqlKey } from '../../../../proof/sql/raw-key.js';
import { readShownDocument } from '../../../../verify/wire/documents.js';
import { readExport } from '../../../../verify/wire/exported-tx.js';
import { isDocumentNotFound } from '../../../net/server-errors.js';
import { FewAtATime } from '../../../trust/known/few-at-a-time.js';
import type { BriefVersion } from '../../../trust/latest/ranges.js';
import { byTx, refuseValue, takeValues } from '../../sql/followed/values.js';
import type { Wanted } from '../../sql/followed/values.js';
import { askExport } from '../../txs/export-tx.js';
import type { Verified } from './verified.js';

/** Each holds one of the server's buffers for transactions, of which there are 30 for all its clients. */
const EXPORTS_AT_A_TIME = 4;
const DOCUMENTS_AT_A_TIME = 16;
/** Fewer of one transaction are asked for one by one: all of its values come with it. */
const WORTH_EXPORTING = 2;

/**
 * The values, in the order of `versions`, which are documents of one collection.
 *
 * @throws VerificationError where another value is shown, or none
 */
export async function documentValues(
  verified: Verified,
  collection: string,
  versions: readonly BriefVersion[],
): Promise<Uint8Array[]> {
  const values: Uint8Array[] = [];
  let mayExport = true;
  const single: number[] = [];
  const exports = new FewAtATime(EXPORTS_AT_A_TIME);
  const take = async (wanted: Wanted): Promise<void> => {
    if (mayExport && wanted.places.size >= WORTH_EXPORTING) {
      if (await takeExported(verified, wanted, versions, values)) return;
      mayExport = false;
    }
    for (const place of wanted.places.values()) single.push(place);
  };
  await Promise.all(byTx(versions).map((wanted) => exports.run(() => take(wanted))));
  const few = new FewAtATime(DOCUMENTS_AT_A_TIME);
  const one = async (place: number): Promise<void> => {
    const version = versions[place] as BriefVersion;
    values[place] = await oneValue(verified, collection, version);
  };
  await Promise.all(single.map((place) => few.run(() => one(place))));
  return values;
}

/** False: the user may not ask for it. */
async function takeExported(
  verified: Verified,
  { tx, places }: Wanted,
  versions: readonly BriefVersion[],
  values: Uint8Array[],
): Promise<boolean> {
  const { session, trust, call } = verified;
  const asking = { rpc: session, trust, call };
  let payload: Uint8Array | null;
  try {
    payload = await askExport(session, tx, call.deadline.left);
  } catch (error) {
    if (error instanceof ServerError && error.code === 'PERMISSION_DENIED') return false;
    throw error;
  }
  try {
    if (!payload) throw new ProofFailure('export.end', 'it is not shown');
    const { entries, truncated } = readExport(payload);
    const each = (take: (key: Uint8Array, value: Uint8Array) => void) => {
      for (const { key, value } of entries) take(key, truncated ? NO_BYTES : value);
    };
    const wrong = takeValues(each, places, versions, values);
    if (wrong) throw await refuseValue(asking, wrong);
    return true;
  } catch (error) {
    if (!(error instanceof ProofFailure)) throw error;
    throw await refuseValue(asking, { tx, detail: `tx ${tx.toString()} cannot be read (${error.message})` });
  }
}

async function oneValue(
  { session, trust, call }: Verified,
  collectionName: string,
  version: BriefVersion,
): Promise<Uint8Array> {
  const asking = { rpc: session, trust, call };
  const tx = BigInt(version.tx);
  const request = { collectionName, documentId: idOf(version.key), transactionId: version.tx };
  const values: Uint8Array[] = [];
  const key = fromHex(version.key);
  try {
    const answer = await session.raw('ProofDocument', request, call.deadline.left);
    const { encoded } = readShownDocument(answer);
    const places = new Map([[version.key, 0]]);
    const wrong = takeValues((take) => take(key, encoded), places, [version], values);
    if (wrong) throw await refuseValue(asking, wrong);
    return values[0] as Uint8Array;
  } catch (error) {
    if (isDocumentNotFound(error)) throw await refuseValue(asking, { version, value: undefined });
    if (!(error instanceof ProofFailure)) throw error;
    throw await refuseValue(asking, { tx, detail: `a document cannot be read (${error.message})` });
  }
}

/** In hex. */
function idOf(key: string): string {
  const of = decodeSqlKey(fromHex(key));
  if (of.kind !== 'row') throw new Error('the key of a row is that of a row');
  const [id] = decodeKeyValues([{ type: 'BLOB', maxLength: MAX_DOCUMENT_ID_BYTES }], of.pk);
  return toHex(id as Uint8Array);
}

const NO_BYTES: Uint8Array = new Uint8Array(0);
