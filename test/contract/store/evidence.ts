// Evidence: comes back as it went in, and is bounded.
import { describe, expect, it } from 'vitest';
import { verifyEvidence } from '#dist/audit.js';
import type { Evidence } from '#dist/index.js';
import { EVIDENCE_BYTES_PER_HOUR } from '#dist/store/log/evidence-budget.js';
import { event, rows } from '../../store/support.js';
import type { OpenStore } from './open-store.js';

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;
const sha256 = async (bytes: Uint8Array) =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from(bytes)));

/** `length` bytes that no other number gives. */
export function bytesOf(number: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

export const refused = (evidence: Evidence, fields: object = {}) =>
  event(1n, { outcome: 'failure', evidence, ...fields });

export function evidence(open: OpenStore): void {
  describe('evidence', () => {
    it('comes back as it went in, whatever of it is not kept', async () => {
      const store = await open();
      const omitted = {
        part: 'answer',
        reason: 'size',
        sha256: new Uint8Array(32).fill(3),
        length: 7,
      } as const;
      const all: Evidence[] = [
        { check: 'c', expected: 'e', computed: 'f', job: bytesOf(1, 9) },
        { check: 'c', job: bytesOf(1, 9), omitted },
        { check: 'c', job: new Uint8Array(0), omitted: { ...omitted, part: 'job' } },
        { check: 'log.fork', job: new Uint8Array(0) },
      ];
      for (const evidence of all) await store.record(refused(evidence));
      expect((await rows(store)).map(({ evidence }) => evidence)).toEqual(all);
      for (const [i, evidence] of all.entries())
        expect(await store.audit.evidence(BigInt(i + 1))).toEqual(evidence);
      expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 4n });
    });

    it.for<[string, object]>([
      ['part', { part: 'question' }],
      ['reason', { reason: 'none' }],
      ['sha256', { sha256: new Uint8Array(31) }],
      ['length', { length: -1 }],
      ['part', { part: 'job' }],
    ])('what is said to be left out is checked: its %s', async ([field, change]) => {
      const store = await open();
      const omitted = { part: 'answer', reason: 'size', sha256: new Uint8Array(32), length: 7, ...change };
      const evidence = { check: 'c', job: bytesOf(1, 9), omitted } as Evidence;
      await expect(store.record(refused(evidence))).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        argument: `evidence.omitted.${field}`,
      });
    });

    it('beyond the budget of a database and an hour rows are written without bytes, and say so', async () => {
      const store = await open();
      const fitting = EVIDENCE_BYTES_PER_HOUR / (16 * MIB);
      const verifiedAt = 400_000 * HOUR_MS;
      for (let i = 0; i < fitting; i++)
        await store.record(refused({ check: 'c', job: bytesOf(i, 16 * MIB) }, { verifiedAt }));
      const late = bytesOf(99, 1000);
      const question = {
        part: 'answer',
        reason: 'size',
        sha256: new Uint8Array(32).fill(9),
        length: 5,
      } as const;
      await store.record(refused({ check: 'late', job: late }, { verifiedAt: verifiedAt + 1 }));
      await store.record(refused({ check: 'late', job: bytesOf(98, 9), omitted: question }, { verifiedAt }));
      // What is there already costs nothing; others, and later ones, have budgets of their own.
      await store.record(refused({ check: 'again', job: bytesOf(0, 16 * MIB) }, { verifiedAt }));
      await store.record(refused({ check: 'other', job: late }, { verifiedAt, database: 'other' }));
      await store.record(
        refused({ check: 'later', job: bytesOf(97, 9) }, { verifiedAt: verifiedAt + HOUR_MS }),
      );
      const kept = [];
      for (let seq = fitting + 1; seq <= fitting + 5; seq++)
        kept.push(await store.audit.evidence(BigInt(seq)));
      expect(kept.map((evidence) => evidence?.job.length)).toEqual([0, 0, 16 * MIB, 1000, 9]);
      expect(kept[0]?.omitted).toEqual({
        ...{ part: 'job', reason: 'budget', length: 1000 },
        sha256: await sha256(late),
      });
      expect(kept[1]?.omitted).toEqual({ ...question, reason: 'budget' });
      expect(kept.slice(2).every((evidence) => evidence?.omitted === undefined)).toBe(true);
      expect(await store.audit.verify()).toMatchObject({ ok: true });
      expect(verifyEvidence(kept[0]!)).toMatchObject({
        outcome: 'not-kept',
        reason: expect.stringContaining('1000 bytes') as string,
      });
    }, 60_000);
  });
}
