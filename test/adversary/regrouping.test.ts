// A group that was refused is asked apart; later reads find back into groups.
import { expect, onTestFinished, test } from 'vitest';
import { status } from '@grpc/grpc-js';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { Proxy, passOn } from './proxy.js';

test('one refused group does not end grouping for ever', async () => {
  await using ledger = await EmbeddedLedger.start();
  await using proxy = await Proxy.start(ledger.address);
  const client = new ImmuClient({
    address: proxy.address,
    store: new MemoryRootStore(),
    credentials: { user: 'immudb', password: 'immudb' },
  });
  onTestFinished(() => client.close());
  await client.verifiedSetAll({ a: '1', b: '2' });

  proxy.intercept = ({ method, forward }) => {
    if (method !== 'GetAll') return forward();
    proxy.intercept = passOn;
    const refusal = Object.assign(new Error(), { code: status.UNKNOWN, details: 'max key length exceeded' });
    return Promise.reject(refusal);
  };
  const pair = async () => {
    const entries = await Promise.all([client.verifiedGet('a'), client.verifiedGet('b')]);
    return entries.map((entry) => Buffer.from(entry?.value ?? []).toString());
  };
  expect(await pair()).toEqual(['1', '2']);
  const before = client.diagnostics.groups['defaultdb']?.reads.groups ?? 0;
  expect(before).toBe(1);
  for (let i = 0; i < 40; i++) expect(await pair()).toEqual(['1', '2']);
  expect(client.diagnostics.groups['defaultdb']?.reads.groups).toBeGreaterThan(before);
});
