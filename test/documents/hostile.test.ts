// A server that lies about documents with more than one change: each lie is refused, by the check that is there for it.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ImmuClient } from '#dist/index.js';
import type { Methods } from '#dist/wire/messages.js';
import { wireMethod } from '#dist/wire/schema.js';
import { Proxy, passOn } from '../adversary/proxy.js';
import { describeReal, sharedImmudb } from '../support/real.js';
import { openClient, rejection } from '../trust/support.js';
import { all } from './support.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Loose = any;

describeReal('a server that lies about documents', () => {
  let proxy: Proxy;
  beforeAll(async () => {
    proxy = await Proxy.start(sharedImmudb());
  });
  afterAll(() => proxy.close());

  async function open(): Promise<{ client: ImmuClient; documents: ImmuClient['documents'] }> {
    proxy.intercept = passOn;
    const { client } = await openClient({ address: proxy.address });
    const { documents } = client;
    const fields = [
      { name: 'name', type: 'STRING' },
      { name: 'age', type: 'INTEGER' },
    ] as const;
    await documents.createCollection('people', { fields, indexes: [{ fields: ['age'] }] });
    await documents.createCollection('twins', { fields });
    return { client, documents };
  }

  /** Changes requests, or answers, of one method; what it returns is answered instead. */
  function lie(
    method: keyof Methods,
    change: { asked?: (request: Loose) => void; answered?: (answer: Loose, request: Loose) => Loose },
  ): void {
    const codec = wireMethod(method);
    proxy.intercept = async (passing) => {
      if (passing.method !== method) return passing.forward();
      const request = codec.requestDeserialize(passing.request) as Loose;
      change.asked?.(request);
      const answer = codec.responseDeserialize(
        await passing.forward(codec.requestSerialize(request)),
      ) as Loose;
      return codec.responseSerialize(change.answered?.(answer, request) ?? answer);
    };
  }

  /** The first answer to a method is given again and again. */
  function replay(method: keyof Methods): void {
    let first: Promise<Buffer> | undefined;
    proxy.intercept = (passing) =>
      passing.method === method ? (first ??= passing.forward()) : passing.forward();
  }

  async function refusedBy(promise: Promise<unknown>): Promise<string> {
    const error = await rejection(promise);
    expect([error.code, error.message]).toEqual(['VERIFICATION_FAILED', error.message]);
    return error.evidence.check;
  }

  test('by the document of another collection', async () => {
    const { documents } = await open();
    const { ids } = await documents.insert('twins', { name: 'Same' });
    await documents.insert('people', { name: 'Same' });
    const id = ids[0] as string;
    lie('ProofDocument', { asked: (request) => (request.collectionName = 'twins') });
    expect(await refusedBy(documents.verifiedGet('people', id))).toBe('document.collection');
    // Nor with the other collection's number in the answer: its row is another key's.
    lie('ProofDocument', {
      asked: (request) => (request.collectionName = 'twins'),
      answered: (answer) => ((answer.collectionId = 1), answer),
    });
    expect(await refusedBy(documents.verifiedGet('people', id))).toBe('document.entry');
    lie('ProofDocument', {
      asked: (request) => (request.collectionName = 'twins'),
      answered: (answer) => {
        answer.collectionId = 1;
        answer.verifiableTx.tx.entries[0].key[14] = 1;
        const { key } = answer.verifiableTx.tx.entries[0];
        key.writeUInt32BE(1, 7);
        return answer;
      },
    });
    expect(await refusedBy(documents.verifiedGet('people', id))).toMatch(/^(claim|document)\.entry$/);
  });

  test('by a collection that was never made under this name', async () => {
    const { documents } = await open();
    const { ids } = await documents.insert('twins', { name: 'x' });
    proxy.intercept = async (passing) => {
      const codec = wireMethod(passing.method as keyof Methods);
      if (passing.method !== 'ProofDocument' && passing.method !== 'GetCollection') return passing.forward();
      const request = codec.requestDeserialize(passing.request) as Loose;
      if (request.name) request.name = 'twins';
      else request.collectionName = 'twins';
      const answer = codec.responseDeserialize(
        await passing.forward(codec.requestSerialize(request)),
      ) as Loose;
      if (answer.collection) answer.collection.name = 'ghosts';
      return codec.responseSerialize(answer);
    };
    expect(await refusedBy(documents.verifiedGet('ghosts', ids[0] as string))).toBe('document.catalog');
  });

  test('by an older version, by none, and by a deletion', async () => {
    const { documents } = await open();
    const { ids, tx } = await documents.verifiedInsert('people', { name: 'v1' });
    const id = ids[0] as string;
    await documents.verifiedReplace('people', { where: { _id: id } }, { name: 'v2' });
    lie('ProofDocument', { asked: (request) => (request.transactionId = String(tx)) });
    expect(await refusedBy(documents.verifiedGet('people', id))).toBe('document.stale');
    lie('ProofDocument', { asked: (request) => (request.documentId = 'abcd') });
    expect(await refusedBy(documents.verifiedGet('people', id))).toBe('document.gone');

    proxy.intercept = passOn;
    const { deleted } = await documents.verifiedDelete('people', { where: { _id: id } });
    lie('ProofDocument', { asked: (request) => (request.transactionId = String(tx)) });
    expect(await refusedBy(documents.verifiedGet('people', id))).toBe('document.stale');
    const atDeletion = (request: Loose) => (request.transactionId = String(deleted[0]?.tx));
    lie('ProofDocument', { asked: atDeletion });
    expect(await refusedBy(documents.verifiedGet('people', id))).toBe('document.deleted');
    // The deletion without its mark.
    lie('ProofDocument', {
      asked: atDeletion,
      answered: (answer) => (delete answer.verifiableTx.tx.entries[0].metadata, answer),
    });
    expect(await refusedBy(documents.verifiedGet('people', id))).toBe('claim.entry');
    expect(await refusedBy(documents.verifiedGet('people', id, { atTx: deleted[0]?.tx ?? 0n }))).toBe(
      'claim.entry',
    );
    // A version is there, and is said not to be.
    lie('ProofDocument', { asked: (request) => (request.transactionId = '1') });
    expect(await refusedBy(documents.verifiedGet('people', id, { atTx: tx }))).toBe('document.gone');
  });

  test('about what was inserted', async () => {
    const { documents } = await open();
    const insert = () => documents.verifiedInsert('people', [{ name: 'a', age: 1 }, { name: 'b' }]);
    const rename = (request: Loose) => (request.documents[1].fields.name = { stringValue: 'B' });
    const add = (request: Loose) => (request.documents[0].fields.more = { nullValue: 'NULL_VALUE' });
    const lies: [string, Parameters<typeof lie>[1]][] = [
      ['another name', { asked: rename }],
      ['a field more', { asked: add }],
      ['a field less', { asked: (request) => delete request.documents[0].fields.age }],
      ['a document more', { asked: (request) => request.documents.push({ fields: {} }) }],
      ['a document less', { asked: (request) => request.documents.pop() }],
      ['exchanged', { asked: (request) => request.documents.reverse() }],
      ['elsewhere', { asked: (request) => (request.collectionName = 'twins') }],
      ['an id twice', { answered: (answer) => ((answer.documentIds[1] = answer.documentIds[0]), answer) }],
      ['no id', { answered: (answer) => ((answer.documentIds[1] = ''), answer) }],
    ];
    for (const [what, change] of lies) {
      lie('InsertDocuments', change);
      expect([what, await refusedBy(insert())]).toEqual([what, 'document.inserted']);
    }
    // Two inserts are answered with one transaction.
    proxy.intercept = passOn;
    await insert();
    replay('InsertDocuments');
    await insert();
    expect(await refusedBy(insert())).toBe('document.inserted');
    proxy.intercept = passOn;
    await insert();
  });

  test('about what was replaced, and what was deleted', async () => {
    const { documents } = await open();
    const { ids } = await documents.verifiedInsert('people', [{ name: 'a' }, { name: 'b' }]);
    const where = { where: { name: 'a' } };
    const lies: [string, Parameters<typeof lie>[1]][] = [
      ['with something else', { asked: (request) => (request.document.fields.x = { numberValue: 2 }) }],
      ['another one said', { answered: (answer) => ((answer.revisions[0].documentId = ids[1]), answer) }],
      [
        'one more said',
        {
          answered: (answer) => (
            answer.revisions.push({ ...answer.revisions[0], documentId: ids[1] }),
            answer
          ),
        },
      ],
      ['of before', { answered: (answer) => ((answer.revisions[0].transactionId = '3'), answer) }],
    ];
    for (const [what, change] of lies) {
      lie('ReplaceDocuments', change);
      const replaced = documents.verifiedReplace('people', where, { name: 'a', x: 1 });
      expect([what, await refusedBy(replaced)]).toEqual([what, 'document.replaced']);
    }
    // Nothing is deleted; another one is.
    const remove = () => documents.verifiedDelete('people', where);
    lie('DeleteDocuments', {
      asked: (request) => (request.query.expressions[0].fieldComparisons[0].value.stringValue = 'abcd'),
    });
    expect(await refusedBy(remove())).toBe('document.kept');
    lie('DeleteDocuments', {
      asked: (request) => (request.query.expressions[0].fieldComparisons[0].value.stringValue = ids[1]),
    });
    expect(await refusedBy(remove())).toBe('document.kept');
  });

  test('about what a search finds', async () => {
    const { documents } = await open();
    await documents.insert(
      'people',
      [1, 2, 3, 4].map((age) => ({ age, name: `p${age}` })),
    );
    await documents.insert(
      'twins',
      [1, 2].map((age) => ({ age, name: `p${age}` })),
    );
    const search = () =>
      all(
        documents.verifiedSearch('people', {
          where: { age: { LT: 3 } },
          orderBy: { field: 'age' },
          pageSize: 10,
        }),
      );
    expect(await search()).toHaveLength(2);
    const compared = (request: Loose) => request.query.expressions[0].fieldComparisons[0];
    const lies: [string, Parameters<typeof lie>[1]][] = [
      ['document.match', { asked: (request) => (compared(request).value.numberValue = 4) }],
      ['document.match', { asked: (request) => delete request.query.expressions }],
      ['document.order', { answered: (answer) => (answer.revisions.reverse(), answer) }],
      ['document.shown', { answered: (answer) => (answer.revisions.push(answer.revisions[0]), answer) }],
      ['document.shown', { answered: (answer) => ((answer.revisions[0].documentId = 'zz'), answer) }],
      [
        'document.shown',
        { answered: (answer) => ((answer.revisions[0].document = answer.revisions[1].document), answer) },
      ],
      ['document.shown', { answered: (answer) => (delete answer.revisions[0].document, answer) }],
    ];
    for (const [due, change] of lies) {
      lie('SearchDocuments', change);
      expect([due, await refusedBy(search())]).toEqual([due, due]);
    }
    // Hits of another collection have no proof in this one.
    proxy.intercept = async (passing) => {
      const codec = wireMethod(passing.method as keyof Methods);
      if (passing.method !== 'SearchDocuments' && passing.method !== 'ProofDocument')
        return passing.forward();
      const request = codec.requestDeserialize(passing.request) as Loose;
      if (request.query) request.query.collectionName = 'twins';
      else request.collectionName = 'twins';
      return passing.forward(codec.requestSerialize(request));
    };
    expect(await refusedBy(search())).toBe('document.collection');
  });

  test('about the versions of a document', async () => {
    const { documents } = await open();
    const { ids } = await documents.verifiedInsert('people', { name: 'v1' });
    const id = ids[0] as string;
    await documents.verifiedReplace('people', { where: { _id: id } }, { name: 'v2' });
    const other = (await documents.verifiedInsert('people', { name: 'other' })).ids[0] as string;
    const { deleted } = await documents.verifiedDelete('people', { where: { _id: id } });
    const audit = (desc = false) => all(documents.verifiedAudit('people', id, { desc }));
    expect(await audit()).toHaveLength(3);
    const lies: [string, Parameters<typeof lie>[1]][] = [
      ['document.audit', { answered: (answer) => (answer.revisions.reverse(), answer) }],
      [
        'document.audit',
        { answered: (answer) => (answer.revisions.splice(1, 0, answer.revisions[0]), answer) },
      ],
      ['document.audit', { asked: (request) => (request.documentId = other) }],
      ['document.audit', { answered: (answer) => (delete answer.revisions[2].metadata, answer) }],
      [
        'document.audit',
        { answered: (answer) => ((answer.revisions[1].metadata = { deleted: true }), answer) },
      ],
      [
        'document.audit',
        {
          answered: (answer) => (
            (answer.revisions[1].transactionId = String((deleted[0]?.tx ?? 0n) - 1n)),
            answer
          ),
        },
      ],
      ['document.audit', { answered: (answer) => (answer.revisions.pop(), answer) }],
    ];
    for (const [due, change] of lies) {
      lie('AuditDocument', change);
      expect([due, await refusedBy(audit())]).toEqual([due, due]);
    }
    lie('AuditDocument', { answered: (answer) => (answer.revisions.shift(), answer) });
    expect(await refusedBy(audit(true))).toBe('document.audit');
    // One that is left out in the middle is not noticed, as it is said.
    lie('AuditDocument', { answered: (answer) => (answer.revisions.splice(1, 1), answer) });
    expect(await audit()).toHaveLength(2);
    // The header says who wrote it.
    lie('ProofDocument', {
      answered: (answer) => (
        (answer.verifiableTx.tx.header.metadata = { extra: Buffer.from('someone') }),
        answer
      ),
    });
    expect(await refusedBy(audit())).toBe('document.header');
  });
});
