// Trust is never better than the policy it was got under: what was trusted without a key, by whomever, is used under a
// configured key only once that key has signed it; and no row says of a signature what was not checked.
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DatabaseTrust } from '#dist/client/trust/database-trust.js';
import type { DatabaseTrustOptions } from '#dist/client/trust/database-trust-options.js';
import { ImmuClient, MemoryRootStore, SqliteRootStore, VerificationError } from '#dist/index.js';
import { verifyEvidence } from '#dist/audit.js';
import type { AuditRow, ImmuClientOptions, RootStore } from '#dist/index.js';
import { sha256 } from '#dist/proof/hash.js';
import { checkStateSignature } from '#dist/verify/chain/signature.js';
import { InlineVerifier } from '#dist/worker/inline-verifier.js';
import type { Root } from '#dist/verify/verifier.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { startImmudb } from '../support/immudb.js';
import type { TestImmudb } from '../support/immudb.js';
import { describePrivate } from '../support/real.js';
import { DATABASE, TestChain, signingKey, spki } from '../verify/support/test-chain.js';
import { FakeImmudb, callOf, refusal } from './fake-immudb.js';
import { USER, rejection, rowsOf, temporaryFolder, text } from './support.js';

/** The honest history, and one that parts from it behind tx 20. */
const chain = new TestChain().grow(60);
const forged = new TestChain().grow(20);
forged.set(['parted', '']);
forged.grow(39);

const KEY = { server: 'fake', database: DATABASE };
const FINGERPRINT = sha256(spki);
const publicKey = { spki, fingerprint: FINGERPRINT };
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

interface Asked {
  readonly of?: TestChain;
  readonly signer?: typeof signingKey | undefined;
}

/** Trust as a client would have it, and the server that it asks. */
function client(
  store: RootStore,
  { of = chain, signer }: Asked,
  options: Partial<DatabaseTrustOptions> = {},
) {
  const fake = new FakeImmudb(of);
  fake.key = signer;
  const trust = new DatabaseTrust({
    ...{ rpc: fake, ...KEY, store, verifier: new InlineVerifier(), clientId: 'test' },
    ...{ policy: { policy: 'first-use' }, cacheBytes: 1 << 20, followMs: 0 },
    ...options,
  });
  return {
    trust,
    fake,
    ready: () => trust.ready(callOf()),
    reach: (tx: bigint) => trust.reach(callOf(), tx),
  };
}

/** A store whose head was trusted without a key. */
async function storeOf(asked: Asked): Promise<MemoryRootStore> {
  const store = new MemoryRootStore();
  await client(store, asked).ready();
  return store;
}

/** Every fingerprint stands beside a signature of its key over the row's own root. */
function expectHonest(rows: readonly AuditRow[], known = spki, fingerprint = FINGERPRINT): void {
  for (const row of rows) {
    if (!row.keyFingerprint) continue;
    expect(row.keyFingerprint).toEqual(fingerprint);
    const { database, signature } = row;
    expect(() => checkStateSignature({ database, publicKey: known }, row, signature)).not.toThrow();
  }
}

