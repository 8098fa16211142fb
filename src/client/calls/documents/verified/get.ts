// verifiedGet of a document: its collection → asked for → proven → not older than what was proven before.
import { equalBytes, fromHex, toHex } from '../../../../proof/bytes.js';
import { documentKey } from '../../../../proof/documents/document.js';
import { checkEntries } from '../../../../verify/claims/bind-tx.js';
import { readRevisions } from '../../../../verify/wire/documents.js';
import { readVerifiableTx } from '../../../../verify/wire/answers.js';
import { isServerBehind } from '../../../net/server-errors.js';
import type { Verified } from './verified.js';
import { DELETED } from '../../../trust/known/newest-versions.js';
import { askTxUnder } from '../../../trust/trust-wire.js';
import { askAudit, auditInput, auditRequest } from '../audit.js';
import { queryRequest } from '../requests.js';
import { queryOfIds } from '../query.js';
import { BoundCollection } from './collection.js';
import type { CatalogChoice } from './level.js';
import { asRead, readOrRefuse } from './read.js';
import { proveDocument, seenName } from './prove.js';
import type { ProvenDocument } from './prove.js';
import { verifiedDocument } from './result.js';
import type { VerifiedDocument } from './result.js';

export interface DocumentAsked {
  readonly collection: string;
  /** In hex. */
  readonly id: string;
  readonly atTx: bigint | undefined;
  readonly catalog: CatalogChoice;
}

/** Answers that lag behind what was proven: a server does not wait for its index when it is asked for the latest version. */
const LAGGING_TRIES = 5;

/** Null: there is no such document (any more), or none in that transaction. */
export function verifiedGetDocument(
  verified: Verified,
  asked: DocumentAsked,
): Promise<VerifiedDocument | null> {
  return asRead(verified, async (reading) => {
    const collection = await BoundCollection.find(reading, asked.collection, asked.catalog);
    const id = fromHex(asked.id);
    const found =
      asked.atTx === undefined
        ? await latestDocument(reading, collection, id)
        : await documentAt(reading, collection, id, asked.atTx);
    return () => found && verifiedDocument(found, verified.trust.root);
  });
}

/** The newest version, as far as it is known. Null: deleted, or never there. */
export async function latestDocument(
  verified: Verified,
  collection: BoundCollection,
  id: Uint8Array,
): Promise<ProvenDocument | null> {
  const { trust, call } = verified;
  const { seen } = trust.known;
  const floorOf = () => (collection.id === 0 ? 0n : seen.floor(seenName(collection.id, id)));
  // What is a floor was one before the question was sent.
  let floor = floorOf();
  for (let tries = 1; ; tries++) {
    const proven = await proveDocument(verified, collection, id, 0n);
    if (proven && proven.facts.tx >= floor) {
      seen.note(seenName(proven.collection, id), proven.facts.tx);
      return proven;
    }
    if (!proven && (floor === 0n || seen.end(seenName(collection.id, id)) === DELETED)) return null;
    if (tries < LAGGING_TRIES) {
      floor = floorOf();
      await waitForIndex(verified, collection);
      continue;
    }
    if (!proven) return proveDeleted(verified, collection, id, floor);
    await trust.assertStanding(call.operation);
    const { tx } = proven.facts;
    const detail = `document ${toHex(id)} was answered with its version of tx ${tx.toString()}, but a newer one, of tx ${floor.toString()}, was proven before`;
    const terms = { expected: floor.toString(), computed: tx.toString() };
    throw await trust.refuse(call.operation, { check: 'document.stale', detail, ...terms, tx }, proven.job);
  }
}

/** A count has the server wait until it has indexed all that is committed. */
export async function waitForIndex({ session, call }: Verified, collection: BoundCollection): Promise<void> {
  const request = queryRequest({ ...queryOfIds(collection.name, '', []), limit: 1 });
  await session.raw('CountDocuments', request, call.deadline.left);
}

/**
 * A document that was proven, and that the server says is none any more: its newest version is proven to be a deletion.
 *
 * @throws VerificationError when it is not
 */
async function proveDeleted(
  verified: Verified,
  collection: BoundCollection,
  id: Uint8Array,
  floor: bigint,
): Promise<null> {
  const { session, trust, call } = verified;
  const input = auditInput(collection.name, toHex(id), { desc: true, omitPayload: true, pageSize: 1 });
  const answer = await askAudit(() =>
    session.raw('AuditDocument', auditRequest(input, 1), call.deadline.left),
  );
  const [newest] = await readOrRefuse(verified, 'document.gone', () =>
    answer ? readRevisions(answer, 1) : [],
  );
  const deletion =
    newest?.deleted === true && newest.tx >= floor
      ? await proveDocument(verified, collection, id, newest.tx)
      : undefined;
  if (!deletion?.deleted) {
    await trust.assertStanding(call.operation);
    const detail = `document ${toHex(id)} is said to be none, but was proven, in tx ${floor.toString()}, and no deletion of it is`;
    throw await trust.refuse(call.operation, { check: 'document.gone', detail, tx: floor }, deletion?.job);
  }
  trust.known.seen.note(seenName(deletion.collection, id), deletion.facts.tx, DELETED);
  return null;
}

/** The version that a transaction wrote. Null: it deleted the document, or wrote none of it. */
async function documentAt(
  verified: Verified,
  collection: BoundCollection,
  id: Uint8Array,
  atTx: bigint,
): Promise<ProvenDocument | null> {
  const proven = await proveDocument(verified, collection, id, atTx);
  if (!proven) {
    if (collection.id > 0) await assertNotIn(verified, collection, id, atTx);
    return null;
  }
  const { facts, deleted } = proven;
  verified.trust.known.seen.note(seenName(proven.collection, id), facts.tx, deleted ? DELETED : undefined);
  return deleted ? null : proven;
}

/** Proves that a transaction has no entry of a document: by all entries that it has. One that is not there yet has none. */
async function assertNotIn(
  { session, trust, call }: Verified,
  collection: BoundCollection,
  id: Uint8Array,
  tx: bigint,
): Promise<void> {
  const head = await trust.head(call);
  let answer: Uint8Array;
  try {
    answer = await trust.ask(call, head, () => askTxUnder(session, tx, head, call.deadline.left));
  } catch (error) {
    if (isServerBehind(error) && tx > head.tx) return;
    throw error;
  }
  const question = { kind: 'tx', tx, leaves: true } as const;
  await trust.prove(call, question, head, answer);
  const whole = readVerifiableTx(answer).tx;
  const key = documentKey(collection.id, id);
  if (!checkEntries(whole, whole.header).entries.some((entry) => equalBytes(entry.key, key))) return;
  const detail = `tx ${tx.toString()} has a version of document ${toHex(id)} that the server says it has not`;
  const job = trust.job(question, head, answer, call.askedAt);
  throw await trust.refuse(call.operation, { check: 'document.gone', detail, tx }, job);
}
