// What is proven by following: every answer that the follower, or a read that is proven to be the latest, rests on. There is no
// "by the server's word" in any of it: what is hidden, or older, is refused like what is changed.
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import type { Following, LatestEntry, ProvenAbsence } from '#dist/index.js';
import { WireClient } from '../../support/wire-client.js';
import type { Proxy } from '../proxy.js';
import { callers, show } from '../scenario.js';
import type { CallerOutcome, Message, Scenario } from '../scenario.js';
import { cold, put } from '../stage.js';
import type { Stage } from '../stage.js';

const digests = (request: Message) => !('entriesSpec' in request);
const followings = new WeakMap<ImmuClient, Following>();

/** A database small enough to be followed again and again. */
export async function setSmallStage(proxy: Proxy, address: string, database: string): Promise<Stage> {
  const wire = await WireClient.open(address, database);
  const options = { address: proxy.address, keepAliveMs: 0, timeoutMs: 20_000 };
  const client = new ImmuClient({
    ...options,
    store: new MemoryRootStore(),
    credentials: { user: 'immudb', password: 'immudb', database },
  });
  await put(wire, 'single', 'first');
  await put(wire, 'gone', 'was here');
  await put(wire, 'expired', 'v', { expiration: { expiresAt: '1' } });
  await put(wire, 'single', 'second');
  await put(wire, 'other', 'value');
  await wire.call('Delete', { keys: [Buffer.from('gone')] });
  await put(wire, 'target', 'aimed at');
  await wire.call('SetReference', { key: Buffer.from('free'), referencedKey: Buffer.from('target') });
  await put(wire, 'aim', 'to go');
  await wire.call('SetReference', { key: Buffer.from('nowhere'), referencedKey: Buffer.from('aim') });
  await wire.call('Delete', { keys: [Buffer.from('aim')] });
  await put(wire, 'outside', 'v', { nonIndexable: true });
  const several = ['many0', 'many1', 'many2'].map((key) => ({
    key: Buffer.from(key),
    value: Buffer.from('v'),
  }));
  await wire.call('Set', { KVs: several });
  const stage = { proxy, client, wire, database };
  return {
    ...stage,
    [Symbol.asyncDispose]: async () => {
      await client.close();
      wire.close();
    },
  } as unknown as Stage;
}

async function followed({ client }: Stage): Promise<Following> {
  const following = await client.follow({ everyMs: 60_000 });
  followings.set(client, following);
  await following.ready();
  return following;
}

function tellLatest(entry: LatestEntry | ProvenAbsence): string {
  const { provenLatestAt, key, tx } = entry;
  if ('absent' in entry) return show({ absent: entry.absent, key, tx, provenLatestAt });
  const { value, metadata, timestamp, reference, revision } = entry;
  return show({ key, value, tx, metadata, timestamp, reference, revision, provenLatestAt });
}

/** Follows and tells what is proven without a question. */
async function follow(stage: Stage): Promise<CallerOutcome[]> {
  const { client } = stage;
  try {
    await followed(stage);
    return await callers(
      client.proveAbsent('gone').then(show),
      client.proveAbsent('never').then(show),
      client.proveAbsent('single').then(show),
      client.unchangedSince('other', 5n).then(show),
      client.unchangedSince('single', 1n).then(show),
    );
  } finally {
    await followings.get(client)?.stop();
  }
}

const latest =
  (...keys: string[]) =>
  ({ client }: Stage): Promise<CallerOutcome[]> =>
    callers(...keys.map((key) => client.verifiedGet(key, { latest: true }).then(tellLatest)));

const fromCold = { prepare: ({ client }: Stage) => cold(client) };
const fromFollowed = {
  prepare: async (stage: Stage) => {
    await followings.get(stage.client)?.stop();
    await cold(stage.client);
    await followed(stage);
  },
};

export const LATEST: readonly Scenario[] = [
  { name: 'following, digests', method: 'TxScan', asked: digests, ...fromCold, run: follow },
  {
    name: 'following, digests of what comes later',
    method: 'TxScan',
    asked: digests,
    after: 1,
    ...fromCold,
    run: follow,
  },
  { name: 'following, proof of what was shown', method: 'VerifiableTxById', ...fromCold, run: follow },
  { name: 'the latest of a key', method: 'VerifiableGet', ...fromFollowed, run: latest('single') },
  { name: 'the latest behind a reference', method: 'VerifiableGet', ...fromFollowed, run: latest('free') },
  {
    name: 'the latest of several keys',
    method: 'GetAll',
    ...fromFollowed,
    run: latest('single', 'other', 'free', 'many1', 'never', 'gone', 'expired'),
  },
  { name: 'a reference to nothing, its history', method: 'History', ...fromFollowed, run: latest('nowhere') },
];
