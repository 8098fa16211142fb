// Entries put straight into a request: the same bytes, keys and leaves as by way of objects.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { setAllContent } from '#dist/client/calls/kv/contents.js';
import { EntryBatch } from '#dist/client/group/entry-batch.js';
import { NewestVersions } from '#dist/client/trust/known/newest-versions.js';
import { plainLeaf } from '#dist/proof/entry.js';
import { useHasher } from '#dist/worker/hasher.js';
import { entriesRootOf } from '#dist/proof/tree/entries-tree.js';
import { keyName } from '#dist/verify/key-name.js';
import { readSetRequest } from '#dist/verify/wire/requests.js';
import { setRequestLeaves } from '#dist/verify/wire/set-request-leaves.js';
import { requestOf } from '#dist/client/group/write-group.js';
import { SET } from '#dist/client/group/write-forms.js';
import { RequestEncoder } from '#dist/client/group/request-encoder.js';

const NAMES = { key: 'the key', value: 'the value' };
const bytes = (max: number, min = 0) =>
  fc.oneof(
    fc.uint8Array({ minLength: min, maxLength: max }),
    fc.string({ minLength: min, maxLength: max, unit: 'grapheme' }),
  );
const pairs = fc.uniqueArray(fc.tuple(bytes(60, 1), bytes(300)), {
  minLength: 1,
  maxLength: 120,
  selector: ([key]) => keyName(Buffer.from(key as string)),
});
const plain = (input: Uint8Array | string) => new Uint8Array(Buffer.from(input as string));

function batchOf(entries: readonly (readonly [Uint8Array | string, Uint8Array | string])[], size?: number) {
  const batch = new EntryBatch(size);
  for (const [key, value] of entries) expect(batch.add(key, value, NAMES)).toBe(true);
  return batch;
}

test('is what one object for each would give, for any entries and any room', () => {
  fc.assert(
    fc.property(pairs, fc.integer({ min: 1, max: 4096 }), (all, size) => {
      const batch = batchOf(all, size);
      const entries = all.map(([key, value]) => ({ key: plain(key), value: plain(value) }));
      const encoder = new RequestEncoder();
      for (const entry of entries) encoder.entry(0x0a, entry);
      expect(batch.request()).toEqual(encoder.finish());
      expect(batch.bytes).toBe(entries.reduce((sum, { key, value }) => sum + key.length + value.length, 0));
      const middle = entries.length >> 1;
      const part = readSetRequest(batch.request(middle));
      expect(part.map(({ key, value }) => [plain(key), plain(value)])).toEqual(
        entries.slice(middle).map(({ key, value }) => [key, value]),
      );
      expect(batch.key(middle)).toEqual(entries[middle]?.key ?? new Uint8Array());
      const names = entries.map(({ key }) => keyName(key));
      expect([...batch.names()]).toEqual(names);
      expect([...batch.keys(middle).names()]).toEqual(names.slice(middle));
      for (const name of names) expect(batch.has(name)).toBe(true);
      expect(requestOf({ form: SET, entries: [], conditions: [], bytes: 0, batch })).toEqual(batch.request());
    }),
    { numRuns: 100 },
  );
});

test.for([10, 100, 4000])('does not grow where it was told how many come, of %i bytes', (size) => {
  const batch = new EntryBatch();
  const add = (i: number) => expect(batch.add(`key/${i}`, 'v'.repeat(size), NAMES)).toBe(true);
  for (let i = 0; i < 8; i++) add(i);
  batch.expect(200);
  const { buffer } = batch.request();
  for (let i = 8; i < 200; i++) add(i);
  expect(batch.request().buffer).toBe(buffer);
});

test('few large values go as they are, few small ones with others', () => {
  const content = (size: number) =>
    setAllContent(
      ['a', 'b', 'c'].map((key) => [key, Buffer.alloc(size)]),
      {},
    );
  expect(content(100_000)).toMatchObject({ entries: [], bytes: 300_003, batch: { count: 3 } });
  expect(content(10)).toMatchObject({ entries: [{}, {}, {}], bytes: 33 });
  expect(content(10).batch).toBeUndefined();
});

test.for(['noble', 'node'] as const)('the tree over it is that over its entries, by %s', (hasher) => {
  useHasher(hasher);
  try {
    fc.assert(
      fc.property(pairs, fc.integer({ min: 0, max: 1 }), (all, version) => {
        const request = batchOf(all).request();
        const leaves = readSetRequest(request).map(({ key, value, metadata }) =>
          plainLeaf(version, key, metadata, value),
        );
        const flat = setRequestLeaves(request, version);
        expect(flat.count).toBe(leaves.length);
        expect(plain(flat.root())).toEqual(plain(entriesRootOf(leaves)));
      }),
      { numRuns: 50 },
    );
  } finally {
    useHasher('noble');
  }
});

