// scan, history and zScan by stream: keys and values that no message of this client holds.
import { expect, test } from 'vitest';
import type { StreamedKeyValue, StreamedMember } from '#dist/index.js';
import { describeServer } from '../support/real.js';
import { openClient, rejection, text } from '../trust/support.js';
import { all } from './support.js';

const STREAM = { stream: true } as const;
const MIB = 1 << 20;
const big = (byte: number) => Buffer.alloc(3 * MIB, byte);
const shown = (entries: readonly StreamedKeyValue[]) =>
  entries.map(({ key, value }) => `${text(key)}=${value.length > 99 ? value.length : text(value)}`);

describeServer('by stream', () => {
  test('values that no message holds', { timeout: 60_000 }, async () => {
    const { client, database } = await openClient({ maxMessageBytes: MIB });
    const other = (await openClient({ database })).client;
    for (const i of [0, 1, 2, 3]) await other.set(`key${i}`, big(i));
    await other.setReference('key9', 'key0');
    await other.set('small', 'v');
    expect(await rejection(all(client.scan()))).toMatchObject({ code: 'LIMIT_EXCEEDED' });
    const entries = await all(client.scan({ ...STREAM, prefix: 'key', limit: 4 }));
    expect(shown(entries)).toEqual([0, 1, 2, 3].map((i) => `key${i}=${3 * MIB}`));
    for (const [i, { value }] of entries.entries()) expect(Buffer.compare(value, big(i))).toBe(0);
    // Of a reference, what it leads to.
    expect(shown(await all(client.scan({ ...STREAM, seekKey: 'key3' })))).toEqual([
      `key0=${3 * MIB}`,
      'small=v',
    ]);
    expect(shown(await all(client.scan({ ...STREAM, desc: true, limit: 1, offset: 1 })))).toEqual([
      `key0=${3 * MIB}`,
    ]);
    expect(await all(client.scan({ ...STREAM, prefix: 'none' }))).toEqual([]);
    expect(shown(await all(client.scan({ stream: false as never, prefix: 'small' })))).toEqual(['small=v']);

    await other.set('key1', big(7));
    await other.delete('key1');
    const versions = await all(client.history('key1', STREAM));
    expect(versions.map(({ value }) => value.length)).toEqual([3 * MIB, 3 * MIB, 0]);
    expect(versions.map(({ key }) => text(key))).toEqual(['key1', 'key1', 'key1']);
    const newest = await all(client.history('key1', { ...STREAM, desc: true, limit: 2 }));
    expect(newest.map(({ value }) => value[0])).toEqual([undefined, 7]);
    expect(await all(client.history('missing', STREAM))).toEqual([]);
    for (const offset of [3, 4]) expect(await all(client.history('key1', { ...STREAM, offset }))).toEqual([]);

    const { tx } = await other.set('key2', 'now');
    await other.zAdd('set', 1.5, 'key3');
    await other.zAdd('set', -2, 'key2', { atTx: tx });
    const members: StreamedMember[] = await all(client.zScan('set', STREAM));
    expect(members.map(({ set, key, score, atTx }) => [text(set), text(key), score, atTx])).toEqual([
      ['set', 'key3', 1.5, 0n],
      ['set', 'key2', -2, tx],
    ]);
    expect(members.map(({ value }) => value.length)).toEqual([3 * MIB, 3]);
    expect(await all(client.zScan('set', { ...STREAM, minScore: 1, limit: 1 }))).toHaveLength(1);
    expect(await all(client.zScan('none', STREAM))).toEqual([]);
  });

  test('of one stream there are at most 2500: more is said, not left out', { timeout: 60_000 }, async () => {
    const { client } = await openClient();
    for (let at = 0; at < 2_500; at += 500)
      await client.setAll(
        Array.from({ length: 500 }, (_, i) => [`k${String(at + i).padStart(5, '0')}`, 'v'] as const),
      );
    const taken: string[] = [];
    const whole = async () => {
      for await (const { key } of client.scan(STREAM)) taken.push(text(key));
    };
    expect(await rejection(whole())).toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(new Set(taken).size).toBe(2_500);
    expect(await all(client.scan({ ...STREAM, limit: 2_500 }))).toHaveLength(2_500);
    expect(await rejection(all(client.scan({ ...STREAM, limit: 2_501 })))).toMatchObject({
      code: 'LIMIT_EXCEEDED',
    });
  });

  test('readers who leave, abort, or are late; a client that is closed', { timeout: 60_000 }, async () => {
    const { client } = await openClient();
    for (const i of [0, 1, 2]) await client.set(`key${i}`, big(i));
    for await (const { key } of client.scan(STREAM)) {
      expect(text(key)).toBe('key0');
      break;
    }
    const abort = new AbortController();
    const aborted = async () => {
      for await (const { key } of client.scan({ ...STREAM, signal: abort.signal })) abort.abort(key);
    };
    expect(await rejection(aborted())).toMatchObject({ code: 'ABORTED' });
    const late = all(client.history('key0', { ...STREAM, timeoutMs: 1 }));
    expect(await rejection(late)).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    const closed = async () => {
      for await (const { key } of client.scan(STREAM)) await client.close().then(() => key);
    };
    expect(await rejection(closed())).toMatchObject({ code: 'CLOSED' });
    expect(await rejection(all(client.scan(STREAM)))).toMatchObject({ code: 'CLOSED' });
  });

  test('refuse bad input at once, naming it', async () => {
    const { client } = await openClient({ database: 'defaultdb' });
    const refused: [argument: string, () => unknown][] = [
      ['stream', () => client.scan({ stream: 'yes' as never })],
      ['stream', () => client.history('k', { stream: 1 as never })],
      ['stream', () => client.zScan('s', { stream: null as never })],
      ['pageSize', () => client.scan({ ...STREAM, pageSize: 10 } as never)],
      ['limit', () => client.scan({ ...STREAM, limit: 0 })],
      ['prefix', () => client.scan({ ...STREAM, prefix: 1 as never })],
      ['key', () => client.history('', STREAM)],
      ['set', () => client.zScan(7 as never, STREAM)],
      ['options', () => client.scan({ ...STREAM, other: 1 } as never)],
      ['options', () => client.verifiedScan(STREAM as never)],
      ['options', () => client.verifiedHistory('k', STREAM as never)],
      ['options', () => client.verifiedZScan('s', STREAM as never)],
    ];
    for (const [argument, call] of refused) expect(call).toThrow(expect.objectContaining({ argument }));
  });
});
