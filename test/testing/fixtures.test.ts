// The ledger for test runners: as fixtures of vitest, and around all tests of a file.
import { after, before } from 'node:test';
import { test as base, afterAll, beforeAll, describe, expect, expectTypeOf } from 'vitest';
import type { ImmuClient } from '#dist/index.js';
import { ArgumentError, VerificationError } from '#dist/index.js';
import type { EmbeddedLedger } from '#dist/testing.js';
import { ledgerFixture, ledgerHooks } from '#dist/testing.js';

describe('ledgerFixture', () => {
  const test = base.extend(
    ledgerFixture({ ledger: { adminPassword: 'Other-7-pw' }, client: { timeoutMs: 5000 } }),
  );
  const seen: { ledger: EmbeddedLedger; client: ImmuClient }[] = [];

  test.for([1, 2])('%i: each test has its own, empty', async (_, { ledger, client }) => {
    expectTypeOf(ledger).toEqualTypeOf<EmbeddedLedger>();
    expectTypeOf(client).toEqualTypeOf<ImmuClient>();
    expect(await client.verifiedGet('k')).toBeNull();
    await client.verifiedSet('k', 'v');
    seen.push({ ledger, client });
  });

  test('both are gone when their test has ended', async () => {
    expect(seen.length).toBe(2);
    expect(seen[0]?.ledger.address).not.toBe(seen[1]?.ledger.address);
    for (const { client } of seen)
      await expect(client.verifiedGet('k')).rejects.toMatchObject({ code: 'CLOSED' });
  });

  test('a ledger that lies', async ({ ledger, client }) => {
    await client.verifiedSet('balance', '100');
    ledger.lie({ kind: 'swap-value' });
    await expect(client.verifiedGet('balance')).rejects.toThrow(VerificationError);
  });
});

describe('ledgerHooks', () => {
  const server = ledgerHooks({ beforeAll, afterAll });

  base('one for all tests', async () => {
    expect(server.address).toBe(server.ledger.address);
    await server.client.verifiedSet('k', 'v');
  });
  base('the next one sees what was written', async () => {
    expect((await server.client.verifiedGet('k'))?.text()).toBe('v');
  });
});

describe('whatever the runner', () => {
  base('it begins and ends with its hooks, and has nothing outside them', async () => {
    const hooks: Record<string, () => Promise<void>> = {};
    const keep = (name: string) => (run: () => Promise<void>) => (hooks[name] = run);
    const server = ledgerHooks({ beforeAll: keep('begin'), afterAll: keep('end') });
    const use = () => server.client;
    expect(use).toThrow(ArgumentError);
    await hooks['begin']!();
    const { client, address } = server;
    expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
    await client.verifiedSet('k', 'v');
    await hooks['end']!();
    expect(use).toThrow('between beforeAll and afterAll');
    await expect(client.verifiedGet('k')).rejects.toMatchObject({ code: 'CLOSED' });
    await hooks['end']!();
  });

  base('those of node:test fit', () => {
    expectTypeOf(ledgerHooks).toBeCallableWith({ beforeAll: before, afterAll: after });
  });

  base('a client that cannot be leaves no ledger behind', async () => {
    let begin = () => Promise.resolve();
    const hooks = { beforeAll: (run: () => Promise<void>) => (begin = run), afterAll: () => undefined };
    ledgerHooks(hooks, { client: { timeoutMs: -1 } });
    await expect(begin()).rejects.toThrow(ArgumentError);
  });

  base.for([
    [() => ledgerHooks(undefined as never), 'hooks.beforeAll must be'],
    [() => ledgerHooks({ beforeAll } as never), 'hooks.afterAll must be'],
    [() => ledgerHooks({ beforeAll, afterAll }, { clients: {} } as never), 'options has no "clients"'],
    [() => ledgerFixture(null as never), 'options must be an object'],
    [() => ledgerFixture({ ledgr: {} } as never), 'did you mean ledger?'],
  ] as const)('%#: what is wrong is said before anything is started', ([make, words]) => {
    expect(make).toThrow(ArgumentError);
    expect(make).toThrow(words);
  });
});
