// Roots that contradict the log.
import { describe, expect, it } from 'vitest';
import { verifyEvidence } from '#dist/audit.js';
import type { RootStore } from '#dist/store/root-store.js';
import { KEY, alh, climb, entry, event, refusal, rows } from '../../store/support.js';
import type { OpenStore } from './open-store.js';

const root = (tx: bigint, salt = 0) => ({ tx, alh: alh(tx, salt) });

export function forks(open: OpenStore): void {
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
}
