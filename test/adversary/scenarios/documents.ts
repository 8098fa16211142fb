// Documents: one, many, their versions, and what is written of them.
import type { VerifiedDocument, VerifiedRevision } from '#dist/index.js';
import { decodeDocument } from '#dist/proof/documents/document.js';
import type { WireClient } from '../../support/wire-client.js';
import { NOTHING, callers, show } from '../scenario.js';
import type { Message, Scenario, Told } from '../scenario.js';
import { cold } from '../stage.js';
import type { Stage } from '../stage.js';

const SERVICE = { service: 'immudb.model.DocumentService' } as const;

/** Ids by the names of their documents, of the stage that was set last. */
const ids = new Map<string, string>();
let firstTx = 0n;

/** In `people`: Ada, Alan (replaced once, in `firstTx` as he was), Cy, who is deleted; the same Ada among `twins`. */
export async function setDocuments({ client: { documents } }: Stage): Promise<void> {
  const fields = [
    { name: 'name', type: 'STRING' },
    { name: 'age', type: 'INTEGER' },
  ] as const;
  await documents.createCollection('people', { fields, indexes: [{ fields: ['age'] }] });
  await documents.createCollection('twins', { fields });
  const people = [
    { name: 'Ada', age: 36, more: { list: [1, null] } },
    { name: 'Alan', age: 41 },
    { name: 'Cy', age: 50 },
    { name: 'Di', age: 60 },
  ];
  const { tx, ids: given } = await documents.insert('people', people);
  people.forEach(({ name }, i) => ids.set(name, given[i] as string));
  firstTx = tx;
  await documents.insert('twins', people);
  await documents.replace('people', { where: { name: 'Alan' } }, { name: 'Alan', age: 42 });
  await documents.delete('people', { where: { name: 'Cy' } });
}

const idOf = (name: string) => ids.get(name) as string;

function tellDocument(found: VerifiedDocument | null | undefined): Told {
  if (!found) return NOTHING;
  const { id, document, tx, timestamp, collection } = found;
  const fields = Object.fromEntries(Object.entries(document).sort(([a], [b]) => (a < b ? -1 : 1)));
  const { name, id: table, idField } = collection;
  return show({ id, fields, tx, timestamp, collection: { name, table, idField } });
}

function tellRevision(found: VerifiedRevision | undefined): Told {
  if (!found) return NOTHING;
  const { id, document, tx, timestamp, deleted, user } = found;
  return show({
    id,
    document: document && Object.entries(document).sort().flat(),
    tx,
    timestamp,
    deleted,
    user,
  });
}

const one =
  (name: string, atTx?: bigint) =>
  ({ client }: Stage) =>
    callers(
      client.documents
        .verifiedGet('people', idOf(name), atTx === undefined ? {} : { atTx: firstTx })
        .then(tellDocument),
    );

/** Each of the documents is told to a caller of its own. */
const many = (ordered: boolean) => async (stage: Stage) => {
  const query = { where: { age: { GE: 36 } }, pageSize: 2, ...(ordered && { orderBy: { field: 'age' } }) };
  const found = new Map<string, VerifiedDocument>();
  for await (const each of stage.client.documents.verifiedSearch('people', query)) found.set(each.id, each);
  const names = ['Ada', 'Alan', 'Di'];
  const others =
    found.size > names.length || [...found.keys()].some((id) => !names.some((name) => idOf(name) === id));
  if (others) throw new Error('a document that was not asked for');
  return callers(...names.map((name) => Promise.resolve(tellDocument(found.get(idOf(name))))));
};

const versions =
  (name: string, count: number) =>
  async ({ client }: Stage) => {
    const found: VerifiedRevision[] = [];
    for await (const each of client.documents.verifiedAudit('people', idOf(name))) found.push(each);
    if (found.length > count) throw new Error('a version that there is not');
    const places = Array.from({ length: count }, (_, i) => i);
    // One that is left out leaves a gap: versions are told by their transactions.
    const txs = new Map(found.map((each) => [each.tx, each]));
    return callers(
      ...places.map((i) => Promise.resolve(tellRevision(txs.get(VERSIONS.get(name)?.[i] ?? 0n)))),
    );
  };

/** Transactions of the versions, as an honest server had them first. */
const VERSIONS = new Map<string, bigint[]>();

export async function noteVersions({ client }: Stage): Promise<void> {
  for (const name of ['Alan', 'Cy']) {
    const txs: bigint[] = [];
    for await (const { tx } of client.documents.audit('people', idOf(name))) txs.push(tx);
    VERSIONS.set(name, txs);
  }
}

