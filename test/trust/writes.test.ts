// Sets with metadata and preconditions, alone and with neighbours in flight.
import { expect, test } from 'vitest';
import { ArgumentError } from '#dist/index.js';
import type { Precondition, WriteOptions } from '#dist/index.js';
import { describeServer } from '../support/real.js';
import { openClient, openWire, rejection, rowsOf, text } from './support.js';

const range = (length: number) => Array.from({ length }, (_, i) => i);
const soon = () => BigInt(Math.floor(Date.now() / 1000)) + 3600n;

describeServer('metadata of what is set', () => {
  test.each(['set', 'setAll', 'verifiedSet', 'verifiedSetAll'] as const)(
    '%s: as it was sent, and proven so',
    async (method) => {
      const { client, database } = await openClient();
      const wire = await openWire(database);
      const write = (key: string, options: WriteOptions) =>
        method.endsWith('All')
          ? client[method as 'setAll']({ [key]: 'value' }, options)
          : client[method as 'set'](key, 'value', options);
      const expiresAt = soon();
      await write('expiring', { metadata: { expiresAt } });
      const { tx } = await write('hidden', { metadata: { nonIndexable: true } });
      await write('plain', { metadata: {} });
      expect((await client.verifiedGet('expiring'))?.metadata).toEqual({ expiresAt });
      expect((await client.get('plain'))?.metadata).toBeUndefined();
      expect(await client.get('hidden')).toBeNull();
      expect(await client.verifiedGet('hidden')).toBeNull();
      const { tx: stored } = await wire.call('VerifiableTxById', {
        tx: String(tx),
        proveSinceTx: String(tx),
      });
      expect(stored.entries[0].metadata).toMatchObject({ nonIndexable: true });
    },
  );

  test('many in flight with and without share transactions, each with its own', async () => {
    const { client } = await openClient();
    const expiresAt = soon();
    const writes = await Promise.all(
      range(60).map((i) =>
        client.verifiedSet(
          `k${i}`,
          `v${i}`,
          i % 3 === 0 ? { metadata: { expiresAt: expiresAt + BigInt(i) } } : {},
        ),
      ),
    );
    expect(new Set(writes.map(({ tx }) => tx)).size).toBeLessThan(10);
    const entries = await client.verifiedGetAll(range(60).map((i) => `k${i}`));
    expect(entries.map((entry) => entry?.metadata)).toEqual(
      range(60).map((i) => (i % 3 === 0 ? { expiresAt: expiresAt + BigInt(i) } : undefined)),
    );
  });

  test('an entry that has expired is null for all reads, and so is one that a grouped write expired', async () => {
    const { client } = await openClient();
    await client.verifiedSet('key', 'old');
    await Promise.all([
      client.verifiedSet('key', 'expired', { metadata: { expiresAt: 1n } }),
      client.verifiedSet('other', 'there'),
    ]);
    expect(await client.verifiedGet('key')).toBeNull();
    expect(await client.verifiedGetAll(['key', 'other'])).toEqual([null, expect.anything()]);
    expect(await client.get('key')).toBeNull();
  });

  test('what is not indexed is no floor: reads lead to what was there before', async () => {
    const { client } = await openClient();
    const { tx } = await client.verifiedSet('key', 'shown');
    await Promise.all([
      client.verifiedSet('key', 'hidden', { metadata: { nonIndexable: true } }),
      client.verifiedSet('other', 'v'),
    ]);
    const entry = await client.verifiedGet('key');
    expect([text(entry?.value), entry?.tx]).toEqual(['shown', tx]);
  });
});

