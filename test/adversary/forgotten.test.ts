// Trust that is forgotten while calls are under way: they end with a typed error, are never shown under what is trusted
// next, and leave nothing behind there.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { Proxy, holdFirst } from './proxy.js';

const credentials = { user: 'immudb', password: 'immudb' };

describe('forgetting trust while calls are under way', () => {
  let ledger: EmbeddedLedger;
  let proxy: Proxy;
  let client: ImmuClient;

  beforeEach(async () => {
    ledger = await EmbeddedLedger.start();
    proxy = await Proxy.start(ledger.address);
    client = new ImmuClient({ address: proxy.address, store: new MemoryRootStore(), credentials });
    for (const key of ['a', 'b', 'c']) await client.verifiedSet(key, `value of ${key}`);
  });

  afterEach(async () => {
    await client.close();
    await proxy.close();
    await ledger.close();
  });

  const calls: [string, method: string, (client: ImmuClient) => Promise<unknown>[]][] = [
    ['a lone read', 'VerifiableGet', (client) => [client.verifiedGet('a')]],
    ['reads together', 'GetAll', (client) => [client.verifiedGet('a'), client.verifiedGet('b')]],
    ['the proof of reads together', 'TxScan', (client) => [client.verifiedGet('a'), client.verifiedGet('b')]],
    ['verifiedGetAll', 'GetAll', (client) => [client.verifiedGetAll(['a', 'c'])]],
    ['a lone write', 'VerifiableSet', (client) => [client.verifiedSet('d', 'value')]],
  ];

  test.for(calls)('%s', async ([, method, make]) => {
    await client.forgetTrust('nothing is known');
    await client.verifiedGet('nobody');
    const held = holdFirst(proxy, method);
    const made = Promise.allSettled(make(client));
    await held.arrived;
    await client.forgetTrust('on purpose');
    await client.verifiedGet('nobody');
    const known = client.diagnostics.trust['defaultdb']?.cached.headers;
    held.release();
    for (const result of await made) {
      expect(result).toMatchObject({ status: 'rejected' });
      const { code } = (result as PromiseRejectedResult).reason as { code: string };
      expect(['STORE_FAILED', 'OUTCOME_UNKNOWN']).toContain(code);
    }
    expect(client.diagnostics.trust['defaultdb']?.cached.headers).toBe(known);
    expect(Buffer.from((await client.verifiedGet('a'))?.value ?? []).toString()).toBe('value of a');
  });
});