describe('a head that was trusted without a key, under one', () => {
  test('is used as it is when its row has a signature of that key', async () => {
    const store = await storeOf({ signer: signingKey });
    const [first] = await rowsOf(store);
    expect(first).toMatchObject({ outcome: 'first-use', headerTime: chain.tx(60n).header.ts });
    expect(first?.signature).toBeDefined();
    // Kept as it came: nobody has checked it.
    expect(first?.keyFingerprint).toBeUndefined();
    const { ready, fake } = client(store, {}, { publicKey });
    await ready();
    expect(fake.methods()).toEqual([]);
    expect(await rowsOf(store)).toHaveLength(1);
  });

  test.each([
    ['no signature', undefined],
    ['that of another key', stranger],
  ])(
    'is signed by the server first when its row has %s; the next one finds that in the log',
    async (_name, signer) => {
      const store = await storeOf({ signer });
      const second = client(store, { signer: signingKey }, { publicKey });
      await second.ready();
      expect(second.fake.methods()).toEqual(['VerifiableTxById']);
      const [, row, ...more] = await rowsOf(store);
      expect(more).toEqual([]);
      expect(row).toMatchObject({
        ...{ outcome: 'calls', operation: 'stateSignature', calls: 0, previousTx: 60n },
        ...{ ...chain.root(60n), headerTime: chain.tx(60n).header.ts, keyFingerprint: FINGERPRINT },
      });
      expectHonest([row!]);
      const third = client(store, {}, { publicKey });
      await third.ready();
      expect(third.fake.methods()).toEqual([]);
    },
  );

  test.each([
    ['missing', undefined],
    ['invalid', stranger],
  ])(
    'is not used when the signature is %s: typed, recorded, trust kept, and forgetTrust is the way out',
    async (how, signer) => {
      const store = await storeOf({ of: forged });
      const { ready, trust, fake } = client(store, { of: forged, signer }, { publicKey });
      for (let i = 0; i < 2; i++) {
        const error = await rejection(ready());
        expect(error).toBeInstanceOf(VerificationError);
        expect(error).toMatchObject({
          code: 'VERIFICATION_FAILED',
          evidence: { check: `signature.${how}`, tx: 60n },
        });
        for (const words of ['trusted without the configured key', 'trust is kept', 'forgetTrust']) {
          expect(error.message).toContain(words);
        }
      }
      expect(await store.head(KEY)).toEqual(forged.root(60n));
      const [row] = await rowsOf(store, { outcome: 'failure' });
      expect(row).toMatchObject({ operation: 'firstContact', tx: 60n, previousTx: 60n });
      expect(row?.keyFingerprint).toBeUndefined();
      expect(verifyEvidence(row!.evidence!).outcome).toBe('reproduced');

      await trust.forget(callOf(), 'it was a lie');
      expect(await store.head(KEY)).toBeNull();
      fake.key = signingKey;
      await ready();
      const rows = await rowsOf(store);
      expect(rows.at(-1)).toMatchObject({ outcome: 'first-use', keyFingerprint: FINGERPRINT });
      expectHonest(rows);
    },
  );

  test('that is not what the key has signed is a fork, whose evidence holds', async () => {
    const store = await storeOf({ of: forged });
    const error = await rejection(client(store, { signer: signingKey }, { publicKey }).ready());
    const terms = { expected: hex(forged.root(60n).alh), computed: hex(chain.root(60n).alh) };
    expect(error).toMatchObject({
      code: 'FORK_DETECTED',
      evidence: { check: 'trust.fork', tx: 60n, ...terms },
    });
    expect(error.message).toContain('forgetTrust');
    const [row] = await rowsOf(store, { outcome: 'fork' });
    expect(verifyEvidence(row!.evidence!).outcome).toBe('reproduced');
    expect(await store.head(KEY)).toEqual(forged.root(60n));
  });

  test('that the server does not reach is a rollback; that it keeps back is refused', async () => {
    const store = await storeOf({});
    const short = client(store, { of: new TestChain().grow(50), signer: signingKey }, { publicKey });
    expect(await rejection(short.ready())).toMatchObject({ code: 'SERVER_BEHIND_TRUST' });
    const silent = client(store, { signer: signingKey }, { publicKey });
    silent.fake.intercept = ({ method, answer }) => {
      if (method === 'VerifiableTxById') throw refusal('tx not found', method);
      return answer();
    };
    expect(await rejection(silent.ready())).toMatchObject({
      code: 'VERIFICATION_FAILED',
      evidence: { check: 'trust.unproven-tx', tx: 60n },
    });
    expect(await store.head(KEY)).toEqual(chain.root(60n));
  });

  test('of the empty database needs no signature', async () => {
    const store = await storeOf({ of: new TestChain() });
    const { ready, fake } = client(store, {}, { publicKey });
    await ready();
    expect(fake.methods()).toEqual([]);
  });
});

