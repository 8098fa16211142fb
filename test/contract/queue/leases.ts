// Leases: one at a time, until they run out, and never of use again when somebody else has the range.
import { describe, expect, it } from 'vitest';
import { handIn, leased, past, queueOf, reportOf, signed } from './open-queue.js';
import type { NewPlace } from './open-queue.js';

export function leases(newPlace: NewPlace): void {
  describe('leases', () => {
    it('hands out each range once, lowest first, whoever asks', async () => {
      const { queue, another } = await queueOf(newPlace, 3);
      const other = await another();
      const all = [await leased(queue), await leased(other), await leased(queue)];
      expect(all.map(({ first, last }) => [first, last])).toEqual([
        [1n, 13n],
        [14n, 26n],
        [27n, 40n],
      ]);
      expect(new Set(all.map(({ token }) => token)).size).toBe(3);
      expect(await queue.lease('w', 1000)).toBe('later');
      expect(await other.lease('w', 1000)).toBe('later');
      expect(await queue.status()).toEqual({ ranges: 3, done: 0, leased: 3, givenUp: [] });
    });

    it('of many that ask at once no two have the same', async () => {
      const { queue, another } = await queueOf(newPlace, 40);
      const all = [queue, await another(), await another(), await another()];
      const found = await Promise.all(Array.from({ length: 40 }, (_, i) => leased(all[i % 4]!)));
      expect(new Set(found.map(({ first }) => first)).size).toBe(40);
      expect(await queue.lease('w', 1000)).toBe('later');
    });

    it('are over when they have run out: another has the range, and the first is told', async () => {
      const { queue, another } = await queueOf(newPlace, 1);
      const other = await another();
      const stale = await leased(queue, 200);
      expect(await other.lease('w', 1000)).toBe('later');
      await past(200);
      const now = await leased(other);
      expect(now.first).toBe(1n);
      expect(await queue.renew(stale, 60_000)).toBe(false);
      expect(await queue.finish(stale, signed(reportOf(stale)))).toBe(false);
      await queue.giveBack(stale, 'too late');
      expect(await queue.lease('w', 1000)).toBe('later');
      const report = signed(reportOf(now, { bytes: 2 }));
      expect(await other.finish(now, report)).toBe(true);
      expect(await queue.finish(stale, signed(reportOf(stale)))).toBe(false);
      expect(await queue.reports()).toEqual([report]);
      expect(await queue.lease('w', 1000)).toBe('over');
    });

    it('last for longer when they are renewed, and are taken late where nobody else came', async () => {
      const { queue, another } = await queueOf(newPlace, 1);
      const lease = await leased(queue, 200);
      expect(await queue.renew(lease, 60_000)).toBe(true);
      await past(200);
      expect(await (await another()).lease('w', 1000)).toBe('later');
      expect(await queue.renew(lease, 100)).toBe(true);
      await past(100);
      const report = signed(reportOf(lease));
      expect(await queue.finish(lease, report)).toBe(true);
      // An answer that was lost is asked for again.
      expect(await queue.finish(lease, report)).toBe(true);
      expect(await queue.finish(lease, signed(reportOf(lease, { bytes: 9 })))).toBe(false);
      expect(await queue.renew(lease, 1000)).toBe(false);
      expect(await queue.reports()).toEqual([report]);
    });

    it('are free again when given back; tried often enough, a range is given up, and why is told', async () => {
      const { queue } = await queueOf(newPlace, 2);
      await handIn(queue);
      for (let i = 0; i < 30; i++) await queue.giveBack(await leased(queue));
      for (let i = 0; i < 4; i++) await queue.giveBack(await leased(queue), `for the ${i}th\0 time`);
      expect(await queue.lease('w', 1000)).toBe('over');
      expect(await queue.status()).toEqual({
        ...{ ranges: 2, done: 1, leased: 0 },
        givenUp: [{ first: 21n, last: 40n, why: 'for the 3th time' }],
      });
    });

    it('of workers that never came back are tried so often, and no more', async () => {
      const { queue } = await queueOf(newPlace, 1);
      for (let i = 0; i < 20; i++) {
        await leased(queue, 1);
        await past(-50);
      }
      expect(await queue.lease('w', 1000)).toBe('over');
      expect((await queue.status()).givenUp).toMatchObject([{ why: 'whoever tried it did not come back' }]);
    });
  });
}
