// Metadata, headers, entries: what they encode to, and that what is not well-formed is not hashed.
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import {
  be16,
  be32,
  be64,
  compareBytes,
  concatBytes,
  equalBytes,
  fromHex,
  toHex,
} from '#dist/proof/bytes.js';
import {
  entriesInclusion,
  entriesRoot,
  verifyEntries,
  verifyEntryInclusion,
} from '#dist/proof/tree/entries-tree.js';
import {
  MAX_RAW_KEY,
  digestOf,
  entryDigest,
  plainKey,
  referenceValue,
  sortedSetKey,
} from '#dist/proof/entry.js';
import { EMPTY_HASH, ZERO_HASH, runningSha256, setSha256, sha256, sha256Of } from '#dist/proof/hash.js';
import { alh, assertHeader, innerHash } from '#dist/proof/header.js';
import {
  decodeKVMetadata,
  decodeTxMetadata,
  encodeKVMetadata,
  encodeTxMetadata,
} from '#dist/proof/metadata.js';
import { stateToSign } from '#dist/proof/signature.js';
import type { TxEntry, TxHeader } from '#dist/proof/types.js';
import { checkFailedBy, digestNumber, makeChain } from './helpers.js';
import { mutationsOf } from './mutations.js';

const { headers } = makeChain(30);

describe('bytes', () => {
  test('order, equality, hex and numbers', () => {
    const bytes = fc.uint8Array({ maxLength: 40 });
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b));
        expect(equalBytes(a, b)).toBe(Buffer.compare(a, b) === 0);
        expect(toHex(a)).toBe(Buffer.from(a).toString('hex'));
        expect(fromHex(toHex(a))).toEqual(a);
        expect(concatBytes(a, b)).toEqual(new Uint8Array(Buffer.concat([a, b])));
      }),
    );
    expect(toHex(be16(0xabcd))).toBe('abcd');
    expect(toHex(be32(0xfedcba98))).toBe('fedcba98');
    expect(toHex(be64(-2n))).toBe('fffffffffffffffe');
    for (const bad of ['a', '0g', ' 00', '0x00', '00\n']) expect(() => fromHex(bad)).toThrow(RangeError);
  });
});

