// The indexes of what is latest: against a map, and each other; and keys in order.
import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CompactIndex } from '#dist/client/trust/latest/compact-index.js';
import type { KeyIndex } from '#dist/client/trust/latest/key-index.js';
import { after, prefixRange } from '#dist/client/trust/latest/ranges.js';
import { SqliteIndex } from '#dist/client/trust/latest/sqlite-index.js';
import { DELETED } from '#dist/verify/chain/rows.js';
import type { Row } from '#dist/verify/chain/rows.js';

const keyOf = (text: string) => Buffer.from(text, 'latin1');
const hashOf = (byte: number) => new Uint8Array(32).fill(byte);
const alh = hashOf(9);

function open<I extends KeyIndex>(index: I): I {
  onTestFinished(() => index.close());
  return index;
}

const rows = fc.array(
  fc.record({
    key: fc.uint8Array({ minLength: 1, maxLength: 3 }).map((bytes) => bytes.map((byte) => byte % 3)),
    flags: fc.constantFrom(0, DELETED),
    expiresAt: fc.option(fc.bigInt({ min: 1n, max: 2n ** 40n }), { nil: undefined }),
    hValue: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  }),
  { maxLength: 60 },
);

interface Given {
  readonly key: Uint8Array;
  readonly flags: number;
  readonly expiresAt: bigint | undefined;
  readonly hValue: Uint8Array;
}

function rowOf({ key, hValue, ...row }: Given & { readonly tx: bigint }): Row {
  const bytes = Buffer.concat([Buffer.from('before'), key, hValue]);
  return { ...row, bytes, keyAt: 6, keyEnd: 6 + key.length, hashAt: 6 + key.length };
}

function fill(index: KeyIndex, given: readonly Given[]) {
  const expected = new Map<string, object>();
  given.forEach((row, i) => {
    const tx = BigInt(i + 1) * 2n ** 20n;
    index.put(rowOf({ ...row, tx }));
    index.reached({ tx, alh });
    const name = Buffer.from(row.key).toString('hex');
    const before = expected.get(name) as { tx: bigint; revision: bigint } | undefined;
    expected.set(name, {
      tx,
      deleted: row.flags === DELETED,
      ...(row.expiresAt !== undefined && { expiresAt: row.expiresAt }),
      hValue: new Uint8Array(row.hValue),
      revision: (before?.revision ?? 0n) + 1n,
      previousTx: before?.tx ?? 0n,
    });
  });
  return expected;
}

describe.each([
  ['in memory', () => new CompactIndex()],
  ['in a file', () => new SqliteIndex()],
] as const)('an index %s', (_, make) => {
  test('has the newest version of every key, and nothing of others', () => {
    fc.assert(
      fc.property(rows, (given) => {
        const index = make();
        const expected = fill(index, given);
        expect(index.keys).toBe(expected.size);
        for (const [name, version] of expected) expect(index.get(Buffer.from(name, 'hex'))).toEqual(version);
        expect(index.get(keyOf('never'))).toBeUndefined();
        index.close();
      }),
      { numRuns: 50 },
    );
  });

  test('grows', () => {
    const index = open(make());
    for (let i = 0; i < 20_000; i++)
      index.put(
        rowOf({ tx: BigInt(i + 1), key: keyOf(`k${i}`), flags: 0, expiresAt: undefined, hValue: alh }),
      );
    index.reached({ tx: 20_000n, alh });
    for (const i of [0, 1023, 1024, 16_383, 16_384, 19_999])
      expect(index.get(keyOf(`k${i}`))?.tx).toBe(BigInt(i + 1));
    expect(index.keys).toBe(20_000);
    expect(index.bytes / index.keys).toBeLessThan(120);
  });
});

describe('keys in order', () => {
  test('pages of every range, in both directions, are those of a sorted list', () => {
    fc.assert(
      fc.property(rows, fc.uint8Array({ maxLength: 2 }), (given, prefix) => {
        const index = new SqliteIndex();
        const expected = fill(index, given);
        const range = prefixRange(prefix.map((byte) => (byte > 200 ? 255 : byte % 3)));
        const from = Buffer.from(range.from ?? []).toString('hex');
        const to = range.to && Buffer.from(range.to).toString('hex');
        const names = [...expected.keys()].sort().filter((name) => name >= from && (!to || name < to));
        const view = index.view();
        expect(view.count(range)).toBe(BigInt(names.length));
        for (const desc of [false, true]) {
          const seen: string[] = [];
          for (let next = range; ;) {
            const page = view.page({ ...next, desc, limit: 7 });
            for (const { key } of page) seen.push(Buffer.from(key).toString('hex'));
            const last = page.at(-1);
            if (!last || page.length < 7) break;
            next = desc ? { ...range, to: last.key } : { ...range, from: after(last.key) };
          }
          expect(seen).toEqual(desc ? names.toReversed() : names);
        }
        view.close();
        index.close();
      }),
      { numRuns: 50 },
    );
  });

  test('a view stays as it was when it began', () => {
    const index = open(new SqliteIndex());
    const put = (key: string, tx: bigint) => {
      index.put(rowOf({ tx, key: keyOf(key), flags: 0, expiresAt: undefined, hValue: alh }));
      index.reached({ tx, alh });
    };
    put('a', 1n);
    const view = index.view();
    put('a', 2n);
    put('b', 3n);
    expect([view.at.tx, view.get(keyOf('a'))?.tx, view.count({})]).toEqual([1n, 1n, 1n]);
    view.close();
    const next = index.view();
    expect([next.at.tx, next.get(keyOf('a'))?.tx, next.count({})]).toEqual([3n, 2n, 2n]);
    next.close();
  });

  test('a temporary file is gone when it is closed', () => {
    const index = new SqliteIndex();
    expect(existsSync(index.path)).toBe(true);
    index.close();
    expect(existsSync(index.path)).toBe(false);
  });
});