/** What the server has of a document in that tx. */
async function stored(wire: WireClient, id: string, tx: bigint): Promise<Told> {
  const request = { collectionName: 'people', documentId: id, transactionId: String(tx) };
  const answer = await wire.call('ProofDocument', request, SERVICE).catch(() => undefined);
  if (!answer) return 'not there';
  const { fields, idFields } = decodeDocument(new Uint8Array(answer.encodedDocument));
  return show(
    Object.entries(fields)
      .filter(([name]) => !idFields.includes(name))
      .sort(),
  );
}

const insert = async ({ client, wire }: Stage) =>
  callers(
    client.documents
      .verifiedInsert('people', [{ name: 'new' }, { age: 7 }])
      .then(async ({ ids: given, tx }) =>
        (await Promise.all(given.map((id) => stored(wire, id, tx)))).join(),
      ),
  );

let replacing = 0;
const replace = async ({ client, wire }: Stage) => {
  const content = { name: 'Di', age: 60, n: replacing++ };
  const told = await callers(
    client.documents
      .verifiedReplace('people', { where: { _id: idOf('Di') } }, content)
      .then(async ({ ids: given, tx = 0n }) =>
        given.length === 0 ? NOTHING : `${given.length} ${await stored(wire, given[0] as string, tx)}`,
      ),
  );
  return told.map((each) =>
    each.kind === 'told' ? { ...each, told: each.told.replace(`["n",${content.n}]`, 'n') } : each,
  );
};

const remove = async ({ client, wire }: Stage) => {
  const { ids: given } = await client.documents.insert('people', { name: 'short-lived' });
  const id = given[0] as string;
  return callers(
    client.documents.verifiedDelete('people', { where: { _id: id } }).then(async ({ deleted: [deleted] }) => {
      if (!deleted) return NOTHING;
      const request = { collectionName: 'people', documentId: id, page: 1, pageSize: 1, desc: true };
      const [newest] = (await wire.call('AuditDocument', request, SERVICE)).revisions;
      const isThere = newest.metadata?.deleted === true && BigInt(newest.transactionId) === deleted.tx;
      return isThere && BigInt(newest.ts) === deleted.timestamp && deleted.id === id
        ? 'deleted'
        : 'not deleted so';
    }),
  );
};

const withAll = (request: Message) => request['entriesSpec'] === undefined;
const fromCold = { prepare: ({ client }: Stage) => cold(client) };

export const DOCUMENTS: readonly Scenario[] = [
  { name: 'documents: verifiedGet', method: 'ProofDocument', run: one('Ada') },
  { name: 'documents: verifiedGet, from cold', method: 'ProofDocument', ...fromCold, run: one('Alan') },
  { name: 'documents: verifiedGet, at a tx', method: 'ProofDocument', run: one('Alan', 1n) },
  { name: 'documents: verifiedGet, its collection', method: 'TxScan', ...fromCold, run: one('Ada') },
  { name: 'documents: verifiedGet, its names', method: 'GetCollection', ...fromCold, run: one('Ada') },
  { name: 'documents: verifiedSearch', method: 'SearchDocuments', run: many(true) },
  { name: 'documents: verifiedSearch, the next page', method: 'SearchDocuments', after: 1, run: many(true) },
  { name: 'documents: verifiedSearch, in any order', method: 'SearchDocuments', run: many(false) },
  { name: 'documents: verifiedSearch, proofs', method: 'ProofDocument', after: 1, run: many(true) },
  { name: 'documents: verifiedAudit', method: 'AuditDocument', run: versions('Cy', 2) },
  { name: 'documents: verifiedAudit, proofs', method: 'ProofDocument', run: versions('Alan', 2) },
  { name: 'documents: verifiedAudit, a deletion', method: 'ProofDocument', after: 1, run: versions('Cy', 2) },
  { name: 'documents: verifiedInsert', method: 'InsertDocuments', run: insert },
  { name: 'documents: verifiedInsert, its tx', method: 'VerifiableTxById', asked: withAll, run: insert },
  { name: 'documents: verifiedInsert, its content', method: 'ProofDocument', run: insert },
  { name: 'documents: verifiedReplace', method: 'ReplaceDocuments', run: replace },
  { name: 'documents: verifiedReplace, its content', method: 'ProofDocument', run: replace },
  { name: 'documents: verifiedDelete', method: 'TxScan', run: remove },
];
