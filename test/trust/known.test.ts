// What is kept of what was proven: bounded, never replaced, and what proofs are thought to cost.
import { describe, expect, test } from 'vitest';
import { EntryLeaves } from '#dist/client/trust/known/entry-leaves.js';
import { NewestVersions } from '#dist/client/trust/known/newest-versions.js';
import { ProofCosts } from '#dist/client/trust/known/proof-costs.js';
import { ProvenHeaders, blockOf, blockStart, factsIn } from '#dist/client/trust/known/proven-headers.js';
import { RecentMap } from '#dist/client/trust/known/recent-map.js';
import { packHeaders } from '#dist/verify/chain/block.js';
import { packColumns, unpackColumns } from '#dist/verify/pack/header-pack.js';
import { provenTx } from '#dist/verify/claims/proven.js';
import { BLOCK_TXS } from '#dist/verify/verifier.js';
import type { HeaderPack, ProvenTx } from '#dist/verify/verifier.js';
import { TestChain } from '../verify/support/test-chain.js';

const chain = new TestChain().grow(2 * BLOCK_TXS + 10);
const other = new TestChain().grow(5);
other.set(['parted', '']);
other.grow(2 * BLOCK_TXS);

function header(tx: bigint, of = chain): ProvenTx {
  return provenTx(of.tx(tx).header, of.tx(tx).alh);
}

function pack(block: number, count: number, of = chain): HeaderPack {
  const txs = Array.from({ length: count }, (_, i) => of.tx(blockStart(block) + BigInt(i)));
  return packHeaders(
    txs.map((tx) => tx.header),
    txs.map((tx) => tx.alh),
  );
}

describe('blocks', () => {
  test('start after every 1024 txs', () => {
    expect([1n, 1024n, 1025n, 2048n, 2049n].map(blockOf)).toEqual([0, 0, 1, 1, 2]);
    expect([0, 1, 2].map(blockStart)).toEqual([1n, 1025n, 2049n]);
  });
});

