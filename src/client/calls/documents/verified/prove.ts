// One document, asked for with its row and proven: its row is in a transaction of the trusted history, which is found out like every
// other claim. What the server proves beside it has no chain, and never moves the head.
import { toHex } from '../../../../proof/bytes.js';
import { documentKey } from '../../../../proof/documents/document.js';
import { shownRaw } from '../../../../verify/claims/raw-claim.js';
import { keyName } from '../../../../verify/key-name.js';
import type { DocumentProven } from '../../../../verify/readings/document.js';
import type { Job } from '../../../../verify/verifier.js';
import { readShownDocument } from '../../../../verify/wire/documents.js';
import { isDocumentNotFound, isServerBehind } from '../../../net/server-errors.js';
import type { Verified } from './verified.js';
import type { ProvenFacts } from '../../../trust/known/proven-facts.js';
import { askHeaderUnder } from '../../../trust/trust-wire.js';
import type { BoundCollection, NamedColumn } from './collection.js';
import type { DocumentCollection } from './level.js';

/** A version of a document that is proven to be in its transaction, in the one trusted history. */
export interface ProvenDocument extends DocumentProven {
  readonly facts: ProvenFacts;
  readonly in: DocumentCollection;
  /** Of its collection, as they were then. */
  readonly columns: readonly NamedColumn[];
  /** What the server answered, for those who find fault with it. */
  readonly job: Job;
}

/** What newest proven versions of documents are remembered by: no key of a user is called so. */
export function seenName(collection: number, id: Uint8Array): string {
  return `\u{1f4c4}${keyName(documentKey(collection, id))}`;
}

/** `tx`: of a version; 0: the latest. Null: the server says that there is none. */
export async function proveDocument(
  verified: Verified,
  collection: BoundCollection,
  id: Uint8Array,
  tx: bigint,
): Promise<ProvenDocument | null> {
  const { session, trust, call } = verified;
  const { known } = trust;
  const head = await trust.head(call);
  const request = {
    collectionName: collection.name,
    documentId: toHex(id),
    transactionId: tx.toString(),
    proofSinceTransactionId: head.tx.toString(),
  };
  let answer: Uint8Array;
  try {
    answer = await trust.ask(call, head, () => session.raw('ProofDocument', request, call.deadline.left));
  } catch (error) {
    if (isDocumentNotFound(error)) return null;
    // Said of a transaction that there is not yet, too; the server was found to extend the head since.
    if (isServerBehind(error) && tx > head.tx) return null;
    throw error;
  }
  await collection.recheck(collectionIn(answer));
  const question = { kind: 'document', id, tx, collection: collection.id } as const;
  const checked = trust.check(call.operation, question, head, answer, call.askedAt, call.deadline);
  const proven = await call.deadline.race(checked, 'its answer to be checked');
  const facts = await call.deadline.race(proveClaim(verified, proven), 'its transaction to be proven');
  if (trust.knownNow !== known) throw trust.forgotten();
  const job = trust.job(question, head, answer, call.askedAt);
  const { columns, ...collected } = await collection.explain(proven.stored, facts.tx, proven.idField, job);
  return { ...proven, facts, in: { ...collected, id: proven.collection }, columns, job };
}

/** Which collection is shown; what cannot be read is refused by its check. */
function collectionIn(answer: Uint8Array): number {
  try {
    return readShownDocument(answer).collectionId;
  } catch {
    return 0;
  }
}

function proveClaim({ trust, call }: Verified, { claim }: DocumentProven): Promise<ProvenFacts> {
  const { operation, startedAt } = call;
  return new Promise((proven, failed) => {
    const shown = shownRaw(claim);
    trust.known.proveSoon({
      ...{ claim, key: claim.key, shown, as: 'raw', operation, startedAt },
      proven,
      failed,
    });
  });
}

/** Who wrote it, where the database notes that: what the proven header says. */
export async function provenUser(
  { session, trust, call }: Verified,
  { shownAlh, extra, facts: { tx }, job }: ProvenDocument,
): Promise<string | undefined> {
  const compared = trust.known.headers.compare({ tx, alh: shownAlh });
  if (compared === 'same') return userOf(extra);
  if (compared === 'other') {
    const detail = `the header that is shown with a document of tx ${tx.toString()} is not the proven one`;
    throw await trust.refuse(call.operation, { check: 'document.header', detail, tx }, job);
  }
  const head = await trust.head(call);
  const answer = await trust.ask(call, head, () => askHeaderUnder(session, tx, head, call.deadline.left));
  const { subject } = await trust.prove(call, { kind: 'tx', tx }, head, answer);
  return userOf(subject.metadata?.extra);
}

const NAME = /^\w{1,63}$/;
const USER = 'usr';

/**
 * The user's name; or, where the server logs more of requests, attributes: `u8 length of its name less 1 ‖ u8 length less 1 ‖ name ‖
 * value`.
 */
function userOf(extra: Uint8Array = NOTHING): string | undefined {
  const text = Buffer.from(extra).toString('latin1');
  if (NAME.test(text)) return text;
  for (let at = 0; at + 2 < text.length;) {
    const name = at + 3 + text.charCodeAt(at);
    const end = name + 1 + text.charCodeAt(at + 1);
    if (end <= text.length && text.slice(at + 2, name) === USER) return text.slice(name, end);
    at = end;
  }
  return undefined;
}

const NOTHING: Uint8Array = new Uint8Array(0);
