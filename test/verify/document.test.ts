// What is checked of a document that is shown with its row: each check fails for its own lie, and for nothing else.
import { describe, expect, it } from 'vitest';
import { concatBytes } from '#dist/proof/bytes.js';
import { documentKey } from '#dist/proof/documents/document.js';
import { encodeStruct } from '#dist/proof/documents/struct-writer.js';
import { encodeRow } from '#dist/proof/sql/row.js';
import { check } from '#dist/verify/check.js';
import { shownRaw } from '#dist/verify/claims/raw-claim.js';
import { packJob, unpackJob } from '#dist/verify/pack/packet.js';
import type { Question } from '#dist/verify/verifier.js';
import { TestChain, bytesOf, utf8 } from './support/test-chain.js';
import type { Wire } from './support/test-chain.js';
import { contextAt, implementations } from './support/verifiers.js';

const ID = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
const HEX = Buffer.from(ID).toString('hex');
const OTHER_ID = Uint8Array.from({ length: 16 }, (_, i) => i + 2);
const rowOf = (id: Uint8Array, fields: object) =>
  encodeRow([
    { column: 1, bytes: id },
    { column: 2, bytes: encodeStruct(fields as never) },
    { column: 3, bytes: utf8('Ann') },
  ]);
const ROW = rowOf(ID, { name: 'Ann', _id: HEX });
const TWIN = rowOf(OTHER_ID, { name: 'Ann', _id: Buffer.from(OTHER_ID).toString('hex') });
const chain = new TestChain().grow(4);
const TX = chain.commit([
  { key: documentKey(7, ID), value: ROW },
  { key: documentKey(8, ID), value: ROW },
  { key: documentKey(7, OTHER_ID), value: TWIN },
]);
const GONE = chain.commit([{ key: documentKey(7, ID), metadata: { deleted: true }, value: ROW }]);
const ODD = chain.commit([{ key: documentKey(7, ID), metadata: { expiresAt: 5n }, value: ROW }]);

type Asked = Partial<Extract<Question, { kind: 'document' }>>;

function verdictOf(asked: Asked, change: (answer: Wire) => unknown = () => undefined, tx = TX, row = ROW) {
  const answer = chain.proofDocument(tx, row, 7);
  change(answer);
  const question = { kind: 'document', id: ID, tx: 0n, collection: 7, ...asked } as const;
  return check({ question, context: contextAt(chain.root(ODD)), answer: bytesOf('document', answer) });
}

function failed(...args: Parameters<typeof verdictOf>): string {
  const verdict = verdictOf(...args);
  return verdict.ok ? 'accepted' : verdict.refuted.check;
}

