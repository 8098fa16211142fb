// Every document that was recorded: its row is read, agrees with its columns, is that of its key; and no lie about one is.
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '#dist/proof/bytes.js';
import { assertColumn, decodeDocument, documentKey } from '#dist/proof/documents/document.js';
import { encodeStruct } from '#dist/proof/documents/struct-writer.js';
import { DocumentCatalog } from '#dist/client/calls/documents/verified/catalog.js';
import { decodeSqlKey } from '#dist/proof/sql/raw-key.js';
import { decodeCells, encodeRow } from '#dist/proof/sql/row.js';
import type { RawCell } from '#dist/proof/sql/row.js';
import { alh } from '#dist/proof/header.js';
import { check } from '#dist/verify/check.js';
import type { Question } from '#dist/verify/verifier.js';
import { wireMethod } from '#dist/wire/schema.js';
import { readShownDocument } from '#dist/verify/wire/documents.js';
import { entriesOf, recordedDatabase, txsOf } from '../../vectors/sql/source.js';
import { checkFailedBy } from '../helpers.js';

interface RecordedProof {
  readonly id: string;
  readonly collectionName: string;
  readonly documentId: string;
  readonly transactionId: string;
  readonly tx: string;
  readonly answer?: string;
}

const recorded = recordedDatabase('docs') as ReturnType<typeof recordedDatabase> & {
  readonly proofs: readonly RecordedProof[];
};
const proofs = recorded.proofs.filter(({ answer }) => answer !== undefined);
const txs = txsOf(recorded);
const catalog = new DocumentCatalog();
for (const [tx, entries] of txs)
  catalog.take(
    BigInt(tx),
    entries.map(({ key, metadata, hValue }) => ({ key, hValue, ...(metadata && { metadata }) })),
  );
const NAMES = ['name', 'age', 'score', 'active', 'ref', 'address.city', 'a.b.c', 'email', 'k'];

/** All rows of documents, deletions too. */
const rows = txs.flatMap(([tx, entries]) =>
  entries.flatMap((entry) => {
    const of = decodeSqlKey(entry.key);
    return of.kind === 'row' ? [{ tx, entry, table: of.table }] : [];
  }),
);

const checked = (
  { documentId, answer = '' }: RecordedProof,
  more: Partial<Extract<Question, { kind: 'document' }>> = {},
) =>
  check({
    question: { kind: 'document', id: fromHex(documentId), tx: 0n, collection: 0, ...more },
    context: { head: null, database: 'docs', now: 0n },
    answer: fromHex(answer),
  });

function refusedBy(...args: Parameters<typeof checked>): string {
  const verdict = checked(...args);
  return verdict.ok ? 'accepted' : verdict.refuted.check;
}

describe('recorded documents', () => {
  it('are there', () => {
    expect(proofs).toHaveLength(15);
    expect(rows.length).toBeGreaterThan(15);
  });

  it('are read, and are those of their keys', () => {
    for (const { entry, table } of rows) {
      const { id, fields, idFields, columns } = decodeDocument(entry.value);
      expect(documentKey(table, id)).toEqual(entry.key);
      expect(idFields.length).toBeGreaterThan(0);
      // The order of fields differs from write to write: what is written back has another one, and is the same.
      const again = encodeRow([
        { column: 1, bytes: id },
        { column: 2, bytes: encodeStruct(fields) },
        ...columns,
      ]);
      expect(decodeDocument(again)).toEqual(decodeDocument(entry.value));
    }
  });

  it('agree with what their collections know of them', () => {
    catalog.learn(NAMES);
    let compared = 0;
    for (const { entry, table, tx } of rows) {
      const stored = decodeDocument(entry.value);
      const columns = catalog.columnsAt(table, BigInt(tx)).filter(({ id }) => id > 2);
      for (const { column } of stored.columns) expect(columns.map(({ id }) => id)).toContain(column);
      for (const column of columns) {
        const name = catalog.nameOf(column);
        expect(name).toBeDefined();
        // A deletion has the last row, which was written before.
        if (entry.metadata?.deleted) continue;
        assertColumn(stored, { column: column.id, name: name as string, type: column.type });
        compared += 1;
      }
      expect(stored.idFields).toContain(catalog.idFieldAt(table, BigInt(tx), stored.idFields));
    }
    expect(compared).toBeGreaterThan(80);
  });

  it('are found by their names, by what lives', () => {
    expect(catalog.tableOf('people')).toBe(1);
    expect(catalog.tableOf('uniq')).toBe(2);
    // Deleted as 3, made anew.
    expect(catalog.tableOf('Twins')).toBe(4);
    expect(catalog.tableOf('twins')).toBeUndefined();
    expect(catalog.idFieldAt(1, 7n, ['pid', '_id'])).toBe('_id');
    expect(catalog.idFieldAt(1, 20n, ['pid', '_id'])).toBe('pid');
    expect(catalog.followed).toBe(24n);
  });

  it('are shown as they are', () => {
    for (const proof of proofs) {
      const deleted = proof.id === 'bob-at-deletion';
      const verdict = checked(proof, { tx: BigInt(proof.tx) });
      expect([proof.id, verdict]).toMatchObject([
        proof.id,
        { ok: true, proven: { kind: 'document', deleted, claim: { tx: BigInt(proof.tx) } } },
      ]);
      const header = recorded.txs[proof.tx]?.header;
      if (!verdict.ok || verdict.proven.kind !== 'document' || !header) throw new Error('unreachable');
      const { claim, shownAlh, extra } = verdict.proven;
      expect(toHex(shownAlh)).toBe(header.alh);
      expect(Buffer.from(extra ?? []).toString()).toBe('immudb');
      const entry = entriesOf(recorded.txs[proof.tx] as never).find(
        ({ key }) => toHex(key) === toHex(claim.key),
      );
      expect(entry?.value).toEqual(claim.value);
      expect(toHex(alh(readShownDocument(fromHex(proof.answer as string)).header))).toBe(header.alh);
    }
  });
});

