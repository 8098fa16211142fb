// includeProof: documents of verified reads, writes and transactions, which hold offline under the root in the log.
import { expect, test } from 'vitest';
import { verifyProof } from '#dist/audit.js';
import type { PortableProof, VerifiedWrite } from '#dist/index.js';
import { describeServer } from '../support/real.js';
import { openClient, openWire, rejection, rowsOf } from '../trust/support.js';
import type { Opened } from '../trust/support.js';
import { KINDS, addDocument, everyKind, grow, lines } from './support.js';

/** What a document proves under the root that the store of this client has for it. */
async function provenBy({ store, database }: Opened, proof: PortableProof | undefined) {
  const rows = await rowsOf(store, { database });
  const row = rows.find(({ tx }) => String(tx) === proof?.root.tx);
  if (!row || !proof) throw new Error('no document, or under a root that was never trusted');
  const { server, tx, alh } = row;
  return verifyProof(JSON.stringify(proof), { server, database, tx, alh });
}

describeServer('includeProof', () => {
  test('a verified get: the entry, and the reference that led to it', async () => {
    const opened = await everyKind();
    const { client } = opened;
    const plain = await client.verifiedGet('a');
    const entry = await client.verifiedGet('a', { includeProof: true });
    expect(Object.assign({}, entry, { proof: undefined })).toEqual(
      Object.assign({}, plain, { proof: undefined }),
    );
    expect(await provenBy(opened, entry?.proof)).toMatchObject({ tx: 1n, entryCount: 2 });
    expect(lines((await provenBy(opened, entry?.proof)).entries)).toEqual(['a=1']);

    const led = await client.verifiedGet('ref', { includeProof: true });
    expect(lines((await provenBy(opened, led?.proof)).entries)).toEqual(['a=1']);
    expect(lines((await provenBy(opened, led?.reference?.proof)).entries)).toEqual(['ref -> a@0']);
    const old = await client.verifiedGet('a', { atTx: 1n, includeProof: true });
    expect((await provenBy(opened, old?.proof)).tx).toBe(1n);
    expect(await client.verifiedGet('none', { includeProof: true })).toBeNull();
    expect((await client.verifiedGet('a', { includeProof: false }))?.proof).toBeUndefined();
  });

  test('verified writes, alone and in flight together: what each wrote, and nothing of the others', async () => {
    const opened = await openClient();
    const { client } = opened;
    const writes = await Promise.all(
      Array.from({ length: 6 }, (_, i) => client.verifiedSet(`k${i}`, `v${i}`, { includeProof: true })),
    );
    for (const [i, { tx, proof }] of writes.entries()) {
      const proven = await provenBy(opened, proof);
      expect([proven.tx, ...lines(proven.entries)]).toEqual([tx, `k${i}=v${i}`]);
    }
    const all = await client.verifiedSetAll({ a: '1', b: '2' }, { includeProof: true, ownTx: true });
    expect(lines((await provenBy(opened, all.proof)).entries)).toEqual(['a=1', 'b=2']);
    await client.close();
    const rows = (await rowsOf(opened.store)).filter(({ operation }) => operation.startsWith('verifiedSet'));
    expect(rows.reduce((sum, { calls }) => sum + calls, 0)).toBe(7);
  });

  test.each([
    ['in requests of their own', { ownTx: true }],
    ['as they share them', {}],
  ])('every other verified write, %s', async (_how, own) => {
    const opened = await openClient();
    const { client } = opened;
    await client.setAll({ a: '1', b: '2', c: '3' });
    const options = { ...own, includeProof: true };
    const shown = async ({ tx, proof }: VerifiedWrite) => {
      const proven = await provenBy(opened, proof);
      expect(proven.tx).toBe(tx);
      return proven.entries;
    };
    const [one, two] = await Promise.all([
      client.verifiedDelete(['a', 'b'], options),
      client.verifiedDelete('c', options),
    ]);
    expect(lines(await shown(one))).toEqual(['a deleted', 'b deleted']);
    const gone = await shown(two);
    expect(lines(gone)).toEqual(['c deleted']);
    expect(gone[0]).toMatchObject({ metadata: { deleted: true }, rawValue: new Uint8Array(0) });

    await client.setAll({ a: '1', b: '2' });
    const [ref, member] = await Promise.all([
      client.verifiedSetReference('ref', 'a', options),
      client.verifiedZAdd('set', 2, 'b', options),
    ]);
    expect(lines(await shown(ref))).toEqual(['ref -> a@0']);
    expect(await shown(member)).toMatchObject([{ kind: 'sorted-set', score: 2, atTx: 0n }]);
    const { tx } = await client.set('d', '4');
    const bound = await client.verifiedSetReference('bound', 'd', { ...options, atTx: tx });
    expect(lines(await shown(bound))).toEqual([`bound -> d@${tx.toString()}`]);
    const [added] = await shown(await client.verifiedZAdd('set', -0, 'd', { ...options, atTx: tx }));
    expect(added).toMatchObject({ kind: 'sorted-set', score: -0, atTx: tx });

    const all = await client.verifiedExecAll(
      [
        { set: { key: 'e', value: '5', metadata: { expiresAt: 4_000_000_000n } } },
        { reference: { key: 'led', to: 'e', atTx: 'thisTx' } },
        { zAdd: { set: 'set', score: 1.5, key: 'e', atTx: 'thisTx' } },
      ],
      options,
    );
    const [set, led, z] = await shown(all);
    expect(lines([set, led].filter((entry) => entry !== undefined))).toEqual([
      'e=5',
      `led -> e@${all.tx.toString()}`,
    ]);
    expect(set?.metadata).toEqual({ expiresAt: 4_000_000_000n });
    expect(z).toMatchObject({ kind: 'sorted-set', score: 1.5, atTx: all.tx });
  });

  test('a verified transaction of every kind, whole: with the values that are shown', async () => {
    const opened = await everyKind();
    await addDocument(opened);
    for (let tx = 1n; tx <= 9n; tx++)
      for (const entries of ['digests', 'raw', 'none'] as const) {
        const found = await opened.client.verifiedTx(tx, { entries, includeProof: true });
        const proven = await provenBy(opened, found?.proof);
        expect(proven).toMatchObject({ tx, entryCount: found?.entryCount });
        expect(proven.entries).toHaveLength(proven.entryCount);
        if (tx === KINDS.row && entries === 'raw')
          expect(lines(proven.entries)).toEqual(lines(found?.entries));
      }
    const some = await opened.client.verifiedTx(KINDS.values, { kinds: ['sql'], includeProof: true });
    expect([some?.entries.length, (await provenBy(opened, some?.proof)).entries.length]).toEqual([0, 2]);
    expect(await opened.client.verifiedTx(99n, { includeProof: true })).toBeNull();
  });

  test('one entry of a large transaction takes a path, not all the others', async () => {
    const opened = await openClient();
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`key ${i}`, 'v'.repeat(100)]));
    await opened.client.verifiedSetAll(many);
    await grow(await openWire(opened.database), 3);
    const entry = await opened.client.verifiedGet('key 250', { includeProof: true });
    expect(entry?.proof?.entries).toEqual([expect.objectContaining({ index: 250 })]);
    expect(JSON.stringify(entry?.proof).length).toBeLessThan(4000);
    expect(lines((await provenBy(opened, entry?.proof)).entries)).toHaveLength(1);
  });

  test('is a boolean', async () => {
    const { client } = await openClient({ database: 'defaultdb' });
    const wrong = { code: 'INVALID_ARGUMENT', argument: 'includeProof' };
    for (const includeProof of [1, 'yes', null] as never[]) {
      expect(await rejection(client.verifiedGet('a', { includeProof }))).toMatchObject(wrong);
      expect(await rejection(client.verifiedSet('a', '1', { includeProof }))).toMatchObject(wrong);
      expect(await rejection(client.verifiedTx(1n, { includeProof }))).toMatchObject(wrong);
      expect(await rejection(client.verifiedDelete('a', { includeProof }))).toMatchObject(wrong);
      expect(await rejection(client.verifiedSetReference('a', 'b', { includeProof }))).toMatchObject(wrong);
      expect(await rejection(client.verifiedZAdd('s', 1, 'b', { includeProof }))).toMatchObject(wrong);
      const ops = [{ set: { key: 'a', value: '1' } }];
      expect(await rejection(client.verifiedExecAll(ops, { includeProof }))).toMatchObject(wrong);
    }
    expect(await rejection(client.get('a', { includeProof: true } as never))).toMatchObject({
      argument: 'options',
    });
  });
});
