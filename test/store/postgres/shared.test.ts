// One schema and several processes: one chain, one head, nothing lost.
import { expect, it } from 'vitest';
import { PostgresRootStore } from '#dist/store/postgres/postgres-root-store.js';
import { describePostgres, sharedPostgres } from '../../support/postgres.js';
import { KEY, alh, child, closing, entry, event, rows } from '../support.js';
import { newPostgresStore } from './support.js';

/** A store that is not made yet, by its URL. */
async function newUrl(): Promise<string> {
  const server = await sharedPostgres();
  return `${server.url()}?schema=${server.newSchema()}`;
}

describePostgres('processes that share a schema', () => {
  it('move one head up, one move at a time, in a store that all would make', async () => {
    const MOVES = 25;
    const url = await newUrl();
    const names = ['a', 'b', 'c'];
    const racers = names.map((name) => child('racer.mjs', url, name, String(MOVES)));
    await Promise.all(racers.map((racer) => racer.printed(1)));
    for (const racer of racers) racer.process.stdin.write('go\n');
    for (const racer of racers) expect(await racer.gone).toEqual({ code: 0, signal: null });
    const store = closing(await PostgresRootStore.open(url, { create: 'never' }));
    const log = await rows(store);
    const all = names.length * MOVES;
    expect(log.map(({ tx }) => tx)).toEqual(Array.from({ length: all }, (_, i) => BigInt(i + 1)));
    expect(log.map(({ previousTx }) => previousTx)).toEqual([null, ...log.slice(0, -1).map(({ tx }) => tx)]);
    for (const name of names) expect(log.filter(({ clientId }) => clientId === name)).toHaveLength(MOVES);
    expect((await store.head(KEY))?.tx).toBe(BigInt(all));
    expect(await store.audit.verify()).toMatchObject({ ok: true, rows: BigInt(all) });
  });

  it('with two histories: one history is kept, the other is reported and logged', async () => {
    const MOVES = 15;
    const url = await newUrl();
    const racers = ['a', 'b'].map((name, salt) => child('racer.mjs', url, name, String(MOVES), String(salt)));
    await Promise.all(racers.map((racer) => racer.printed(1)));
    for (const racer of racers) racer.process.stdin.write('go\n');
    for (const racer of racers) expect(await racer.gone).toEqual({ code: 0, signal: null });
    const told = racers.map(
      ({ lines }) => JSON.parse(lines[1] ?? '{}') as { lost: number; conflicts: number },
    );
    const store = closing(await PostgresRootStore.open(url));
    const moves = await rows(store, { outcome: 'root' });
    expect(moves.map(({ tx }) => tx)).toEqual(Array.from({ length: 2 * MOVES }, (_, i) => BigInt(i + 1)));
    const lost = told.reduce((sum, racer) => sum + racer.lost, 0);
    expect(told.reduce((sum, racer) => sum + racer.conflicts, 0)).toBe(lost);
    expect(await rows(store, { outcome: 'fork' })).toHaveLength(lost);
    expect(await store.audit.verify()).toMatchObject({ ok: true });
  });

  it('see each other: heads, rows, names, hints', async () => {
    const url = await newUrl();
    const [one, other] = [
      closing(await PostgresRootStore.open(url)),
      closing(await PostgresRootStore.open(url)),
    ];
    expect(other.storeId).toBe(one.storeId);
    let hints = 0;
    const hinted = new Promise<void>((resolve) => {
      void other.onRows(() => {
        hints += 1;
        resolve();
      });
    });
    await one.advance(null, entry(1n));
    expect(await other.head(KEY)).toEqual({ tx: 1n, alh: alh(1n) });
    expect(await other.advance(null, entry(2n))).toEqual({ moved: false, current: { tx: 1n, alh: alh(1n) } });
    await other.record(event(1n, { operation: 'elsewhere', clientId: 'other' }));
    expect(await rows(one, { operation: 'elsewhere' })).toMatchObject([{ seq: 2n, clientId: 'other' }]);
    await one.record(event(1n));
    await hinted;
    expect(hints).toBeGreaterThan(0);
    expect(await other.audit.verify()).toMatchObject({ ok: true, rows: 3n });
  });

  it('are forgotten when they have written nothing for 90 days, and write on all the same', async () => {
    const server = await sharedPostgres();
    const schema = server.newSchema();
    const open = () => newPostgresStore({ schema });
    const writers = async () => (await server.sql(`SELECT id FROM ${schema}.writer`)).length;
    const [idle, late] = [await open(), await open()];
    for (const store of [idle, late]) await store.record(event(1n));
    expect(await writers()).toBe(2);
    await server.sql(`UPDATE ${schema}.writer SET at = now() - interval '89 days'`);
    await (await open()).record(event(1n));
    expect(await writers()).toBe(3);
    await server.sql(`UPDATE ${schema}.writer SET at = now() - interval '91 days'`);
    const newest = await open();
    await newest.record(event(1n));
    expect(await writers()).toBe(1);
    for (const store of [idle, late, newest]) await store.record(event(1n));
    expect(await writers()).toBe(3);
    expect(await newest.audit.verify()).toMatchObject({ ok: true, rows: 7n });
  });

  it('that is killed loses nothing that was acknowledged', async () => {
    const url = await newUrl();
    const acknowledged = new Set<string>();
    for (const [round, lines] of [4, 60].entries()) {
      const writer = child('writer.mjs', url, String(round));
      await writer.printed(lines);
      writer.process.kill('SIGKILL');
      await writer.gone;
      for (const line of writer.lines) {
        const [, what] = /^event (\S+)$/.exec(line) ?? [];
        if (what !== undefined) acknowledged.add(what);
      }
    }
    const store = closing(await PostgresRootStore.open(url));
    const written = new Set((await rows(store)).map(({ detail }) => detail));
    expect([...acknowledged].filter((detail) => !written.has(detail))).toEqual([]);
    expect(acknowledged.size).toBeGreaterThan(0);
    expect(await store.audit.verify()).toMatchObject({ ok: true });
  });
});