describe('proven headers', () => {
  test('give what claims need of them, however they came', () => {
    const headers = new ProvenHeaders(1 << 20);
    headers.add(header(3n));
    headers.addPack(pack(1, 20));
    for (const tx of [3n, 1025n, 1044n]) {
      const { version, nentries, eH, ts } = chain.tx(tx).header;
      expect(headers.facts(tx)).toMatchObject({ tx, version, nentries, eH, ts });
      expect(headers.compare(chain.root(tx))).toBe('same');
      expect(headers.compare({ tx, alh: other.root(7n).alh })).toBe('other');
    }
    for (const tx of [1n, 4n, 1024n, 1045n, 2049n, 5000n]) {
      expect(headers.facts(tx)).toBeUndefined();
      expect(headers.compare(chain.root(1n))).toBe('unknown');
    }
    expect(headers.count).toBe(21);
    expect(factsIn(pack(1, 3), 1026n)).toMatchObject({ tx: 1026n, eH: chain.tx(1026n).header.eH });
  });

  test('of which only the hash is known can be compared, and no more', () => {
    const headers = new ProvenHeaders(1 << 20);
    headers.addRoot(chain.root(9n));
    expect(headers.facts(9n)).toBeUndefined();
    expect(headers.compare(chain.root(9n))).toBe('same');
    expect(headers.compare(other.root(9n))).toBe('other');
    headers.addRoot(other.root(9n));
    expect(headers.compare(chain.root(9n))).toBe('same');
  });

  test('bring their predecessor, when its place in the tree was shown', () => {
    const headers = new ProvenHeaders(1 << 20);
    headers.addTarget(header(8n));
    expect(headers.compare(chain.root(7n))).toBe('unknown');
    headers.addTarget({ ...header(12n), frontier: { size: 12n, peaks: [] } });
    expect(headers.compare(chain.root(11n))).toBe('same');
    headers.addTarget({ ...header(1n), frontier: { size: 1n, peaks: [] } });
    expect(headers.compare(chain.root(1n))).toBe('same');
  });

  test('are never replaced: another hash for the same tx does not enter', () => {
    const headers = new ProvenHeaders(1 << 20);
    headers.add(header(9n));
    headers.add(header(9n, other));
    expect(headers.compare(chain.root(9n))).toBe('same');
    expect(headers.addPack(pack(1, 20))).toBe(true);
    headers.add(header(1030n, other));
    headers.addRoot(other.root(1030n));
    expect(headers.compare(chain.root(1030n))).toBe('same');
    expect(headers.addPack(pack(1, 30, other))).toBe(false);
    expect(headers.addPack(pack(1, 5, other))).toBe(false);
    expect([headers.compare(chain.root(1030n)), headers.facts(1050n)]).toEqual(['same', undefined]);
  });

  test('of a block are held against those that came one by one, and against mere hashes', () => {
    for (const add of [
      (headers: ProvenHeaders) => headers.add(header(1030n, other)),
      (headers: ProvenHeaders) => headers.addRoot(other.root(1030n)),
    ]) {
      const headers = new ProvenHeaders(1 << 20);
      headers.addRoot(chain.root(1025n));
      expect(headers.addPack(pack(0, 20))).toBe(true);
      headers.add(header(1026n));
      add(headers);
      expect(headers.addPack(pack(1, 20))).toBe(false);
      const { alh } = chain.tx(1030n);
      expect(headers.contradictedBy(pack(1, 20))).toEqual({
        tx: 1030n,
        known: other.tx(1030n).alh,
        shown: alh,
      });
      expect(headers.addPack(pack(1, 5))).toBe(true);
      expect(headers.compare(chain.root(1025n))).toBe('same');
    }
  });

  test('of a block are kept as bytes that say all of it, little-endian', () => {
    const whole = {
      ...pack(1, 20),
      times: BigInt64Array.from({ length: 20 }, (_, i) => -(2n ** 63n) + BigInt(i)),
    };
    whole.entryCounts[19] = 0xffff_fffe;
    const bytes = packColumns(whole);
    expect(bytes).toHaveLength(20 * 77);
    expect([...bytes.subarray(-4)]).toEqual([0xfe, 0xff, 0xff, 0xff]);
    // Wherever the bytes lie: nothing in them is aligned.
    const shifted = new Uint8Array([9, ...bytes]).subarray(1);
    expect(unpackColumns(1025n, shifted)).toEqual(whole);
  });

  test('of a block grow with it, and shrink never', () => {
    const headers = new ProvenHeaders(1 << 20);
    expect(headers.addPack(pack(0, 10))).toBe(true);
    expect(headers.facts(11n)).toBeUndefined();
    expect(headers.addPack(pack(0, 30))).toBe(true);
    expect(headers.facts(30n)?.tx).toBe(30n);
    expect(headers.addPack(pack(0, 20))).toBe(true);
    expect(headers.facts(30n)?.tx).toBe(30n);
    expect([headers.count, headers.bytes]).toEqual([30, 30 * 77]);
  });

  test('take no more memory than they may, and keep what was used last', () => {
    const bytes = BLOCK_TXS * 77;
    const headers = new ProvenHeaders(2 * bytes);
    headers.addPack(pack(0, BLOCK_TXS));
    headers.addPack(pack(1, BLOCK_TXS));
    expect(headers.facts(1n)?.tx).toBe(1n);
    headers.addPack(pack(2, 10));
    expect([headers.facts(1n)?.tx, headers.facts(1025n), headers.facts(2049n)?.tx]).toEqual([
      1n,
      undefined,
      2049n,
    ]);
    expect(headers.bytes).toBeLessThanOrEqual(2 * bytes);
    // A single block is kept, however little room there is.
    const tiny = new ProvenHeaders(1000);
    tiny.addPack(pack(0, BLOCK_TXS));
    tiny.addPack(pack(1, 20));
    expect([tiny.facts(1n), tiny.facts(1025n)?.tx]).toEqual([undefined, 1025n]);
    const singles = new ProvenHeaders(400_000);
    for (let tx = 1n; tx <= 1000n; tx++) singles.add(header(tx));
    expect(singles.bytes).toBeLessThanOrEqual(100_000);
    expect([singles.facts(1n), singles.facts(1000n)?.tx]).toEqual([undefined, 1000n]);
  });

  test('are copies: what they came from may change', () => {
    const headers = new ProvenHeaders(1 << 20);
    const { alh, eH, ...rest } = header(3n);
    const own = { ...rest, alh: alh.slice(), eH: eH.slice() };
    headers.add(own);
    own.alh.fill(0);
    own.eH.fill(0);
    expect(headers.compare(chain.root(3n))).toBe('same');
    expect(headers.facts(3n)?.eH).toEqual(chain.tx(3n).header.eH);
  });
});

