// Callers that give up while their answer is on its way: told so at once, whatever kind of call it was.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import type { CallOptions } from '#dist/index.js';
import { Proxy, passOn } from './proxy.js';

describe('an abort while the answer is on its way', () => {
  let ledger: EmbeddedLedger;
  let proxy: Proxy;
  let client: ImmuClient;

  beforeEach(async () => {
    ledger = await EmbeddedLedger.start();
    proxy = await Proxy.start(ledger.address);
    const credentials = { user: 'immudb', password: 'immudb' };
    client = new ImmuClient({ address: proxy.address, store: new MemoryRootStore(), credentials });
    await client.verifiedSetAll({ a: '1', b: '2' });
  });
  afterEach(async () => {
    await client.close();
    await proxy.close();
    await ledger.close();
  });

  const calls: [string, (client: ImmuClient, options: CallOptions) => Promise<unknown>][] = [
    ['verifiedGet', (client, options) => client.verifiedGet('a', options)],
    ['verifiedGetAll', (client, options) => client.verifiedGetAll(['a', 'b'], options)],
    ['verifiedSet', (client, options) => client.verifiedSet('c', '3', options)],
    ['verifiedSetAll', (client, options) => client.verifiedSetAll({ d: '4', e: '5' }, options)],
    ['getAll', (client, options) => client.getAll(['a', 'b'], options)],
  ];

  test.for(calls)('%s', async ([, call]) => {
    let arrive = () => {};
    let release = () => {};
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    const released = new Promise<void>((resolve) => (release = resolve));
    proxy.intercept = async ({ forward }) => {
      arrive();
      await released;
      return forward();
    };
    const controller = new AbortController();
    const outcome = call(client, { signal: controller.signal }).then(
      () => 'resolved',
      (error: unknown) => error,
    );
    await arrived;
    controller.abort();
    expect(await outcome).toMatchObject({ code: 'ABORTED' });
    proxy.intercept = passOn;
    release();
    expect(Buffer.from((await client.verifiedGet('b'))?.value ?? []).toString()).toBe('2');
  });
});