describe('with a key, what another client of the store has trusted without one', () => {
  test('by being faster at first use is not taken up before it is signed', async () => {
    for (const [of, signer, code] of [
      [forged, undefined, 'VERIFICATION_FAILED'],
      [forged, signingKey, 'FORK_DETECTED'],
      [chain, signingKey, undefined],
    ] as const) {
      const store = new MemoryRootStore();
      const other = client(store, { of });
      // The server of ours shows an older state first, so that the two do not meet at one tx.
      const ours = client(store, { signer: signingKey }, { publicKey });
      ours.fake.intercept = async ({ method, answer }) => {
        if (method === 'CurrentState') {
          ours.fake.state = 40n;
          return answer();
        }
        ours.fake.intercept = (next) => {
          if (next.method === 'VerifiableTxById') ours.fake.key = signer;
          return next.answer();
        };
        await other.ready();
        return answer();
      };
      if (code) expect(await rejection(ours.ready())).toMatchObject({ code });
      else {
        await ours.ready();
        expect(ours.trust.root).toEqual(chain.root(60n));
      }
      expect(await store.head(KEY)).toEqual(of.root(60n));
      expectHonest(await rowsOf(store));
    }
  });

  test('by overtaking is not taken up before it is signed', async () => {
    const store = new MemoryRootStore();
    const start = { policy: { policy: 'pinned', ...chain.root(20n) } } as const;
    const ours = client(store, { signer: signingKey }, { ...start, publicKey });
    await ours.ready();
    const other = client(store, { of: forged }, start);
    await other.reach(40n);
    const error = await rejection(ours.reach(50n));
    expect(error).toMatchObject({ code: 'FORK_DETECTED', evidence: { tx: 40n } });
    // The forger's server serves ours as well, and cannot sign.
    const led = client(store, { of: forged, signer: stranger }, { publicKey });
    expect(await rejection(led.ready())).toMatchObject({ evidence: { check: 'signature.invalid' } });
    expect(ours.trust.root).toEqual(chain.root(20n));
    expectHonest(await rowsOf(store));
  });

  test('by overtaking, and is signed: the row of the next move has a signature that was checked', async () => {
    const store = new MemoryRootStore();
    const start = { policy: { policy: 'pinned', ...chain.root(20n) } } as const;
    const ours = client(store, { signer: signingKey }, { ...start, publicKey });
    await ours.ready();
    await client(store, {}, start).reach(40n);
    await ours.reach(50n);
    const rows = await rowsOf(store, { outcome: 'root' });
    expect(rows.map(({ tx, keyFingerprint }) => [tx, keyFingerprint])).toEqual([
      [40n, undefined],
      [50n, FINGERPRINT],
    ]);
    expectHonest(rows);
  });
});