describe('entries of proven txs', () => {
  const leaves = (tx: number, count = 10) => new Uint8Array(32 * count).fill(tx);

  test('are kept up to a size, the last used longest', () => {
    const known = new EntryLeaves(1000);
    for (const tx of [1, 2, 3]) known.add(BigInt(tx), leaves(tx));
    expect(known.get(1n)).toEqual(leaves(1));
    known.add(4n, leaves(4));
    expect([1n, 2n, 3n, 4n].map((tx) => known.get(tx)?.[0])).toEqual([1, undefined, 3, 4]);
    expect([known.bytes, known.count]).toEqual([960, 3]);
  });

  test('that are too many are not kept, and push nothing out', () => {
    const known = new EntryLeaves(1000);
    known.add(1n, leaves(1));
    known.add(2n, leaves(2, 32));
    expect([known.get(1n)?.[0], known.get(2n), known.bytes]).toEqual([1, undefined, 320]);
  });

  test('are never replaced, and copied', () => {
    const known = new EntryLeaves(1000);
    const own = leaves(1);
    known.add(1n, own);
    own.fill(9);
    known.add(1n, leaves(2));
    expect(known.get(1n)).toEqual(leaves(1));
    expect(known.bytes).toBe(320);
  });
});

describe('what was seen last', () => {
  test('is the newest of each key, and forgets what is old', () => {
    const seen = new NewestVersions(4);
    seen.note('a', 5n);
    seen.note('a', 3n);
    seen.note('b', 4n);
    expect(['a', 'b', 'c'].map((key) => seen.floor(key))).toEqual([5n, 4n, 0n]);
    for (let i = 0; i < 4; i++) seen.note(`k${i}`, 9n);
    expect(['a', 'k3'].map((key) => seen.floor(key))).toEqual([0n, 9n]);
    seen.clear();
    expect(seen.floor('k3')).toBe(0n);
  });

  test('holds no more than it may, and at least the newer half', () => {
    const map = new RecentMap<number, number>(100);
    for (let i = 0; i < 10_000; i++) {
      map.set(i, i);
      expect(map.size).toBeLessThanOrEqual(100);
      for (const back of [0, 25, 49]) if (i >= back) expect(map.get(i - back)).toBe(i - back);
    }
    map.set(9_999, 1);
    expect([map.get(9_999), map.has(9_999), map.has(1)]).toEqual([1, true, false]);
    map.clear();
    expect([map.size, map.has(9_999)]).toEqual([0, false]);
    const one = new RecentMap<number, number>(0.5);
    one.set(1, 1);
    expect(one.get(1)).toBe(1);
  });
});

describe('costs', () => {
  test('a block costs more than one header, and less than each of it', () => {
    const costs = new ProofCosts();
    expect(costs.block(1)).toBeGreaterThan(costs.single);
    expect(costs.block(BLOCK_TXS)).toBeLessThan(BLOCK_TXS * costs.single);
    expect(costs.digests(10)).toBe(10 * costs.digests(1));
    expect(costs.roundTrip).toBeLessThan(costs.single);
  });

  test('follow what answers turn out to take', () => {
    const costs = new ProofCosts();
    const [single, block, digests] = [costs.single, costs.block(100), costs.digests(5)];
    for (let i = 0; i < 100; i++) {
      costs.learnProof(10_000);
      costs.learnDigests(100 * 1000, 100);
    }
    expect(costs.single - single).toBeCloseTo(10_000 - 1800, -1);
    expect(costs.digests(5) - digests).toBeCloseTo(5 * (1000 - 70), -1);
    const withProof = costs.block(100);
    expect(withProof - block).toBeCloseTo(10_000 - 1800, -1);
    for (let i = 0; i < 100; i++) costs.learnBlock(500 * 100, 100);
    expect(costs.block(100) - withProof).toBeCloseTo(100 * (500 - 124), -1);
  });
});
