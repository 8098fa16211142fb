// Checkpoints: their bytes as documented, their signatures, and what verify finds by them.
import { createHash, generateKeyPairSync, verify } from 'node:crypto';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { MemoryRootStore, SqliteRootStore } from '#dist/index.js';
import { checkpointBytes, checkpointHash, parseCheckpoint, verifyCheckpoint } from '#dist/audit.js';
import type { Checkpoint, RootStore } from '#dist/index.js';
import { KEY, alh, climb, closing, edit, entry, event, folder, newStore, refusal } from './support.js';

const ed25519 = generateKeyPairSync('ed25519');
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const stores: Record<string, () => Promise<RootStore>> = {
  MemoryRootStore: () => Promise.resolve(closing(new MemoryRootStore())),
  SqliteRootStore: () => newStore(),
};

const number = (bytes: number, value: number | bigint) =>
  Buffer.from(
    BigInt(value)
      .toString(16)
      .padStart(2 * bytes, '0'),
    'hex',
  );
const text = (value: string) => Buffer.concat([number(4, Buffer.byteLength(value)), Buffer.from(value)]);

/** The documented form, written down a second time. */
function expectedBytes({ storeId, seq, hash, time, heads, identities }: Checkpoint): Buffer {
  return Buffer.concat([
    Buffer.from('immu-ts checkpoint'),
    number(1, 1),
    storeId,
    number(8, seq),
    hash,
    number(8, time),
    number(4, heads.length),
    ...heads.flatMap(({ server, database, tx, alh }) => [text(server), text(database), number(8, tx), alh]),
    number(4, identities.length),
    ...identities.flatMap(({ address, server }) => [text(address), text(server)]),
  ]);
}

async function filled(store: RootStore): Promise<RootStore> {
  await store.bindIdentity('b:1', 'server-1');
  await store.bindIdentity('a:1', 'sérvér 🗄');
  await climb(store, 0, 3);
  await store.advance(null, entry(7n, { database: 'another' }));
  await store.advance(null, entry(8n, { database: 'forgotten' }));
  await store.forget(entry(8n, { database: 'forgotten', outcome: 'forget' }));
  return store;
}

