// Single rows: given back as they were written, found by seq, one hash after the other.
import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '#dist/store/root-store.js';
import { alh, climb, entry, event, refusal, rows } from '../../store/support.js';
import type { OpenStore } from './open-store.js';

export function singleRows(open: OpenStore): void {
  describe('rows', () => {
    const full: AuditEntry = event(5n, {
      outcome: 'fork',
      calls: 0xffff_ffff,
      signature: new Uint8Array([1, 2, 3]),
      keyFingerprint: new Uint8Array(32).fill(9),
      durationMs: 0.1 + 0.2,
      detail: 'two histories: \0 🔀',
      evidence: { check: 'dual-proof', expected: 'aa', computed: 'bb', job: new Uint8Array([7, 0, 255]) },
    });

    it('gives back every field as it was written', async () => {
      const store = await open();
      await store.record(full);
      await store.record(event(5n, { signature: new Uint8Array(0), detail: '', durationMs: -0 }));
      await store.record(event(5n, { evidence: { check: '', job: new Uint8Array(0) } }));
      const [first, second, third] = await rows(store);
      expect(first).toEqual({ ...full, seq: 1n, hash: first?.hash });
      expect(second).toMatchObject({ signature: new Uint8Array(0), detail: '', durationMs: 0 });
      expect(second).not.toHaveProperty('evidence');
      expect(third?.evidence).toEqual({ check: '', job: new Uint8Array(0) });
      expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 3n, lastHash: third?.hash });
    });

    it('keeps what it was given when the caller changes it afterwards', async () => {
      const store = await open();
      const bytes = alh(1n);
      const job = new Uint8Array([1]);
      const recorded = store.record(event(1n, { alh: bytes, evidence: { check: 'c', job } }));
      bytes.fill(0);
      job.fill(0);
      await recorded;
      const [row] = await rows(store);
      row!.alh.fill(1);
      expect((await rows(store))[0]).toMatchObject({ alh: alh(1n), evidence: { job: new Uint8Array([1]) } });
      expect(await store.audit.verify()).toMatchObject({ ok: true });
    });

    it('starts every store with a chain of its own', async () => {
      const [one, two] = [await open(), await open()];
      await Promise.all([one.record(event(1n)), two.record(event(1n))]);
      expect((await rows(one))[0]?.hash).not.toEqual((await rows(two))[0]?.hash);
    });

    it('fails one bad item without its neighbours', async () => {
      const store = await open();
      const results = await Promise.allSettled([
        store.record(event(1n)),
        store.record(event(2n, { calls: -1 })),
        store.advance(null, entry(3n)),
        store.advance(null, entry(4n)),
        store.record(event(5n)),
      ]);
      expect(results.map(({ status }) => status)).toEqual([
        'fulfilled',
        'rejected',
        'fulfilled',
        'fulfilled',
        'fulfilled',
      ]);
      expect((await rows(store)).map(({ tx }) => tx)).toEqual([1n, 3n, 5n]);
    });

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
}
