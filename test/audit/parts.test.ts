// The parts of an audit by themselves: how a range is cut, how results are kept in order, what a path shows.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inOrder } from '#dist/client/flow/in-order.js';
import { StretchPlan, halves } from '#dist/client/trust/latest/stretch-plan.js';
import type { Stretch } from '#dist/client/trust/latest/stretch-plan.js';
import { Frontier } from '#dist/proof/tree/frontier.js';
import { HistoryTree } from '#dist/proof/tree/history-tree.js';
import { peaksLeftOf, peaksOfPrefix } from '#dist/proof/tree/path-peaks.js';
import { STRETCH_TXS } from '#dist/verify/verifier.js';
import { TestChain } from '../verify/support/test-chain.js';

const LIMIT = 64 * 1024 * 1024;

describe('a range', () => {
  test('is cut without gaps into stretches that lie each in a subtree, whatever sizes are learned', () => {
    const sizes = fc.array(fc.integer({ min: 100, max: 5_000_000 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.bigInt(1n, 5000n), fc.bigInt(0n, 3000n), sizes, (first, count, learned) => {
        const last = first + count - 1n;
        const plan = new StretchPlan({ first, last }, LIMIT);
        let next = first;
        for (let i = 0, stretch = plan.next(); stretch; stretch = plan.next(), i++) {
          assertAligned(stretch);
          expect(stretch.first).toBe(next);
          next = stretch.last + 1n;
          plan.learn(stretch, learned[i % learned.length]!);
          for (const half of stretch.first < stretch.last ? halves(stretch) : []) assertAligned(half);
        }
        expect(next).toBe(last + 1n);
      }),
      { numRuns: 40 },
    );
  });

  function assertAligned({ first, last }: Stretch): void {
    const count = Number(last - first) + 1;
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThanOrEqual(STRETCH_TXS);
    expect(Number(first - 1n) % 2 ** Math.ceil(Math.log2(count))).toBe(0);
  }

  test('is cut finer where answers are large, and coarser where they are small', () => {
    const plan = new StretchPlan({ first: 1n, last: 1_000_000n }, LIMIT);
    const sizeOf = ({ first, last }: Stretch) => Number(last - first) + 1;
    for (let i = 0; i < 20; i++) plan.learn({ first: 1n, last: 1n }, 50_000_000);
    expect(sizeOf(plan.next()!)).toBe(1);
    for (let i = 0; i < 60; i++) plan.learn({ first: 1n, last: 1n }, 50);
    let largest = 0;
    for (let i = 0; i < 20; i++) largest = Math.max(largest, sizeOf(plan.next()!));
    expect(largest).toBe(STRETCH_TXS);
  });

  test('begins with one transaction, and stays far below what an answer may hold', () => {
    const plan = new StretchPlan({ first: 1025n, last: 1_000_000n }, 400_000);
    const sizeOf = ({ first, last }: Stretch) => Number(last - first) + 1;
    expect(sizeOf(plan.next()!)).toBe(1);
    for (let i = 0; i < 60; i++) plan.learn({ first: 1n, last: 1n }, 10_000);
    let largest = 0;
    for (let i = 0; i < 20; i++) largest = Math.max(largest, sizeOf(plan.next()!));
    expect(largest).toBe(16);
  });
});

describe('in order', () => {
  test('results are told in the order of their items, and none too far ahead of the oldest under way', async () => {
    const told: number[] = [];
    let next = 0;
    let open = 0;
    let most = 0;
    let release: (() => void) | undefined;
    await inOrder({
      lanes: 3,
      next: () => (next < 60 ? next++ : undefined),
      work: async (item) => {
        most = Math.max(most, ++open);
        if (item === 0) await new Promise<void>((resolve) => (release = resolve));
        else await new Promise((resolve) => setImmediate(resolve));
        // The first ends only when nothing more may be begun before it.
        if (next === 12) release?.();
        expect(item - told.length).toBeLessThan(12);
        open--;
        return item * 2;
      },
      commit: (result, item) => {
        expect(result).toBe(item * 2);
        told.push(item);
        return Promise.resolve(true);
      },
    });
    expect(told).toEqual(Array.from({ length: 60 }, (_, i) => i));
    expect(most).toBe(3);
  });

  test('a commit that has enough, and work or a commit that fails, end it', async () => {
    const run = (fails: 'work' | 'commit' | 'enough') => {
      let next = 0;
      let begun = 0;
      const done = inOrder({
        lanes: 2,
        next: () => next++,
        work: (item) => {
          begun++;
          return fails === 'work' && item === 5 ? Promise.reject(new Error('work')) : Promise.resolve(item);
        },
        commit: (item) => {
          if (fails === 'commit' && item === 5) return Promise.reject(new Error('commit'));
          return Promise.resolve(!(fails === 'enough' && item === 5));
        },
      });
      return done.then(
        () => `ended after ${begun <= 14}`,
        (error: unknown) => (error as Error).message,
      );
    };
    expect(await run('work')).toBe('work');
    expect(await run('commit')).toBe('commit');
    expect(await run('enough')).toBe('ended after true');
  });
});

test('an audit path shows the peaks of all leaves at its left, and of aligned prefixes of them', () => {
  const chain = new TestChain().grow(70);
  const tree = new HistoryTree();
  const frontiers = [Frontier.empty()];
  for (let id = 1n; id <= 70n; id++) {
    const frontier = frontiers[Number(id) - 1]!.clone();
    frontier.append(chain.root(id).alh);
    tree.append(chain.root(id).alh);
    frontiers.push(frontier);
  }
  for (let j = 1n; j <= 70n; j++) {
    for (let i = 1n; i <= j; i++) {
      const peaks = peaksLeftOf(tree.inclusion(i, j), i, j);
      expect(peaks).toEqual(frontiers[Number(i) - 1]!.peaks);
      if (j < 70n) continue;
      for (let prefix = 0n; prefix < i; prefix++) {
        const of = peaksOfPrefix(peaks, i - 1n, prefix);
        if (of) expect(of).toEqual(frontiers[Number(prefix)]!.peaks);
        const size = 2n ** BigInt((i - 1n - prefix).toString(2).length);
        if (prefix % size === 0n) expect(of).toBeDefined();
      }
    }
  }
  expect(() => peaksLeftOf([], 70n, 70n)).toThrow('path-peaks.path');
});