describe.each(Object.entries(stores))('a checkpoint of %s', (_name, open) => {
  it('commits to the newest row, the heads and the identities, in the documented bytes', async () => {
    const store = await filled(await open());
    const made = await store.audit.checkpoint();
    expect(made).toMatchObject({
      seq: 8n,
      hash: (await store.audit.row(8n))?.hash,
      heads: [
        { server: KEY.server, database: 'another', tx: 7n, alh: alh(7n) },
        { ...KEY, tx: 3n, alh: alh(3n) },
      ],
      identities: [
        { address: 'a:1', server: 'sérvér 🗄' },
        { address: 'b:1', server: 'server-1' },
      ],
    });
    expect(Buffer.from(checkpointBytes(made))).toEqual(expectedBytes(made));
    const hash = createHash('sha256').update(expectedBytes(made)).digest();
    expect(Buffer.from(checkpointHash(made))).toEqual(hash);
    expect(parseCheckpoint(checkpointBytes(made))).toEqual(made);
    expect(made).not.toHaveProperty('signature');
    expect(await store.audit.checkpoints()).toEqual([made]);
  });

  it('can be of a log without rows', async () => {
    const store = await open();
    const made = await store.audit.checkpoint();
    expect(made).toMatchObject({ seq: 0n, heads: [], identities: [] });
    expect(await store.audit.verify({ checkpoint: made })).toMatchObject({ ok: true, checkpoints: 1 });
    await climb(store, 0, 2);
    expect(await store.audit.verify({ checkpoint: made })).toMatchObject({ ok: true, rows: 2n });
  });

  it.each([
    ['Ed25519', ed25519],
    ['ECDSA P-256', p256],
  ])('is signed by %s, verified offline, and by others than us', async (_kind, { privateKey, publicKey }) => {
    const store = await filled(await open());
    const made = await store.audit.checkpoint({ key: privateKey });
    expect(verifyCheckpoint(made, publicKey)).toEqual({ ok: true });
    const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
    const digest = publicKey.asymmetricKeyType === 'ec' ? 'sha256' : null;
    expect(verify(digest, checkpointBytes(made), pem, made.signature!)).toBe(true);
    expect(await store.audit.checkpoints()).toEqual([made]);
    // As it comes back from wherever its bytes and signature were kept.
    const { signature, keyFingerprint } = made;
    const kept = parseCheckpoint(checkpointBytes(made), {
      signature: signature!,
      keyFingerprint: keyFingerprint!,
    });
    expect(verifyCheckpoint(kept, pem)).toEqual({ ok: true });
    const privatePem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    expect(verifyCheckpoint(await store.audit.checkpoint({ key: privatePem }), publicKey).ok).toBe(true);
  });

  it('is not verified when anything in it was edited', async () => {
    const store = await filled(await open());
    const made = await store.audit.checkpoint({ key: p256.privateKey });
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const edits: Partial<Checkpoint>[] = [
      { storeId: new Uint8Array(16) },
      { seq: 7n },
      { hash: new Uint8Array(32) },
      { time: made.time + 1 },
      { heads: made.heads.slice(1) },
      { heads: made.heads.map((head) => ({ ...head, tx: head.tx + 1n })) },
      { heads: made.heads.map((head) => ({ ...head, alh: new Uint8Array(32) })) },
      { identities: [] },
      { identities: made.identities.map(({ address }) => ({ address, server: 'mine' })) },
      { signature: made.signature!.map((byte, i) => (i === 40 ? byte ^ 1 : byte)) },
      { signature: new Uint8Array(0) },
      { keyFingerprint: new Uint8Array(32) },
    ];
    for (const change of edits) {
      const verdict = verifyCheckpoint({ ...made, ...change }, p256.publicKey);
      expect(verdict, Object.keys(change).join()).toMatchObject({ ok: false });
    }
    const unsigned = parseCheckpoint(checkpointBytes(made));
    expect(verifyCheckpoint(unsigned, p256.publicKey)).toMatchObject({ ok: false });
    expect(verifyCheckpoint(made, other.publicKey)).toMatchObject({ ok: false });
    expect(verifyCheckpoint(made, ed25519.publicKey)).toMatchObject({ ok: false });
  });

  it('is held against the log, whatever came later', async () => {
    const store = await filled(await open());
    const made = await store.audit.checkpoint();
    expect(await store.audit.verify({ checkpoint: made })).toMatchObject({ ok: true, checkpoints: 1 });
    await store.advance({ tx: 3n, alh: alh(3n) }, entry(4n));
    expect(await store.audit.verify({ checkpoint: made })).toMatchObject({ ok: true });
    const edits: Partial<Checkpoint>[] = [
      { hash: new Uint8Array(32) },
      { seq: 3n },
      { seq: 99n },
      { storeId: new Uint8Array(16) },
      { heads: [] },
      { identities: [] },
      { heads: made.heads.map((head) => ({ ...head, alh: new Uint8Array(32) })) },
    ];
    for (const change of edits) {
      const verdict = await store.audit.verify({ checkpoint: { ...made, ...change } });
      expect(verdict, Object.keys(change).join()).toMatchObject({ ok: false });
      expect(verdict.ok ? '' : verdict.finding).not.toBe('');
    }
  });

  it('refuses keys and checkpoints that are none', async () => {
    const store = await open();
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    for (const key of [rsa.privateKey, ed25519.publicKey, 'no pem', 5]) {
      expect(await refusal(store.audit.checkpoint({ key: key as never }))).toMatchObject({ argument: 'key' });
    }
    const made = await store.audit.checkpoint({ key: ed25519.privateKey });
    for (const key of [rsa.publicKey, 'no pem', null]) {
      expect(() => verifyCheckpoint(made, key as never)).toThrow(/publicKey/);
    }
    expect(() => checkpointBytes({ ...made, hash: new Uint8Array(3) })).toThrow(/checkpoint\.hash/);
    expect(() => checkpointBytes({ ...made, heads: [null] as never })).toThrow(/checkpoint\.heads/);
    const wrong = store.audit.verify({ checkpoint: { ...made, seq: 1 as never } });
    expect(await refusal(wrong)).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await refusal(store.audit.checkpoints({ limit: -1 }))).toMatchObject({ argument: 'limit' });
  });
});

describe('bytes of a checkpoint', () => {
  it('are refused when they are not whole, or anything else', async () => {
    const bytes = checkpointBytes(await (await filled(new MemoryRootStore())).audit.checkpoint());
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => parseCheckpoint(bytes.subarray(0, length)), String(length)).toThrow(
        /bytes are not a checkpoint/,
      );
    }
    expect(() => parseCheckpoint(new Uint8Array([...bytes, 0]))).toThrow(/behind the end/);
    expect(() => parseCheckpoint(bytes.map((byte, i) => (i === 18 ? 2 : byte)))).toThrow(/version is 2/);
    expect(() => parseCheckpoint('bytes' as never)).toThrow(/bytes/);
  });
});

