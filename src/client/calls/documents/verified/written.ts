// A transaction that wrote documents, proven whole: it holds exactly these documents, with exactly this content.
import { equalBytes, fromHex, toHex } from '../../../../proof/bytes.js';
import { documentKey, decodeDocument } from '../../../../proof/documents/document.js';
import type { StoredDocument } from '../../../../proof/documents/document.js';
import { fieldOf, sameFields, setField } from '../../../../proof/documents/values.js';
import type { DocumentFields, DocumentValue } from '../../../../proof/documents/values.js';
import { ProofFailure } from '../../../../proof/failure.js';
import { decodeSqlKey } from '../../../../proof/sql/raw-key.js';
import type { SqlKey } from '../../../../proof/sql/raw-key.js';
import type { TxEntry } from '../../../../proof/types.js';
import { ServerError } from '../../../../errors.js';
import type { Job, ProvenTx, Root } from '../../../../verify/verifier.js';
import { readVerifiableTx } from '../../../../verify/wire/answers.js';
import { isServerBehind } from '../../../net/server-errors.js';
import type { Verified } from './verified.js';
import { FewAtATime } from '../../../trust/known/few-at-a-time.js';
import { askTxUnder } from '../../../trust/trust-wire.js';
import { verifiedExportTx } from '../../txs/export-tx.js';
import type { BoundCollection } from './collection.js';
import type { DocumentCollection } from './level.js';
import { proveDocument, seenName } from './prove.js';

/** Documents that are asked for at a time. */
const AT_A_TIME = 16;
/** Of one transaction: asked for one by one, each comes with the digests of all; a user who may has it exported whole. */
const WORTH_AN_EXPORT = 8;

/** What the server says it has written, in one transaction. */
export interface SaidToBeWritten {
  readonly tx: bigint;
  /** In hex. */
  readonly ids: readonly string[];
  /** What each must be, without its id. */
  readonly contents: readonly DocumentFields[];
  /** `inserted`, or `replaced`: then entries of indexes that count no more are among them. */
  readonly how: 'inserted' | 'replaced';
}

export interface ProvenWrite {
  readonly subject: ProvenTx;
  readonly in: DocumentCollection;
}

/**
 * Proves that transaction `tx`, newer than the head that the write was sent under, is no other write's, wrote exactly these documents
 * of the collection, and gave them exactly these contents.
 */
export async function proveWritten(
  verified: Verified,
  collection: BoundCollection,
  sentUnder: Root,
  said: SaidToBeWritten,
): Promise<ProvenWrite> {
  const { trust, call } = verified;
  const { tx, ids, how } = said;
  const refuse = (detail: string, job?: Job) =>
    trust.refuse(call.operation, { check: `document.${how}`, detail, tx }, job);
  if (tx <= sentUnder.tx) {
    await trust.assertStanding(call.operation);
    throw await refuse(`said to be written in tx ${tx.toString()}, which was there before it was sent`);
  }
  const { subject, entries, job } = await wholeTx(verified, tx);
  // Only now: a tx that was named and never proven is still to be had by an honest write.
  if (!trust.writes.claim(tx)) {
    const detail = `the write was answered with tx ${tx.toString()}, which is that of another write`;
    throw await trust.refuse(call.operation, { check: 'set.tx-shared', detail, tx }, job);
  }
  const table = collection.id || tableOf(entries);
  const wrong = misfit(table, entries, said);
  if (wrong !== undefined) throw await refuse(wrong, job);

  const stored = await contentsOf(verified, collection, table, said);
  let collected: DocumentCollection | undefined;
  for (const [i, { document, explained }] of stored.entries()) {
    const content = said.contents[i] as DocumentFields;
    if (!sameFields(without(document.fields, explained.idField), without(content, explained.idField)))
      throw await refuse(`document ${ids[i] as string} is not stored as it was sent`, job);
    trust.known.seen.note(seenName(table, document.id), tx);
    collected = explained;
  }
  return { subject, in: collected as DocumentCollection };
}