describe('hash', () => {
  afterEach(() => {
    setSha256();
  });

  test('is SHA-256 for every length around a block, twice in a row, and leaves its input alone', () => {
    for (let length = 0; length <= 200; length++) {
      const data = new Uint8Array(length).map((_, i) => i * 7);
      const expected = createHash('sha256').update(data).digest('hex');
      const first = sha256(data);
      expect(toHex(first)).toBe(expected);
      sha256(new Uint8Array([1, 2, 3]));
      expect(toHex(first)).toBe(expected);
      expect(data).toEqual(new Uint8Array(length).map((_, i) => i * 7));
    }
  });

  test('is SHA-256 of parts of buffers, wherever they lie, and of what is large', () => {
    const large = new Uint8Array(100_000).map((_, i) => i * 31);
    const lengths = [0, 1, 31, 55, 56, 63, 64, 65, 127, 128, 129, 1000, 4096, 65_537];
    for (const impl of [
      undefined,
      (data: Uint8Array) => new Uint8Array(createHash('sha256').update(data).digest()),
    ]) {
      setSha256(impl);
      for (const length of lengths) {
        for (const from of [0, 1, 7]) {
          const view = large.subarray(from, from + length);
          const expected = createHash('sha256').update(view).digest('hex');
          expect(toHex(sha256(view))).toBe(expected);
          expect(toHex(sha256(Buffer.from(view)))).toBe(expected);
          expect(toHex(sha256Of(large.subarray(from), length))).toBe(expected);
        }
      }
    }
  });

  test('another implementation gives the same results; a wrong one is refused', () => {
    const header = headers[6]!;
    const before = alh(header);
    let calls = 0;
    setSha256((data) => {
      calls++;
      return new Uint8Array(createHash('sha256').update(data).digest());
    });
    expect(alh(header)).toEqual(before);
    expect(calls).toBe(3);
    expect(() => {
      setSha256((data) => new Uint8Array(createHash('sha512').update(data).digest()));
    }).toThrow('SHA-256');
    expect(() => {
      setSha256(() => new Uint8Array(32));
    }).toThrow('SHA-256');
    expect(alh(header)).toEqual(before);
  });

  test('of what comes in pieces it is the same, by every implementation; a wrong one is refused', () => {
    const data = new Uint8Array(5000).map((_, i) => i * 31);
    const expected = toHex(sha256(data));
    let pieces = 0;
    const counting = () => {
      const running = createHash('sha256');
      return {
        update: (piece: Uint8Array) => ((pieces += 1), running.update(piece)),
        digest: () => running.digest(),
      };
    };
    for (const running of [undefined, counting]) {
      setSha256(undefined, running);
      const [one, other] = [runningSha256(), runningSha256()];
      for (const [from, to] of [
        [0, 1],
        [1, 64],
        [64, 64],
        [64, 4097],
        [4097, 5000],
      ] as const) {
        one.update(data.subarray(from, to));
        other.update(new Uint8Array(7));
      }
      expect(toHex(one.digest())).toBe(expected);
    }
    expect(pieces).toBe(10);
    expect(() => setSha256(undefined, () => createHash('sha512'))).toThrow('SHA-256');
  });

  test('an input that is no bytes does not spoil the next hash', () => {
    const expected = sha256(new Uint8Array([1]));
    expect(() => sha256('text' as unknown as Uint8Array)).toThrow(TypeError);
    expect(sha256(new Uint8Array([1]))).toEqual(expected);
  });
});

describe('metadata', () => {
  test('tx metadata: round trip, and only canonical bytes are read', () => {
    for (const length of [1, 255, 256]) {
      const metadata = { extra: new Uint8Array(length).fill(7) };
      expect(decodeTxMetadata(encodeTxMetadata(metadata))).toEqual(metadata);
    }
    expect(checkFailedBy(() => decodeTxMetadata(fromHex('010101' + '07'.repeat(257))))).toBe(
      'tx-metadata.extra',
    );
    const id = fc.bigInt({ min: 1n, max: 2n ** 63n - 1n });
    const extra = fc.uint8Array({ minLength: 1, maxLength: 256 });
    fc.assert(
      fc.property(fc.record({ truncatedTxId: id, extra }, { requiredKeys: [] }), (metadata) => {
        const bytes = encodeTxMetadata(metadata);
        expect(bytes.length).toBeLessThanOrEqual(268);
        expect(decodeTxMetadata(bytes)).toEqual(metadata);
      }),
    );
    expect(encodeTxMetadata(undefined)).toHaveLength(0);
    expect(encodeTxMetadata({ extra: new Uint8Array(0) })).toHaveLength(0);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
        let decoded;
        if (checkFailedBy(() => (decoded = decodeTxMetadata(bytes))) !== undefined) return;
        expect(encodeTxMetadata(decoded)).toEqual(bytes);
      }),
    );
    for (const bad of [
      '02',
      '00',
      '0000',
      '01',
      '0100',
      '010000',
      '0100026d',
      '02000161',
      '01000161' + '0000000000000000' + '01',
      '000000000000000000',
      '00ffffffffffffffff',
      '01000161' + '01000161',
    ]) {
      expect(
        checkFailedBy(() => decodeTxMetadata(fromHex(bad))),
        bad,
      ).toMatch(/^tx-metadata\./);
    }
    expect(checkFailedBy(() => encodeTxMetadata({ extra: new Uint8Array(257) }))).toBe('tx-metadata.extra');
    for (const truncatedTxId of [0n, -1n, 2n ** 63n]) {
      expect(checkFailedBy(() => encodeTxMetadata({ truncatedTxId }))).toBe('tx-metadata.truncated');
    }
  });

  test('entry metadata: round trip, and only canonical bytes are read', () => {
    const time = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    const yes = fc.constant(true);
    const attributes = fc.record({ deleted: yes, expiresAt: time, nonIndexable: yes }, { requiredKeys: [] });
    fc.assert(
      fc.property(attributes, (metadata) => {
        const bytes = encodeKVMetadata(metadata);
        expect(bytes.length).toBeLessThanOrEqual(11);
        expect(decodeKVMetadata(bytes)).toEqual(metadata);
      }),
    );
    expect(encodeKVMetadata({ deleted: false, nonIndexable: false })).toHaveLength(0);
    for (const bad of ['03', '03' + '00'.repeat(8), '01', '0100', '0000', '0200', '0202']) {
      expect(
        checkFailedBy(() => decodeKVMetadata(fromHex(bad))),
        bad,
      ).toMatch(/^kv-metadata\./);
    }
    expect(checkFailedBy(() => encodeKVMetadata({ expiresAt: 2n ** 63n }))).toBe('kv-metadata.expires-at');
  });
});

