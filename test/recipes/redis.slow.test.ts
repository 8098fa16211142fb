// The recipe for Redis Streams in docs/ingestion.md, against a real Redis and a real immudb.
import { createClient } from '@redis/client';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { BrokerProcess } from '../support/broker-process.js';
import { startImmudb } from '../support/immudb.js';
import type { TestImmudb } from '../support/immudb.js';
import { describePrivate } from '../support/real.js';
import { describeRedis, startRedis } from '../support/redis.js';
import { expectOnce, keyOf, killAgainAndAgain, killOneOfTwo, untilDone, valueOf } from './kills.js';
import type { Stage } from './kills.js';
import { Recipe } from './recipe.js';

vi.setConfig({ testTimeout: 300_000 });

const HEADING = '## From Redis Streams';
const RECORDS = 20_000;
/** Less than what comes between two kills: the page's would hold all of it, as the first records after a start. */
const WINDOW = 256;
const KILLS = 10;
/** For two processes. */
const MORE = 4000;
const ALL = RECORDS + MORE;
/** What a killed process held is claimed after this time. */
const IDLE_MS = 2000;

const connected = (port: number) => createClient({ url: `redis://127.0.0.1:${port}` }).connect();

describeRedis('Redis Streams', () => {
  describePrivate('into immudb', () => {
    let broker: BrokerProcess;
    let immudb: TestImmudb;
    let recipes: [Recipe, Recipe];
    let redis: Awaited<ReturnType<typeof connected>>;
    beforeAll(async () => {
      [broker, immudb] = await Promise.all([startRedis(), startImmudb()]);
      redis = await connected(broker.port);
      await redis.xGroupCreate('orders', 'ledger', '0', { MKSTREAM: true });
      recipes = [await recipe(), await recipe()];
    });
    afterAll(async () => {
      for (const recipe of recipes) await recipe.close();
      redis.destroy();
      await broker.stop();
      await immudb.close();
    });

    const recipe = () =>
      Recipe.of(HEADING, 'client.ingest', {
        'localhost:3322': immudb.address,
        'window: 4096': `window: ${WINDOW}`,
        'localhost:6379': `127.0.0.1:${broker.port}`,
        '60_000': `${IDLE_MS}`,
      });

    const stage: Stage = {
      async publish(from, to) {
        const numbers = Array.from({ length: to - from }, (_, j) => from + j);
        await Promise.all(numbers.map((i) => redis.xAdd('orders', '*', { id: keyOf(i), body: valueOf(i) })));
      },
      async state() {
        const [group] = await redis.xInfoGroups('orders');
        if (!group) throw new Error('the group is gone');
        const { pending, lag, 'entries-read': delivered } = group;
        return { delivered: delivered ?? 0, pending, waiting: lag };
      },
    };

    test(`${RECORDS} messages, ${KILLS} kills: none lost, none twice, all acknowledged`, async () => {
      const plan = { records: RECORDS, kills: KILLS, comesAgainAfterMs: IDLE_MS };
      const between = await killAgainAndAgain(recipes[0], stage, immudb.address, plan);
      await expectOnce(immudb.address, 0, RECORDS);
      // Or the kills have tried nothing.
      expect(Math.max(...between), between.join()).toBeGreaterThan(0);
    });

    test('two processes, one of them killed: the other one does what it left', async () => {
      await killOneOfTwo(recipes, stage, immudb.address, [RECORDS, ALL]);
      await expectOnce(immudb.address, RECORDS, ALL);
    });

    test('what can never be written is put aside with the reason, and does not come again', async () => {
      const { delivered } = await stage.state();
      const ids = ['x'.repeat(2000), '', keyOf(ALL)];
      for (const id of ids) await redis.xAdd('orders', '*', { ...(id && { id }), body: valueOf(ALL) });
      recipes[0].start();
      await untilDone(recipes[0], stage);
      expect((await stage.state()).delivered).toBe(delivered + ids.length);
      await expectOnce(immudb.address, ALL, ALL + 1);
      const dead = await redis.xRange('orders:dead', '-', '+');
      expect(dead?.map(({ message }) => [message['body'], message['refused']])).toEqual([
        [valueOf(ALL), 'INVALID_ARGUMENT'],
        [valueOf(ALL), 'INVALID_ARGUMENT'],
      ]);
    });
  });
});
