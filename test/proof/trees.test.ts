// Merkle verification, the history tree and the frontier against the recursive reference, and at every position.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '#dist/proof/bytes.js';
import { entriesInclusion, entriesRoot } from '#dist/proof/tree/entries-tree.js';
import { Frontier } from '#dist/proof/tree/frontier.js';
import { EMPTY_HASH, ZERO_HASH } from '#dist/proof/hash.js';
import { HistoryTree } from '#dist/proof/tree/history-tree.js';
import {
  foldPeaks,
  leafHash,
  peakCount,
  rootFromInclusion,
  verifyConsistency,
  verifyInclusion,
  verifyLastInclusion,
} from '#dist/proof/tree/merkle.js';
import { peaksLeftOf, peaksOfPrefix } from '#dist/proof/tree/path-peaks.js';
import { MTH, PATH, consistencyRoots, inclusionRoot, serverProof } from '../reference/rfc6962.js';
import { checkFailedBy, digestNumber } from './helpers.js';
import { mutationsOf } from './mutations.js';

const SIZE = 130;
const digests = Array.from({ length: SIZE }, (_, i) => digestNumber(i + 1));
const leaves = digests.map(leafHash);
const tree = new HistoryTree();
for (const digest of digests) tree.append(digest);
const roots = Array.from({ length: SIZE + 1 }, (_, n) => tree.root(BigInt(n)));

const leafOf = (i: number) => leaves[i - 1]!;
const big = BigInt;

describe('against the recursive definitions', () => {
  test('roots of every size', () => {
    expect(tree.leafCount).toBe(SIZE);
    expect(roots[0]).toEqual(ZERO_HASH);
    for (let n = 1; n <= SIZE; n++) {
      const D = digests.slice(0, n);
      expect(roots[n]).toEqual(MTH(D));
      expect(entriesRoot(D)).toEqual(roots[n]);
    }
    expect(entriesRoot([])).toEqual(EMPTY_HASH);
  });

  test('paths and consistency proofs, all pairs up to 40 and around powers of two', () => {
    for (const n of [...Array.from({ length: 40 }, (_, i) => i + 1), 63, 64, 65, 127, 128, 129, 130]) {
      const D = digests.slice(0, n);
      for (let m = 1; m <= n; m += n > 40 ? 7 : 1) {
        expect(tree.inclusion(big(m), big(n))).toEqual(PATH(m - 1, D));
        expect(entriesInclusion(D, m - 1)).toEqual({ leaf: m - 1, width: n, terms: PATH(m - 1, D) });
        expect(tree.consistency(big(m), big(n))).toEqual(serverProof(m, D));
      }
    }
  });

  test('trees of any size, proofs across chunk borders', { timeout: 20_000 }, () => {
    const large = new HistoryTree();
    const frontier = Frontier.empty();
    const sizes = [1023, 1024, 1025, 2047, 2048, 2049, 2500];
    const D: Uint8Array[] = [];
    for (let i = 1; i <= 2500; i++) {
      const digest = digestNumber(i);
      D.push(digest);
      large.append(digest);
      frontier.append(digest);
      if (sizes.includes(i)) {
        expect(frontier.root()).toEqual(MTH(D));
        expect(large.root(big(i))).toEqual(frontier.root());
      }
    }
    const pair = fc.tuple(fc.integer({ min: 1, max: 2500 }), fc.integer({ min: 1, max: 2500 }));
    fc.assert(
      fc.property(pair, ([x, y]) => {
        const [i, j] = [big(Math.min(x, y)), big(Math.max(x, y))];
        verifyInclusion(large.inclusion(i, j), i, j, large.leaf(i), large.root(j));
        verifyConsistency(large.consistency(i, j), i, j, large.root(i), large.root(j));
      }),
      { numRuns: 500 },
    );
  });

  test('same verdict and same root as the algorithms of RFC 9162, for sizes up to 2^63 - 1', () => {
    const MAX = 2n ** 63n - 1n;
    const sizes = fc.oneof(
      fc.bigInt({ min: 1n, max: 300n }),
      fc.bigInt({ min: 1n, max: MAX }),
      fc.integer({ min: 0, max: 62 }).map((e) => 2n ** big(e)),
      fc.constantFrom(2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 32n + 1n, 2n ** 33n + 5n, MAX),
    );
    const input = fc.record({ a: sizes, b: sizes, length: fc.integer({ min: 0, max: 66 }) });
    let accepted = 0;
    fc.assert(
      fc.property(input, ({ a, b, length }) => {
        const [i, j] = a < b ? [a, b] : [b, a];
        const at = (count: number) => Array.from({ length: count }, (_, k) => digests[k]!);
        for (const count of new Set([length, ...Array.from({ length: 66 }, (_, k) => k)])) {
          const terms = at(count);
          const expected = inclusionRoot(terms, i - 1n, j, leafOf(1));
          const check = checkFailedBy(() => {
            expect(rootFromInclusion(terms, i - 1n, j, leafOf(1))).toEqual(expected);
          });
          expect(check).toBe(expected ? undefined : 'merkle.inclusion');
          if (i === j) continue;
          const both = consistencyRoots(terms, i, j);
          const run = () => {
            verifyConsistency(terms, i, j, both?.first ?? leafOf(1), both?.second ?? leafOf(1));
          };
          expect(checkFailedBy(run)).toBe(both ? undefined : 'merkle.consistency');
          if (both) accepted++;
        }
      }),
      { numRuns: 150 },
    );
    expect(accepted).toBeGreaterThan(100);
  });
});