/** A transaction with all its entries, proven. */
async function wholeTx(
  { session, trust, call }: Verified,
  tx: bigint,
): Promise<{ subject: ProvenTx; entries: readonly TxEntry[]; job: Job }> {
  const head = await trust.head(call);
  let answer: Uint8Array;
  try {
    answer = await trust.ask(call, head, () => askTxUnder(session, tx, head, call.deadline.left));
  } catch (error) {
    if (!isServerBehind(error)) throw error;
    const detail = `the server says that it has written tx ${tx.toString()}, which it does not have`;
    throw await trust.refuse(call.operation, { check: 'trust.unproven-tx', detail, tx });
  }
  const question = { kind: 'tx', tx, leaves: true } as const;
  const { subject, leaves } = await trust.prove(call, question, head, answer);
  trust.known.headers.add(subject);
  if (leaves && subject.nentries > 1) trust.known.leaves.add(tx, leaves);
  const job = trust.job(question, head, answer, call.askedAt);
  return { subject, entries: readVerifiableTx(answer).tx.entries(), job };
}

function tableOf([first]: readonly TxEntry[]): number {
  const key = first && keyOf(first);
  return key?.kind === 'row' ? key.table : 1;
}

function keyOf({ key }: TxEntry): SqlKey | undefined {
  try {
    return decodeSqlKey(key);
  } catch (error) {
    if (error instanceof ProofFailure) return undefined;
    throw error;
  }
}

/** Why these are not the entries of the write; undefined: they are. */
function misfit(
  table: number,
  entries: readonly TxEntry[],
  { ids, how }: SaidToBeWritten,
): string | undefined {
  const due = new Set(ids.map((id) => toHex(documentKey(table, fromHex(id)))));
  if (due.size !== ids.length) return 'the same document is named twice';
  for (const entry of entries) {
    if (due.delete(toHex(entry.key))) {
      if (entry.metadata) return 'a document is written with attributes, as a deletion is';
      continue;
    }
    const key = keyOf(entry);
    const isOldIndex = key?.kind === 'old-index' && key.prefix === 'document' && key.table === table;
    if (how !== 'replaced' || !isOldIndex || entry.metadata?.deleted !== true)
      return 'its transaction holds something else';
  }
  return due.size > 0 ? 'its transaction does not hold all of the documents' : undefined;
}

interface Content {
  readonly document: StoredDocument;
  readonly explained: DocumentCollection;
}

/** Each proven to be the one that was hashed. */
async function contentsOf(
  verified: Verified,
  collection: BoundCollection,
  table: number,
  said: SaidToBeWritten,
): Promise<Content[]> {
  const { tx, ids } = said;
  const exported =
    ids.length >= WORTH_AN_EXPORT ? await exportedContents(verified, collection, table, said) : undefined;
  if (exported) return exported;
  const few = new FewAtATime(AT_A_TIME);
  return Promise.all(
    ids.map((id) =>
      few.run(async () => {
        const proven = await proveDocument(verified, collection, fromHex(id), tx);
        if (proven) return { document: proven.stored, explained: proven.in };
        const { trust, call } = verified;
        const detail = `the server does not show document ${id} of tx ${tx.toString()}, which has it`;
        throw await trust.refuse(call.operation, { check: 'document.gone', detail, tx });
      }),
    ),
  );
}

/** All at once; undefined: the user may not export. */
async function exportedContents(
  verified: Verified,
  collection: BoundCollection,
  table: number,
  { tx, ids }: SaidToBeWritten,
): Promise<Content[] | undefined> {
  const { session, trust, call } = verified;
  const exported = await verifiedExportTx(session, trust, call, tx).catch((error: unknown) => {
    if (error instanceof ServerError && error.code === 'PERMISSION_DENIED') return undefined;
    throw error;
  });
  if (!exported) return undefined;
  const rows = new Map(exported.entries.map(({ rawKey, rawValue }) => [toHex(rawKey), rawValue]));
  const contents: Content[] = [];
  for (const id of ids) {
    const bytes = fromHex(id);
    const row = rows.get(toHex(documentKey(table, bytes)));
    if (!row) return undefined;
    const document = decodeDocument(row);
    if (!equalBytes(document.id, bytes)) return undefined;
    const { name, idField, level } = await collection.explain(document, tx, '');
    contents.push({ document, explained: { name, id: table, idField, level } });
  }
  return contents;
}

/** A document without its id. */
function without(fields: DocumentFields, idField: string): DocumentFields {
  if (fieldOf(fields, idField) === undefined) return fields;
  const rest: Record<string, DocumentValue> = {};
  for (const [name, value] of Object.entries(fields)) if (name !== idField) setField(rest, name, value);
  return rest;
}