describe('a pinned root', () => {
  const pinned = (tx: bigint, of = chain) => ({ policy: { policy: 'pinned', ...of.root(tx) } }) as const;

  test('under a key is signed before it is used, and its row says so', async () => {
    const store = new MemoryRootStore();
    await client(store, { signer: signingKey }, { ...pinned(30n), publicKey }).ready();
    const [row, ...more] = await rowsOf(store);
    expect(more).toEqual([]);
    expect(row).toMatchObject({
      ...{ outcome: 'pinned', ...chain.root(30n), headerTime: chain.tx(30n).header.ts },
      keyFingerprint: FINGERPRINT,
    });
    expectHonest([row!]);
  });

  test.each([
    ['not signed', undefined, 'VERIFICATION_FAILED', 'signature.missing'],
    ['signed with another hash', signingKey, 'FORK_DETECTED', 'trust.pinned'],
  ] as const)(
    'under a key that is %s is refused, and nothing is trusted',
    async (_how, signer, code, check) => {
      const store = new MemoryRootStore();
      const { ready } = client(store, { signer }, { ...pinned(30n, forged), publicKey });
      expect(await rejection(ready())).toMatchObject({ code, evidence: { check, tx: 30n } });
      expect(await store.head(KEY)).toBeNull();
      const [row] = await rowsOf(store, { outcome: ['failure', 'fork'] });
      expect(verifyEvidence(row!.evidence!).outcome).toBe('reproduced');
    },
  );

  test('without a key starts trust as it is given: no signature, no header time', async () => {
    const store = new MemoryRootStore();
    const { ready, fake } = client(store, { signer: signingKey }, pinned(30n));
    await ready();
    expect(fake.methods()).toEqual([]);
    const [row, ...more] = await rowsOf(store);
    expect([more, row]).toMatchObject([[], { outcome: 'pinned', headerTime: 0n }]);
    expect(row).not.toHaveProperty('signature');
    expect(row).not.toHaveProperty('keyFingerprint');
  });

  test.each([
    ['older', 30n],
    ['newer', 60n],
  ])(
    'that is %s than a stored head vouches for that under a key only where both are signed',
    async (_which, tx) => {
      const store = new MemoryRootStore();
      await client(store, {}, pinned(40n)).ready();
      const unsigned = client(store, {}, { ...pinned(tx), publicKey });
      expect(await rejection(unsigned.ready())).toMatchObject({ evidence: { check: 'signature.missing' } });
      const signed = client(store, { signer: signingKey }, { ...pinned(tx), publicKey });
      await signed.ready();
      expect(signed.trust.root).toEqual(chain.root(40n));
      const newer = tx > 40n ? tx : 40n;
      const rows = await rowsOf(store, { operation: 'stateSignature' });
      expect(rows).toMatchObject([{ tx: newer, keyFingerprint: FINGERPRINT }]);
      expectHonest(rows);
      // Once is enough.
      await client(store, { signer: signingKey }, { ...pinned(tx), publicKey }).ready();
      expect(await rowsOf(store, { operation: 'stateSignature' })).toHaveLength(1);
    },
  );

  test('at genesis says nothing of a stored head: that is signed like any other', async () => {
    const store = await storeOf({ of: forged });
    const { ready } = client(store, { of: forged }, { ...pinned(0n), publicKey });
    expect(await rejection(ready())).toMatchObject({ evidence: { check: 'signature.missing', tx: 60n } });
  });

  test.each([
    ['older than the head', 30n, 50n],
    ['the head itself', 50n, 50n],
    ['newer than the head', 55n, 50n],
  ])('that is wrong, %s: refused, with both hashes, in the log; the head stays', async (_which, tx, head) => {
    const store = new MemoryRootStore();
    await client(store, {}, pinned(head)).ready();
    const wrong = { tx, alh: chain.root(tx).alh.map((byte) => byte ^ 1) };
    const told: unknown[] = [];
    const { ready } = client(
      store,
      {},
      {
        policy: { policy: 'pinned', ...wrong },
        onFork: (fork) => told.push(fork),
      },
    );
    const error = await rejection(ready());
    expect(error).toBeInstanceOf(VerificationError);
    expect(await store.head(KEY)).toEqual(chain.root(head));
    const terms = { expected: hex(wrong.alh), computed: hex(chain.root(tx).alh) };
    if (tx > head) {
      // What is newer is what proofs have to end in.
      const check = 'dual-proof.target-alh';
      expect(error).toMatchObject({ code: 'FORK_DETECTED', evidence: { check, ...terms } });
      const rows = await rowsOf(store, { outcome: ['fork', 'failure'] });
      expect(rows).toMatchObject([{ outcome: 'fork', ...wrong, evidence: { check, ...terms } }]);
      expect(verifyEvidence(rows[0]!.evidence!).outcome).toBe('reproduced');
      return;
    }
    expect(error).toMatchObject({ code: 'FORK_DETECTED', evidence: { check: 'trust.pinned', tx, ...terms } });
    expect(told).toEqual([error]);
    const [row, ...more] = await rowsOf(store, { outcome: ['fork', 'failure'] });
    expect(more).toEqual([]);
    expect(row).toMatchObject({
      ...{ outcome: 'fork', operation: 'firstContact', ...chain.root(head), previousTx: head, calls: 1 },
      evidence: { check: 'trust.pinned', ...terms },
    });
    expect(verifyEvidence(row!.evidence!).outcome).toBe('reproduced');
  });
});

