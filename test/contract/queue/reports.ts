// What is believed of a queue that others can write to: reports of accepted keys about what was to be looked at, and no others.
import { describe, expect, it } from 'vitest';
import { believedReports } from '#dist/audit.js';
import type { SignedRangeReport, TxRange } from '#dist/audit.js';
import { KEY, TASK, handIn, leased, queueOf, reportOf, signed, signedByOther } from './open-queue.js';
import type { NewPlace } from './open-queue.js';

const forged = (range: TxRange): SignedRangeReport => {
  const { report, ...rest } = signed(reportOf(range));
  return { ...rest, report: { ...report, bytes: 2 } };
};

export function reports(newPlace: NewPlace): void {
  describe('reports', () => {
    it('are believed when they are of accepted keys; of the others it is said how many are missing', async () => {
      const { queue, ranges } = await queueOf(newPlace, 20);
      for (let i = 0; i < 12; i++) await handIn(queue);
      expect(await believedReports(queue, ranges, TASK, [KEY])).toEqual({
        ...{ reports: ranges.slice(0, 12).map((range) => signed(reportOf(range))), refused: [], missing: 8 },
      });
    });

    it.for<[string, (range: TxRange) => SignedRangeReport, string]>([
      ['of another key', (range) => signedByOther(reportOf(range)), 'a key that is not accepted'],
      ['that was changed', forged, 'not what was signed'],
      ['of another range', ({ first }) => signed(reportOf({ first, last: first })), 'other transactions'],
      [
        'that ended early',
        (range) => signed(reportOf(range, { to: String(range.first) })),
        'other transactions',
      ],
      ['of another database', (range) => signed(reportOf(range, { database: 'other' })), 'another database'],
      [
        'under another root',
        (range) => signed(reportOf(range, { under: { tx: '40', alh: '08'.repeat(32) } })),
        'another root',
      ],
      [
        'under an older root',
        (range) => signed(reportOf(range, { under: { tx: '39', alh: '07'.repeat(32) } })),
        'another root',
      ],
      [
        'that asked for no values',
        (range) => signed(reportOf(range, { withValues: false })),
        'something else',
      ],
      ['that lists fewer findings', (range) => signed(reportOf(range, { maxFindings: 0 })), 'something else'],
      [
        'with more in it',
        (range) => ({ ...signed(reportOf(range)), more: 1 }) as SignedRangeReport,
        'has no "more"',
      ],
    ])('are put back, to be done again: one %s', async ([, report, says]) => {
      const { queue, ranges } = await queueOf(newPlace, 2);
      await handIn(queue, report);
      await handIn(queue);
      const found = await believedReports(queue, ranges, TASK, [KEY]);
      expect(found).toMatchObject({ missing: 1, reports: [{ report: { first: '21' } }] });
      expect(found!.refused).toEqual([expect.stringContaining(says)]);
      expect(await queue.status()).toMatchObject({ done: 1, leased: 0 });
      expect((await handIn(queue)).first).toBe(1n);
      expect(await believedReports(queue, ranges, TASK, [KEY])).toMatchObject({ refused: [], missing: 0 });
    });

    it.for<[string, string, string]>([
      ['no JSON', `'{'`, 'no JSON'],
      ['nothing', `''`, 'no JSON'],
      ['no report', `'[1]'`, 'must be an object'],
      ['of a report nothing but its hull', `'{"report":{},"key":"","signature":""}'`, 'report of a range'],
    ])('are put back when they are %s', async ([, text, says]) => {
      const { queue, ranges, place } = await queueOf(newPlace, 2);
      await place.tamper(`UPDATE audit_range SET report = ${text} WHERE first = 1`);
      expect((await believedReports(queue, ranges, TASK, [KEY]))!.refused).toEqual([
        expect.stringContaining(says),
      ]);
      expect((await leased(queue)).first).toBe(1n);
    });

    it('are not read when they are too long', async () => {
      const { queue, ranges, place } = await queueOf(newPlace, 1);
      await place.tamper(`UPDATE audit_range SET report = '${'x'.repeat(16 * 1024 * 1024 + 1)}'`);
      expect((await believedReports(queue, ranges, TASK, [KEY]))!.refused).toEqual([
        expect.stringContaining('too long'),
      ]);
      expect((await leased(queue)).first).toBe(1n);
    });

    it('are not refused when there is another one by now', async () => {
      const { queue, ranges } = await queueOf(newPlace, 1);
      await handIn(queue, (range) => signedByOther(reportOf(range)));
      const [old] = await queue.handedIn(0n);
      await believedReports(queue, ranges, TASK, [KEY]);
      await handIn(queue);
      await queue.refuse(old!, 'too late');
      expect(await believedReports(queue, ranges, TASK, [KEY])).toMatchObject({ missing: 0, refused: [] });
    });

    it.for<[string, string]>([
      ['left out', 'DELETE FROM audit_range WHERE first = 21'],
      ['all left out', 'DELETE FROM audit_range'],
      ['cut', 'UPDATE audit_range SET last = 19 WHERE first = 1'],
      ['moved', 'UPDATE audit_range SET first = 2 WHERE first = 1'],
      ['added', `INSERT INTO audit_range (audit, first, last) SELECT id, 41, 50 FROM audit_task`],
    ])('are not taken from a queue whose ranges were changed: %s', async ([, change]) => {
      const { queue, ranges, place } = await queueOf(newPlace, 2);
      await handIn(queue);
      await handIn(queue);
      await place.tamper(change);
      expect(await believedReports(queue, ranges, TASK, [KEY])).toBeUndefined();
    });
  });
}