describe('headers', () => {
  test('every change to a header changes its alh or is rejected', () => {
    for (const header of headers) {
      const before = toHex(alh(header));
      for (const { what, value } of mutationsOf(header, Number(header.id))) {
        let after: string | undefined;
        const check = checkFailedBy(() => (after = toHex(alh(value))));
        expect(check !== undefined || after !== before, `${header.id} ${what}`).toBe(true);
      }
    }
  });

  const good = headers[1]!;
  const bad: [string, Partial<Record<keyof TxHeader, unknown>>, string][] = [
    ['id 0', { id: 0n }, 'header.id'],
    ['negative id', { id: -1n }, 'header.id'],
    ['id over 2^63-1', { id: 2n ** 63n }, 'header.id'],
    ['id as number', { id: 2 }, 'header.id'],
    ['id NaN', { id: NaN }, 'header.id'],
    ['no id', { id: undefined }, 'header.id'],
    ['prevAlh short', { prevAlh: new Uint8Array(31) }, 'header.prev-alh'],
    ['prevAlh long', { prevAlh: new Uint8Array(33) }, 'header.prev-alh'],
    ['prevAlh a string', { prevAlh: 'x'.repeat(32) }, 'header.prev-alh'],
    ['prevAlh a list', { prevAlh: Array(32).fill(0) }, 'header.prev-alh'],
    ['eH missing', { eH: undefined }, 'header.entries-root'],
    ['eH empty', { eH: new Uint8Array(0) }, 'header.entries-root'],
    ['blRoot short', { blRoot: new Uint8Array(0) }, 'header.tree-root'],
    ['blRoot zero with a tree', { blRoot: ZERO_HASH }, 'header.tree-root'],
    ['blRoot set without a tree', { blTxId: 0n }, 'header.tree-root'],
    ['ts a number', { ts: 1 }, 'header.ts'],
    ['ts over 64 bits', { ts: 2n ** 63n }, 'header.ts'],
    ['ts that cannot be negated', { ts: -(2n ** 63n) }, 'header.ts'],
    ['version 2', { version: 2 }, 'header.version'],
    ['version -1', { version: -1 }, 'header.version'],
    ['version NaN', { version: NaN }, 'header.version'],
    ['version a string', { version: '1' }, 'header.version'],
    ['nentries negative', { nentries: -1 }, 'header.nentries'],
    ['nentries a fraction', { nentries: 1.5 }, 'header.nentries'],
    ['nentries NaN', { nentries: NaN }, 'header.nentries'],
    ['nentries over 32 bits', { nentries: 2 ** 32 }, 'header.nentries'],
    ['nentries over 16 bits in version 0', { nentries: 65536, version: 0 }, 'header.nentries'],
    ['no entries', { nentries: 0, eH: EMPTY_HASH }, 'header.nentries'],
    ['no entries in version 0, with another eH', { nentries: 0, version: 0 }, 'header.entries-root'],
    ['truncation with another eH', { nentries: 0, metadata: { truncatedTxId: 1n } }, 'header.entries-root'],
    ['blTxId = id', { blTxId: 2n }, 'header.tree-size'],
    ['blTxId negative', { blTxId: -1n }, 'header.tree-size'],
    ['metadata in version 0', { version: 0, metadata: { extra: new Uint8Array(1) } }, 'header.metadata'],
    ['extra too long', { metadata: { extra: new Uint8Array(257) } }, 'tx-metadata.extra'],
    ['truncation id out of range', { metadata: { truncatedTxId: 0n } }, 'tx-metadata.truncated'],
    ['tx 1 after something', { id: 1n, blTxId: 0n, blRoot: ZERO_HASH }, 'header.prev-alh'],
  ];

  test.each(bad)('not well-formed: %s', (_name, change, check) => {
    assertHeader(good);
    const header = { ...good, ...change } as TxHeader;
    expect(checkFailedBy(() => innerHash(header))).toBe(check);
    expect(checkFailedBy(() => alh(header))).toBe(check);
  });

  test('the first and last value of every range is well-formed', () => {
    for (const change of [
      { id: 2n ** 63n - 1n },
      { ts: 2n ** 63n - 1n },
      { ts: -(2n ** 63n) + 1n },
      { version: 0, nentries: 0xffff },
      { nentries: 0xffff_ffff },
      { metadata: { truncatedTxId: 2n ** 63n - 1n, extra: new Uint8Array(256) } },
    ])
      assertHeader({ ...good, ...change });
  });

  test('a truncation tx may have no entries; empty metadata is none', () => {
    alh({ ...good, nentries: 0, eH: EMPTY_HASH, metadata: { truncatedTxId: 1n } });
    // A truncation of a database that has no metadata.
    alh({ ...good, nentries: 0, eH: EMPTY_HASH, version: 0 });
    expect(alh({ ...good, metadata: {} })).toEqual(alh(good));
    alh({ ...good, version: 0, metadata: {} });
  });
});

