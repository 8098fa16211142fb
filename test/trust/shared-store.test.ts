// Two clients and one store: what one of them is shown is held against what the other has trusted, and two histories end as a
// typed fork for the callers, with evidence, whoever sees them second.
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { DatabaseTrust } from '#dist/client/trust/database-trust.js';
import type { DatabaseTrustOptions } from '#dist/client/trust/database-trust-options.js';
import { MemoryRootStore, SqliteRootStore } from '#dist/index.js';
import { verifyEvidence } from '#dist/audit.js';
import type { RootStore, VerificationError } from '#dist/index.js';
import { InlineVerifier } from '#dist/worker/inline-verifier.js';
import { DATABASE, TestChain } from '../verify/support/test-chain.js';
import { FakeImmudb, callOf, refusal, turns } from './fake-immudb.js';
import { rejection, rowsOf, temporaryFolder } from './support.js';

/** One history up to tx 20, and two behind it. */
const chain = new TestChain().grow(60);
const other = new TestChain().grow(20);
other.set(['parted', '']);
other.grow(39);
const COMMON = 20n;
const KEY = { server: 'fake', database: DATABASE };

const stores: [string, () => Promise<RootStore>][] = [
  ['in memory', () => Promise.resolve(new MemoryRootStore())],
  ['in SQLite', async () => SqliteRootStore.open(join(await temporaryFolder(), 'roots.db'))],
];

interface Client {
  readonly trust: DatabaseTrust;
  readonly fake: FakeImmudb;
  readonly told: VerificationError[];
  readonly reach: (tx: bigint) => Promise<void>;
}

/** A client that trusts the stored head, or the last common root. */
async function clientOn(
  of: TestChain,
  store: RootStore,
  options: Partial<DatabaseTrustOptions> = {},
): Promise<Client> {
  const fake = new FakeImmudb(of);
  const told: VerificationError[] = [];
  const trust = new DatabaseTrust({
    ...{ rpc: fake, ...KEY, store, verifier: new InlineVerifier(), clientId: of === chain ? 'one' : 'two' },
    ...{ policy: { policy: 'pinned', ...chain.root(COMMON) }, cacheBytes: 1 << 20, followMs: 0 },
    onFork: (fork) => told.push(fork),
    ...options,
  });
  await trust.ready(callOf());
  return { trust, fake, told, reach: (tx) => trust.reach(callOf({}, 'verifiedSet'), tx) };
}

