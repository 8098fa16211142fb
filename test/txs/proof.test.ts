// includeProof: documents of verified reads, writes and transactions, which hold offline under the root in the log.
import { expect, test } from 'vitest';
import { verifyProof } from '#dist/audit.js';
import type { PortableProof } from '#dist/index.js';
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
    }
    expect(await rejection(client.get('a', { includeProof: true } as never))).toMatchObject({
      argument: 'options',
    });
  });
});