describeServer('preconditions', () => {
  test.each(['set', 'verifiedSet'] as const)('%s: each kind, held and not', async (method) => {
    const { client } = await openClient();
    const { tx } = await client.verifiedSet('there', '1');
    await client.verifiedSet('other', '1');
    await client.verifiedSet('deleted', '1');
    await client.verifiedDelete('deleted');
    const held: Precondition[] = [
      { mustExist: 'there' },
      { mustNotExist: 'missing' },
      { mustNotExist: 'deleted' },
      { notModifiedAfter: { key: 'there', tx } },
      { notModifiedAfter: { key: 'missing', tx: 1n } },
    ];
    await client[method]('all', 'v', { preconditions: held });
    expect(text((await client.verifiedGet('all'))?.value)).toBe('v');
    const failed: Precondition[] = [
      { mustExist: 'missing' },
      { mustExist: 'deleted' },
      { mustNotExist: 'there' },
      { notModifiedAfter: { key: 'other', tx } },
    ];
    for (const one of failed) {
      const error = await rejection(client[method]('none', 'v', { preconditions: [...held, one] }));
      expect(error).toMatchObject({ code: 'PRECONDITION_FAILED' });
    }
    expect(await client.get('none')).toBeNull();
  });

  test('of setAll: all or none', async () => {
    const { client } = await openClient();
    const preconditions = [{ mustNotExist: 'a' }];
    for (const method of ['setAll', 'verifiedSetAll'] as const) {
      const other = method === 'setAll' ? 'b' : 'c';
      await client.delete('a').catch(() => undefined);
      await client[method]({ a: '1', [other]: '1' }, { preconditions });
      const error = await rejection(client[method]({ a: '2', [other]: '2' }, { preconditions }));
      expect(error.code).toBe('PRECONDITION_FAILED');
      expect(text((await client.verifiedGet(other))?.value)).toBe('1');
    }
  });

  test.each([['verifiedSet', false] as const, ['set', true] as const])(
    '%s: mustNotExist twice, the second is refused and its neighbours are written',
    async (method, group) => {
      const { client, store } = await openClient({ group });
      const once = { preconditions: [{ mustNotExist: 'once' }] };
      const writes = [
        client[method]('before', 'v'),
        client[method]('once', 'first', once),
        ...range(20).map((i) => client[method](`between${i}`, 'v')),
        client[method]('once', 'second', once),
        ...range(20).map((i) => client[method](`after${i}`, 'v')),
      ];
      const outcomes = await Promise.allSettled(writes);
      const refused = outcomes.map((outcome) =>
        outcome.status === 'rejected' ? (outcome.reason as { code: string }).code : 'written',
      );
      expect(refused.filter((outcome) => outcome !== 'written')).toEqual(['PRECONDITION_FAILED']);
      expect(refused[22]).toBe('PRECONDITION_FAILED');
      const keys = ['before', ...range(20).flatMap((i) => [`between${i}`, `after${i}`])];
      expect(await client.verifiedGetAll(keys)).not.toContain(null);
      expect(text((await client.verifiedGet('once'))?.value)).toBe('first');
      if (method === 'set') return;
      const txs = (await rowsOf(store))
        .filter(({ operation }) => operation === 'verifiedSet')
        .map(({ tx }) => tx);
      expect(new Set(txs).size).toBeLessThan(12);
    },
  );

  test('a key that is depended on is never in one transaction with a write of it', async () => {
    const { client } = await openClient();
    const outcomes = await Promise.allSettled([
      client.verifiedSet('key', '1'),
      client.verifiedSet('depends', '1', { preconditions: [{ mustExist: 'key' }] }),
      client.verifiedSet('depends2', '1', { preconditions: [{ mustExist: 'key' }] }),
      client.verifiedDelete('key'),
      client.verifiedSet('late', '1', { preconditions: [{ mustExist: 'key' }] }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual([...Array<string>(4).fill('fulfilled'), 'rejected']);
    const txs = outcomes
      .slice(0, 4)
      .map((outcome) => (outcome as PromiseFulfilledResult<{ tx: bigint }>).value.tx);
    expect(txs).toEqual([1n, 2n, 2n, 3n]);
  });

  test('compare and set: of many at a time exactly one is written', async () => {
    const { client } = await openClient();
    const { tx } = await client.verifiedSet('counter', '0');
    const preconditions = [{ notModifiedAfter: { key: 'counter', tx } }];
    const outcomes = await Promise.allSettled(
      range(8).map((i) => client.verifiedSet('counter', String(i), { preconditions })),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', ...Array<string>(7).fill('rejected')]);
  });
});

describeServer('noWait', () => {
  test('goes alone, is proven, and is read back', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    const writes = await Promise.all([
      client.verifiedSet('a', '1', { noWait: true }),
      client.verifiedSet('b', '1'),
      client.verifiedSet('c', '1', { noWait: true, metadata: { expiresAt: soon() } }),
      client.set('d', '1', { noWait: true }),
      client.verifiedSetAll({ e: '1', f: '1' }, { noWait: true, preconditions: [{ mustNotExist: 'e' }] }),
    ]);
    expect(new Set(writes.map(({ tx }) => tx)).size).toBe(5);
    expect(await client.verifiedGetAll(['a', 'b', 'c', 'd', 'e', 'f'])).not.toContain(null);
    expect((await wire.call('CurrentState')).txId).toBe('5');
  });
});

describeServer('bad input', () => {
  const key = 'key';
  test.each<[string, WriteOptions, string]>([
    ['an unknown name', { precondition: [] } as never, 'options'],
    ['preconditions that are none', { preconditions: 5 as never }, 'preconditions'],
    ['preconditions that are text', { preconditions: 'mustExist' as never }, 'preconditions'],
    ['a precondition that is none', { preconditions: [null as never] }, 'preconditions[0]'],
    ['one without a kind', { preconditions: [{} as never] }, 'preconditions[0]'],
    ['one of two kinds', { preconditions: [{ mustExist: key, mustNotExist: key }] }, 'preconditions[0]'],
    ['one of an unknown kind', { preconditions: [{ mustBe: key } as never] }, 'preconditions[0]'],
    [
      'an empty key',
      { preconditions: [{ mustExist: key }, { mustNotExist: '' }] },
      'preconditions[1].mustNotExist',
    ],
    ['a key that is none', { preconditions: [{ mustExist: 5 as never }] }, 'preconditions[0].mustExist'],
    [
      'no tx',
      { preconditions: [{ notModifiedAfter: { key } as never }] },
      'preconditions[0].notModifiedAfter.tx',
    ],
    [
      'tx 0',
      { preconditions: [{ notModifiedAfter: { key, tx: 0n } }] },
      'preconditions[0].notModifiedAfter.tx',
    ],
    [
      'a tx as a number',
      { preconditions: [{ notModifiedAfter: { key, tx: 1 as never } }] },
      'preconditions[0].notModifiedAfter.tx',
    ],
    [
      'a tx out of range',
      { preconditions: [{ notModifiedAfter: { key, tx: 2n ** 63n } }] },
      'preconditions[0].notModifiedAfter.tx',
    ],
    [
      'a kind without an object',
      { preconditions: [{ notModifiedAfter: key as never }] },
      'preconditions[0].notModifiedAfter',
    ],
    [
      'more than a transaction takes',
      { preconditions: Array<Precondition>(1025).fill({ mustExist: key }) },
      'preconditions',
    ],
    ['noWait that is no boolean', { noWait: 1 as never }, 'noWait'],
    ['ownTx that is no boolean', { ownTx: 'yes' as never }, 'ownTx'],
    ['metadata that is none', { metadata: 5 as never }, 'metadata'],
    ['metadata of another name', { metadata: { deleted: true } as never }, 'metadata'],
    ['an expiry as a number', { metadata: { expiresAt: 5 as never } }, 'metadata.expiresAt'],
    ['an expiry as a date', { metadata: { expiresAt: new Date() as never } }, 'metadata.expiresAt'],
    ['an expiry of 0', { metadata: { expiresAt: 0n } }, 'metadata.expiresAt'],
    [
      'an expiry that a server counts as long past',
      { metadata: { expiresAt: 2n ** 63n - 1n } },
      'metadata.expiresAt',
    ],
    [
      'nonIndexable that is no boolean',
      { metadata: { nonIndexable: 'no' as never } },
      'metadata.nonIndexable',
    ],
  ])('%s: nothing is sent', async (_what, options, argument) => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    for (const start of [
      () => client.verifiedSet(key, 'v', options),
      () => client.verifiedSetAll({ key: 'v' }, options),
      ...('ownTx' in options
        ? []
        : [() => client.set(key, 'v', options), () => client.setAll({ key: 'v' }, options)]),
    ]) {
      const error = await rejection(start());
      expect(error).toBeInstanceOf(ArgumentError);
      expect(error.argument).toBe(argument);
    }
    // The writes that come after are not held up by what was refused.
    await client.verifiedSet(key, 'v');
    expect((await wire.call('CurrentState')).txId).toBe('1');
  });
});
