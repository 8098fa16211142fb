// history and verifiedHistory: all versions of a key, whatever they are.
import { expect, test } from 'vitest';
import { ArgumentError } from '#dist/index.js';
import type { HistoryOptions, ImmuClient, VerifiedVersion } from '#dist/index.js';
import { describeServer } from '../support/real.js';
import { openClient, openWire, rejection, text } from '../trust/support.js';
import { all } from './support.js';

/** What both histories give, which has to be the same; of references only the verified one knows that they are. */
async function both(client: ImmuClient, key: string, options?: HistoryOptions): Promise<VerifiedVersion[]> {
  const [plain, verified] = [
    await all(client.history(key, options)),
    await all(client.verifiedHistory(key, options)),
  ];
  const word = ({ key: of, tx, deleted, expired, metadata }: (typeof plain)[number] | VerifiedVersion) => ({
    ...{ key: text(of), tx, deleted, expired, metadata },
  });
  expect(verified.map(word)).toEqual(plain.map(word));
  verified.forEach(({ reference, value, unproven }, i) => {
    expect(unproven.revision).toBe(plain[i]?.revision);
    if (!reference) expect(text(value)).toBe(text(plain[i]?.value));
  });
  return verified;
}

const words = (versions: readonly VerifiedVersion[]) =>
  versions.map(({ unproven, value, deleted, expired, reference }) =>
    [
      unproven.revision,
      deleted ? 'deleted' : expired ? 'expired' : reference ? 'reference' : text(value),
    ].join(' '),
  );

