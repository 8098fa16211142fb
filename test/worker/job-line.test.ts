import { expect, test } from 'vitest';
import { JobLine } from '#dist/worker/job-line.js';

const small = (name: string) => ({ name, size: 1000 });
const bulky = (name: string) => ({ name, size: 100_000 });
type Job = ReturnType<typeof small>;
const names = (jobs: readonly Job[]) => jobs.map(({ name }) => name);

test('jobs of one size go in the order they came, as many as fit', () => {
  const line = new JobLine<Job>();
  for (const name of ['a', 'b', 'c', 'd']) line.push(small(name));
  expect([line.length, line.bytes]).toEqual([4, 4000]);
  expect(names(line.take(2500))).toEqual(['a', 'b']);
  expect(names(line.take(1))).toEqual(['c']);
  expect(names(line.take(1000))).toEqual(['d']);
  expect([line.length, line.bytes]).toEqual([0, 0]);
});

test('small ones do not wait behind bulky ones, and share no message with them', () => {
  const line = new JobLine<Job>();
  for (const job of [bulky('A'), bulky('B'), small('a'), small('b')]) line.push(job);
  expect(names(line.take(1_000_000))).toEqual(['a', 'b']);
  expect(names(line.take(1_000_000))).toEqual(['A', 'B']);
});

test('bulky ones have their turn however many small ones come', () => {
  const line = new JobLine<Job>();
  line.push(bulky('A'));
  line.push(bulky('B'));
  const taken: string[] = [];
  for (let i = 0; i < 11; i++) {
    line.push(small('a'));
    taken.push(...names(line.take(1000)));
  }
  expect(taken.join('')).toBe('aaaaAaaaaBa');
});

test('all of them can be taken at once', () => {
  const line = new JobLine<Job>();
  for (const job of [bulky('A'), small('a'), bulky('B')]) line.push(job);
  expect(names(line.takeAll()).sort()).toEqual(['A', 'B', 'a']);
  expect([line.length, line.bytes, line.takeAll()]).toEqual([0, 0, []]);
});