test('with the condition that no key is there: as objects with conditions, of any part of it', () => {
  fc.assert(
    fc.property(pairs, fc.nat(), fc.nat(), (all, a, b) => {
      const batch = new EntryBatch(16, true);
      for (const [key, value] of all) batch.add(key, value, NAMES);
      const from = a % all.length;
      const to = from + 1 + (b % (all.length - from));
      const entries = all.slice(from, to).map(([key, value]) => ({ key: plain(key), value: plain(value) }));
      const conditions = entries.map(({ key }) => ({ kind: 'mustNotExist' as const, key }));
      expect(batch.request(from, to)).toEqual(requestOf({ form: SET, entries, conditions, bytes: 0 }));
      expect(batch.request()).toEqual(batch.request(0, all.length));
    }),
    { numRuns: 50 },
  );
});

test('metadata, long keys and long values are hashed alike', () => {
  const encoder = new RequestEncoder();
  const sizes = [0, 1, 127, 128, 129, 4095, 4096, 4097, 70_000];
  sizes.forEach((size, i) =>
    encoder.entry(0x0a, {
      key: new Uint8Array(1 + 100 * i).fill(i),
      value: new Uint8Array(size).fill(7),
      ...(i % 2 && { metadata: { expiresAt: BigInt(i), nonIndexable: i % 3 === 0 } }),
    }),
  );
  const request = encoder.finish();
  const leaves = readSetRequest(request).map(({ key, value, metadata }) =>
    plainLeaf(1, key, metadata, value),
  );
  expect(setRequestLeaves(request, 1).root()).toEqual(entriesRootOf(leaves));
  expect(() => setRequestLeaves(request, 0)).toThrow(/version 0/);
  expect(() => setRequestLeaves(request, 2)).toThrow(/header version/);
  expect(() => setRequestLeaves(Uint8Array.of(0x22, 0), 1)).toThrow(/not checked/);
});

describe('keys', () => {
  test('that are there already change nothing', () => {
    const batch = batchOf([['a', '1'], ['b', '2']]); // prettier-ignore
    const before = plain(batch.request());
    expect(batch.add(Buffer.from('a'), 'x'.repeat(5000), NAMES)).toBe(false);
    expect([batch.count, batch.bytes, batch.request()]).toEqual([2, 4, before]);
    expect(batch.add('ä', '', NAMES)).toBe(true);
    expect(batch.add('ä', '', NAMES)).toBe(false);
  });

  test('are found in another batch, whichever is larger', () => {
    fc.assert(
      fc.property(pairs, pairs, (a, b) => {
        const [one, two] = [batchOf(a), batchOf(b)];
        const meets = [...one.names()].some((name) => two.has(name));
        expect([one.meets(two), two.meets(one)]).toEqual([meets, meets]);
      }),
    );
  });

  test('are 1024 without a gap', () => {
    const batch = batchOf(Array.from({ length: 1024 }, (_, i) => [`${i}`, ''] as const));
    for (let i = 0; i < 1024; i++) expect(batch.has(`${i}`)).toBe(true);
    expect(batch.has('1024')).toBe(false);
  });

  test.for<[string, unknown, unknown]>([
    ['no text', 5, 'v'],
    ['nothing', '', 'v'],
    ['too long', 'x'.repeat(1024), 'v'],
    ['half a letter', '\ud800', 'v'],
    ['a value of no text', 'k', null],
  ])('or values that are wrong change nothing: %s', ([, key, value]) => {
    const batch = batchOf([['a', '1']]);
    const before = plain(batch.request());
    expect(() => batch.add(key as string, value as string, NAMES)).toThrow(/the (key|value)/);
    expect([batch.count, batch.request()]).toEqual([1, before]);
  });
});

describe('newest versions that are noted together', () => {
  const keys = (...names: string[]) => ({ count: names.length, names: () => names });

  test('are as those noted one by one, whatever is asked first', () => {
    const seen = new NewestVersions();
    seen.note('a', 5n, 'deleted');
    seen.noteAll(keys('a', 'b'), 7n);
    seen.noteAll(keys('b'), 6n);
    expect([seen.end('a'), seen.floor('a'), seen.floor('b'), seen.floor('c')]).toEqual([
      undefined,
      7n,
      7n,
      0n,
    ]);
    seen.noteAll(keys('a'), 4n);
    expect(seen.floor('a')).toBe(7n);
    seen.noteAll(keys('a'), 9n);
    seen.clear();
    expect(seen.floor('a')).toBe(0n);
  });

  test('are bounded, and the newest stay', () => {
    const seen = new NewestVersions(100);
    for (let i = 0; i < 50; i++)
      seen.noteAll(keys(...Array.from({ length: 20 }, (_, j) => `${i}/${j}`)), BigInt(i + 1));
    expect(seen.floor('49/19')).toBe(50n);
    expect(seen.floor('48/0')).toBe(49n);
    expect(seen.floor('40/0')).toBe(0n);
  });
});
