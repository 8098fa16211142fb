// Freshness: nothing older than was proven, no write that was never executed, no null from a history that was taken back.
import { describe, expect, test } from 'vitest';
import { MemoryRootStore } from '#dist/index.js';
import type { ImmuClient, VerificationError } from '#dist/index.js';
import type { Passing } from '../proxy.js';
import {
  codeOf,
  decodeAnswer,
  decodeRequest,
  encodeAnswer,
  encodeRequest,
  range,
  rawDelete,
  rawReference,
  rawSet,
  rowsOf,
  setScene,
  text,
  timesWritten,
} from './support.js';
import type { Scene } from './support.js';

describe('floors at references', () => {
  /** `k` in two versions, and a reference to it; the tx of the older one. */
  async function referred(): Promise<{ scene: Scene; client: ImmuClient; older: bigint }> {
    const scene = await setScene();
    const client = scene.open();
    const older = await rawSet(scene, 'k', 'old');
    await rawReference(scene, 'ref', 'k');
    await rawReference(scene, 'ref2', 'k');
    await rawSet(scene, 'k', 'new');
    return { scene, client, older };
  }

  /** Latest reads are answered with what there was at `at`, where they concern `k` itself. */
  function answerOld(scene: Scene, older: bigint): void {
    scene.intercept((passing) => {
      if (passing.method === 'VerifiableGet') return oldVerifiable(passing);
      if (passing.method === 'GetAll') return oldAll(passing);
      return undefined;
    });
    const oldVerifiable = async ({ request, forward }: Passing): Promise<Buffer> => {
      const asked = decodeRequest('VerifiableGet', request);
      const key = asked.keyRequest.key.toString();
      if (asked.keyRequest.atTx && asked.keyRequest.atTx !== '0') return forward();
      if (key === 'k') {
        const keyRequest = { ...asked.keyRequest, atTx: older.toString() };
        return forward(encodeRequest('VerifiableGet', { ...asked, keyRequest }));
      }
      const answer = decodeAnswer('VerifiableGet', await forward());
      if (answer.entry?.referencedBy) makeOld(answer.entry);
      return encodeAnswer('VerifiableGet', answer);
    };
    const oldAll = async ({ forward }: Passing): Promise<Buffer> => {
      const answer = decodeAnswer('GetAll', await forward());
      for (const entry of answer.entries ?? []) if (entry.key.toString() === 'k') makeOld(entry);
      return encodeAnswer('GetAll', answer);
    };
    const makeOld = (entry: { tx: string; value: Buffer }): void => {
      entry.tx = older.toString();
      entry.value = Buffer.from('old');
    };
  }

  const codeOfError = (error: unknown) => (error as VerificationError).code;
  const lone = (client: ImmuClient, key: string) => client.verifiedGet(key);
  const grouped = (client: ImmuClient, key: string) =>
    Promise.all([client.verifiedGet('nothing'), client.verifiedGet(key), client.verifiedGet('nowhere')]).then(
      ([, entry]) => entry,
    );
  const all = (client: ImmuClient, key: string) =>
    client.verifiedGetAll(['nothing', key]).then(([, entry]) => entry ?? null);
  const ways = { lone, grouped, all };

  test.for(Object.keys(ways) as (keyof typeof ways)[])(
    'a target that was read by itself is not shown older through a reference: %s',
    async (way) => {
      const { scene, client, older } = await referred();
      expect(text(await client.verifiedGet('k'))).toBe('new');
      answerOld(scene, older);
      const code = await ways[way](client, 'ref').then(text, codeOfError);
      expect(code).toBe('VERIFICATION_FAILED');
    },
  );

  test.for(Object.keys(ways) as (keyof typeof ways)[])(
    'a target that was read through a reference is not shown older by itself: %s',
    async (way) => {
      const { scene, client, older } = await referred();
      expect(text(await ways[way](client, 'ref'))).toBe('new');
      answerOld(scene, older);
      const code = await ways[way](client, 'k').then(text, codeOfError);
      expect(code).toBe('VERIFICATION_FAILED');
    },
  );

  test.for(Object.keys(ways) as (keyof typeof ways)[])('nor through another reference: %s', async (way) => {
    const { scene, client, older } = await referred();
    expect(text(await ways[way](client, 'ref'))).toBe('new');
    answerOld(scene, older);
    const code = await ways[way](client, 'ref2').then(text, codeOfError);
    expect(code).toBe('VERIFICATION_FAILED');
  });
});

