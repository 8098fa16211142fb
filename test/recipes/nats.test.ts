// The recipe for NATS JetStream in docs/ingestion.md, against a real JetStream and a real immudb.
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import { connect, nanos } from '@nats-io/transport-node';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { BrokerProcess } from '../support/broker-process.js';
import { startImmudb } from '../support/immudb.js';
import type { TestImmudb } from '../support/immudb.js';
import { describeNats, startNats } from '../support/nats.js';
import { describePrivate } from '../support/real.js';
import { expectOnce, keyOf, killAgainAndAgain, valueOf } from './kills.js';
import type { Stage } from './kills.js';
import { Recipe } from './recipe.js';

vi.setConfig({ testTimeout: 180_000 });

const HEADING = '## From NATS JetStream';
const RECORDS = 20_000;
const KILLS = 10;
/** What a killed process held comes again after this time. */
const ACK_WAIT_MS = 1000;

describeNats('NATS JetStream', () => {
  describePrivate('into immudb', () => {
    let broker: BrokerProcess;
    let immudb: TestImmudb;
    let recipe: Recipe;
    let nats: NatsConnection;
    let js: JetStreamClient;
    let jsm: JetStreamManager;
    beforeAll(async () => {
      [broker, immudb] = await Promise.all([startNats(), startImmudb()]);
      nats = await connect({ servers: `127.0.0.1:${broker.port}` });
      [js, jsm] = [jetstream(nats), await jetstreamManager(nats)];
      await jsm.streams.add({ name: 'ORDERS', subjects: ['orders.>'] });
      await jsm.consumers.add('ORDERS', {
        ...{ durable_name: 'ledger', ack_policy: AckPolicy.Explicit },
        ...{ ack_wait: nanos(ACK_WAIT_MS), max_ack_pending: 8192 },
      });
      recipe = await Recipe.of(HEADING, 'client.ingest', {
        'localhost:3322': immudb.address,
        'localhost:4222': `127.0.0.1:${broker.port}`,
      });
    });
    afterAll(async () => {
      await recipe.close();
      await nats.close();
      await broker.stop();
      await immudb.close();
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
      const held = await killAgainAndAgain(recipe, stage, plan);
      console.log(held);
      await expectOnce(immudb.address, RECORDS);
      expect(held.filter((pending) => pending > 0).length, held.join()).toBeGreaterThan(KILLS / 2);
    });
  });
});
