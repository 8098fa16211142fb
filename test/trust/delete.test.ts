// delete and verifiedDelete: what is gone, what is proven of it, what is refused.
import { expect, test } from 'vitest';
import { ArgumentError } from '#dist/index.js';
import { describeServer } from '../support/real.js';
import { openClient, openWire, rejection, rowsOf, text } from './support.js';

describeServer('delete and verifiedDelete', () => {
  test('one key and several are gone, in one transaction each; their history stays', async () => {
    const { client, database, store } = await openClient();
    const wire = await openWire(database);
    for (const key of ['a', 'b', 'c']) await client.verifiedSet(key, `value of ${key}`);
    const one = await client.verifiedDelete('a');
    const two = await client.verifiedDelete(['b', Buffer.from('c')]);
    expect([one.tx, two.tx]).toEqual([4n, 5n]);
    expect(await client.verifiedGetAll(['a', 'b', 'c'])).toEqual([null, null, null]);
    expect(await client.get('a')).toBeNull();
    const { entries } = await wire.call('History', { key: Buffer.from('a') });
    expect(entries.map((entry: { tx: string; metadata?: object }) => [entry.tx, entry.metadata])).toEqual([
      ['1', undefined],
      ['4', expect.objectContaining({ deleted: true })],
    ]);
    const rows = await rowsOf(store);
    expect(rows.filter(({ operation }) => operation === 'verifiedDelete').map(({ tx }) => tx)).toEqual([
      4n,
      5n,
    ]);
  });

  test('an older value is not shown any more: the deletion is the newest version that was proven', async () => {
    const { client } = await openClient();
    await client.verifiedSet('key', 'old');
    await client.verifiedDelete('key');
    await client.verifiedSet('key', 'new');
    const entry = await client.verifiedGet('key');
    expect([text(entry?.value), entry?.tx]).toEqual(['new', 3n]);
  });

  test('plain delete: the same by the server’s word', async () => {
    const { client } = await openClient();
    await client.setAll({ a: '1', b: '2' });
    expect((await client.delete(['a', 'b'])).tx).toBe(2n);
    expect(await client.getAll(['a', 'b'])).toEqual([null, null]);
  });

  test('a key that is not there: nothing is deleted, and nothing is in doubt', async () => {
    const { client } = await openClient();
    await client.verifiedSet('there', 'value');
    for (const start of [() => client.verifiedDelete(['there', 'missing']), () => client.delete('missing')])
      expect(await rejection(start())).toMatchObject({
        code: 'NOT_FOUND',
        message: expect.stringMatching(/no such key/) as string,
      });
    expect(text((await client.verifiedGet('there'))?.value)).toBe('value');
  });

  test('no keys, one twice, too many, what is no key', async () => {
    const { client } = await openClient();
    const many = Array.from({ length: 1025 }, (_, i) => `key ${i}`);
    for (const keys of [[], ['a', 'a'], many, [''], '', 5 as never])
      for (const start of [() => client.verifiedDelete(keys), () => client.delete(keys)])
        expect(await rejection(start())).toBeInstanceOf(ArgumentError);
  });
});