describe('a verified write that was never executed is not accepted for an older equal one', () => {
  test('of a plain set', async () => {
    const scene = await setScene();
    const client = scene.open();
    await client.verifiedSet('before', 'v');
    await client.set('k', 'same');
    await expectRefused(scene, client);
  });

  test('of a grouped plain set', async () => {
    const scene = await setScene();
    const client = scene.open({ group: true });
    await client.verifiedSet('before', 'v');
    await client.set('k', 'same');
    await expectRefused(scene, client);
  });

  test.for(['held', 'lost'] as const)('of a verified set whose answer was %s', async (fault) => {
    const scene = await setScene();
    const client = scene.open();
    await client.verifiedSet('before', 'v');
    scene.way.begin(fault, 1);
    const code = await codeOf(client.verifiedSet('k', 'same', { timeoutMs: 200 }));
    expect(['OUTCOME_UNKNOWN', 'DEADLINE_EXCEEDED']).toContain(code);
    await expectRefused(scene, client);
  });

  test('of an aborted plain set', async () => {
    const scene = await setScene();
    const client = scene.open();
    await client.verifiedSet('before', 'v');
    scene.way.begin('held', 1);
    await codeOf(client.set('k', 'same', { timeoutMs: 200 }));
    await expectRefused(scene, client);
  });

  /** Lone, then in a group that holds the same as the one that there was. */
  async function expectRefused(scene: Scene, client: ImmuClient): Promise<void> {
    expect(timesWritten(scene, 'k')).toBe(1);
    scene.way.begin('replayed', 1);
    expect(await codeOf(client.verifiedSet('k', 'same'))).not.toBe('ok');
    expect(scene.way.met).toBe(1);
    expect(timesWritten(scene, 'k')).toBe(1);
  }
});