const keyOf = (ledger: EmbeddedLedger) => ({ serverPublicKey: ledger.publicKeyPem! });

describe('a root that is given later on', () => {
  const given = async (root: Root) => {
    const store = new MemoryRootStore();
    const { trust, fake, ready } = client(store, {}, { policy: { policy: 'pinned', ...chain.root(40n) } });
    await ready();
    fake.methods();
    const outcome = await trust.assertOnHistory(callOf(), root).catch((error: unknown) => error);
    return { outcome, asked: fake.methods(), head: trust.root, store };
  };

  test.each<[string, bigint, string[]]>([
    ['the beginning of all', 0n, []],
    ['the head', 40n, []],
    ['an older one', 30n, ['VerifiableTxById']],
    ['a newer one, up to which the head is moved', 50n, ['VerifiableTxById']],
  ])('on the trusted history is fine: %s', async (_which, tx, methods) => {
    const { outcome, asked, head, store } = await given(chain.root(tx));
    expect([outcome, asked]).toEqual([undefined, methods]);
    expect(head).toEqual(chain.root(tx > 40n ? tx : 40n));
    expect(await store.head(KEY)).toEqual(head);
  });

  test.each<[string, Root]>([
    ['of the tx of the head', forged.root(40n)],
    ['of an older tx', forged.root(30n)],
    ['of an older tx, with the hash of the head', { tx: 30n, alh: chain.root(40n).alh }],
    ['of a newer tx', forged.root(50n)],
  ])('on another history is a fork: %s', async (_which, root) => {
    const { tx, alh } = root;
    const { outcome, head, store } = await given(root);
    const terms = { expected: hex(alh), computed: hex(chain.root(tx).alh) };
    expect(outcome).toMatchObject({
      code: 'FORK_DETECTED',
      evidence: { check: 'trust.given', tx, ...terms },
    });
    const [row] = await rowsOf(store, { outcome: 'fork' });
    expect(row!.evidence).toMatchObject({ check: 'trust.given', ...terms });
    // The server showed what is trusted: that stays.
    expect(head).toEqual(chain.root(tx > 40n ? tx : 40n));
  });
});