describeServer('history and verifiedHistory', () => {
  test('show versions, deletions among them, from either end', async () => {
    const { client } = await openClient();
    await client.set('key', 'one');
    await client.set('key', 'two');
    await client.delete('key');
    await client.set('key', '');
    const oldest = ['1 one', '2 two', '3 deleted', '4 '];
    for (const pageSize of [1, 2, 3, 4, 5, 1000]) {
      expect(words(await both(client, 'key', { pageSize }))).toEqual(oldest);
      expect(words(await both(client, 'key', { pageSize, desc: true }))).toEqual(oldest.toReversed());
      expect(words(await both(client, 'key', { pageSize, offset: 1, limit: 2 }))).toEqual(oldest.slice(1, 3));
      expect(words(await both(client, 'key', { pageSize, desc: true, offset: 1 }))).toEqual([
        '3 deleted',
        '2 two',
        '1 one',
      ]);
      for (const offset of [4, 5, 100]) {
        expect(await both(client, 'key', { pageSize, offset })).toEqual([]);
        expect(await both(client, 'key', { pageSize, offset, desc: true })).toEqual([]);
      }
    }
    const [first] = await both(client, 'key', { sinceTx: 2n });
    expect(first).toMatchObject({ tx: 1n, root: { tx: 4n } });
    expect(first?.timestamp).toBeGreaterThan(1_600_000_000n);
  });

  test('of a missing key is empty, and no error', async () => {
    const { client } = await openClient();
    expect(await both(client, 'none')).toEqual([]);
    expect(await both(client, 'none', { offset: 3, desc: true })).toEqual([]);
    await client.verifiedSet('deleted', 'x');
    await client.verifiedDelete('deleted');
    expect(words(await both(client, 'deleted'))).toEqual(['1 x', '2 deleted']);
  });

  test('show a value that was set with the mark of a deletion as a deletion', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    const key = Buffer.from('key');
    for (const value of ['value', ''])
      await wire.call('Set', { KVs: [{ key, value: Buffer.from(value), metadata: { deleted: true } }] });
    await client.verifiedSet('key', 'new');
    await client.verifiedDelete('key');
    const versions = await both(client, 'key');
    expect(words(versions)).toEqual(['1 deleted', '2 deleted', '3 new', '4 deleted']);
    expect(versions.map(({ value }) => text(value))).toEqual(['value', '', 'new', '']);
    expect(await client.verifiedGet('key')).toBeNull();
  });

  test('show what has expired without its value, and references as such', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    const key = Buffer.from('key');
    const expiresAt = Math.floor(Date.now() / 1000) + 1;
    const soon = { key, value: Buffer.from('soon'), metadata: { expiration: { expiresAt } } };
    await client.set('target', 'x');
    await wire.call('SetReference', { key, referencedKey: Buffer.from('target') });
    await wire.call('SetReference', { key, referencedKey: Buffer.from('target'), atTx: '1', boundRef: true });
    // Looks like a reference, and is a value.
    const value = Buffer.concat([Buffer.alloc(9), Buffer.from('target')]);
    await client.set('key', value);
    await wire.call('Set', { KVs: [soon, { ...soon, key: Buffer.from('neighbour') }] });
    await client.set('key', 'last');
    await new Promise((resolve) => setTimeout(resolve, 2100));
    const versions = await both(client, 'key');
    expect(words(versions)).toEqual([
      '1 reference',
      '2 reference',
      `3 ${value.toString()}`,
      '4 expired',
      '5 last',
    ]);
    expect(versions.map(({ reference }) => reference && [text(reference.key), reference.atTx])).toEqual([
      ['target', 0n],
      ['target', 1n],
      undefined,
      undefined,
      undefined,
    ]);
    expect(versions[3]).toMatchObject({ metadata: { expiresAt: BigInt(expiresAt) }, tx: 5n });
    expect(text(versions[0]?.value)).toBe('');
  });

  test('show every version once while others write, the newest first too', async () => {
    const { client } = await openClient();
    for (let i = 0; i < 40; i++) await client.set('key', `value ${i}`);
    for (const desc of [false, true])
      for (const start of [client.history.bind(client), client.verifiedHistory.bind(client)]) {
        const txs: bigint[] = [];
        for await (const { tx } of start('key', { pageSize: 6, desc })) {
          txs.push(tx);
          if (txs.length < 30) await client.set('key', 'meanwhile');
          if (!desc && txs.length > 200) break;
        }
        const sorted = [...txs].sort((a, b) => Number(a - b));
        expect(txs).toEqual(desc ? sorted.toReversed() : sorted);
        expect(new Set(txs).size).toBe(txs.length);
        expect(txs.filter((tx) => tx <= 40n)).toHaveLength(40);
      }
  });

  test('1,000 versions in their transactions', async () => {
    const { client } = await openClient();
    await Promise.all(Array.from({ length: 1000 }, (_, i) => client.set('key', `value ${i}`)));
    const versions = await all(client.verifiedHistory('key'));
    expect(versions.map(({ unproven }) => unproven.revision)).toEqual(
      Array.from({ length: versions.length }, (_, i) => BigInt(i + 1)),
    );
    expect(versions.length).toBeGreaterThan(900);
  });

  test('refuse bad input at once, naming it', async () => {
    const { client } = await openClient();
    const bad: [unknown, Record<string, unknown>, string][] = [
      ['', {}, 'key'],
      [undefined, {}, 'key'],
      ['x'.repeat(1024), {}, 'key'],
      ['key', { prefix: 'a' }, 'options'],
      ['key', { desc: 1 }, 'desc'],
      ['key', { limit: -1 }, 'limit'],
      ['key', { limit: NaN }, 'limit'],
      ['key', { offset: 1n }, 'offset'],
      ['key', { sinceTx: '1' }, 'sinceTx'],
      ['key', { pageSize: '10' }, 'pageSize'],
      ['key', { timeoutMs: -1 }, 'timeoutMs'],
    ];
    for (const [key, options, argument] of bad)
      for (const history of [client.history.bind(client), client.verifiedHistory.bind(client)]) {
        const start = () => history(key as never, options);
        expect(start, argument).toThrow(ArgumentError);
        expect(start).toThrow(expect.objectContaining({ argument }) as Error);
      }
    expect(await rejection(all(client.history('key', { pageSize: 2501 })))).toMatchObject({
      code: 'LIMIT_EXCEEDED',
    });
  });
});
