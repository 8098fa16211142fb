// The client against a ledger that lies: whatever lie is told, a verified call refuses it with a typed error, trust
// stays, and all is well again when the lie stops.
import { describe, expect, it } from 'vitest';
import { ImmuClient, MemoryRootStore, VerificationError } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import type { Lie } from '#dist/testing.js';

const credentials = { user: 'immudb', password: 'immudb' };

async function opened(options: { signing?: boolean } = {}) {
  const { generateKeyPairSync } = await import('node:crypto');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signingKey = privateKey.export({ type: 'sec1', format: 'pem' }).toString();
  const ledger = await EmbeddedLedger.start(options.signing ? { signingKey } : {});
  const key = ledger.publicKeyPem;
  const client = new ImmuClient({
    address: ledger.address,
    store: new MemoryRootStore(),
    credentials,
    ...(options.signing && key !== undefined && { serverPublicKey: key }),
  });
  for (let i = 1; i <= 8; i++) await client.verifiedSet(`k${i}`, `v${i}`);
  return {
    ledger,
    client,
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await ledger.close();
    },
  };
}

const read = (client: ImmuClient) => client.verifiedGet('k3');
const write = (client: ImmuClient) => client.verifiedSet('new', 'value');

const LIES: [name: string, lie: Lie, call: (client: ImmuClient) => Promise<unknown>, code: string][] = [
  ['a fork behind the head, reading', { kind: 'fork', at: 2n }, read, 'VERIFICATION_FAILED'],
  ['a fork behind the head, writing', { kind: 'fork', at: 2n }, write, 'VERIFICATION_FAILED'],
  ['a rollback, reading', { kind: 'rollback', to: 4n }, read, 'SERVER_BEHIND_TRUST'],
  ['a rollback, writing', { kind: 'rollback', to: 4n }, write, 'SERVER_BEHIND_TRUST'],
  ['another value', { kind: 'swap-value' }, read, 'VERIFICATION_FAILED'],
  ['an entry left out', { kind: 'drop-entry', index: 0 }, read, 'VERIFICATION_FAILED'],
  ['an entry added to a write', { kind: 'add-entry', adjustCount: true }, write, 'VERIFICATION_FAILED'],
  [
    'other metadata',
    { kind: 'change-metadata', of: 'entry', metadata: { nonIndexable: true } },
    read,
    'VERIFICATION_FAILED',
  ],
  ['another leaf in the tree', { kind: 'substitute-leaf', leaf: 'tree' }, read, 'VERIFICATION_FAILED'],
  ['another link in the chain', { kind: 'substitute-leaf', leaf: 'chain' }, write, 'VERIFICATION_FAILED'],
  [
    'a consistency proof cut short',
    { kind: 'truncate-proof', proof: 'consistency' },
    read,
    'VERIFICATION_FAILED',
  ],
  [
    'a last-inclusion proof extended',
    { kind: 'extend-proof', proof: 'last-inclusion' },
    write,
    'VERIFICATION_FAILED',
  ],
  ['another identity', { kind: 'other-identity' }, read, 'IDENTITY_CHANGED'],
];

describe('a client of a lying ledger', () => {
  it.for(LIES)('refuses %s', async ([, lie, call, code]) => {
    await using stage = await opened();
    const { ledger, client } = stage;
    const trusted = await client.audit.latest();
    const handle = ledger.lie(lie);
    const error: unknown = await call(client).then(
      () => 'accepted',
      (error: unknown) => error,
    );
    expect(handle.told).toBeGreaterThan(0);
    handle.stop();
    expect(error).toBeInstanceOf(VerificationError);
    expect((error as VerificationError).code).toBe(code);
    expect((await client.audit.latest())?.hash).toEqual(trusted?.hash);
    expect(Buffer.from((await client.verifiedGet('k3'))?.value ?? []).toString()).toBe('v3');
  });

  it.for(['flipped', 'missing', 'other-key', 'other-database', 'other-tx'] as const)(
    'refuses a signature that is %s',
    async (how) => {
      await using stage = await opened({ signing: true });
      const handle = stage.ledger.lie({ kind: 'wrong-signature', how });
      await expect(write(stage.client)).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' });
      expect(handle.told).toBeGreaterThan(0);
    },
  );

  it('refuses a write that is answered with an earlier one', async () => {
    await using stage = await opened();
    const handle = stage.ledger.lie({ kind: 'replay', methods: ['VerifiableSet'] });
    await stage.client.verifiedSet('same', 'value');
    await expect(stage.client.verifiedSet('same', 'value')).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
    });
    expect(handle.told).toBeGreaterThan(0);
  });

  it('refuses a history tree that differs from the chain, whichever way it is met', async () => {
    await using stage = await opened();
    const { ledger, client } = stage;
    ledger.lie({ kind: 'diverging-tree', tx: 10n });
    const results = [];
    for (let i = 9; i <= 14; i++)
      results.push(
        await client.verifiedSet(`k${i}`, `v${i}`).then(
          () => i,
          () => 0,
        ),
      );
    expect(results.filter((i) => i > 10)).toEqual([]);
    const shown = await client.verifiedGet('k10').then(
      (entry) => Buffer.from(entry?.value ?? []).toString(),
      (error: unknown) => error,
    );
    if (shown !== 'v10') expect(shown).toBeInstanceOf(VerificationError);
  });

  it('accepts an honest lag of the tree, and refuses a dishonest one', async () => {
    await using honest = await opened();
    honest.ledger.lie({ kind: 'lag', transactions: 2 });
    await honest.client.verifiedSet('lagging', '1');
    expect(Buffer.from((await honest.client.verifiedGet('lagging'))?.value ?? []).toString()).toBe('1');

    await using dishonest = await opened();
    dishonest.ledger.lie({ kind: 'lag', transactions: 2, honest: false });
    const results = [];
    for (let i = 0; i < 6; i++)
      results.push(
        await dishonest.client.verifiedSet(`d${i}`, 'v').then(
          () => true,
          (error: unknown) => error,
        ),
      );
    const refused = results.filter((result) => result !== true);
    expect(refused.length).toBeGreaterThan(0);
    for (const error of refused) expect(error).toBeInstanceOf(VerificationError);
  });
});
