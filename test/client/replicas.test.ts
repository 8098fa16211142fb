// Verified reads from replicas: what they show is held against what the primary proves; a lag is no alarm, a fork is one.
import { expect, onTestFinished, describe, test, vi } from 'vitest';
import { ArgumentError, ImmuClient, MemoryRootStore } from '#dist/index.js';
import type { AuditRow, RootStore, VerificationError } from '#dist/index.js';
import { verifyEvidence } from '#dist/audit.js';
import { methodDefinition } from '#dist/wire/schema.js';
import { Proxy } from '../adversary/proxy.js';
import { describePrivate } from '../support/real.js';
import { REPLICATED, pair } from '../support/replicas.js';
import type { Pair } from '../support/replicas.js';
import { WireClient } from '../support/wire-client.js';
import { rowsOf } from '../trust/support.js';

interface Stage extends Pair {
  readonly client: ImmuClient;
  readonly store: MemoryRootStore;
  readonly forks: VerificationError[];
  /** Reads of keys that came through to each, by method. */
  readonly asked: { readonly primary: string[]; readonly replica: string[] };
  readonly atReplica: Proxy;
}

async function stage(): Promise<Stage> {
  const both = await pair();
  const { primary, replica } = both;
  const [atPrimary, atReplica] = await Promise.all([
    Proxy.start(primary.address),
    Proxy.start(replica.address),
  ]);
  const asked = { primary: [] as string[], replica: [] as string[] };
  for (const [at, calls] of [
    [atPrimary, asked.primary],
    [atReplica, asked.replica],
  ] as const)
    at.intercept = ({ method, forward }) => {
      calls.push(method);
      return forward();
    };
  const store = new MemoryRootStore();
  const forks: VerificationError[] = [];
  const client = clientOf(atPrimary.address, [atReplica.address], store, forks);
  onTestFinished(async () => {
    await client.close();
    await Promise.all([atPrimary.close(), atReplica.close()]);
  });
  return { ...both, client, store, forks, asked, atReplica };
}

function clientOf(
  address: string,
  readFrom: string[],
  store: RootStore,
  forks: VerificationError[] = [],
): ImmuClient {
  return new ImmuClient({
    ...{ address, readFrom, store, onFork: (fork: VerificationError) => forks.push(fork) },
    credentials: { user: 'immudb', password: 'immudb', database: REPLICATED },
  });
}

const KEYS = Array.from({ length: 20 }, (_, i) => `k${i}`);

async function written({ client, reached, asked }: Stage): Promise<void> {
  for (const key of KEYS) await client.verifiedSet(key, `${key} v1`);
  await reached(BigInt(KEYS.length));
  await used(client, asked.replica);
}

/** Until the replica is read from. */
async function used(client: ImmuClient, asked: string[]): Promise<void> {
  asked.length = 0;
  await vi.waitFor(
    async () => {
      await client.verifiedGet('k0');
      expect(asked.some((method) => method === 'Get' || method === 'GetAll')).toBe(true);
    },
    { timeout: 10_000, interval: 50 },
  );
}

const READS = ['Get', 'GetAll', 'VerifiableGet'];
const reads = (asked: string[]) => asked.filter((method) => READS.includes(method));
const clear = ({ asked }: Stage) => {
  asked.primary.length = 0;
  asked.replica.length = 0;
};
const valueOf = (entry: { value: Uint8Array } | null) => Buffer.from(entry?.value ?? []).toString();
const alarms = async (store: MemoryRootStore): Promise<AuditRow[]> =>
  (await rowsOf(store, {})).filter(
    ({ outcome }) => !['root', 'first-use', 'calls', 'identity'].includes(outcome),
  );