describe('a liar without the key, headers kept, and a client with it afterwards', () => {
  const TXS = 30;

  interface Scene {
    readonly ledger: EmbeddedLedger;
    readonly path: string;
    readonly open: (options?: ImmuClientOptions) => ImmuClient;
  }

  async function scene(): Promise<Scene> {
    const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
      type: 'sec1',
      format: 'pem',
    });
    const ledger = await EmbeddedLedger.start({ signingKey: pem.toString() });
    onTestFinished(() => ledger.close());
    const path = join(await temporaryFolder(), 'roots.db');
    const open = (options: ImmuClientOptions = {}) => {
      const made = new ImmuClient({
        ...{ address: ledger.address, store: path, credentials: USER, keepHeaders: true },
        ...options,
      });
      onTestFinished(() => made.close().catch(() => undefined));
      return made;
    };
    await using honest = open({ store: new MemoryRootStore(), keepHeaders: false });
    for (let i = 0; i < TXS; i++) await honest.set(`k${i}`, `v${i}`);
    return { ledger, path, open };
  }

  /** Another history from tx 5 on, that the key has not signed. */
  function lie(ledger: EmbeddedLedger): () => void {
    const told = [
      ledger.lie({ kind: 'fork', at: 5n }),
      ledger.lie({ kind: 'wrong-signature', how: 'other-key' }),
    ];
    return () => told.forEach((each) => each.stop());
  }

  test('every forged read is refused, lone, grouped and together; none is counted', async () => {
    const { ledger, path, open } = await scene();
    const stop = lie(ledger);
    const misled = open();
    const believed = await misled.verifiedGet('k20');
    expect(text(believed?.value)).not.toBe('v20');
    await misled.warm();
    await misled.close();
    expect(misled.diagnostics.trust['defaultdb']?.kept).toMatchObject({ saved: 1, failed: 0 });

    const keyed = open(keyOf(ledger));
    const keys = Array.from({ length: TXS - 5 }, (_, i) => `k${i + 5}`);
    const reads = [
      await rejection(keyed.verifiedGet('k20')),
      ...(await Promise.allSettled(keys.map((key) => keyed.verifiedGet(key)))),
      ...(await Promise.allSettled(keys.map((key) => keyed.verifiedGetAll([key, 'k1'])))),
      await rejection(keyed.verifiedGetAll(keys)),
    ];
    expect(reads).toHaveLength(2 * keys.length + 2);
    for (const read of reads) {
      const error = 'status' in read ? (read as PromiseRejectedResult).reason : read;
      expect(error).toBeInstanceOf(VerificationError);
      expect(error).toMatchObject({ code: 'VERIFICATION_FAILED', evidence: { check: 'signature.invalid' } });
    }
    // The truth, signed: what is stored is not it.
    stop();
    expect(await rejection(keyed.verifiedGet('k20'))).toMatchObject({ code: 'FORK_DETECTED' });
    await keyed.forgetTrust('a liar was trusted');
    expect((await keyed.verifiedGetAll(keys)).map((entry) => text(entry?.value))).toEqual(
      keys.map((key) => key.replace('k', 'v')),
    );
    await keyed.close();
    await using store = await SqliteRootStore.open(path);
    const rows = await rowsOf(store);
    const counted = rows.filter(({ outcome, calls }) => outcome === 'calls' && calls > 0);
    expect(counted.length).toBeGreaterThan(0);
    for (const { keyFingerprint } of counted) expect(keyFingerprint).toBeUndefined();
    // The store says itself that the new start has another hash for tx 31 than the liar's had: it is signed.
    expect(rows.filter(({ keyFingerprint }) => keyFingerprint).map(({ outcome }) => outcome)).toEqual([
      'fork',
      'first-use',
    ]);
    const der = createPublicKey(ledger.publicKeyPem!).export({ type: 'spki', format: 'der' });
    expectHonest(rows, new Uint8Array(der), sha256(der));
    expect(await store.audit.verify()).toMatchObject({ ok: true });
  });

  test('an honest history that was kept without the key is of use under it: nothing is asked twice', async () => {
    const { ledger, path, open } = await scene();
    const first = open();
    await first.verifiedGet('k1');
    await first.warm();
    await first.close();
    const called: string[] = [];
    ledger.lie({ kind: 'mutate', mutate: (_answer, { method }) => void called.push(method) });
    const keyed = open(keyOf(ledger));
    expect(text((await keyed.verifiedGetAll(['k7', 'k20']))[0]?.value)).toBe('v7');
    await keyed.close();
    expect(called.filter((method) => /Tx|Verifiable/.test(method))).toEqual([]);
    expect(keyed.diagnostics.trust['defaultdb']?.kept).toMatchObject({ loaded: 1, refused: 0, failed: 0 });
    await using store = await SqliteRootStore.open(path);
    for (const { keyFingerprint } of await rowsOf(store)) expect(keyFingerprint).toBeUndefined();
  });

  test('headers that a liar had kept under a true head are held against it', async () => {
    const { ledger, path, open } = await scene();
    const first = open({ keepHeaders: false });
    await first.verifiedGet('k1');
    await first.close();
    // The head is true. From here on the liar shows another history, and signs nothing with the key.
    const stop = lie(ledger);
    const misled = open();
    for (const call of [() => misled.warm(), () => misled.verifiedGetAll(['k7', 'k20'])]) {
      expect(await rejection(call())).toBeInstanceOf(VerificationError);
    }
    await misled.close();
    const keyed = open(keyOf(ledger));
    expect(await rejection(keyed.verifiedGetAll(['k7', 'k20']))).toBeInstanceOf(VerificationError);
    await keyed.close();
    stop();
    const last = open(keyOf(ledger));
    expect(text((await last.verifiedGetAll(['k20']))[0]?.value)).toBe('v20');
    await last.close();
    await using store = await SqliteRootStore.open(path);
    expect(await store.audit.verify()).toMatchObject({ ok: true });
  });
});

