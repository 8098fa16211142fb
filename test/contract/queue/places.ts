// Where a queue is: one audit at a time, whoever begins it, and none where there is none.
import { describe, expect, it } from 'vitest';
import { refusal } from '../../store/support.js';
import { TASK, closing, handIn, queueOf } from './open-queue.js';
import type { NewPlace } from './open-queue.js';

export function places(newPlace: NewPlace): void {
  describe('a place', () => {
    it('has the task and the ranges that were put there', async () => {
      const { queue, ranges, another } = await queueOf(newPlace, 20);
      const other = await another();
      expect(await queue.task()).toEqual(TASK);
      expect(await other.task()).toEqual(TASK);
      const found = [];
      for (let after = 0n; ; after = found.at(-1)!.first) {
        const page = await other.handedIn(after);
        if (page.length === 0) break;
        found.push(...page);
      }
      expect(found).toEqual(ranges.map((range) => ({ ...range, report: undefined })));
    });

    it('with a queue takes no other, of the same audit or not, and the one that is there stays', async () => {
      const { place, queue, ranges } = await queueOf(newPlace, 4);
      await handIn(queue);
      for (const task of [
        TASK,
        { ...TASK, database: 'other' },
        { ...TASK, under: { ...TASK.under, tx: 39n } },
      ]) {
        const error = await refusal(place.make(task, ranges.slice(0, 1)));
        expect(error.code).toBe('STORE_FOREIGN');
        expect(error.message).toContain('of database billing up to tx 40');
      }
      expect(await queue.status()).toMatchObject({ ranges: 4, done: 1 });
    });

    it('is one’s, of several who begin at once', async () => {
      const place = await newPlace();
      const begun = await Promise.allSettled(
        Array.from({ length: 6 }, () => place.make(TASK, [{ first: 1n, last: 40n }])),
      );
      const made = begun.flatMap((each) => (each.status === 'fulfilled' ? [closing(each.value)] : []));
      expect(made).toHaveLength(1);
      expect(await made[0]!.status()).toMatchObject({ ranges: 1 });
    });

    it('without a queue is told from one whose tables are others', async () => {
      const place = await newPlace();
      expect(await refusal(place.open())).toMatchObject({ code: 'STORE_MISSING' });
      const { queue } = await queueOf(() => Promise.resolve(place), 2);
      await queue.close();
      await place.tamper('ALTER TABLE audit_task RENAME COLUMN alh TO other');
      expect(await refusal(place.open())).toMatchObject({ code: 'STORE_FOREIGN' });
    });

    it.for([`alh = 'nothing'`, 'tx = -1', 'max_findings = -1', `id = ''`, 'version = 1', `database = ''`])(
      'with a task that is none is not opened: %s',
      async (change) => {
        const { place } = await queueOf(newPlace, 2);
        await place.tamper(`UPDATE audit_task SET ${change}`);
        expect(await refusal(place.open())).toMatchObject({ code: 'STORE_FOREIGN' });
      },
    );

    it('is free when the audit is over, and who still asks is told so', async () => {
      const { place, queue, another } = await queueOf(newPlace, 2);
      const other = await another();
      await handIn(other);
      await handIn(other);
      await queue.remove();
      await queue.close();
      expect(await other.lease('w', 1000)).toBe('over');
      expect(await refusal(place.open())).toMatchObject({ code: 'STORE_MISSING' });
      const again = closing(await place.make({ ...TASK, database: 'next' }, [{ first: 1n, last: 3n }]));
      expect(await again.task()).toMatchObject({ database: 'next' });
      // Whoever is late works on nothing of another audit.
      expect(await other.lease('w', 1000)).toBe('over');
      expect(await again.status()).toMatchObject({ ranges: 1, leased: 0 });
    });

    it.for([
      ['ranges', TASK, []],
      ['ranges', TASK, Array.from({ length: 100_001 }, () => ({ first: 1n, last: 1n }))],
      ['ranges', TASK, [{ first: 1n, last: 41n }]],
      ['ranges', TASK, [{ first: 3n, last: 2n }]],
      [
        'ranges',
        TASK,
        [
          { first: 1n, last: 5n },
          { first: 5n, last: 6n },
        ],
      ],
      ['database', { ...TASK, database: '' }, [{ first: 1n, last: 2n }]],
      ['under', { ...TASK, under: { tx: 1n, alh: new Uint8Array(3) } }, [{ first: 1n, last: 1n }]],
      ['maxFindings', { ...TASK, maxFindings: -1 }, [{ first: 1n, last: 1n }]],
    ] as const)('is not taken for what is no audit: %s', async ([argument, task, ranges]) => {
      const place = await newPlace();
      expect(await refusal(place.make(task, ranges))).toMatchObject({ argument });
      expect(await refusal(place.open())).toMatchObject({ code: 'STORE_MISSING' });
    });
  });
}