describePrivate('reads from a replica', () => {
  test('values are the proven ones, and the primary is asked for none of them', async () => {
    const on = await stage();
    const { client, store, asked } = on;
    await written(on);
    clear(on);
    for (let round = 0; round < 5; round++) {
      const all = await Promise.all(KEYS.map((key) => client.verifiedGet(key)));
      expect(all.map(valueOf)).toEqual(KEYS.map((key) => `${key} v1`));
      expect((await client.verifiedGetAll(KEYS)).map(valueOf)).toEqual(KEYS.map((key) => `${key} v1`));
      expect(valueOf(await client.verifiedGet('k3'))).toBe('k3 v1');
    }
    expect(reads(asked.primary)).toEqual([]);
    expect(reads(asked.replica).length).toBeGreaterThan(9);
    // Writes, plain reads and nulls are the primary's.
    await client.verifiedSetReference('ref', 'k1');
    expect(valueOf(await client.get('k1'))).toBe('k1 v1');
    expect(await client.verifiedGet('none')).toBeNull();
    expect(await client.verifiedGetAll(['none', 'k1'])).toMatchObject([null, {}]);
    expect(reads(asked.primary).length).toBeGreaterThan(0);
    await on.reached(BigInt(KEYS.length + 1));
    expect(valueOf(await client.verifiedGet('ref'))).toBe('k1 v1');
    expect(await alarms(store)).toEqual([]);
  }, 60_000);

  test('one that lags: the newest that is proven is read, of the primary, without a row', async () => {
    const on = await stage();
    const { client, store, asked } = on;
    await written(on);
    await on.cutOff();
    for (const key of KEYS) await client.verifiedSet(key, `${key} v2`);
    await client.verifiedDelete('k7');
    await client.verifiedSet('new', 'v1');
    clear(on);
    for (let round = 0; round < 3; round++) {
      const all = await Promise.all([...KEYS, 'new'].map((key) => client.verifiedGet(key)));
      expect(all.map(valueOf)).toEqual([...KEYS.map((key) => (key === 'k7' ? '' : `${key} v2`)), 'v1']);
    }
    expect(reads(asked.replica).length).toBeGreaterThan(0);
    expect(reads(asked.primary).length).toBeGreaterThan(0);
    expect(await alarms(store)).toEqual([]);
    expect(on.forks).toEqual([]);
  }, 60_000);

  test('one that was promoted and has diverged: FORK_DETECTED, a row, and reads go on at the primary', async () => {
    const on = await stage();
    const { client, store, forks, replica } = on;
    await written(on);
    await on.promote();
    await client.verifiedSet('k1', 'of the primary');
    const wire = await WireClient.open(replica.address, REPLICATED);
    for (let i = 0; i < 3; i++)
      await wire.call('Set', { KVs: [{ key: Buffer.from('k1'), value: Buffer.from('of the other') }] });
    wire.close();
    const errors: unknown[] = [];
    for (const until = performance.now() + 8000; errors.length === 0 && performance.now() < until;) {
      await client.verifiedGet('k1').then(
        (entry) => expect(valueOf(entry)).toBe('of the primary'),
        (error: unknown) => errors.push(error),
      );
    }
    expect(errors).toMatchObject([{ code: 'FORK_DETECTED' }]);
    expect((errors[0] as Error).message).toContain('replica');
    expect(forks.length).toBeGreaterThan(0);
    for (let i = 0; i < 50; i++) expect(valueOf(await client.verifiedGet('k1'))).toBe('of the primary');
    expect(valueOf(await client.verifiedGet('k2'))).toBe('k2 v1');
    await client.verifiedSet('k1', 'v3');
    const rows = await alarms(store);
    expect(new Set(rows.map(({ outcome }) => outcome))).toEqual(new Set(['fork']));
  }, 60_000);

  test('one that lies about a value: refused, with evidence', async () => {
    const on = await stage();
    const { client, store, atReplica } = on;
    await written(on);
    const { responseDeserialize, responseSerialize } = methodDefinition(
      'immudb.schema.ImmuService',
      'GetAll',
    );
    atReplica.intercept = async ({ method, forward }) => {
      const answer = await forward();
      if (method !== 'GetAll') return answer;
      const list = responseDeserialize(answer) as { entries: { key: Buffer; value: Buffer }[] };
      for (const each of list.entries) if (each.key.toString() === 'k5') each.value = Buffer.from('a lie');
      return responseSerialize(list);
    };
    const all = await Promise.allSettled(KEYS.map((key) => client.verifiedGet(key)));
    const refused = all.flatMap((end, i) =>
      end.status === 'rejected' ? [[KEYS[i], end.reason as Error]] : [],
    );
    expect(refused).toMatchObject([['k5', { code: 'VERIFICATION_FAILED' }]]);
    const rows = await alarms(store);
    expect(rows.map(({ outcome }) => outcome)).toEqual(['failure']);
    expect(verifyEvidence(rows[0]!.evidence!).outcome).toBe('reproduced');
  }, 60_000);

  test('one that is killed: reads go on', async () => {
    const on = await stage();
    const { client, store, replica } = on;
    await written(on);
    const end = { isOver: false };
    const reading = (async () => {
      let count = 0;
      while (!end.isOver) {
        const all = await Promise.all(KEYS.map((key) => client.verifiedGet(key)));
        expect(all.map(valueOf)).toEqual(KEYS.map((key) => `${key} v1`));
        count++;
      }
      return count;
    })();
    await new Promise((resolve) => setTimeout(resolve, 200));
    await replica.kill();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    end.isOver = true;
    expect(await reading).toBeGreaterThan(20);
    expect(await alarms(store)).toEqual([]);
  }, 60_000);
});

describe('readFrom', () => {
  test('what makes no sense', () => {
    const of = (readFrom: unknown) => () =>
      new ImmuClient({ readFrom: readFrom as string[], store: new MemoryRootStore() });
    for (const bad of ['a:3322', null, {}, [1], ['a', 'a:3322'], ['immudb://a/d'], new Array(17).fill('a')])
      expect(of(bad), JSON.stringify(bad)).toThrow(ArgumentError);
  });
});
