// Checkpoints: bytes that are none, and those that a store's file keeps.
import { generateKeyPairSync } from 'node:crypto';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MemoryRootStore, SqliteRootStore } from '#dist/index.js';
import { checkpointBytes, parseCheckpoint, verifyCheckpoint } from '#dist/audit.js';
import { openSqlite } from '#dist/sqlite/open.js';
import { filled } from '../contract/store/checkpoints.js';
import { alh, climb, closing, edit, entry, event, folder, newStore, refusal } from './support.js';

const ed25519 = generateKeyPairSync('ed25519');
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
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
    const before = openSqlite(rewritten);
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
