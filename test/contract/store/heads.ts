// Heads: compare-and-set, one for each server and database, forgotten on request.
import { describe, expect, it } from 'vitest';
import { KEY, alh, climb, entry, refusal, rows } from '../../store/support.js';
import type { OpenStore } from './open-store.js';

const MAX = 2n ** 63n - 1n;
const root = (tx: bigint, salt = 0) => ({ tx, alh: alh(tx, salt) });

export function heads(open: OpenStore): void {
  describe('heads', () => {
    it('has no head before first trust', async () => {
      const store = await open();
      expect(await store.head(KEY)).toBeNull();
      expect(await store.audit.latest()).toBeNull();
      expect(await rows(store)).toEqual([]);
      expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 0n });
    });

    it('moves a head up and logs each move', async () => {
      const store = await open();
      expect(await store.advance(null, entry(3n, { outcome: 'first-use' }))).toEqual({ moved: true });
      expect(await store.advance(root(3n), entry(9n))).toEqual({ moved: true });
      expect(await store.head(KEY)).toEqual(root(9n));
      const log = await rows(store);
      expect(log.map(({ seq, tx, outcome }) => [seq, tx, outcome])).toEqual([
        [1n, 3n, 'first-use'],
        [2n, 9n, 'root'],
      ]);
      expect(log[1]).toMatchObject(entry(9n));
    });

    it.each([
      ['none where there is one', null],
      ['an older tx', root(2n)],
      ['the same tx with another alh', root(4n, 1)],
    ])('does not move when the head is not what was expected: %s', async (_case, expected) => {
      const store = await open();
      await store.advance(null, entry(4n));
      expect(await store.advance(expected, entry(7n))).toMatchObject({ moved: false, current: root(4n) });
      expect(await store.head(KEY)).toEqual(root(4n));
      expect(await rows(store, { outcome: 'root' })).toHaveLength(1);
    });

    it('does not move from a root where there is none', async () => {
      const store = await open();
      expect(await store.advance(root(1n), entry(2n))).toEqual({ moved: false, current: null });
      expect(await rows(store)).toHaveLength(0);
    });

    it.each([4n, 3n, 0n])('refuses to move from tx 4 to tx %s', async (tx) => {
      const store = await open();
      await store.advance(null, entry(4n));
      const error = await refusal(store.advance(root(4n), entry(tx)));
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'entry' });
      expect(await store.head(KEY)).toEqual(root(4n));
    });

    it('lets one of many movers in a turn win, and tells the others where the head is', async () => {
      const store = await open();
      await store.advance(null, entry(1n));
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, i) => store.advance(root(1n), entry(BigInt(i + 2)))),
      );
      expect(outcomes.filter(({ moved }) => moved)).toHaveLength(1);
      expect(outcomes.filter((outcome) => !outcome.moved && outcome.current?.tx === 2n)).toHaveLength(19);
      expect(await rows(store)).toHaveLength(2);
    });

    it('keeps one head per server and database', async () => {
      const store = await open();
      const keys = [
        KEY,
        { ...KEY, database: 'other' },
        { ...KEY, server: 'server-2' },
        { server: 'server-1","defaultdb', database: '' },
        { server: 'ser\0ver', database: 'данные 🗄' },
      ];
      await Promise.all(keys.map((key, i) => store.advance(null, entry(BigInt(i + 5), key))));
      const heads = await Promise.all(keys.map((key) => store.head(key)));
      expect(heads.map((head) => head?.tx)).toEqual([5n, 6n, 7n, 8n, 9n]);
      expect((await rows(store)).map(({ server, database }) => ({ server, database }))).toEqual(keys);
    });

    it('forgets trust, says so in the log, and starts again lower', async () => {
      const store = await open();
      await climb(store, 0, 3);
      await store.forget(entry(3n, { outcome: 'forget', detail: 'on request' }));
      expect(await store.head(KEY)).toBeNull();
      expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 4n });
      expect(await store.advance(root(3n), entry(4n))).toEqual({
        moved: false,
        current: null,
        wasForgotten: true,
      });
      expect(await store.advance(null, entry(2n, { outcome: 'first-use' }))).toEqual({ moved: true });
      expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 5n });
      expect((await store.audit.latest(KEY))?.tx).toBe(2n);
    });

    it('takes tx 0 and the largest id', async () => {
      const store = await open();
      await store.advance(null, entry(0n, { previousTx: null }));
      await store.advance(root(0n), entry(MAX, { previousTx: MAX, headerTime: -MAX, verifiedAt: 0 }));
      expect(await store.head(KEY)).toEqual(root(MAX));
      expect((await rows(store))[1]).toMatchObject({ tx: MAX, previousTx: MAX, headerTime: -MAX });
      expect(await rows(store, { txRange: { from: MAX, to: MAX } })).toHaveLength(1);
      expect(await store.audit.verify()).toMatchObject({ ok: true });
    });
  });
}
