// Figures, gaps, and the databases of a log.
import { describe, expect, it } from 'vitest';
import type { RootStore, StatsQuery } from '#dist/store/root-store.js';
import { KEY, alh, climb, entry, event, refusal } from '../../store/support.js';
import type { OpenStore } from './open-store.js';

const HOUR = 3_600_000;
const T0 = 1_700_000_000_000 - (1_700_000_000_000 % (24 * HOUR));
const root = (tx: bigint, salt = 0) => ({ tx, alh: alh(tx, salt) });

function hex(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

export function figures(open: OpenStore): void {
  describe('stats', () => {
    async function filled(): Promise<RootStore> {
      const store = await open();
      let head: ReturnType<typeof root> | null = null;
      for (let tx = 1n; tx <= 30n; tx++) {
        const fields = { verifiedAt: T0 + Number(tx) * HOUR + 5, durationMs: Number(tx), calls: 2 };
        await store.advance(head, entry(tx, fields));
        head = root(tx);
      }
      await store.record(event(5n, { outcome: 'failure', verifiedAt: T0 + 2 * HOUR, durationMs: 0.25 }));
      await store.record(event(5n, { outcome: 'fork', verifiedAt: T0 + 2 * HOUR + 7, operation: 'other' }));
      await store.record(event(5n, { database: 'other', verifiedAt: -1, calls: 0, durationMs: 1e300 }));
      return store;
    }

    it('are sums per hour, day and in all', async () => {
      const store = await filled();
      const hours = await store.audit.stats({ bucket: 'hour', database: 'defaultdb' });
      expect(hours).toHaveLength(30);
      expect(hours[1]).toEqual({
        from: T0 + 2 * HOUR,
        rows: 3,
        calls: 4,
        roots: 1,
        failures: { failure: 1, fork: 1, rollback: 0, 'identity-change': 0 },
        tx: { first: 2n, last: 2n },
        durationMs: { mean: (2 + 0.25 + 1.5) / 3, max: 2 },
      });
      const days = await store.audit.stats({ bucket: 'day' });
      expect(days.map(({ from, rows, roots }) => [from, rows, roots])).toEqual([
        [-24 * HOUR, 1, 0],
        [T0, 25, 23],
        [T0 + 24 * HOUR, 7, 7],
      ]);
      expect(days[0]).toMatchObject({ tx: null, calls: 0, durationMs: { max: 2 ** 40 / 1000 } });
      const [all, ...none] = await store.audit.stats();
      expect(none).toEqual([]);
      expect(all).toMatchObject({ from: -HOUR, rows: 33, roots: 30, tx: { first: 1n, last: 30n } });
    });

    it('count what the query asks for, to the millisecond', async () => {
      const store = await filled();
      const queries: [StatsQuery, number][] = [
        [{ timeRange: { from: T0 + 2 * HOUR, to: T0 + 2 * HOUR } }, 1],
        [{ timeRange: { from: T0 + 2 * HOUR + 5, to: T0 + 2 * HOUR + 6 } }, 1],
        [{ timeRange: { from: T0 + 2 * HOUR + 6, to: T0 + 5 * HOUR + 4 } }, 3],
        [{ timeRange: { from: T0 + 2 * HOUR + 6, to: T0 + 5 * HOUR + 5 } }, 4],
        [{ timeRange: { to: T0 } }, 1],
        [{ timeRange: { from: T0 } }, 32],
        [{ timeRange: { from: T0 + 9, to: T0 } }, 0],
        [{ txRange: { from: 5n, to: 6n } }, 5],
        [{ txRange: { from: 5n, to: 6n }, timeRange: { from: T0 + 3 * HOUR } }, 2],
        [{ operation: 'other' }, 1],
        [{ outcome: ['fork', 'failure'] }, 2],
        [{ database: 'nowhere' }, 0],
      ];
      for (const [query, count] of queries) {
        for (const bucket of ['hour', 'all'] as const) {
          const found = await store.audit.stats({ ...query, bucket });
          expect(
            found.reduce((sum, bucketOf) => sum + bucketOf.rows, 0),
            JSON.stringify(found, hex),
          ).toBe(count);
        }
      }
      expect(await refusal(store.audit.stats({ bucket: 'week' as never }))).toMatchObject({
        argument: 'bucket',
      });
      expect(await refusal(store.audit.stats({ txRange: 5n } as never))).toMatchObject({
        argument: 'txRange',
      });
    });
  });

  describe('gaps', () => {
    it('are none in an ordinary log', async () => {
      const store = await open();
      await climb(store, 0, 5);
      await store.record(event(5n, { verifiedAt: entry(1n).verifiedAt - 900 }));
      expect(await store.audit.gaps()).toEqual([]);
    });

    it('are told by kind, in order, for the databases asked for', async () => {
      const store = await open();
      const other = { ...KEY, database: 'other' };
      const t = (minutes: number) => ({ verifiedAt: T0 + minutes * 60_000 });
      await store.advance(null, entry(3n, { outcome: 'first-use', previousTx: null, ...t(0) }));
      await store.advance(null, entry(8n, { ...other, outcome: 'pinned', previousTx: 4n, ...t(1) }));
      await store.advance(root(3n), entry(5n, { previousTx: 4n, ...t(2) }));
      await store.forget(entry(5n, { outcome: 'forget', ...t(3) }));
      await store.record(event(5n, t(1)));
      await store.advance(null, entry(2n, { outcome: 'first-use', previousTx: null, ...t(90) }));
      await store.forget(entry(2n, { outcome: 'forget', ...t(91) }));
      const expected = [
        { kind: 'break', ...other, seq: 2n, loggedTx: null, previousTx: 4n },
        { kind: 'break', ...KEY, seq: 3n, loggedTx: 3n, previousTx: 4n },
        { kind: 'forgotten', ...KEY, seq: 4n, resumedAt: 6n },
        { kind: 'clock', ...KEY, seq: 5n, backMs: 120_000 },
        { kind: 'silence', ...KEY, seq: 6n, silentMs: 87 * 60_000 },
        { kind: 'forgotten', ...KEY, seq: 7n, resumedAt: null },
      ];
      expect(await store.audit.gaps({ silenceMs: 600_000 })).toEqual(expected);
      expect(await store.audit.gaps()).toEqual(expected.filter(({ kind }) => kind !== 'silence'));
      expect(await store.audit.gaps(other)).toEqual(expected.slice(0, 1));
      expect(await store.audit.gaps({ limit: 3 })).toEqual(expected.slice(0, 3));
      expect(await store.audit.gaps({ after: 4n, clockToleranceMs: 120_000 })).toEqual(expected.slice(5));
      for (const [argument, value] of [
        ['limit', 0],
        ['after', 1],
        ['silenceMs', -1],
        ['clockToleranceMs', 'x'],
        ['server', 5],
      ] as const) {
        expect(await refusal(store.audit.gaps({ [argument]: value }))).toMatchObject({ argument });
      }
    });
  });

  describe('the databases of the log', () => {
    it('have their rows, their roots and their heads, in order of their names', async () => {
      const store = await open();
      expect(await store.audit.databases()).toEqual([]);
      await store.bindIdentity('a:1', KEY.server);
      await climb(store, 0, 3);
      await store.record(event(3n, { operation: 'verifiedGet' }));
      await store.record(event(900n, { outcome: 'failure' }));
      const [a, b] = [{ database: 'a' }, { server: 'server-0', database: 'z' }];
      await store.advance(null, entry(70n, { ...a, outcome: 'first-use' }));
      await store.forget(entry(70n, { ...a, outcome: 'forget' }));
      await store.record(event(0n, { ...b, outcome: 'failure' }));
      await store.record(event(0n, { database: '', outcome: 'identity-change' }));
      const { server, database } = KEY;
      expect(await store.audit.databases()).toEqual([
        { ...b, rows: 1, tx: null, head: null },
        { server, ...a, rows: 2, tx: { first: 70n, last: 70n }, head: null },
        { server, database, rows: 5, tx: { first: 1n, last: 3n }, head: root(3n) },
      ]);
    });
  });
}
