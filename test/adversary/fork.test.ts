// Two real servers with one history up to a tx and two after it (a replica that was promoted), behind one address and one
// identity. Calls in flight are answered now by one, now by the other: they must not all be told "verified".
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ImmuClient, ImmuError, MemoryRootStore } from '#dist/index.js';
import { methodDefinition } from '#dist/wire-schema.js';
import { TestImmudb } from '../support/immudb.js';
import { describePrivate } from '../support/real.js';
import { WireClient } from '../support/wire-client.js';
import { Proxy } from './proxy.js';

const DATABASE = 'forked';
const ROUNDS = 24;
const CALLS = 16;

describePrivate('a fork between two real servers', () => {
  let primary: TestImmudb;
  let replica: TestImmudb;
  let proxy: Proxy;
  let branches: [WireClient, WireClient];
  const refusals: ImmuError[] = [];

  beforeAll(async () => {
    [primary, replica] = await Promise.all([TestImmudb.start(), TestImmudb.start()]);
    const admin = await WireClient.open(primary.address);
    await admin.call('CreateDatabaseV2', { name: DATABASE });
    admin.close();
    const onPrimary = await WireClient.open(primary.address, DATABASE);
    for (const value of ['1', '2', '3']) await put(onPrimary, 'common', value);

    const follower = await WireClient.open(replica.address);
    const [host, port] = primary.address.split(':');
    await follower.call('CreateDatabaseV2', {
      name: DATABASE,
      settings: {
        replicationSettings: {
          replica: { value: true },
          primaryDatabase: { value: DATABASE },
          primaryHost: { value: host },
          primaryPort: { value: Number(port) },
          primaryUsername: { value: 'immudb' },
          primaryPassword: { value: 'immudb' },
          prefetchTxBufferSize: { value: 100 },
          replicationCommitConcurrency: { value: 10 },
        },
      },
    });
    const onReplica = await WireClient.open(replica.address, DATABASE);
    await vi.waitFor(async () => expect((await onReplica.call('CurrentState')).txId).toBe('3'), {
      timeout: 30_000,
    });
    await follower.call('UpdateDatabaseV2', {
      database: DATABASE,
      settings: { replicationSettings: { replica: { value: false } } },
    });
    follower.close();
    branches = [onPrimary, onReplica];
    // From here on the two go their own ways, under the same tx ids.
    for (let i = 0; i < 4; i++)
      await Promise.all(branches.map((branch, b) => put(branch, `b${i}`, `branch ${b}`)));
    proxy = await Proxy.start(primary.address);
  });

  afterAll(async () => {
    for (const branch of branches) branch.close();
    await proxy.close();
    await Promise.all([primary.close(), replica.close()]);
  });

  test('the two histories really are two, and each is accepted alone', async () => {
    const [one, other] = await Promise.all(branches.map((branch) => alhOf(branch, 5n)));
    expect(one?.equals(other as Buffer)).toBe(false);
    for (const side of [0, 1]) {
      route(() => side);
      await using client = await pinnedClient();
      expect(Buffer.from((await client.verifiedGet('b1'))?.value ?? []).toString()).toBe(`branch ${side}`);
      await client.verifiedSet('own', 'write');
    }
  });

  test.for(Array.from({ length: ROUNDS }, (_, seed) => seed))('calls in flight, seed %i', async (seed) => {
    const random = randomOf(seed);
    route(() => (random() < 0.5 ? 0 : 1));
    await using client = await pinnedClient();
    const calls = Array.from({ length: CALLS }, (_, i) =>
      random() < 0.5
        ? client.verifiedSet(`s${seed}-${i}`, 'v').then(({ tx, root }) => ({ tx, root }))
        : client.verifiedGet(`b${i % 4}`).then((entry) => entry && { tx: entry.tx, root: entry.root }),
    );
    const settled = await Promise.allSettled(calls);
    const roots = settled.flatMap((result) =>
      result.status === 'fulfilled' && result.value ? [result.value.root] : [],
    );
    const sides = new Set<number>();
    for (const root of roots) {
      if (root.tx <= 3n) continue;
      const alhs = await Promise.all(branches.map((branch) => alhOf(branch, root.tx)));
      const side = alhs.findIndex((alh) => alh?.equals(root.alh));
      expect(side, `root of tx ${root.tx} is on neither branch`).toBeGreaterThanOrEqual(0);
      sides.add(side);
    }
    expect(sides.size, 'verified on two histories').toBeLessThanOrEqual(1);
    const refused = settled.filter((result) => result.status === 'rejected');
    expect(refused.length, 'both branches answered, yet nobody was refused').toBeGreaterThan(0);
    // A branch that has not come as far as the head refuses to prove anything under it: an error, never a proof.
    for (const { reason } of refused) expect(reason).toBeInstanceOf(ImmuError);
    refusals.push(...refused.map(({ reason }) => reason as ImmuError));
  });

  test('forks were told from failures', () => {
    const codes = new Set(refusals.map(({ code }) => code));
    expect(codes).toContain('VERIFICATION_FAILED');
    expect(codes).toContain('FORK_DETECTED');
  });

  /** Sends each call to the branch that `choose` names; logging in stays with the primary. */
  function route(choose: () => number): void {
    proxy.intercept = async ({ method, request, forward }) => {
      const side = /^(Verifiable|TxScan|CurrentState)/.test(method) ? choose() : 0;
      if (side === 0) return forward();
      const { requestDeserialize, responseSerialize } = methodDefinition('immudb.schema.ImmuService', method);
      return responseSerialize((await branches[1].call(method, requestDeserialize(request))) as object);
    };
  }

  /** Trusts the last common tx. */
  async function pinnedClient(): Promise<ImmuClient> {
    const alh = (await alhOf(branches[0], 3n)) as Buffer;
    return new ImmuClient({
      address: proxy.address,
      store: new MemoryRootStore(),
      trust: { policy: 'pinned', tx: 3n, alh },
      credentials: { user: 'immudb', password: 'immudb', database: DATABASE },
    });
  }
});

async function put(wire: WireClient, key: string, value: string): Promise<void> {
  await wire.call('Set', { KVs: [{ key: Buffer.from(key), value: Buffer.from(value) }] });
}

async function alhOf(wire: WireClient, tx: bigint): Promise<Buffer | undefined> {
  const answer = await wire
    .call('VerifiableTxById', { tx: String(tx), proveSinceTx: String(tx) })
    .catch(() => undefined);
  return answer?.dualProof.linearProof.terms[0];
}

/** Small, seeded, and good enough to mix two branches (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