describe('entries', () => {
  const entries: TxEntry[] = Array.from({ length: 9 }, (_, i) => ({
    key: plainKey(Uint8Array.of(i)),
    ...(i % 3 === 0 ? { metadata: { expiresAt: BigInt(i) } } : {}),
    hValue: digestNumber(i),
  }));

  function headerOf(list: readonly TxEntry[]): TxHeader {
    const eH = entriesRoot(list.map((entry) => entryDigest(1, entry)));
    return { ...headers[1]!, nentries: list.length, eH };
  }

  test('every number of entries: all together, and each by its path', () => {
    for (let n = 1; n <= entries.length; n++) {
      const list = entries.slice(0, n);
      const header = headerOf(list);
      const { digests } = verifyEntries(header, list);
      for (let i = 0; i < n; i++) {
        const given = { proof: entriesInclusion(digests, i), digest: digests[i]! };
        verifyEntryInclusion(given.proof, given.digest, header);
        for (const { what, value } of mutationsOf(given, i)) {
          const run = () => {
            verifyEntryInclusion(value.proof, value.digest, header);
          };
          expect(checkFailedBy(run), what).toBeDefined();
        }
      }
      for (const { what, value } of mutationsOf(list, n)) {
        expect(
          checkFailedBy(() => verifyEntries(header, value)),
          what,
        ).toBeDefined();
      }
    }
  });

  test('another number of entries than the header says is rejected even where the root is right', () => {
    for (const nentries of [8, 10]) {
      const header = { ...headerOf(entries), nentries };
      expect(checkFailedBy(() => verifyEntries(header, entries))).toBe('entries.count');
    }
  });

  test('a key that occurs twice is rejected even where the root is right', () => {
    const twice = [...entries, { ...entries[4]!, hValue: digestNumber(99) }];
    expect(checkFailedBy(() => verifyEntries(headerOf(twice), twice))).toBe('entries.duplicate');
    const both = [entries[4]!, { ...entries[4]!, hValue: digestNumber(99) }];
    expect(checkFailedBy(() => verifyEntries(headerOf(both), both))).toBe('entries.duplicate');
  });

  test('deleted, expiring and non-indexable entries have digests of their own', () => {
    const { key, hValue } = entries[0]!;
    const kinds = [
      undefined,
      { deleted: true },
      { expiresAt: 0n },
      { nonIndexable: true },
      { expiresAt: 1n },
    ];
    expect(new Set(kinds.map((metadata) => toHex(digestOf(1, key, metadata, hValue)))).size).toBe(5);
    expect(digestOf(1, key, { deleted: false }, hValue)).toEqual(digestOf(1, key, undefined, hValue));
    expect(checkFailedBy(() => digestOf(0, key, { deleted: true }, hValue))).toBe('entry.metadata');
  });

  test('digests of keys of any length, against the definition', () => {
    const H = (...parts: Uint8Array[]) =>
      new Uint8Array(createHash('sha256').update(Buffer.concat(parts)).digest());
    const hValue = digestNumber(1);
    const metadata = { expiresAt: 4102444800n };
    const m = encodeKVMetadata(metadata);
    for (const length of [
      1,
      2,
      255,
      256,
      1024,
      1999,
      2000,
      2001,
      2002,
      2003,
      2004,
      2016,
      2017,
      5000,
      MAX_RAW_KEY,
    ]) {
      const key = new Uint8Array(length).map((_, i) => i);
      expect(digestOf(0, key, undefined, hValue)).toEqual(H(key, hValue));
      expect(digestOf(1, key, metadata, hValue)).toEqual(H(be16(m.length), m, be16(length), key, hValue));
    }
    for (const length of [0, MAX_RAW_KEY + 1]) {
      expect(checkFailedBy(() => digestOf(1, new Uint8Array(length), undefined, hValue))).toBe('entry.key');
    }
    const key = plainKey(new Uint8Array(1));
    for (const version of [-1, 2, NaN, 0.5]) {
      expect(checkFailedBy(() => digestOf(version, key, undefined, hValue))).toBe('entry.version');
    }
    for (const length of [0, 31, 33]) {
      expect(checkFailedBy(() => digestOf(1, key, undefined, new Uint8Array(length)))).toBe(
        'entry.value-hash',
      );
    }
  });

  test('ids inside keys and values are in range', () => {
    const key = Uint8Array.of(1);
    for (const atTx of [-1n, 2n ** 63n]) {
      expect(checkFailedBy(() => referenceValue(atTx, key))).toBe('entry.at-tx');
      expect(checkFailedBy(() => sortedSetKey(key, 1, key, atTx))).toBe('entry.at-tx');
    }
    referenceValue(0n, key);
    sortedSetKey(key, 1, key, 0n);
  });

  test('a reference leads to a key that can be one', () => {
    for (const length of [1, MAX_RAW_KEY - 1]) referenceValue(1n, new Uint8Array(length));
    for (const length of [0, MAX_RAW_KEY])
      expect(checkFailedBy(() => referenceValue(1n, new Uint8Array(length)))).toBe('entry.reference-key');
  });
});

describe('state signature', () => {
  test('names are bound by their length in UTF-8, ids and hashes are in range', () => {
    expect(toHex(stateToSign('dbé', 1n, ZERO_HASH))).toBe(
      `000000046462c3a9${'0'.repeat(15)}1${'00'.repeat(32)}`,
    );
    expect(checkFailedBy(() => stateToSign('db', -1n, ZERO_HASH))).toBe('signature.tx');
    expect(checkFailedBy(() => stateToSign('db', 1n, new Uint8Array(31)))).toBe('signature.alh');
  });
});