describe('a document', () => {
  it('is claimed to be in its transaction', () => {
    for (const asked of [{}, { tx: TX }, { collection: 0 }]) {
      const verdict = verdictOf(asked);
      expect(verdict).toMatchObject({
        ok: true,
        proven: {
          kind: 'document',
          claim: { tx: TX, key: documentKey(7, ID), isRaw: true, value: ROW },
          ...{ collection: 7, idField: '_id', deleted: false },
          stored: { fields: { name: 'Ann', _id: HEX }, idFields: ['_id'] },
        },
      });
    }
  });

  it('that was deleted is so where its transaction is asked for, and no latest version', () => {
    expect(verdictOf({ tx: GONE }, undefined, GONE)).toMatchObject({ ok: true, proven: { deleted: true } });
    expect(failed({}, undefined, GONE)).toBe('document.deleted');
  });

  it('of another collection, database or transaction is refused', () => {
    expect(failed({ collection: 8 })).toBe('document.collection');
    expect(failed({}, (answer) => (answer.collectionId = 8))).toBe('document.collection');
    expect(failed({ collection: 0 }, (answer) => (answer.collectionId = 0))).toBe('document.collection');
    expect(failed({}, (answer) => (answer.database = 'other'))).toBe('document.database');
    expect(failed({}, (answer) => delete answer.database)).toBe('document.database');
    expect(failed({ tx: TX - 1n })).toBe('document.tx');
  });

  it('that its transaction is not shown to hold is refused', () => {
    expect(failed({ id: utf8('other') })).toBe('document.entry');
    expect(failed({}, (answer) => answer.verifiableTx.tx.entries.shift())).toBe('document.entry');
    expect(failed({}, ({ verifiableTx: { tx } }) => tx.entries.push(tx.entries[0]))).toBe('document.entry');
    expect(failed({}, (answer) => delete answer.verifiableTx)).toBe('wire.missing');
  });

  it('with other bytes than were hashed is refused', () => {
    const swap = (row: Uint8Array) => (answer: Wire) => (answer.encodedDocument = row);
    expect(failed({}, swap(TWIN))).toBe('document.value');
    expect(failed({}, swap(new Uint8Array()))).toBe('document.value');
    expect(failed({}, swap(concatBytes(ROW, new Uint8Array(1))))).toBe('document.value');
  });

  it('with attributes that none has is refused', () => {
    expect(failed({}, undefined, ODD)).toBe('sql-entry.metadata');
  });

  it('whose row is that of another id, or holds none, is refused', () => {
    const put = (row: Uint8Array) => chain.commit([{ key: documentKey(7, ID), value: row }]);
    const bad: [Uint8Array, string][] = [
      [TWIN, 'document.id'],
      [rowOf(ID, { name: 'Ann' }), 'document.id-field'],
      [rowOf(new Uint8Array(33), {}), 'document.id'],
      [encodeRow([{ column: 1, bytes: ID }]), 'document.columns'],
      [encodeRow([{ column: 2, bytes: encodeStruct({}) }]), 'document.columns'],
      [
        encodeRow([
          { column: 1, bytes: ID },
          { column: 2, bytes: utf8('no struct') },
        ]),
        'document.struct',
      ],
      [concatBytes(ROW, new Uint8Array(1)), 'sql-row.trailing'],
    ];
    for (const [row, due] of bad) expect(failed({}, undefined, put(row), row)).toBe(due);
  });

  it('comes back from a thread as it is', async () => {
    for (const [name, make] of implementations) {
      const verifier = make();
      for (const tx of [TX, GONE]) {
        const shown = chain.proofDocument(tx, ROW, 7);
        shown.verifiableTx.tx.header.metadata = { extra: utf8('me') };
        const question = { kind: 'document', id: ID, tx, collection: 0 } as const;
        const job = { question, context: contextAt(chain.root(ODD)), answer: bytesOf('document', shown) };
        const verdict = await verifier.verify(job);
        expect([name, verdict]).toEqual([name, check(job)]);
        expect(verdict).toMatchObject({ ok: true, proven: { deleted: tx === GONE, extra: utf8('me') } });
      }
      await verifier.close();
    }
  });
});

describe('a raw claim', () => {
  const claim = (shown: Uint8Array, key = documentKey(7, ID), tx = TX) => {
    const question = { kind: 'claim', key, tx, shown, as: 'raw' } as const;
    const answer = bytesOf('tx', chain.verifiableTx(tx, ODD));
    const verdict = check(unpackJob(packJob({ question, context: contextAt(chain.root(ODD)), answer })));
    return verdict.ok ? 'holds' : verdict.refuted.check;
  };

  it('holds where its transaction has exactly this entry', () => {
    expect(claim(shownRaw({ key: documentKey(7, ID), value: ROW }))).toBe('holds');
    const deletion = { key: documentKey(7, ID), metadata: { deleted: true }, value: ROW };
    expect(claim(shownRaw(deletion), undefined, GONE)).toBe('holds');
    expect(claim(shownRaw(deletion))).toBe('claim.entry');
    expect(claim(shownRaw({ key: documentKey(7, ID), value: ROW }), undefined, GONE)).toBe('claim.entry');
    expect(claim(shownRaw({ key: documentKey(7, ID), value: TWIN }))).toBe('claim.entry');
    expect(claim(shownRaw({ key: documentKey(7, ID), value: ROW }), documentKey(9, ID))).toBe('claim.entry');
    expect(claim(new Uint8Array())).toBe('wire.truncated');
    expect(claim(new Uint8Array([5, 0]))).toBe('wire.truncated');
  });
});