describe('every position', () => {
  test('every honest inclusion, last inclusion and consistency proof for 1 <= i <= j <= 130 is accepted', () => {
    for (let j = 1; j <= SIZE; j++) {
      verifyLastInclusion(tree.lastInclusion(big(j)), big(j), leafOf(j), roots[j]!);
      expect(tree.lastInclusion(big(j))).toHaveLength(peakCount(big(j - 1)));
      for (let i = 1; i <= j; i++) {
        verifyInclusion(tree.inclusion(big(i), big(j)), big(i), big(j), leafOf(i), roots[j]!);
        verifyConsistency(tree.consistency(big(i), big(j)), big(i), big(j), roots[i]!, roots[j]!);
      }
    }
  });

  test('a path is accepted at no other position of its tree, nor for its tree at another size', () => {
    for (let j = 1; j <= 40; j++) {
      for (let i = 1; i <= j; i++) {
        const path = tree.inclusion(big(i), big(j));
        for (let other = 1; other <= 41; other++) {
          const elsewhere = () => {
            verifyInclusion(path, big(other), big(j), leafOf(i), roots[j]!);
          };
          if (other !== i)
            expect(checkFailedBy(elsewhere), `${i} as ${other} of ${j}`).toBe('merkle.inclusion');
          const resized = () => {
            verifyInclusion(path, big(i), big(other), leafOf(i), roots[other]!);
          };
          if (other !== j)
            expect(checkFailedBy(resized), `${i} of ${j} as ${other}`).toBe('merkle.inclusion');
        }
      }
    }
  });

  test('a leaf beyond the tree is rejected even where its path leads to the root', () => {
    for (let j = 1; j < SIZE; j++) {
      const beyond = () => {
        verifyInclusion(
          tree.inclusion(big(j + 1), big(j + 1)),
          big(j + 1),
          big(j),
          leafOf(j + 1),
          roots[j + 1]!,
        );
      };
      expect(checkFailedBy(beyond), `${j + 1} of ${j}`).toBe('merkle.inclusion');
    }
  });

  test('a consistency proof is accepted for no other pair of sizes', () => {
    for (let j = 2; j <= 17; j++) {
      for (let i = 1; i < j; i++) {
        const proof = tree.consistency(big(i), big(j));
        for (let n = 1; n <= 18; n++) {
          for (let m = 1; m <= 18; m++) {
            if (m === i && n === j) continue;
            const run = () => {
              verifyConsistency(proof, big(m), big(n), roots[m]!, roots[n]!);
            };
            expect(checkFailedBy(run), `${i},${j} as ${m},${n}`).toBe('merkle.consistency');
            const renamed = () => {
              verifyConsistency(proof, big(m), big(j), roots[i]!, roots[j]!);
            };
            if (m !== i) expect(checkFailedBy(renamed)).toBe('merkle.consistency');
          }
        }
      }
    }
  });

  // Not of the size: a root does not fix it, which is why it is always taken from the header that has the root.
  test('every single mutation of a path, a position, a leaf or a root is rejected', () => {
    let count = 0;
    const position = fc.integer({ min: 1, max: SIZE });
    fc.assert(
      fc.property(position, position, fc.nat({ max: 255 }), (x, y, bit) => {
        const [i, j] = [Math.min(x, y), Math.max(x, y)];
        const inclusion = {
          terms: tree.inclusion(big(i), big(j)),
          i: big(i),
          leaf: leafOf(i),
          root: roots[j]!,
        };
        for (const { what, value: p } of mutationsOf(inclusion, bit)) {
          const run = () => {
            verifyInclusion(p.terms, p.i, big(j), p.leaf, p.root);
          };
          expect(checkFailedBy(run), `${i},${j}${what}`).toBeDefined();
          count++;
        }
        const consistency = {
          terms: tree.consistency(big(i), big(j)),
          i: big(i),
          older: roots[i]!,
          newer: roots[j]!,
        };
        for (const { what, value: p } of mutationsOf(consistency, bit)) {
          const run = () => {
            verifyConsistency(p.terms, p.i, big(j), p.older, p.newer);
          };
          expect(checkFailedBy(run), `${i},${j}${what}`).toBeDefined();
          count++;
        }
      }),
      { numRuns: 100 },
    );
    expect(count).toBeGreaterThan(10_000);
  });
});

