// verifiedAudit, page by page: every version of a document proven to be in its transaction, deletions as deletions.
import { fromHex, toHex } from '../../../../proof/bytes.js';
import type { DocumentFields } from '../../../../proof/documents/values.js';
import { readRevisions } from '../../../../verify/wire/documents.js';
import type { ShownRevision } from '../../../../verify/wire/documents.js';
import type { Root } from '../../../../verify/verifier.js';
import { resultOf } from '../../../results/result.js';
import type { Verified } from './verified.js';
import { DELETED } from '../../../trust/known/newest-versions.js';
import { FewAtATime } from '../../../trust/known/few-at-a-time.js';
import type { TellNext } from '../../scans/pages.js';
import { askAudit, auditRequest, nextAudit } from '../audit.js';
import type { AuditInput, AuditStep } from '../audit.js';
import { BoundCollection } from './collection.js';
import { waitForIndex } from './get.js';
import type { CatalogChoice, DocumentCollection } from './level.js';
import { proveDocument, provenUser, seenName } from './prove.js';
import { asRead, readOrRefuse } from './read.js';

/** A version of a document, proven to be in the one trusted history. */
export interface VerifiedRevision {
  readonly id: string;
  readonly tx: bigint;
  readonly deleted: boolean;
  /** Not there for a deletion, nor with `omitPayload`. */
  readonly document?: DocumentFields;
  /** Who wrote it, by the proven header; absent where the database does not note that. */
  readonly user?: string;
  /** Header time of `tx` in unix seconds; 0 when the database leaves it out. */
  readonly timestamp: bigint;
  readonly collection: DocumentCollection;
  /** Trusted head under which it was proven. */
  readonly root: Root;
  /** The server's word. */
  readonly unproven: { readonly revision: bigint };
}

/** Versions that are asked for at a time. */
const AT_A_TIME = 16;

export function verifiedAuditPage(
  verified: Verified,
  input: AuditInput,
  catalog: CatalogChoice,
  step: AuditStep,
  tellNext: TellNext<AuditStep>,
): Promise<VerifiedRevision[]> {
  return asRead(verified, async (reading) => {
    const { session, trust, call } = reading;
    const collection = await BoundCollection.find(reading, input.collection, catalog);
    const floor = collection.id > 0 ? trust.known.seen.floor(seenName(collection.id, fromHex(input.id))) : 0n;
    // History does not wait for the index either.
    if (step.page === 1 && floor > 0n) await waitForIndex(reading, collection);
    const request = auditRequest({ ...input, omitPayload: true }, step.page);
    const answer = await askAudit(() => session.raw('AuditDocument', request, call.deadline.left));
    const shown = await readOrRefuse(reading, 'document.audit', () =>
      answer ? readRevisions(answer, input.pageSize) : [],
    );
    const wrong = misfit(input, shown);
    if (wrong !== undefined) throw await refuse(reading, wrong);
    const taken = newOnes(input, step, shown);
    const next = nextAudit(input, step, shown.length, taken);
    const end = input.desc
      ? step.page === 1
        ? (shown[0]?.tx ?? 0n)
        : undefined
      : isEnd(input, shown, taken, step);
    if (end !== undefined && end < floor) {
      await trust.assertStanding(call.operation);
      throw await refuse(
        reading,
        `the versions of a document end before the one of tx ${floor.toString()}, which was proven`,
      );
    }
    tellNext(next);
    const few = new FewAtATime(AT_A_TIME);
    const proven = await Promise.all(
      taken.map((one) => few.run(() => proveRevision(reading, collection, input, one))),
    );
    return () => proven.map((fields) => resultOf({ ...fields, root: trust.root }));
  });
}

/** Tx of the last version, where the server says that there are no more; undefined where there may be. */
function isEnd(
  { pageSize }: AuditInput,
  shown: readonly ShownRevision[],
  taken: readonly ShownRevision[],
  { lastTx = 0n, left }: AuditStep,
): bigint | undefined {
  if (shown.length >= pageSize || taken.length >= left) return undefined;
  return shown.at(-1)?.tx ?? lastTx;
}

function newOnes(
  { desc }: AuditInput,
  { lastTx, left }: AuditStep,
  shown: readonly ShownRevision[],
): readonly ShownRevision[] {
  const isNew = ({ tx }: ShownRevision) => lastTx === undefined || (desc ? tx < lastTx : tx > lastTx);
  return shown.filter(isNew).slice(0, left);
}

/** Why these cannot be versions of the document in their order; undefined: they may be. */
function misfit({ id, desc }: AuditInput, shown: readonly ShownRevision[]): string | undefined {
  let last: bigint | undefined;
  for (const { id: of, tx } of shown) {
    if (of !== id || tx < 1n) return 'a version of another document, or of no transaction';
    if (last !== undefined && (desc ? tx >= last : tx <= last)) return 'versions that are out of order';
    last = tx;
  }
  return undefined;
}

async function proveRevision(
  verified: Verified,
  collection: BoundCollection,
  { id, omitPayload }: AuditInput,
  { tx, deleted, revision }: ShownRevision,
): Promise<Omit<VerifiedRevision, 'root'>> {
  const proven = await proveDocument(verified, collection, fromHex(id), tx);
  if (!proven) throw await refuse(verified, `a version of tx ${tx.toString()} is shown, which has none`, tx);
  if (proven.deleted !== deleted) {
    const what = proven.deleted ? 'a deletion is shown as a version' : 'a version is shown as a deletion';
    throw await refuse(verified, `${what}, of tx ${tx.toString()}`, tx);
  }
  const { facts, stored, in: collected } = proven;
  const name = seenName(proven.collection, stored.id);
  verified.trust.known.seen.note(name, tx, deleted ? DELETED : undefined);
  const user = await provenUser(verified, proven);
  return {
    ...{ id: toHex(stored.id), tx: facts.tx, deleted },
    ...(!deleted && !omitPayload && { document: stored.fields }),
    ...(user !== undefined && { user }),
    ...{ timestamp: facts.ts, collection: resultOf(collected), unproven: { revision } },
  };
}

function refuse({ trust, call }: Verified, detail: string, tx?: bigint): Promise<Error> {
  return trust.refuse(call.operation, { check: 'document.audit', detail, ...(tx !== undefined && { tx }) });
}
