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
  ['a fork behind the head, reading', { kind: 'fork', at: 2n }, read, 'FORK_DETECTED'],
  ['a fork behind the head, writing', { kind: 'fork', at: 2n }, write, 'FORK_DETECTED'],
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

// Calls in flight share requests, and are proven by headers, blocks and entries that are kept. Every lie that could reach
// them is told to such calls, to a client that knows nothing yet and to one that knows all there is.
const READ = ['k1', 'k3', 'k5', 'bulk2', 'bulk9', 'later0', 'absent'];
const BULK = 20;

async function prepared(options: { signing?: boolean } = {}) {
  const stage = await opened(options);
  const { client } = stage;
  await client.verifiedSetAll(Array.from({ length: BULK }, (_, i) => [`bulk${i}`, `v${i}`] as const));
  for (let i = 0; i < 30; i++) await client.set(`later${i}`, `v${i}`);
  return stage;
}

/** Nothing is known but a head. */
async function forgetAll(client: ImmuClient): Promise<void> {
  await client.forgetTrust('to begin anew');
  await client.verifiedGet('absent');
}

/** What each was told, or its error. */
async function inFlight(client: ImmuClient, keys: readonly string[] = READ): Promise<unknown[]> {
  const settled = await Promise.allSettled(keys.map((key) => client.verifiedGet(key)));
  return settled.map((result) => {
    if (result.status === 'rejected') return result.reason as unknown;
    return result.value ? Buffer.from(result.value.value).toString() : null;
  });
}

const writeTogether = (client: ImmuClient) =>
  Promise.allSettled(['w1', 'w2', 'w3'].map((key) => client.verifiedSet(key, 'value')));

type Tells = 'reads' | 'writes';
const IN_FLIGHT: [name: string, lie: Lie, told: Tells, states: ('cold' | 'warm')[]][] = [
  ['a fork', { kind: 'fork', at: 2n }, 'reads', ['cold']],
  ['a fork', { kind: 'fork', at: 2n }, 'writes', ['cold', 'warm']],
  ['a fork, of the headers', { kind: 'fork', at: 2n, methods: ['TxScan'] }, 'reads', ['cold']],
  ['a fork, of the proofs', { kind: 'fork', at: 2n, methods: ['VerifiableTxById'] }, 'reads', ['cold']],
  ['a fork, of the values', { kind: 'fork', at: 2n, methods: ['GetAll'] }, 'reads', ['cold', 'warm']],
  ['a rollback', { kind: 'rollback', to: 4n }, 'reads', ['cold']],
  ['a rollback', { kind: 'rollback', to: 4n }, 'writes', ['cold', 'warm']],
  ['other values', { kind: 'swap-value', methods: ['GetAll'] }, 'reads', ['cold', 'warm']],
  [
    'other metadata',
    { kind: 'change-metadata', of: 'entry', metadata: { nonIndexable: true }, methods: ['GetAll'] },
    'reads',
    ['cold', 'warm'],
  ],
  [
    'other metadata of transactions',
    { kind: 'change-metadata', of: 'header', extra: new Uint8Array([1]) },
    'reads',
    ['cold'],
  ],
  ['an entry left out of transactions', { kind: 'drop-entry', methods: ['TxScan'] }, 'reads', ['cold']],
  [
    'an entry added to transactions',
    { kind: 'add-entry', adjustCount: true, methods: ['TxScan'] },
    'reads',
    ['cold'],
  ],
  [
    'another leaf in the tree',
    { kind: 'substitute-leaf', leaf: 'tree', methods: ['VerifiableTxById'] },
    'reads',
    ['cold'],
  ],
  [
    'a last-inclusion proof cut short',
    { kind: 'truncate-proof', proof: 'last-inclusion', methods: ['VerifiableTxById'] },
    'reads',
    ['cold'],
  ],
  ['a replayed answer', { kind: 'replay', methods: ['Set'] }, 'writes', ['cold']],
  ['a gap in the headers', { kind: 'tx-scan', how: 'gap' }, 'reads', ['cold']],
  ['a header twice', { kind: 'tx-scan', how: 'repeat' }, 'reads', ['cold']],
  ['other headers than asked for', { kind: 'tx-scan', how: 'shift' }, 'reads', ['cold']],
  ['headers turned round', { kind: 'tx-scan', how: 'reverse' }, 'reads', ['cold']],
  ['headers that end early', { kind: 'tx-scan', how: 'short' }, 'reads', ['cold']],
];