describe('frontier', () => {
  test('has the root and the peaks of the tree at every size', () => {
    const frontier = Frontier.empty();
    expect(frontier.root()).toEqual(ZERO_HASH);
    for (let n = 1; n <= SIZE; n++) {
      const before = frontier.clone();
      frontier.append(digests[n - 1]!);
      expect(frontier.size).toBe(big(n));
      expect(frontier.root()).toEqual(roots[n]);
      expect(foldPeaks(frontier.peaks)).toEqual(roots[n]);
      if (n < SIZE) expect(frontier.peaks.map(toHex)).toEqual(tree.lastInclusion(big(n + 1)).map(toHex));
      expect(before.size).toBe(big(n - 1));
      expect(before.root()).toEqual(roots[n - 1]);
      expect(Frontier.from(frontier).root()).toEqual(roots[n]);
    }
  });

  test('is on every audit path, and in the frontier of a larger tree where no peak of that reaches over its end', () => {
    const peaksAt = (n: number) => (n === 0 ? [] : tree.lastInclusion(big(n + 1)));
    let within = 0;
    for (let j = 1; j < 70; j++) {
      for (let i = 1; i <= j; i++) {
        expect(peaksLeftOf(tree.inclusion(big(i), big(j)), big(i), big(j))).toEqual(peaksAt(i - 1));
        const larger = peaksAt(j).map(toHex);
        const whole = peaksAt(i).every((peak) => larger.includes(toHex(peak)));
        expect(peaksOfPrefix(peaksAt(j), big(j), big(i)), `${i} of ${j}`).toEqual(
          whole ? peaksAt(i) : undefined,
        );
        if (whole) within++;
      }
      expect(peaksOfPrefix(peaksAt(j), big(j), 0n)).toEqual([]);
    }
    expect(within).toBeGreaterThan(100);
  });

  test('hands out roots that are the caller’s to change', () => {
    for (const make of [() => Frontier.empty().root(), () => new HistoryTree().root(0n)]) {
      make().fill(1);
      expect(make()).toEqual(new Uint8Array(32));
    }
  });

  test('has one peak per one bit of its size, up to the largest', () => {
    for (const [size, peaks] of [
      [2n ** 32n - 1n, 32],
      [2n ** 32n, 1],
      [2n ** 32n + 1n, 2],
      [2n ** 62n + 2n ** 31n + 3n, 4],
      [2n ** 63n - 1n, 63],
    ] as const) {
      expect(peakCount(size)).toBe(peaks);
      expect(Frontier.from({ size, peaks: digests.slice(0, peaks) }).peaks).toHaveLength(peaks);
    }
    expect(checkFailedBy(() => foldPeaks([]))).toBe('merkle.peaks');
  });

  test('is not made from another number of peaks than its size has', () => {
    const peaks = tree.lastInclusion(8n);
    expect(peaks).toHaveLength(3);
    expect(Frontier.from({ size: 7n, peaks }).root()).toEqual(roots[7]);
    for (const size of [0n, 1n, 3n, 6n, 8n, 15n]) {
      expect(checkFailedBy(() => Frontier.from({ size, peaks }))).toBe('frontier.peaks');
    }
  });
});
