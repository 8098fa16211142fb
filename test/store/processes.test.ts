// Several processes and one store: killed at any moment, racing for one head, making the store at once.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KEY, child, folder, newStore, rows } from './support.js';

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
});