describePrivate('an immudb that signs its states', () => {
  const clientOf = (server: TestImmudb, store: RootStore, options: ImmuClientOptions = {}) => {
    const made = new ImmuClient({
      address: server.address,
      store,
      credentials: USER,
      keepAliveMs: 0,
      ...options,
    });
    onTestFinished(() => made.close().catch(() => undefined));
    return made;
  };
  test('first use, a pinned root, moves and counts: rows have what was checked, and no more', async () => {
    await using server = await startImmudb({ signing: true });
    const pem = server.publicKeyPem!;
    const der = new Uint8Array(createPublicKey(pem).export({ type: 'spki', format: 'der' }));
    const fingerprint = sha256(der);
    await using writer = clientOf(server, new MemoryRootStore());
    const { tx, alh, timestamp } = await writer.verifiedSet('a', '1');
    for (const more of [{}, { trust: { policy: 'pinned', tx, alh } as const }]) {
      const store = new MemoryRootStore();
      const client = clientOf(server, store, { serverPublicKey: pem, ...more });
      expect(text((await client.verifiedGet('a'))?.value)).toBe('1');
      await Promise.all(['b', 'c', 'd'].map((key) => client.verifiedSet(key, '1')));
      await client.verifiedGetAll(['b', 'c']);
      await client.close();
      const rows = await rowsOf(store);
      const heads = rows.filter(({ outcome }) => outcome !== 'calls');
      expect(heads[0]).toMatchObject({ outcome: 'trust' in more ? 'pinned' : 'first-use' });
      if ('trust' in more) expect(heads[0]).toMatchObject({ tx, headerTime: timestamp });
      for (const row of heads) {
        expect(row).toMatchObject({ keyFingerprint: fingerprint });
        expect(row.headerTime).toBeGreaterThan(0n);
      }
      expect(rows.length).toBeGreaterThan(heads.length);
      for (const row of rows) if (row.outcome === 'calls') expect(row.keyFingerprint).toBeUndefined();
      expectHonest(rows, der, fingerprint);
    }
  });

  test('signs a head that was trusted without the key, from its row or on being asked', async () => {
    await using server = await startImmudb({ signing: true });
    const store = new MemoryRootStore();
    const unkeyed = clientOf(server, store);
    await unkeyed.verifiedSet('a', '1');
    const { server: uuid } = (await store.audit.latest())!;
    // A pinned root has no signature of its own.
    const { tx, alh } = (await store.head({ server: uuid, database: 'defaultdb' }))!;
    const pinned = new MemoryRootStore();
    const given = clientOf(server, pinned, { trust: { policy: 'pinned', tx, alh } });
    await given.verifiedGet('a');
    for (const [kept, signed] of [
      [store, 0],
      [pinned, 1],
    ] as const) {
      const keyed = clientOf(server, kept, { serverPublicKey: server.publicKeyPem! });
      expect(text((await keyed.verifiedGet('a'))?.value)).toBe('1');
      expect(await rowsOf(kept, { operation: 'stateSignature' })).toHaveLength(signed);
    }
    await using other = await startImmudb({ signing: true });
    const wrong = clientOf(server, store, { serverPublicKey: other.publicKeyPem! });
    const error = await rejection(wrong.verifiedGet('a'));
    expect(error).toMatchObject({ code: 'VERIFICATION_FAILED', evidence: { check: 'signature.invalid' } });
    expect(error.message).toContain('serverPublicKey');
  });
});
