// Following a database: what is proven to be the latest of a key, or to be absent.
import { expect, test, vi } from 'vitest';
import { Permission } from '#dist/index.js';
import { describeReal, describeServer } from '../support/real.js';
import { openClient, openWire, rejection, text } from './support.js';

describeServer('a followed database', () => {
  test('latest, never written, deleted, expired, behind a reference', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    await client.verifiedSetAll({ a: '1', b: '1', c: '1', gone: '1', target: '1' });
    await client.verifiedSet('a', '2');
    await client.verifiedDelete('gone');
    await wire.call('SetReference', { key: Buffer.from('ref'), referencedKey: Buffer.from('target') });
    const following = await client.follow();
    await following.ready();
    expect(following.progress).toMatchObject({ status: 'following', tx: 4n, keys: 6, index: 'memory' });
    const a = await client.verifiedGet('a', { latest: true });
    expect(a).toMatchObject({ tx: 2n, revision: 2n, provenLatestAt: { tx: 4n } });
    expect(text(a.value ?? undefined)).toBe('2');
    expect(await client.verifiedGet('ref', { latest: true })).toMatchObject({
      revision: 1n,
      reference: { tx: 4n },
    });
    expect(await client.verifiedGet('never', { latest: true })).toMatchObject({
      value: null,
      absent: 'never-written',
    });
    expect(await client.verifiedGet('gone', { latest: true })).toMatchObject({ absent: 'deleted', tx: 3n });
    expect(await client.proveAbsent('gone')).toMatchObject({ absent: 'deleted' });
    expect(await client.proveAbsent('a')).toBeNull();
    expect(await client.unchangedSince('a', 1n)).toBeNull();
    expect(await client.unchangedSince('a', 2n)).toMatchObject({ tx: 4n });
    await client.verifiedDelete('target');
    expect(await client.verifiedGet('ref', { latest: true })).toMatchObject({
      absent: 'target-gone',
      tx: 4n,
    });
  });

  test('what is written meanwhile, by others too, is reached before anything is told', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    await client.verifiedSet('a', '1');
    await client.follow({ everyMs: 60_000 });
    await wire.call('Set', { KVs: [{ key: Buffer.from('a'), value: Buffer.from('2') }] });
    expect(await client.verifiedGet('a', { latest: true })).toMatchObject({
      tx: 2n,
      revision: 2n,
      provenLatestAt: { tx: 2n },
    });
  });

  test('from a head on: what has changed since, and not what is latest', async () => {
    const { client } = await openClient();
    await client.verifiedSet('old', '1');
    const following = await client.follow({ from: 'head' });
    await client.verifiedSet('new', '1');
    await following.ready();
    expect(await client.verifiedGet('new', { latest: true })).toMatchObject({ tx: 2n });
    expect(await rejection(client.verifiedGet('old', { latest: true }))).toMatchObject({
      code: 'NOT_PROVABLE',
    });
    expect(await rejection(client.proveAbsent('old'))).toMatchObject({ code: 'NOT_PROVABLE' });
    expect(await client.unchangedSince('old', 1n)).toMatchObject({ tx: 2n });
  });

  test('where nothing is followed nothing is told', async () => {
    const { client } = await openClient();
    await client.verifiedSet('a', '1');
    for (const start of [
      () => client.verifiedGet('a', { latest: true }),
      () => client.proveAbsent('a'),
      () => client.unchangedSince('a', 1n),
    ])
      expect((await rejection(start())).code).toBe('NOT_PROVABLE');
  });
});

describeReal('what is pushed', () => {
  test('an administrator is told by the server of every transaction: nothing is polled', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    await client.verifiedSet('a', '1');
    const following = await client.follow({ everyMs: 60_000 });
    await following.ready();
    for (let tx = 2n; tx < 40n; tx++) {
      await wire.call('Set', { KVs: [{ key: Buffer.from('a'), value: Buffer.from(`${tx}`) }] });
      await vi.waitFor(() => expect(following.head.tx).toBe(tx), { timeout: 900, interval: 1 });
    }
    expect(await client.verifiedGet('a', { latest: true })).toMatchObject({ tx: 39n, revision: 39n });
  });

  test('a burst is caught up with', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    await client.verifiedSet('a', '1');
    const following = await client.follow({ everyMs: 60_000 });
    await following.ready();
    const lane = async (at: number) => {
      for (let i = 0; i < 50; i++)
        await wire.call('Set', { KVs: [{ key: Buffer.from(`k${at}/${i}`), value: Buffer.from('') }] });
    };
    await Promise.all(Array.from({ length: 8 }, (_, at) => lane(at)));
    await vi.waitFor(() => expect(following.head.tx).toBe(401n), { timeout: 10_000 });
  });

  test('who may only read polls', async () => {
    const { client, database } = await openClient();
    await client.verifiedSet('a', '1');
    const user = `reader${database}`;
    await client.createUser(user, 'Reader!123', Permission.R, database);
    const { client: reader } = await openClient({
      database,
      credentials: { user, password: 'Reader!123', database },
    });
    const following = await reader.follow({ everyMs: 20 });
    await following.ready();
    await client.verifiedSet('a', '2');
    await vi.waitFor(() => expect(following.head.tx).toBe(2n), { timeout: 5000 });
    expect(await reader.verifiedGet('a', { latest: true })).toMatchObject({ tx: 2n, revision: 2n });
  });
});
