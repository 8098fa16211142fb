// The recipe for NATS JetStream in docs/ingestion.md, against a real JetStream and a real immudb.
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { BrokerProcess } from '../support/broker-process.js';
import { startImmudb } from '../support/immudb.js';
import type { TestImmudb } from '../support/immudb.js';
import { describeNats, startNats } from '../support/nats.js';
import { describePrivate } from '../support/real.js';
import {
  expectOnce,
  freezeOneOfTwo,
  keyOf,
  killAgainAndAgain,
  killOneOfTwo,
  untilDone,
  valueOf,
} from './kills.js';
import type { Stage } from './kills.js';
import { Recipe } from './recipe.js';

vi.setConfig({ testTimeout: 300_000 });

const HEADING = '## From NATS JetStream';
const RECORDS = 20_000;
/** Less than what comes between two kills: the page's would hold all of it, as the first records after a start. */
const WINDOW = 256;
const KILLS = 10;
/** For two processes. */
const MORE = 4000;
/** For two, one of which stands still. */
const FROZEN = 3000;
const ALL = RECORDS + MORE + FROZEN;
/** What a killed process held comes again after this time. */
const ACK_WAIT_MS = 2000;

describeNats('NATS JetStream', () => {
  describePrivate('into immudb', () => {
    let broker: BrokerProcess;
    let immudb: TestImmudb;
    let recipes: [Recipe, Recipe];
    let nats: NatsConnection;
    let js: JetStreamClient;
    let jsm: JetStreamManager;
    beforeAll(async () => {
      [broker, immudb] = await Promise.all([startNats(), startImmudb()]);
      nats = await connect({ servers: `127.0.0.1:${broker.port}` });
      [js, jsm] = [jetstream(nats), await jetstreamManager(nats)];
      await setUp();
      recipes = [await recipe(), await recipe()];
    });
    afterAll(async () => {
      for (const recipe of recipes) await recipe.close();
      await nats.close();
      await broker.stop();
      await immudb.close();
    });

    /** By the page. */
    async function setUp() {
      const page = await Recipe.of(HEADING, 'consumers.add', {
        'localhost:4222': `127.0.0.1:${broker.port}`,
        '60_000': `${ACK_WAIT_MS}`,
      });
      page.start();
      expect([await page.ended(), page.said]).toEqual([0, '']);
      await page.close();
    }

    const recipe = (replaced: Readonly<Record<string, string>> = {}) =>
      Recipe.of(HEADING, 'client.ingest', {
        ...replaced,
        'localhost:3322': immudb.address,
        'window: 4096': `window: ${WINDOW}`,
        'localhost:4222': `127.0.0.1:${broker.port}`,
      });

    const stage: Stage = {
      async publish(from, to) {
        for (let i = from; i < to; i += 500) {
          const numbers = Array.from({ length: Math.min(500, to - i) }, (_, j) => i + j);
          await Promise.all(numbers.map((j) => js.publish('orders.eu', valueOf(j), { msgID: keyOf(j) })));
        }
      },
      async state() {
        const { delivered, num_ack_pending, num_pending } = await jsm.consumers.info('ORDERS', 'ledger');
        return { delivered: delivered.consumer_seq, pending: num_ack_pending, waiting: num_pending };
      },
    };

    test(`${RECORDS} messages, ${KILLS} kills: none lost, none twice, all acknowledged`, async () => {
      const plan = { records: RECORDS, kills: KILLS, comesAgainAfterMs: ACK_WAIT_MS };
      const between = await killAgainAndAgain(recipes[0], stage, immudb.address, plan);
      await expectOnce(immudb.address, 0, RECORDS);
      // Or the kills have tried nothing.
      expect(Math.max(...between), between.join()).toBeGreaterThan(0);
    });

    test('two processes, one of them killed: the other one does what it left', async () => {
      await killOneOfTwo(recipes, stage, immudb.address, [RECORDS, RECORDS + MORE]);
      await expectOnce(immudb.address, RECORDS, RECORDS + MORE);
    });

    test('a process that stood still, and all under the condition: none twice when it goes on', async () => {
      const replaced = { 'redelivered: message.redelivered': 'redelivered: true' };
      const two: [Recipe, Recipe] = [await recipe(replaced), await recipe(replaced)];
      try {
        await freezeOneOfTwo(two, stage, immudb.address, [ALL - FROZEN, ALL]);
      } finally {
        for (const each of two) await each.close();
      }
      await expectOnce(immudb.address, ALL - FROZEN, ALL);
    });

    test('what can never be written is put aside with the reason, and does not come again', async () => {
      const { delivered } = await stage.state();
      const ids = ['x'.repeat(2000), '', keyOf(ALL)];
      for (const msgID of ids) await js.publish('orders.eu', valueOf(ALL), msgID ? { msgID } : {});
      recipes[0].start();
      await untilDone(recipes[0], stage);
      expect((await stage.state()).delivered).toBe(delivered + ids.length);
      await expectOnce(immudb.address, ALL, ALL + 1);
      const dead = await js.consumers.get('DEAD');
      const reasons: (string | undefined)[] = [];
      for await (const { headers } of await dead.fetch({ max_messages: 2 }))
        reasons.push(headers?.get('Refused'));
      expect(reasons).toEqual(['INVALID_ARGUMENT', 'INVALID_ARGUMENT']);
      expect((await jsm.streams.info('DEAD')).state.messages).toBe(2);
    });
  });
});
