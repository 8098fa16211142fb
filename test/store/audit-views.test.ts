// One suite over both stores: single rows, figures, gaps, and roots that contradict the log.
import { describe, expect, it } from 'vitest';
import { verifyEvidence } from '#dist/audit.js';
import { MemoryRootStore } from '#dist/store/memory/memory-root-store.js';
import type { RootStore, StatsQuery } from '#dist/store/root-store.js';
import { KEY, alh, climb, closing, entry, event, newStore, refusal, rows } from './support.js';

const stores: Record<string, () => Promise<RootStore>> = {
  MemoryRootStore: () => Promise.resolve(closing(new MemoryRootStore())),
  SqliteRootStore: () => newStore(),
};
const HOUR = 3_600_000;
const T0 = 1_700_000_000_000 - (1_700_000_000_000 % (24 * HOUR));
const root = (tx: bigint, salt = 0) => ({ tx, alh: alh(tx, salt) });

describe.each(Object.entries(stores))('%s', (_name, open) => {
  describe('rows', () => {
    it('are found by seq, with their evidence and apart from it', async () => {
      const store = await open();
      const evidence = { check: 'c', job: new Uint8Array([1, 2]) };
      await climb(store, 0, 1);
      await store.record(event(1n, { outcome: 'failure', evidence }));
      expect(await store.audit.row(1n)).toMatchObject(entry(1n));
      expect((await store.audit.row(2n))?.evidence).toEqual(evidence);
      expect(await store.audit.evidence(2n)).toEqual(evidence);
      expect(await store.audit.evidence(1n)).toBeNull();
      for (const seq of [0n, 3n, 2n ** 63n - 1n]) {
        expect(await store.audit.row(seq)).toBeNull();
        expect(await store.audit.evidence(seq)).toBeNull();
      }
      expect(await refusal(store.audit.row(1 as never))).toMatchObject({ argument: 'seq' });
    });

    it('continue a live tail behind the last one seen', async () => {
      const store = await open();
      await climb(store, 0, 3);
      const seen = await rows(store);
      await climb(store, 3, 5);
      const more = await rows(store, { after: seen.at(-1)!.seq });
      expect(more.map(({ tx }) => tx)).toEqual([4n, 5n]);
      expect(await rows(store, { after: more.at(-1)!.seq })).toEqual([]);
    });
  });

  describe('rootAt', () => {
    it('is the newest root at or below a tx, since trust was last forgotten', async () => {
      const store = await open();
      await store.advance(null, entry(3n, { outcome: 'first-use' }));
      await store.advance(root(3n), entry(9n));
      await store.record(event(9n));
      await store.record(event(7n, { outcome: 'failure' }));
      await store.advance(null, entry(20n, { database: 'other' }));
      const at = async (tx: bigint, filter = {}) => (await store.audit.rootAt(tx, filter))?.tx ?? null;
      expect(await at(2n)).toBeNull();
      expect(await at(3n, KEY)).toBe(3n);
      expect(await at(8n, KEY)).toBe(3n);
      expect(await at(9n, KEY)).toBe(9n);
      expect(await at(2n ** 63n - 1n, KEY)).toBe(9n);
      expect(await at(100n)).toBe(20n);
      expect(await at(100n, { database: 'nowhere' })).toBeNull();
      await store.forget(entry(9n, { outcome: 'forget' }));
      expect(await at(100n, KEY)).toBeNull();
      await store.advance(null, entry(4n, { outcome: 'first-use' }));
      expect(await at(100n, KEY)).toBe(4n);
      expect(await at(3n, KEY)).toBeNull();
      expect(await refusal(store.audit.rootAt(-1n))).toMatchObject({ argument: 'tx' });
    });
  });

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

  describe('a root that contradicts the log', () => {
    const forks = (store: RootStore) => rows(store, { outcome: 'fork' });

    it('is reported to whoever comes second, and logged once', async () => {
      const store = await open();
      await climb(store, 0, 2);
      await store.advance(root(2n), entry(3n, { clientId: 'first' }));
      const who = { operation: 'verifiedSet', clientId: 'first', verifiedAt: entry(3n).verifiedAt };
      const conflict = { seq: 3n, ...root(3n), ...who, forgotten: false };
      for (let again = 0; again < 2; again++) {
        const offered = entry(3n, { alh: alh(3n, 1), clientId: 'second' });
        expect(await store.advance(root(2n), offered)).toEqual({ moved: false, current: root(3n), conflict });
      }
      expect(await forks(store)).toMatchObject([{ tx: 3n, alh: alh(3n, 1), clientId: 'second' }]);
      const [fork] = await forks(store);
      for (const words of ['row 3', 'verifiedSet of second', 'verifiedSet of first', '2023-11-14T'])
        expect(fork?.detail).toContain(words);
      const [expected, computed] = [alh(3n), alh(3n, 1)].map((hash) => Buffer.from(hash).toString('hex'));
      expect(fork?.evidence).toEqual({ check: 'log.fork', expected, computed, job: new Uint8Array(0) });
      expect(verifyEvidence(fork!.evidence!)).toMatchObject({ outcome: 'no-answer' });
      // From a head that was never this log's.
      const outcome = await store.advance(root(2n, 7), entry(4n));
      expect(outcome).toMatchObject({ moved: false, conflict: { ...root(2n), seq: 2n } });
      expect(await forks(store)).toHaveLength(2);
      expect(await store.head(KEY)).toEqual(root(3n));
      expect(await store.audit.verify()).toMatchObject({ ok: true });
    });

    it('is no matter of two honest movers', async () => {
      const store = await open();
      await climb(store, 0, 3);
      expect(await store.advance(root(2n), entry(3n))).toEqual({ moved: false, current: root(3n) });
      expect(await store.advance(root(1n), entry(2n))).toEqual({ moved: false, current: root(3n) });
      await store.record(event(2n));
      expect(await forks(store)).toEqual([]);
    });

    it('is reported across forgotten trust, once for each new start', async () => {
      const store = await open();
      await climb(store, 0, 3);
      await store.forget(entry(3n, { outcome: 'forget' }));
      const conflict = { seq: 1n, ...root(1n), forgotten: true };
      const first = entry(1n, { outcome: 'first-use', alh: alh(1n, 5) });
      expect(await store.advance(null, first)).toMatchObject({ moved: true, conflict });
      const second = await store.advance(root(1n, 5), entry(2n, { alh: alh(2n, 5) }));
      expect(second).toMatchObject({ moved: true, conflict: { seq: 2n, forgotten: true } });
      expect(await forks(store)).toHaveLength(1);
      expect(await store.head(KEY)).toEqual(root(2n, 5));
      await store.forget(entry(2n, { outcome: 'forget', alh: alh(2n, 5) }));
      expect(await store.advance(null, entry(2n, { outcome: 'first-use' }))).toMatchObject({
        moved: true,
        conflict: { ...root(2n, 5), forgotten: true },
      });
      expect(await forks(store)).toHaveLength(2);
      expect(await store.advance(root(2n), entry(4n))).toEqual({ moved: true });
      expect(await store.audit.verify()).toMatchObject({ ok: true });
    });

    it('is reported when calls rest on it', async () => {
      const store = await open();
      await climb(store, 0, 2);
      for (let again = 0; again < 2; again++) {
        const outcome = await store.record(event(2n, { alh: alh(2n, 9) }));
        expect(outcome).toMatchObject({ conflict: { seq: 2n, ...root(2n), forgotten: false } });
      }
      expect(await store.record(event(2n))).toEqual({});
      await store.record(event(0n, { outcome: 'failure', alh: new Uint8Array(32) }));
      expect(await forks(store)).toMatchObject([{ tx: 2n, alh: alh(2n, 9), operation: 'verifiedSet' }]);
    });

    it('can be asked about', async () => {
      const store = await open();
      await climb(store, 0, 2);
      expect(await store.audit.conflict({ ...KEY, ...root(2n) })).toBeNull();
      expect(await store.audit.conflict({ ...KEY, ...root(5n) })).toBeNull();
      expect(await store.audit.conflict({ ...KEY, database: 'other', ...root(2n, 1) })).toBeNull();
      const found = await store.audit.conflict({ ...KEY, ...root(2n, 1) });
      expect(found).toMatchObject({ seq: 2n, ...root(2n), clientId: 'client-1', forgotten: false });
      const bad = store.audit.conflict({ ...KEY, tx: 1n, alh: new Uint8Array(3) });
      expect(await refusal(bad)).toMatchObject({ argument: 'alh' });
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

  describe('identities', () => {
    it('have their rows in the chain', async () => {
      const store = await open();
      await store.bindIdentity('a:1', 'one');
      await store.bindIdentity('a:1', 'two');
      await store.rebindIdentity('a:1', 'two');
      const bound = await rows(store, { outcome: 'identity' });
      expect(bound.map(({ server, detail, operation }) => [server, detail, operation])).toEqual([
        ['one', 'a:1', 'bindIdentity'],
        ['two', 'a:1', 'rebindIdentity'],
      ]);
      expect(await rows(store)).toEqual([]);
      expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 2n });
    });
  });
});

function hex(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
