// Several processes and one store: killed at any moment, racing for one head, making the store at once.
import { stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KEY, child, event, folder, newStore, refusal, rows } from './support.js';
import { SqliteRootStore } from '#dist/store/sqlite/sqlite-root-store.js';

describe('a process that is killed', () => {
  it('loses nothing that was acknowledged, and leaves a valid chain', async () => {
    const path = join(await folder(), 'roots.db');
    const acknowledged = new Set<string>();
    let top = 0n;
    for (const [round, lines] of [5, 40, 17, 90].entries()) {
      const writer = child('writer.mjs', path, String(round));
      await writer.printed(lines);
      writer.process.kill('SIGKILL');
      expect(await writer.gone).toEqual({ code: null, signal: 'SIGKILL' });
      for (const line of writer.lines) {
        const [, kind, what] = /^(head|event) (\S+)$/.exec(line) ?? [];
        // The last line may be cut off.
        if (kind === 'head' && BigInt(what!) > top) top = BigInt(what!);
        else if (kind === 'event') acknowledged.add(what!);
      }
      const store = await newStore(path);
      const head = await store.head(KEY);
      expect(head!.tx).toBeGreaterThanOrEqual(top);
      expect(await store.audit.verify()).toMatchObject({ ok: true });
      const log = await rows(store);
      const written = new Set(log.map(({ detail }) => detail));
      expect([...acknowledged].filter((detail) => !written.has(detail))).toEqual([]);
      const moves = log.filter(({ outcome }) => outcome === 'root').map(({ tx }) => tx);
      expect(moves).toEqual(moves.map((_, i) => BigInt(i + 1)));
      expect(head?.tx).toBe(moves.at(-1));
      await store.close();
    }
    expect(acknowledged.size).toBeGreaterThan(0);
    expect(top).toBeGreaterThan(0n);
  });
});

describe('two processes', () => {
  it('move one head up, one move at a time, in a store that both would make', async () => {
    const MOVES = 60;
    const path = join(await folder(), 'sub', 'roots.db');
    const racers = ['a', 'b'].map((name) => child('racer.mjs', path, name, String(MOVES)));
    await Promise.all(racers.map((racer) => racer.printed(1)));
    for (const racer of racers) racer.process.stdin.write('go\n');
    for (const racer of racers) expect(await racer.gone).toEqual({ code: 0, signal: null });

    const store = await newStore(path);
    const log = await rows(store);
    expect(log.map(({ tx }) => tx)).toEqual(Array.from({ length: 2 * MOVES }, (_, i) => BigInt(i + 1)));
    expect(log.map(({ previousTx }) => previousTx)).toEqual([null, ...log.slice(0, -1).map(({ tx }) => tx)]);
    for (const name of ['a', 'b']) {
      expect(log.filter(({ clientId }) => clientId === name)).toHaveLength(MOVES);
    }
    expect((await store.head(KEY))?.tx).toBe(BigInt(2 * MOVES));
    expect(await store.audit.verify()).toMatchObject({ ok: true, rows: BigInt(2 * MOVES) });
  });

  it('with two histories: one history is kept, the other is reported and logged', async () => {
    const MOVES = 20;
    const path = join(await folder(), 'roots.db');
    const racers = ['a', 'b'].map((name, salt) =>
      child('racer.mjs', path, name, String(MOVES), String(salt)),
    );
    await Promise.all(racers.map((racer) => racer.printed(1)));
    for (const racer of racers) racer.process.stdin.write('go\n');
    for (const racer of racers) expect(await racer.gone).toEqual({ code: 0, signal: null });
    const told = racers.map(
      ({ lines }) => JSON.parse(lines[1] ?? '{}') as { lost: number; conflicts: number },
    );
    const store = await newStore(path);
    const moves = await rows(store, { outcome: 'root' });
    expect(moves.map(({ tx }) => tx)).toEqual(Array.from({ length: 2 * MOVES }, (_, i) => BigInt(i + 1)));
    const forks = await rows(store, { outcome: 'fork' });
    // Who lost offered another hash for the tx that the other had moved to: each time, whoever it was.
    const lost = told.reduce((sum, racer) => sum + racer.lost, 0);
    expect(told.reduce((sum, racer) => sum + racer.conflicts, 0)).toBe(lost);
    expect(forks).toHaveLength(lost);
    for (const fork of forks) {
      const move = moves.find(({ tx }) => tx === fork.tx);
      expect(move?.alh).not.toEqual(fork.alh);
      expect(fork.detail).toContain(`row ${move!.seq.toString()}`);
    }
    expect(await store.audit.verify()).toMatchObject({ ok: true });
  });
});

describe('a write-ahead log that was cut off', () => {
  it('leaves a log that holds by itself, and is found by a checkpoint from before', async () => {
    const path = join(await folder(), 'roots.db');
    const writer = child('writer.mjs', path, '0');
    await writer.printed(5);
    writer.process.kill('SIGKILL');
    await writer.gone;
    const reader = await newStore(path);
    await reader.record(event(1n));
    const made = await reader.audit.checkpoint();
    // Killed too, as it were: closing in order would move the log into the file.
    const dead = child('copier.mjs', path, `${path}.copy`);
    expect(await dead.gone).toEqual({ code: 0, signal: null });
    const wal = `${path}.copy-wal`;
    await truncate(wal, Math.floor((await stat(wal)).size / 2));
    const store = await newStore(`${path}.copy`);
    expect(await store.audit.verify()).toMatchObject({ ok: true });
    const verdict = await store.audit.verify({ checkpoint: made });
    expect(verdict).toMatchObject({ ok: false });
    expect(verdict.ok ? '' : verdict.finding).toContain('missing');
    await store.record(event(1n));
  });

  it('is refused when it is no such log at all, or what is left of the file is', async () => {
    const path = join(await folder(), 'roots.db');
    const writer = child('writer.mjs', path, '0');
    await writer.printed(5);
    writer.process.kill('SIGKILL');
    await writer.gone;
    // The tables are in the file, rows only in the log: without a file there is no store.
    await truncate(path, 0);
    expect(await refusal(SqliteRootStore.open(path))).toMatchObject({ code: 'STORE_DAMAGED' });
  });
});
