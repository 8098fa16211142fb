// Many verified calls in flight: one head, moved one move at a time, whatever the order of the answers.
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ImmuClient, SqliteRootStore } from '#dist/index.js';
import { methodDefinition } from '#dist/wire/schema.js';
import { Proxy, holdFirst } from '../adversary/proxy.js';
import { describeServer, freshDatabase, sharedImmudb } from '../support/real.js';
import { USER, openClient, openWire, rejection, rowsOf, temporaryFolder, text } from './support.js';

describeServer('verified calls in flight', () => {
  test('writes and reads beside another writer', async () => {
    const { client, store, database } = await openClient();
    const wire = await openWire(database);
    // Few enough at a time to stay below the server's limit of concurrent writes.
    const others = Promise.all(
      Array.from({ length: 6 }, async (_, lane) => {
        for (let i = 0; i < 8; i++) {
          await wire.call('Set', {
            KVs: [{ key: Buffer.from(`other${lane % 3}`), value: Buffer.from(String(i)) }],
          });
        }
      }),
    );
    const lanes = Array.from({ length: 12 }, async (_, lane) => {
      const txs: bigint[] = [];
      for (let i = 0; i < 8; i++) {
        const { tx, root } = await client.verifiedSet(`k${lane}-${i}`, `${lane}:${i}`, { ownTx: true });
        expect(root.tx).toBeGreaterThanOrEqual(tx);
        txs.push(tx);
        const entry = await client.verifiedGet(`k${lane}-${i}`);
        expect([text(entry?.value), entry?.tx]).toEqual([`${lane}:${i}`, tx]);
        await client.verifiedGet('other1');
      }
      return txs;
    });
    const txs = (await Promise.all(lanes)).flat();
    await others;
    expect(new Set(txs).size).toBe(96);
    const heads = await rowsOf(store, { outcome: ['first-use', 'root'] });
    for (const [i, row] of heads.entries()) {
      if (i === 0) continue;
      expect(row.tx).toBeGreaterThan(heads[i - 1]!.tx);
      expect(row.previousTx).toBe(heads[i - 1]!.tx);
    }
    // Every hash the client trusted is the server's for that tx.
    for (const row of heads.slice(1)) {
      const tx = await wire.call('VerifiableTxById', { tx: String(row.tx), proveSinceTx: String(row.tx) });
      expect(Buffer.from(row.alh).equals(tx.dualProof.linearProof.terms[0])).toBe(true);
    }
    // Every call is counted once, by the move that proved it or by a later row.
    await client.close();
    const covered = (await rowsOf(store)).reduce((sum, row) => sum + row.calls, 0);
    expect(covered).toBe(3 * 96);
  });

  test('an answer held back while the head passes it is proven under the newer head', async () => {
    await using proxy = await Proxy.start(sharedImmudb());
    const { client } = await openClient({ address: proxy.address });
    await client.verifiedSet('first', '1');
    const held = holdFirst(proxy, 'VerifiableSet');
    const late = client.verifiedSet('late', 'x');
    await held.arrived;
    for (let i = 0; i < 5; i++) await client.verifiedSet(`k${i}`, 'v');
    held.release();
    const written = await late;
    expect(written.tx).toBe(2n);
    expect(written.root.tx).toBe(7n);
    expect(text((await client.verifiedGet('late'))?.value)).toBe('x');
  });

  test('answers in reverse order', async () => {
    await using proxy = await Proxy.start(sharedImmudb());
    const { client } = await openClient({ address: proxy.address });
    await client.verifiedSet('first', '1');
    const waiting: (() => void)[] = [];
    let allIn: (() => void) | undefined;
    const together = new Promise<void>((resolve) => (allIn = resolve));
    proxy.intercept = async ({ method, forward }) => {
      const answer = await forward();
      if (method !== 'VerifiableSet') return answer;
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        if (waiting.length === 6) allIn?.();
      });
      return answer;
    };
    const writes = Array.from({ length: 6 }, (_, i) => client.verifiedSet(`k${i}`, 'v', { ownTx: true }));
    await together;
    for (const release of waiting.reverse()) {
      release();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const txs = (await Promise.all(writes)).map(({ tx }) => tx);
    expect(txs.toSorted((a, b) => Number(a - b))).toEqual([2n, 3n, 4n, 5n, 6n, 7n]);
  });

  test.for([
    ['together', 'Get', {}],
    ['each on its own', 'VerifiableGet', { atTx: 1n }],
  ] as const)("one caller's abort and deadline are its own: asked %s", async ([, asked, version]) => {
    await using proxy = await Proxy.start(sharedImmudb());
    const { client } = await openClient({ address: proxy.address });
    await client.verifiedSet('k', 'v');
    proxy.intercept = async ({ method, forward }) => {
      const answer = await forward();
      if (method === asked) await hold;
      return answer;
    };
    let go: (() => void) | undefined;
    const hold = new Promise<void>((resolve) => (go = resolve));
    const controller = new AbortController();
    const aborted = rejection(client.verifiedGet('k', { ...version, signal: controller.signal }));
    const late = rejection(client.verifiedGet('k', { ...version, timeoutMs: 300 }));
    const patient = client.verifiedGet('k', version);
    controller.abort();
    expect((await aborted).code).toBe('ABORTED');
    expect((await late).code).toBe('DEADLINE_EXCEEDED');
    go?.();
    expect(text((await patient)?.value)).toBe('v');
  });

  test('two clients on one store file move one head', async () => {
    const path = join(await temporaryFolder(), 'roots.db');
    const database = await freshDatabase();
    const stores = [await SqliteRootStore.open(path), await SqliteRootStore.open(path)];
    const clients = stores.map(
      (store) => new ImmuClient({ address: sharedImmudb(), store, credentials: { ...USER, database } }),
    );
    onTestFinished(async () => {
      for (const client of clients) await client.close();
      for (const store of stores) await store.close();
    });
    await Promise.all(
      clients.map(async (client, who) => {
        await Promise.all(
          Array.from({ length: 6 }, async (_, lane) => {
            for (let i = 0; i < 5; i++) {
              const { tx } = await client.verifiedSet(`${who}-${lane}-${i}`, 'v');
              expect((await client.verifiedGet(`${who}-${lane}-${i}`))?.tx).toBe(tx);
            }
          }),
        );
      }),
    );
    const heads = await rowsOf(stores[0]!, { outcome: ['first-use', 'root'] });
    for (const [i, row] of heads.entries()) if (i > 0) expect(row.previousTx).toBe(heads[i - 1]!.tx);
    expect((await stores[1]!.audit.verify()).ok).toBe(true);
  });

  test('a forged answer is refused alone: its neighbours in the same move are proven', async () => {
    await using proxy = await Proxy.start(sharedImmudb());
    const { client, store } = await openClient({ address: proxy.address });
    await client.verifiedSet('first', '1');
    proxy.intercept = async ({ method, request, forward }) => {
      const answer = await forward();
      if (method !== 'VerifiableSet' || !request.includes('forged')) return answer;
      const forged = Buffer.from(answer);
      forged[forged.length - 10]! ^= 1;
      return forged;
    };
    const results = await Promise.allSettled(
      Array.from({ length: 12 }, (_, i) =>
        client.verifiedSet(i === 5 ? 'forged' : `k${i}`, 'v', { ownTx: true }),
      ),
    );
    expect(results.map(({ status }) => status)).toEqual(
      Array.from({ length: 12 }, (_, i) => (i === 5 ? 'rejected' : 'fulfilled')),
    );
    expect(results[5]).toMatchObject({ reason: { code: 'VERIFICATION_FAILED' } });
    expect(await rowsOf(store, { outcome: 'failure' })).toHaveLength(1);
  });

  test('two equal writes in flight cannot both be told that one tx is theirs', async () => {
    await using proxy = await Proxy.start(sharedImmudb());
    const { client, database } = await openClient({ address: proxy.address });
    await client.verifiedSet('first', '1');
    let answered: Promise<Buffer> | undefined;
    proxy.intercept = ({ method, forward }) =>
      method === 'VerifiableSet' ? (answered ??= forward()) : forward();
    const results = await Promise.allSettled(
      Array.from({ length: 5 }, () => client.verifiedSet('same', 'value', { ownTx: true })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'fulfilled') expect(result.value.tx).toBe(2n);
      else
        expect(result.reason).toMatchObject({
          code: 'VERIFICATION_FAILED',
          evidence: { check: 'set.tx-shared' },
        });
    }
    const wire = await openWire(database);
    expect((await wire.call('CurrentState')).txId).toBe('2');
    // And afterwards writes are as good as ever.
    proxy.intercept = ({ forward }) => forward();
    expect((await client.verifiedSet('same', 'value')).tx).toBe(3n);
  });

  test('a stale version is refused once a newer one was proven', async () => {
    await using proxy = await Proxy.start(sharedImmudb());
    const { client } = await openClient({ address: proxy.address });
    await client.verifiedSet('k', 'old');
    await client.verifiedSet('k', 'new');
    const { requestDeserialize, requestSerialize } = methodDefinition(
      'immudb.schema.ImmuService',
      'VerifiableGet',
    );
    proxy.intercept = ({ method, request, forward }) => {
      if (method !== 'VerifiableGet') return forward();
      const asked = requestDeserialize(request) as { keyRequest: { atTx: string } };
      asked.keyRequest.atTx = '1';
      return forward(requestSerialize(asked));
    };
    const error = await rejection(client.verifiedGet('k'));
    expect(error.evidence.check).toBe('get.stale');
  });
});