describe('a restored backup that others write past', () => {
  const PROVEN = range(20).map((i) => `proven${i}`);

  interface Restored {
    readonly scene: Scene;
    readonly client: ImmuClient;
    readonly store: MemoryRootStore;
    readonly forks: VerificationError[];
  }

  /** What the client has proven last is not in the backup, and others have written more than was lost. */
  async function restored({ followMs = 0, keepConnections = false, beyond = 30 } = {}): Promise<Restored> {
    const scene = await setScene();
    const { world } = scene;
    const store = new MemoryRootStore();
    const forks: VerificationError[] = [];
    const client = scene.open({ store, followMs, onFork: (fork) => forks.push(fork) });
    await client.verifiedSet('first', 'v');
    const backup = await world.backup();
    await Promise.all(PROVEN.map((key) => client.verifiedSet(key, 'v')));
    for (const key of PROVEN) expect(text(await client.verifiedGet(key))).toBe('v');
    await world.restore(backup, { forged: false, keepConnections });
    for (const i of range(beyond)) await rawSet(scene, `other${i}`, 'v');
    scene.methods();
    return { scene, client, store, forks };
  }

  /** Nobody is told null, nor anything else. */
  async function expectNoNulls(client: ImmuClient): Promise<void> {
    for (const key of PROVEN.slice(0, 5))
      expect(await codeOf(client.verifiedGet(key)), 'lone').toMatch(/FORK|BEHIND|FAILED/);
    const together = await Promise.allSettled(PROVEN.map((key) => client.verifiedGet(key)));
    // What is known of the history that is trusted may still be told; that it is gone may not.
    for (const result of together)
      if (result.status === 'fulfilled') expect(text(result.value), 'grouped').toBe('v');
    const all = await client.verifiedGetAll(PROVEN).catch(() => []);
    for (const entry of all) expect(text(entry), 'verifiedGetAll').toBe('v');
    await expect(client.verifiedGet('never written'), 'a key that nobody has proven').rejects.toThrow();
  }

  test.for([
    [false, 0],
    [true, 0],
    [false, 30],
  ] as const)('no nulls: connections kept %s, followMs %i', async ([keepConnections, followMs]) => {
    const { client } = await restored({ keepConnections, followMs });
    await expectNoNulls(client);
  });

  test('nor to a new client on the same store', async () => {
    const { scene, store, client } = await restored();
    await client.close();
    const next = scene.open({ store });
    const codes = await Promise.all([...PROVEN, 'never written'].map((key) => codeOf(next.verifiedGet(key))));
    expect(codes).not.toContain('ok');
  });

  test('nor after the history was refused', async () => {
    const { client } = await restored();
    expect(await codeOf(client.verifiedSet('k', 'v'))).not.toBe('ok');
    await expectNoNulls(client);
  });

  test('a history that was refused stays refused, and the right one is accepted again', async () => {
    const scene = await setScene();
    const client = scene.open();
    for (const i of range(6)) await client.verifiedSet(`k${i}`, 'v');
    const { world } = scene;
    const right = await world.backup();
    await world.restore({ branch: right.branch, length: 2n }, { forged: false, keepConnections: false });
    for (const i of range(9)) await rawSet(scene, `other${i}`, 'v');
    expect(await codeOf(client.verifiedGet('k5'))).not.toBe('ok');
    await world.restore(right, { forged: false, keepConnections: false });
    expect(text(await client.verifiedGet('k5'))).toBe('v');
    expect(await codeOf(client.verifiedGet('never written'))).toBe('ok');
  });

  test('behind, in a group of writes: SERVER_BEHIND_TRUST, a row, and then no write is sent', async () => {
    const { scene, client, store } = await restored({ beyond: 0 });
    const write = () => Promise.all(range(12).map((i) => codeOf(client.verifiedSet(`w${i}`, 'v'))));
    expect(new Set(await write())).toEqual(new Set(['SERVER_BEHIND_TRUST']));
    scene.methods();
    expect(new Set(await write())).toEqual(new Set(['SERVER_BEHIND_TRUST']));
    expect(await codeOf(client.verifiedSet('alone', 'v'))).toBe('SERVER_BEHIND_TRUST');
    expect(scene.methods().filter((method) => /Set/.test(method))).toEqual([]);
    expect((await rowsOf(store)).map(({ outcome }) => outcome)).toContain('rollback');
  });

  test('the error says what to do', async () => {
    const { client } = await restored({ beyond: 0 });
    await expect(client.verifiedSet('k', 'v')).rejects.toThrow(/forgetTrust/);
  });

  test('the evidence of many refused writes does not grow with each', async () => {
    const { client, store } = await restored({ beyond: 0 });
    for (let i = 0; i < 20; i++)
      await Promise.all(range(32).map((n) => codeOf(client.verifiedSet(`w${n}`, 'v'))));
    await client.close();
    const bytes = (await rowsOf(store)).reduce((sum, { evidence }) => sum + (evidence?.job.length ?? 0), 0);
    expect(bytes).toBeLessThan(64 * 1024);
  });

  test('another history: FORK_DETECTED, and onFork is told', async () => {
    const { client, forks } = await restored({ beyond: 60 });
    const codes = new Set<string>();
    for (const i of range(4)) codes.add(await codeOf(client.verifiedSet(`w${i}`, 'v')));
    for (const code of await Promise.all(range(12).map((i) => codeOf(client.verifiedSet(`g${i}`, 'v')))))
      codes.add(code);
    codes.add(await codeOf(client.verifiedGet('proven3')));
    expect(codes).toEqual(new Set(['FORK_DETECTED']));
    expect(forks.length).toBeGreaterThan(0);
  });

  test('the way out: forgetTrust, and everything works on what is there', async () => {
    const { client } = await restored();
    await codeOf(client.verifiedSet('k', 'v'));
    await client.forgetTrust('the backup was put back on purpose');
    expect(await codeOf(client.verifiedSet('k', 'v'))).toBe('ok');
    expect(await client.verifiedGet('proven3')).toBeNull();
  });
});

