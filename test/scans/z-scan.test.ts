// zScan and verifiedZScan: members in the server's own order, which is handed on as it is.
import { expect, test } from 'vitest';
import { ArgumentError } from '#dist/index.js';
import type { ImmuClient, ZScanOptions } from '#dist/index.js';
import { describeServer } from '../support/real.js';
import type { WireClient } from '../support/wire-client.js';
import { openClient, openWire, text } from '../trust/support.js';
import { all } from './support.js';

/** Keys and scores that both scans give, which have to be the same. */
async function both(client: ImmuClient, options?: ZScanOptions, set = 'set'): Promise<string[]> {
  const plain = await all(client.zScan(set, options));
  const verified = await all(client.verifiedZScan(set, options));
  const word = (key: Uint8Array, score: number, atTx: bigint, value: Uint8Array, tx: bigint) =>
    `${text(key)} ${Object.is(score, -0) ? '-0' : score}${atTx > 0n ? ` at ${atTx}` : ''} = ${text(value)} @${tx}`;
  const words = plain.map(({ key, score, atTx, entry }) => word(key, score, atTx, entry.value, entry.tx));
  expect(
    verified.map(({ key, entry, unproven: { score, atTx } }) =>
      word(key, score, atTx, entry.value, entry.tx),
    ),
  ).toEqual(words);
  return words.map((each) => each.replace(/ = .*/, ''));
}

async function add(wire: WireClient, key: string, score: number, atTx?: bigint, set = 'set'): Promise<void> {
  const bound = atTx === undefined ? {} : { atTx: atTx.toString(), boundRef: true };
  await wire.call('ZAdd', { set: Buffer.from(set), score, key: Buffer.from(key), ...bound });
}

const SCORES = [1, 0, -0, -1.5, 2, 1, -3, 1];
/** As the server orders them. */
const ORDER = ['m1 0', 'm0 1', 'm5 1', 'm7 1', 'm4 2', 'm2 -0', 'm3 -1.5', 'm6 -3'];

async function set(client: ImmuClient, wire: WireClient): Promise<void> {
  for (const [i, score] of SCORES.entries()) {
    await client.set(`m${i}`, `value ${i}`);
    await add(wire, `m${i}`, score);
  }
}

describeServer('zScan and verifiedZScan', () => {
  test('hand on the order of the server: negative scores come last', async () => {
    const { client, database } = await openClient();
    await set(client, await openWire(database));
    for (const pageSize of [1, 2, 3, 8, 1000]) {
      const scan = (options: ZScanOptions) => both(client, { ...options, pageSize });
      expect(await scan({})).toEqual(ORDER);
      expect(await scan({ desc: true })).toEqual(ORDER.slice(0, 5).toReversed());
      expect(await scan({ minScore: 1 })).toEqual(ORDER.slice(1, 5));
      expect(await scan({ minScore: 0, maxScore: 1 })).toEqual([...ORDER.slice(0, 4), 'm2 -0']);
      expect(await scan({ maxScore: 1 })).toEqual(ORDER.filter((each) => each !== 'm4 2'));
      expect(await scan({ maxScore: -1 })).toEqual(ORDER.slice(6));
      expect(await scan({ minScore: -2, maxScore: 5 })).toEqual([]);
      expect(await scan({ desc: true, maxScore: 1 })).toEqual(['m1 0']);
      expect(await scan({ offset: 2, limit: 3 })).toEqual(ORDER.slice(2, 5));
      expect(await scan({ seek: { score: 1, key: 'm5' } })).toEqual(ORDER.slice(3));
      expect(await scan({ seek: { score: 1, key: 'm5' }, inclusiveSeek: true })).toEqual(ORDER.slice(2));
      expect(await scan({ seek: { score: -3, key: 'm6' }, inclusiveSeek: true, desc: true })).toEqual(
        ORDER.toReversed(),
      );
    }
    expect(await both(client, {}, 'none')).toEqual([]);
  });

  test('find negative scores behind more others than a page holds', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    await client.set('key', 'x');
    await add(wire, 'key', 1);
    await add(wire, 'key', -1);
    await client.setAll(Array.from({ length: 650 }, (_, i) => [`k${i}`, 'x'] as const));
    for (let at = 0; at < 2600; at += 650) {
      const Operations = Array.from({ length: 650 }, (_, i) => ({
        zAdd: { set: Buffer.from('set'), score: 10 + at + i, key: Buffer.from(`k${i}`) },
      }));
      await wire.call('ExecAll', { Operations });
    }
    expect(await both(client, { maxScore: 5 })).toEqual(['key 1', 'key -1']);
    expect(await both(client, { maxScore: 5, limit: 1 })).toEqual(['key 1']);
    expect(await both(client, { minScore: 5, maxScore: 10 })).toEqual(['k0 10']);
    expect(await both(client)).toHaveLength(2602);
  });

  test('follow members to what their keys hold now, or held in the tx that they are bound to', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    const first = await client.verifiedSet('free', 'first');
    await add(wire, 'free', 1);
    await add(wire, 'free', 2, first.tx);
    await client.set('gone', 'x');
    await add(wire, 'gone', 3);
    await add(wire, 'free', 4);
    const second = await client.verifiedSet('free', 'second');
    await client.delete('gone');
    expect(await both(client, { pageSize: 1 })).toEqual(['free 1', `free 2 at ${first.tx}`, 'free 4']);
    const entries = (await all(client.verifiedZScan('set'))).map(({ entry }) => entry);
    expect(entries.map(({ tx, value }) => [tx, text(value)])).toEqual([
      [second.tx, 'second'],
      [first.tx, 'first'],
      [second.tx, 'second'],
    ]);
  });

  test('refuse bad input at once, naming it', async () => {
    const { client } = await openClient();
    const seek = { score: 1, key: 'key' };
    const bad: [unknown, Record<string, unknown>, string][] = [
      ['', {}, 'set'],
      [5, {}, 'set'],
      ['set', { prefix: 'a' }, 'options'],
      ['set', { minScore: NaN }, 'minScore'],
      ['set', { minScore: '1' }, 'minScore'],
      ['set', { maxScore: 1n }, 'maxScore'],
      ['set', { seek: 'key' }, 'seek'],
      ['set', { seek: { ...seek, set: 'x' } }, 'seek'],
      ['set', { seek: { ...seek, score: NaN } }, 'seek.score'],
      ['set', { seek: { score: 1 } }, 'seek.key'],
      ['set', { seek: { ...seek, atTx: 1 } }, 'seek.atTx'],
      ['set', { seek: { ...seek, atTx: -1n } }, 'seek.atTx'],
      ['set', { inclusiveSeek: 1 }, 'inclusiveSeek'],
      ['set', { desc: 'no' }, 'desc'],
      ['set', { noWait: 1 }, 'noWait'],
      ['set', { limit: 0 }, 'limit'],
      ['set', { sinceTx: -1n }, 'sinceTx'],
    ];
    for (const [name, options, argument] of bad)
      for (const zScan of [client.zScan.bind(client), client.verifiedZScan.bind(client)]) {
        const start = () => zScan(name as never, options);
        expect(start, argument).toThrow(ArgumentError);
        expect(start).toThrow(expect.objectContaining({ argument }) as Error);
      }
  });
});
