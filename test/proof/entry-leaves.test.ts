// The entries of a transaction as a set of leaves, and the leaf of one entry.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { entriesRoot, entriesRootOf } from '#dist/proof/tree/entries-tree.js';
import { hasLeaf, sortedLeaves } from '#dist/proof/entry-leaves.js';
import { digestOf, entryLeaf, plainKey, plainLeaf, plainValue } from '#dist/proof/entry.js';
import { sha256 } from '#dist/proof/hash.js';
import { leafHash } from '#dist/proof/tree/merkle.js';
import { checkFailedBy, digestNumber } from './helpers.js';

const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });

it('has every leaf, whatever the order of the digests, and nothing else', () => {
  fc.assert(
    fc.property(fc.uniqueArray(digest, { selector: String, maxLength: 40 }), digest, (digests, other) => {
      const sorted = sortedLeaves(digests.map(leafHash));
      expect(sorted.length).toBe(32 * digests.length);
      expect(sortedLeaves(digests.toReversed().map(leafHash))).toEqual(sorted);
      for (const each of digests) {
        expect(hasLeaf(sorted, leafHash(each))).toBe(true);
        // The digest itself is no leaf.
        expect(hasLeaf(sorted, each)).toBe(false);
      }
      const known = digests.some((each) => Buffer.from(each).equals(other));
      expect(hasLeaf(sorted, leafHash(other))).toBe(known);
    }),
  );
});

it('is sorted byte by byte', () => {
  const sorted = sortedLeaves(Array.from({ length: 200 }, (_, i) => leafHash(digestNumber(i))));
  for (let i = 1; i < 200; i++) {
    const [a, b] = [sorted.subarray(32 * i - 32, 32 * i), sorted.subarray(32 * i, 32 * i + 32)];
    expect(Buffer.compare(a, b)).toBe(-1);
  }
});

it('is sorted also where leaves begin alike, by chance or because somebody looked for them', () => {
  const head = fc.constantFrom(
    [0, 0, 0, 0],
    [0, 0, 0, 1],
    [127, 255, 255, 255],
    [128, 0, 0, 0],
    [255, 255, 255, 255],
  );
  const rest = fc.uint8Array({ minLength: 28, maxLength: 28 });
  const leaf = fc.tuple(head, rest).map(([first, others]) => Uint8Array.from([...first, ...others]));
  fc.assert(
    fc.property(fc.uniqueArray(leaf, { selector: String, minLength: 8, maxLength: 24 }), (leaves) => {
      const sorted = sortedLeaves(leaves);
      expect(sorted).toEqual(new Uint8Array(Buffer.concat(leaves.toSorted((a, b) => Buffer.compare(a, b)))));
      for (const each of leaves) expect(hasLeaf(sorted, each)).toBe(true);
    }),
  );
});

it('tells leaves apart that differ in one bit only, at every bit', () => {
  const digests = [1, 2, 3].map(digestNumber);
  const sorted = sortedLeaves(digests.map(leafHash));
  const leaf = leafHash(digests[1]!);
  for (let bit = 0; bit < 256; bit++) {
    const turned = leaf.slice();
    turned[bit >> 3]! ^= 1 << (bit & 7);
    expect(hasLeaf(sorted, turned)).toBe(false);
  }
});

it('has nothing when there are no entries', () => {
  expect(sortedLeaves([])).toEqual(new Uint8Array(0));
  expect(hasLeaf(new Uint8Array(0), digestNumber(1))).toBe(false);
});

it('the leaf of an entry is that of its digest, in either version', () => {
  const key = plainKey(new Uint8Array([1, 2]));
  const value = plainValue(new Uint8Array([3]));
  for (const version of [0, 1]) {
    const expected = digestOf(version, key, undefined, sha256(value));
    expect(entryLeaf(version, key, undefined, value)).toEqual(leafHash(expected));
  }
  const metadata = { expiresAt: 7n, nonIndexable: true };
  expect(entryLeaf(1, key, metadata, value)).toEqual(leafHash(digestOf(1, key, metadata, sha256(value))));
  expect(checkFailedBy(() => entryLeaf(0, key, metadata, value))).toBe('entry.metadata');
  expect(checkFailedBy(() => entryLeaf(2, key, undefined, value))).toBe('entry.version');
});

it('the leaf of a plain entry is that of its raw key and value, however long they are', () => {
  const metadata = [undefined, { nonIndexable: true }, { deleted: true, expiresAt: -1n }];
  for (const length of [1, 2, 30, 500, 1022, 1023, 1024, 1025, 2000, 2033, 2034, 2035, 2048, 65_534]) {
    const key = new Uint8Array(length).map((_, i) => i * 3);
    for (const size of [0, 1, 55, 56, 63, 64, 2046, 2047, 2048, 2049, 4094, 4095, 4096, 4097, 70_000]) {
      const value = new Uint8Array(size).map((_, i) => i * 5);
      const expected = entryLeaf(1, plainKey(key), undefined, plainValue(value));
      expect(plainLeaf(1, key, undefined, value)).toEqual(expected);
    }
    const value = new Uint8Array([1, 2, 3]);
    for (const each of metadata)
      expect(plainLeaf(1, key, each, value)).toEqual(entryLeaf(1, plainKey(key), each, plainValue(value)));
    expect(plainLeaf(0, key, undefined, value)).toEqual(
      entryLeaf(0, plainKey(key), undefined, plainValue(value)),
    );
  }
  expect(checkFailedBy(() => plainLeaf(0, new Uint8Array(1), { deleted: true }, new Uint8Array(0)))).toBe(
    'entry.metadata',
  );
  expect(checkFailedBy(() => plainLeaf(1, new Uint8Array(65_535), undefined, new Uint8Array(0)))).toBe(
    'entry.key',
  );
});

it('a single entry is its own root; more are hashed from their leaves', () => {
  for (const count of [0, 1, 2, 3, 7, 8, 100]) {
    const digests = Array.from({ length: count }, (_, i) => digestNumber(i));
    const leaves = digests.map((each) => leafHash(each));
    expect(entriesRootOf(leaves)).toEqual(entriesRoot(digests));
    if (count === 1) expect(entriesRootOf(leaves)).toEqual(leaves[0]);
  }
});