describe('calls in flight with a lying ledger', () => {
  const cases = IN_FLIGHT.flatMap(([name, lie, told, states]) =>
    states.map((state) => [`${state} ${told}: ${name}`, lie, told, state] as const),
  );

  it.for(cases)('%s', async ([, lie, told, state]) => {
    await using stage = await prepared();
    const { ledger, client } = stage;
    await forgetAll(client);
    const honest = await inFlight(client);
    if (state === 'cold') await forgetAll(client);
    if (lie.kind === 'replay') await writeTogether(client);
    const handle = ledger.lie(lie);
    if (lie.kind === 'replay') await writeTogether(client);
    if (told === 'reads') {
      const outcomes = await inFlight(client);
      const refused = outcomes.filter((outcome) => outcome instanceof Error);
      expect(refused.length).toBeGreaterThan(0);
      for (const error of refused) expect(error).toBeInstanceOf(VerificationError);
      outcomes.forEach((outcome, i) => {
        if (!(outcome instanceof Error) && outcome !== null) expect(outcome).toBe(honest[i]);
      });
    } else {
      for (const result of await writeTogether(client)) {
        expect(result).toMatchObject({ status: 'rejected' });
        expect((result as PromiseRejectedResult).reason).toBeInstanceOf(VerificationError);
      }
    }
    expect(handle.told).toBeGreaterThan(0);
    handle.stop();
    // What was refused was not kept: the truth is told by the same client, which still has its trust.
    expect(await inFlight(client)).toEqual(honest);
  });

  it('writes and reads ahead of the head, headers changed on the way to them', async () => {
    for (const how of ['gap', 'repeat', 'shift', 'reverse', 'short'] as const) {
      await using stage = await prepared();
      const { ledger, client } = stage;
      for (const key of ['new1', 'new2', 'new3']) await client.set(key, 'by another');
      const handle = ledger.lie({ kind: 'tx-scan', how });
      const outcomes = await inFlight(client, ['new1', 'new3']);
      expect(handle.told, how).toBeGreaterThan(0);
      expect(outcomes.filter((outcome) => outcome instanceof VerificationError).length, how).toBeGreaterThan(
        0,
      );
      for (const outcome of outcomes)
        if (!(outcome instanceof VerificationError)) expect(outcome, how).toBe('by another');
      handle.stop();
      expect(await inFlight(client, ['new1', 'new3'])).toEqual(['by another', 'by another']);
    }
  });

  it.for([1, 2, 8])(
    'a history tree that differs from the chain, %i at a time: never both',
    async (atOnce) => {
      await using stage = await prepared();
      const { ledger, client } = stage;
      const head = (await client.currentState()).tx;
      const tx = head + 3n;
      ledger.lie({ kind: 'diverging-tree', tx });
      // By another writer, so that the client has to find its way to and past the transaction by itself.
      const plain = new ImmuClient({ address: ledger.address, store: new MemoryRootStore(), credentials });
      for (let i = 1; i <= 12; i++) await plain.set(`t${i}`, `v${i}`);
      await plain.close();
      const shown = new Set<string>();
      const errors: unknown[] = [];
      for (let round = 0; round < 3; round++) {
        if (round === 2) await forgetAll(client).catch((error: unknown) => errors.push(error));
        for (let i = 1; i <= 12; i += atOnce) {
          const keys = Array.from({ length: atOnce }, (_, j) => `t${((i + j - 1) % 12) + 1}`);
          const told = await inFlight(client, [...keys, 't3']);
          for (const outcome of told) if (outcome instanceof Error) errors.push(outcome);
          const [of3] = told.slice(-1);
          if (typeof of3 === 'string') shown.add(of3);
        }
      }
      // The transaction that differs is shown in one of its two forms at most.
      expect([...shown].length).toBeLessThanOrEqual(1);
      expect(errors.length).toBeGreaterThan(0);
      for (const error of errors) expect(error).toBeInstanceOf(VerificationError);
    },
  );

  it('a lag of the tree, even an honest one, is told right or refused as a lag', async () => {
    await using stage = await opened();
    const { ledger, client } = stage;
    ledger.lie({ kind: 'lag', transactions: 2 });
    for (const key of ['l1', 'l2', 'l3', 'l4']) await client.set(key, 'lagging');
    for (const outcome of await inFlight(client, ['l1', 'l3', 'l4'])) {
      if (outcome === 'lagging') continue;
      expect(outcome).toBeInstanceOf(VerificationError);
      expect((outcome as VerificationError).evidence.check).toMatch(/lag/);
    }
    // One by one, each is answered with a proof that shows the lag to be an honest one.
    expect(Buffer.from((await client.verifiedGet('l2'))?.value ?? []).toString()).toBe('lagging');
  });

  it('a signature that is not right ends writes and reads ahead of the head', async () => {
    for (const how of ['flipped', 'missing', 'other-key', 'other-database', 'other-tx'] as const) {
      await using stage = await prepared({ signing: true });
      const { ledger, client } = stage;
      await client.set('ahead1', 'by another');
      await client.set('ahead2', 'by another');
      const handle = ledger.lie({ kind: 'wrong-signature', how });
      const told = await inFlight(client, ['ahead1', 'ahead2']);
      for (const outcome of told) expect(outcome, how).toBeInstanceOf(VerificationError);
      for (const result of await writeTogether(client)) {
        expect(result).toMatchObject({ status: 'rejected', reason: { code: 'VERIFICATION_FAILED' } });
      }
      expect(handle.told).toBeGreaterThan(0);
    }
  });
});