describe('lies about recorded documents', () => {
  const of = (id: string) => proofs.find((proof) => proof.id === id) as RecordedProof;

  it('another collection, another version, a deletion, another id, another database', () => {
    expect(refusedBy(of('twin'), { collection: 1 })).toBe('document.collection');
    expect(refusedBy(of('recreated'), { collection: 3 })).toBe('document.collection');
    expect(refusedBy(of('ann-replaced'), { tx: 7n })).toBe('document.tx');
    expect(refusedBy(of('bob-at-deletion'))).toBe('document.deleted');
    expect(refusedBy({ ...of('ann'), documentId: of('bob').documentId })).toBe('document.entry');
    const answer = of('ann').answer?.replace('0a04646f6373', '0a04646f6374') ?? '';
    expect(refusedBy({ ...of('ann'), answer })).toBe('document.database');
  });

  it('the proof that comes with a document: it is none that moves a head', () => {
    const { responseDeserialize } = wireMethod('ProofDocument');
    const { responseSerialize } = wireMethod('VerifiableTxById');
    let moves = 0;
    for (const { id, answer = '' } of proofs) {
      const { verifiableTx } = responseDeserialize(Buffer.from(answer, 'hex')) as {
        verifiableTx: { dualProof: { sourceTxHeader: { id: string }; targetTxHeader: { id: string } } };
      };
      const { sourceTxHeader: source, targetTxHeader: target } = verifiableTx.dualProof;
      const head = {
        tx: BigInt(source.id),
        alh: fromHex(recorded.txs[source.id]?.header.alh as string),
      };
      const verdict = check({
        question: { kind: 'tx', tx: BigInt(target.id) },
        context: { head, database: 'docs', now: 0n },
        answer: responseSerialize(verifiableTx),
      });
      // From the head to itself there is nothing to be proven, and nothing moves.
      if (source.id === target.id) continue;
      expect([id, verdict.ok]).toEqual([id, false]);
      moves++;
    }
    expect(moves).toBeGreaterThan(3);
  });

  it('any byte of what was stored', () => {
    const { answer = '', ...proof } = of('bob');
    const bytes = fromHex(answer);
    const { encoded } = readShownDocument(bytes);
    const from = encoded.byteOffset - bytes.byteOffset;
    for (let at = from; at < from + encoded.length; at++) {
      const changed = bytes.slice();
      changed[at] = (changed[at] as number) ^ 0x04;
      expect(refusedBy({ ...proof, answer: toHex(changed) })).toBe('document.value');
    }
  });

  it('rows that no server writes', () => {
    const row = decodeCells(readShownDocument(fromHex(of('ann').answer as string)).encoded);
    const [id, document, ...columns] = row as [RawCell, RawCell, ...RawCell[]];
    const failedBy = (bytes: Uint8Array) => checkFailedBy(() => decodeDocument(bytes));
    expect(failedBy(encodeRow(row))).toBeUndefined();
    expect(failedBy(encodeRow([id, ...columns]))).toBe('document.columns');
    expect(failedBy(encodeRow([document, ...columns]))).toBe('document.columns');
    // Column 2 before column 1, and a trailing byte.
    const swapped = encodeRow(row);
    swapped[7] = 2;
    swapped[8 + 4 + 16 + 3] = 1;
    expect(failedBy(swapped)).toBe('sql-row.order');
    expect(failedBy(Uint8Array.from([...encodeRow(row), 0]))).toBe('sql-row.trailing');
    expect(failedBy(encodeRow([{ ...id, bytes: id.bytes.subarray(1) }, document]))).toBe('document.id-field');
  });

  it('columns that disagree with the document', () => {
    const stored = decodeDocument(readShownDocument(fromHex(of('ann').answer as string)).encoded);
    const disagrees = (
      columns: readonly RawCell[],
      column: number,
      name: string,
      type: 'VARCHAR' | 'INTEGER' | 'UUID',
    ) => checkFailedBy(() => assertColumn({ ...stored, columns }, { column, name, type }));
    const [name] = stored.columns as [RawCell];
    expect(disagrees(stored.columns, 3, 'name', 'VARCHAR')).toBeUndefined();
    expect(disagrees([{ ...name, bytes: name.bytes.subarray(1) }], 3, 'name', 'VARCHAR')).toBe(
      'document.agree',
    );
    expect(disagrees(stored.columns.slice(1), 3, 'name', 'VARCHAR')).toBe('document.agree');
    // One more than the document has, and two of one type for each other.
    expect(disagrees(stored.columns, 3, 'email', 'VARCHAR')).toBe('document.agree');
    expect(disagrees(stored.columns, 9, 'age', 'INTEGER')).toBe('document.agree');
    expect(disagrees(stored.columns, 7, 'ref', 'UUID')).toBeUndefined();
  });
});