describe('nulls', () => {
  test('a key that was proven is gone only with its deletion', async () => {
    const scene = await setScene();
    const client = scene.open();
    await client.verifiedSet('k', 'v');
    scene.way.begin('absent', 3);
    expect(await codeOf(client.verifiedGet('k'))).toBe('VERIFICATION_FAILED');
    const together = await Promise.allSettled(['k', 'x', 'y'].map((key) => client.verifiedGet(key)));
    expect(together[0]).toMatchObject({ status: 'rejected' });
    expect(await codeOf(client.verifiedGetAll(['k', 'x']))).toBe('VERIFICATION_FAILED');
    scene.way.end();
    expect(text(await client.verifiedGet('k'))).toBe('v');
    await rawDelete(scene, 'k');
    expect(await client.verifiedGet('k')).toBeNull();
    expect(await client.verifiedGetAll(['k', 'x'])).toEqual([null, null]);
  });

  test('the same with its expiry', async () => {
    const scene = await setScene();
    const client = scene.open();
    await client.verifiedSet('k', 'v');
    await rawSet(scene, 'k', 'v2', { expiration: { expiresAt: '1000000000' } });
    expect(await client.verifiedGet('k')).toBeNull();
    expect(await client.verifiedGetAll(['k', 'x'])).toEqual([null, null]);
  });

  test('the follower tells of a server that went back, and goes on', async () => {
    const scene = await setScene();
    const store = new MemoryRootStore();
    const client = scene.open({ store, followMs: 20 });
    for (const i of range(5)) await client.verifiedSet(`k${i}`, 'v');
    const { world } = scene;
    const right = await world.backup();
    await world.restore({ branch: right.branch, length: 2n }, { forged: false, keepConnections: true });
    await expect
      .poll(async () => (await rowsOf(store)).some(({ outcome }) => outcome === 'rollback'))
      .toBe(true);
    await world.restore(right, { forged: false, keepConnections: true });
    const next = await rawSet(scene, 'next', 'v');
    await expect.poll(() => Object.values(client.diagnostics.trust)[0]?.headTx).toBe(next);
  });
});

describe('an entry that is not indexed is no value', () => {
  test('it is refused, and does not lock its key', async () => {
    const scene = await setScene();
    const client = scene.open();
    await client.verifiedSet('k', 'v');
    const hidden = await rawSet(scene, 'k', 'not indexed', { nonIndexable: true });
    const next = await rawSet(scene, 'other', 'v');
    let lies = 3;
    scene.intercept(({ method, request, forward }) => {
      if (method !== 'VerifiableGet' || lies-- <= 0) return undefined;
      const asked = decodeRequest(method, request);
      const keyRequest = { ...asked.keyRequest, atTx: hidden.toString() };
      return forward(encodeRequest(method, { ...asked, keyRequest }));
    });
    expect(await codeOf(client.verifiedGet('k'))).toBe('VERIFICATION_FAILED');
    lies = 0;
    expect(text(await client.verifiedGet('k'))).toBe('v');
    expect(next).toBe(hidden + 1n);
  });

  test('in a group too', async () => {
    const scene = await setScene();
    const client = scene.open();
    await client.verifiedSet('k', 'v');
    const hidden = await rawSet(scene, 'k', 'not indexed', { nonIndexable: true });
    let lies = true;
    scene.intercept(({ method, forward }) => {
      if (method !== 'GetAll' || !lies) return undefined;
      return forward().then((bytes) => {
        const answer = decodeAnswer(method, bytes);
        for (const entry of answer.entries ?? []) {
          if (entry.key.toString() !== 'k') continue;
          Object.assign(entry, {
            tx: hidden.toString(),
            value: Buffer.from('not indexed'),
            metadata: { nonIndexable: true },
          });
        }
        return encodeAnswer(method, answer);
      });
    });
    expect(await codeOf(client.verifiedGetAll(['k', 'x']))).toBe('VERIFICATION_FAILED');
    lies = false;
    expect(text(await client.verifiedGet('k'))).toBe('v');
  });
});
