// The progress bar: drawn in place on a terminal, whole lines elsewhere, never more than its steps.
import { expect, test } from 'vitest';
import { forEachInFlight } from '#dist/cli/ingest/in-flight.js';
import { Progress } from '#dist/cli/ingest/progress.js';

function draw(isTTY: boolean, total: number, ticks: number): string[] {
  const written: string[] = [];
  const out = { isTTY, write: (text: string) => written.push(text) };
  {
    using progress = new Progress('work', total, out as unknown as NodeJS.WriteStream);
    for (let i = 0; i < ticks; i += 1) progress.tick();
  }
  return written;
}

test('on a terminal it stays on its line and ends it', () => {
  const written = draw(true, 1000, 1000);
  expect(written).toHaveLength(1 + 30 + 1);
  for (const text of written.slice(0, -1)) expect(text).toMatch(/^\rwork +\[#*\s*\] \d+\/1000$/);
  expect(written.at(-2)).toBe(`\r${'work'.padEnd(15)} [${'#'.repeat(30)}] 1000/1000`);
  expect(written.at(-1)).toBe('\n');
});

test('elsewhere it writes a line per tenth', () => {
  const written = draw(false, 1000, 1000);
  expect(written).toHaveLength(11);
  expect(written.join('')).toMatch(/^(work +\d+\/1000\n){11}$/);
});

test('fewer items than steps: each is shown once, the end too', () => {
  expect(draw(false, 3, 3).map((line) => line.trim().split(/ +/)[1])).toEqual(['0/3', '1/3', '2/3', '3/3']);
  expect(draw(true, 3, 2).at(-1)).toBe('\n');
});

test('work in flight is bounded, and a failure ends it once nothing is under way', async () => {
  const items = Array.from({ length: 50 }, (_, i) => i);
  const begun: number[] = [];
  let now = 0;
  let most = 0;
  const work = async (item: number) => {
    begun.push(item);
    most = Math.max(most, (now += 1));
    await new Promise(setImmediate);
    now -= 1;
    if (item === 10) throw new Error('item 10');
  };
  await expect(forEachInFlight(items, 4, work)).rejects.toThrow('item 10');
  expect({ most, now }).toEqual({ most: 4, now: 0 });
  expect(begun).toEqual(items.slice(0, begun.length));
  expect(begun.length).toBeLessThan(20);
});
