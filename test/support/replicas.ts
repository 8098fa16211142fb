// A primary and a replica of one of its databases: two real servers. The replica can be stopped from following, and promoted.
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { TestImmudb } from './immudb.js';
import { WireClient } from './wire-client.js';

export const REPLICATED = 'replicated';

export interface Pair {
  readonly primary: TestImmudb;
  readonly replica: TestImmudb;
  /** Waits until the replica has this transaction. */
  reached(tx: bigint): Promise<void>;
  /** Both go their own ways from here on: the replica takes writes, and no more of the primary's. */
  promote(): Promise<void>;
  /** The replica takes no more of the primary's, and no writes. */
  cutOff(): Promise<void>;
}

/** Ends with the test. */
export async function pair(): Promise<Pair> {
  const [primary, replica] = await Promise.all([TestImmudb.start(), TestImmudb.start()]);
  onTestFinished(async () => {
    await Promise.all([primary.close(), replica.close()]);
  });
  const admin = await WireClient.open(primary.address);
  await admin.call('CreateDatabaseV2', { name: REPLICATED });
  admin.close();
  await follow(primary, replica, REPLICATED);
  const change = async (settings: object) => {
    const follower = await WireClient.open(replica.address);
    await follower.call('UpdateDatabaseV2', {
      database: REPLICATED,
      settings: { replicationSettings: settings },
    });
    follower.close();
  };
  return {
    primary,
    replica,
    reached: (tx) => reached(replica, tx),
    promote: () => change({ replica: { value: false } }),
    cutOff: () => change({ primaryPort: { value: 1 } }),
  };
}

/** Has a server follow a database of the primary. */
export async function follow(primary: TestImmudb, replica: TestImmudb, database: string): Promise<void> {
  const [host, port] = primary.address.split(':');
  const follower = await WireClient.open(replica.address);
  await follower.call('CreateDatabaseV2', {
    name: database,
    settings: {
      replicationSettings: {
        replica: { value: true },
        primaryDatabase: { value: database },
        primaryHost: { value: host },
        primaryPort: { value: Number(port) },
        primaryUsername: { value: 'immudb' },
        primaryPassword: { value: 'immudb' },
        prefetchTxBufferSize: { value: 100 },
        replicationCommitConcurrency: { value: 10 },
      },
    },
  });
  follower.close();
}

export async function reached(replica: TestImmudb, tx: bigint): Promise<void> {
  const wire = await WireClient.open(replica.address, REPLICATED);
  for (const until = Date.now() + 30_000; Date.now() < until;) {
    const state = await wire.call('CurrentState');
    if (BigInt(state.txId ?? 0) >= tx) {
      wire.close();
      return;
    }
    await delay(50);
  }
  throw new Error(`the replica does not reach tx ${String(tx)}`);
}