describe('checkpoints in a store file', () => {
  it('find rows that were rewritten together with the chain behind them', async () => {
    const honest = await newStore();
    await climb(honest, 0, 20);
    const made = await honest.audit.checkpoint();
    await climb(honest, 20, 25);
    await honest.close();
    // Somebody makes the store anew under its id, with one row changed: a chain that holds by itself.
    const rewritten = join(await folder(), 'roots.db');
    await copyFile(honest.path, rewritten);
    const before = new Database(rewritten);
    for (const table of ['audit', 'head', 'hour', 'zone', 'checkpoint']) before.exec(`DELETE FROM ${table}`);
    before.exec('UPDATE store SET rows = 0');
    before.close();
    const store = await newStore(rewritten);
    for (let tx = 1n; tx <= 25n; tx++) {
      const expected = tx === 1n ? null : { tx: tx - 1n, alh: alh(tx - 1n) };
      await store.advance(expected, entry(tx, tx === 9n ? { detail: 'changed' } : {}));
    }
    expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 25n });
    const verdict = await store.audit.verify({ checkpoint: made });
    expect(verdict).toMatchObject({ ok: false, seq: 20n });
    expect(verdict.ok ? '' : verdict.finding).toContain('changed');
  });

  it('are held against the chain by every verify, so that an edited one is found', async () => {
    const original = await newStore();
    await climb(original, 0, 10);
    await original.audit.checkpoint({ key: ed25519.privateKey });
    await climb(original, 10, 12);
    await original.close();
    const path = join(await folder(), 'roots.db');
    for (const change of [
      "UPDATE checkpoint SET bytes = x'00'",
      'UPDATE checkpoint SET seq = 9',
      'UPDATE checkpoint SET seq = 99',
      // A byte of the head's alh, the last of the bytes but the four of a count.
      "UPDATE checkpoint SET bytes = CAST(substr(bytes, 1, length(bytes) - 5) || x'ee' || substr(bytes, -4) AS BLOB)",
    ]) {
      await copyFile(original.path, path);
      edit(path, change);
      const store = await newStore(path);
      expect(await store.audit.verify(), change).toMatchObject({ ok: false });
      await store.close();
    }
  });

  it('are taken by themselves every so many rows, in the commit of the row', async () => {
    const path = join(await folder(), 'roots.db');
    const checkpoints = { everyRows: 10, key: p256.privateKey };
    const store = closing(await SqliteRootStore.open(path, { checkpoints }));
    await climb(store, 0, 35);
    expect(store.diagnostics.commits).toBe(35);
    const kept = await store.audit.checkpoints();
    expect(kept.map(({ seq }) => seq)).toEqual([10n, 20n, 30n]);
    for (const made of kept) expect(verifyCheckpoint(made, p256.publicKey)).toEqual({ ok: true });
    expect((await store.audit.checkpoints({ after: 10n, limit: 1 })).map(({ seq }) => seq)).toEqual([20n]);
    expect(await store.audit.verify()).toMatchObject({ ok: true, checkpoints: 3 });
    // Rows of one commit share one.
    await Promise.all(Array.from({ length: 30 }, (_, i) => store.record(event(BigInt(i)))));
    expect((await store.audit.checkpoints()).map(({ seq }) => seq)).toEqual([10n, 20n, 30n, 65n]);
  });

  it('are taken by themselves after so long, whatever the clock did', async () => {
    const path = join(await folder(), 'roots.db');
    const store = closing(await SqliteRootStore.open(path, { checkpoints: { everyMs: 86_400_000 } }));
    await climb(store, 0, 3);
    expect((await store.audit.checkpoints()).map(({ seq }) => seq)).toEqual([1n]);
    for (const [seq, time] of [
      [4n, 0],
      [5n, Date.now() + 7 * 86_400_000],
    ] as const) {
      edit(path, 'UPDATE checkpoint SET time = ?', time);
      await store.record(event(seq));
      expect((await store.audit.checkpoints()).at(-1)?.seq).toBe(seq);
    }
  });

  it.each([
    ['checkpoints', {}],
    ['checkpoints', 'daily'],
    ['checkpoints.everyRows', { everyRows: 0 }],
    ['checkpoints.everyMs', { everyMs: 1.5 }],
    ['key', { everyRows: 5, key: 'no pem' }],
  ])('refuses a bad schedule: %s', async (argument, checkpoints) => {
    const path = join(await folder(), 'roots.db');
    const error = await refusal(SqliteRootStore.open(path, { checkpoints: checkpoints as never }));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', argument });
  });
});