/** Client rows of forks: those of the store itself have no answer. */
async function forkRows(store: RootStore) {
  const rows = await rowsOf(store, { outcome: 'fork' });
  return rows.filter(({ evidence }) => evidence !== undefined && evidence.job.length > 0);
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe.each(stores)('a store %s that two clients share', (_where, open) => {
  let store: RootStore;
  let one: Client;
  let two: Client;

  beforeEach(async () => {
    store = await open();
    onTestFinished(() => store.close());
    one = await clientOn(chain, store);
    two = await clientOn(other, store);
  });

  async function expectFork(
    error: { code: string },
    told: VerificationError[],
    terms: { expected: string; computed: string },
  ) {
    expect(error).toMatchObject({ name: 'VerificationError', code: 'FORK_DETECTED', evidence: terms });
    await turns(1);
    expect(told).toEqual([error]);
    const rows = await forkRows(store);
    expect(rows).toHaveLength(1);
    expect(rows[0]?.evidence).toMatchObject(terms);
    expect(verifyEvidence(rows[0]!.evidence!).outcome).toBe('reproduced');
  }

  test('with one history: who loses takes up what the other has proven, and goes on', async () => {
    const same = await clientOn(chain, store);
    await same.reach(30n);
    await one.reach(25n);
    expect(await one.trust.head(callOf())).toMatchObject(chain.root(30n));
    await one.reach(35n);
    expect(await store.head(KEY)).toEqual(chain.root(35n));
    await Promise.all([one.reach(50n), same.reach(45n)]);
    expect(await rowsOf(store, { outcome: ['fork', 'failure'] })).toEqual([]);
    expect([one.told, same.told]).toEqual([[], []]);
  });

  test.each([
    ['of the tx that the other has trusted', 30n, 30n],
    ['of a tx behind it', 30n, 33n],
    ['of a tx before it', 30n, 26n],
  ])('with two: a root %s is a fork', async (_what, first, second) => {
    await two.reach(first);
    const error = await rejection(one.reach(second));
    await expectFork(error, one.told, {
      expected: hex(other.root(first).alh),
      computed: hex(chain.root(first).alh),
    });
    // What was trusted stays, for both.
    expect(await store.head(KEY)).toEqual(other.root(first));
    expect(await one.trust.head(callOf())).toMatchObject(chain.root(COMMON));
    await two.reach(40n);
    expect(two.told).toEqual([]);
    expect(await store.audit.verify()).toMatchObject({ ok: true });
  });

  test('with two: calls in flight together are all refused', async () => {
    await two.reach(30n);
    const results = await Promise.allSettled([24n, 30n, 35n].map((tx) => one.reach(tx)));
    for (const result of results) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'FORK_DETECTED' } });
    }
    expect(await store.head(KEY)).toEqual(other.root(30n));
  });

  test('the store says what it knows of a fork itself: both roots, both rows, who saw them', async () => {
    await two.reach(30n);
    await rejection(one.reach(30n));
    const [own] = (await rowsOf(store, { outcome: 'fork' })).filter(
      ({ evidence }) => evidence?.job.length === 0,
    );
    const seen = (await rowsOf(store, { outcome: 'root' })).at(-1)!;
    expect(own).toMatchObject({ ...chain.root(30n), clientId: 'one', evidence: { check: 'log.fork' } });
    for (const words of [`row ${seen.seq}`, 'verifiedSet of one', 'verifiedSet of two', hex(seen.alh)]) {
      expect(own?.detail).toContain(words);
    }
    expect(verifyEvidence(own!.evidence!)).toMatchObject({ outcome: 'no-answer' });
  });

  test('a server that has not come as far as the other client is behind', async () => {
    await two.reach(30n);
    one.fake.state = 25n;
    one.fake.intercept = ({ request, answer }) => {
      const proof = answer();
      if (BigInt((request as { tx?: string }).tx ?? 0) > 25n) throw behind();
      return proof;
    };
    expect(await rejection(one.reach(24n))).toMatchObject({ code: 'SERVER_BEHIND_TRUST' });
  });

  describe('when one of them forgets trust', () => {
    test('the other ends its own at its next move, and takes up the new one', async () => {
      await one.reach(30n);
      const same = await clientOn(chain, store);
      await one.trust.forget(callOf(), 'on purpose');
      const error = await rejection(same.reach(35n));
      expect(error).toMatchObject({ name: 'StoreError', code: 'STORE_FAILED' });
      expect(error.message).toContain('forgotten');
      await one.reach(40n);
      await same.reach(45n);
      expect(await store.head(KEY)).toEqual(chain.root(45n));
      expect(await rowsOf(store, { outcome: ['fork', 'failure'] })).toEqual([]);
    });

    test('and begins anew behind the head of the other, it is the same', async () => {
      await one.reach(30n);
      const same = await clientOn(chain, store);
      await one.trust.forget(callOf(), 'on purpose');
      await one.reach(33n);
      expect(await rejection(same.reach(35n))).toMatchObject({ code: 'STORE_FAILED' });
      await same.reach(35n);
      expect(await store.head(KEY)).toEqual(chain.root(35n));
    });

    test('and begins anew on another history, the head of the other is contradicted: it proves nothing any more', async () => {
      await one.reach(30n);
      await two.trust.forget(callOf(), 'a new start');
      await two.reach(30n);
      // The old line and the new one have the same hash up to here only.
      expect(two.told).toMatchObject([{ code: 'FORK_DETECTED', evidence: { tx: 30n } }]);
      const [toldTwo] = await forkRows(store);
      expect(verifyEvidence(toldTwo!.evidence!).outcome).toBe('reproduced');

      const error = await rejection(one.reach(35n));
      const terms = { expected: hex(other.root(30n).alh), computed: hex(chain.root(30n).alh) };
      expect(error).toMatchObject({ code: 'FORK_DETECTED', evidence: { check: 'trust.head', ...terms } });
      const [, toldOne] = await forkRows(store);
      expect(verifyEvidence(toldOne!.evidence!).outcome).toBe('reproduced');
      // Not only the call that met it.
      expect(await rejection(one.trust.head(callOf()))).toBe(error);
      expect(await rejection(one.reach(30n))).toBe(error);
      await turns(1);
      expect(one.told).toEqual([error]);
      expect(await store.head(KEY)).toEqual(other.root(30n));

      await one.trust.forget(callOf(), 'the new history it is');
      expect(await store.head(KEY)).toBeNull();
      expect(await store.audit.verify()).toMatchObject({ ok: true });
    });

    test('calls that it covers are counted before the row that ends it', async () => {
      await one.reach(30n);
      one.trust.countCalls('verifiedGet', performance.now(), 3);
      await one.trust.forget(callOf(), 'on purpose');
      const last = (await rowsOf(store)).slice(-2);
      expect(last).toMatchObject([
        { outcome: 'calls', operation: 'verifiedGet', calls: 3, tx: 30n },
        { outcome: 'forget', tx: 30n },
      ]);
    });

    test('calls that were told already are told of it too', async () => {
      await one.reach(30n);
      await two.trust.forget(callOf(), 'a new start');
      await two.reach(30n);
      one.trust.countCalls('verifiedGet', performance.now(), 3);
      const error = await rejection(one.trust.close());
      expect(error).toMatchObject({ code: 'FORK_DETECTED', evidence: { check: 'trust.head', tx: 30n } });
      expect(await rejection(one.reach(31n))).toBe(error);
      await turns(1);
      expect(one.told).toEqual([error]);
      const own = (await rowsOf(store, { outcome: 'fork' })).filter(
        ({ operation }) => operation === 'verifiedGet',
      );
      expect(own).toMatchObject([{ ...chain.root(30n), clientId: 'one' }]);
    });
  });

  test('a first contact that was slower, with another hash, is a fork', async () => {
    const empty = await open();
    onTestFinished(() => empty.close());
    const policy = { policy: 'first-use' } as const;
    const fake = new FakeImmudb(chain);
    // Before its first root is written, another client trusts the other history.
    const raced: RootStore = Object.create(empty, {
      advance: {
        value: async (...args: Parameters<RootStore['advance']>) => {
          await clientOn(other, empty, { policy });
          return empty.advance(...args);
        },
      },
      ...Object.fromEntries(
        (['head', 'record'] as const).map((name) => [name, { value: empty[name].bind(empty) }]),
      ),
    }) as RootStore;
    const error = await rejection(clientOn(chain, raced, { policy, rpc: fake }));
    expect(error).toMatchObject({ code: 'FORK_DETECTED', evidence: { tx: 60n } });
    const [row] = await forkRows(empty);
    expect(verifyEvidence(row!.evidence!).outcome).toBe('reproduced');
  });
});

function behind(): Error {
  return refusal('tx not found', 'VerifiableTxById');
}
