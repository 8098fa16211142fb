// Following the chain and the tree from the head on, by headers alone.
import { describe, expect, test } from 'vitest';
import { follow, headAt, sameRoot } from '#dist/client/trust/head/head.js';
import type { Candidate, Head } from '#dist/client/trust/head/head.js';
import { Frontier } from '#dist/proof/tree/frontier.js';
import { provenTx } from '#dist/verify/claims/proven.js';
import { TestChain } from '../verify/support/test-chain.js';

const chain = new TestChain().grow(40);
const other = new TestChain().grow(20);
other.set(['parted', '']);
other.grow(10);
/** The chain is honest, the tree has another hash for tx 20. */
const twoFaced = new TestChain({ treeLeaf: (id, alh) => (id === 20n ? other.root(1n).alh : alh) }).grow(40);

function frontierAt(tx: bigint, of = chain) {
  const frontier = Frontier.from({ size: 0n, peaks: [] });
  for (let id = 1n; id <= tx; id++) frontier.append(of.root(id).alh);
  return { size: frontier.size, peaks: frontier.peaks };
}

const head = (tx: bigint, of = chain): Head => ({ ...of.root(tx), frontier: frontierAt(tx, of) });
/** As a plain Set answers: the header, and the tree that it commits to. */
const bare = (tx: bigint, of = chain): Candidate => {
  const { header, alh } = of.tx(tx);
  return { ...provenTx(header, alh), tree: { size: header.blTxId, root: header.blRoot } };
};
/** As a verifiable answer proves it. */
const shown = (tx: bigint, of = chain): Candidate => {
  const { header, alh } = of.tx(tx);
  return { ...provenTx(header, alh), frontier: frontierAt(tx, of) };
};

describe.each([
  ['a header with its tree', bare],
  ['a header with its frontier', shown],
] as const)('%s', (_, candidate) => {
  test('is followed step by step, from the empty database on', () => {
    let at: Head = { ...chain.root(0n), frontier: { size: 0n, peaks: [] } };
    for (let tx = 1n; tx <= 40n; tx++) {
      const next = follow(candidate(tx), at);
      expect(next).toEqual(head(tx));
      at = next!;
    }
  });

  test('is not followed over a gap, backwards, or on the spot', () => {
    for (const tx of [9n, 10n, 12n, 40n]) expect(follow(candidate(tx), head(10n))).toBeUndefined();
  });

  test('is not followed when it names another predecessor', () => {
    expect(follow(candidate(22n, other), head(21n))).toBeUndefined();
    const forged = { ...candidate(22n), prevAlh: other.root(21n).alh };
    expect(follow(forged, head(21n))).toBeUndefined();
  });

  test('is not followed without a frontier, or with that of another tx', () => {
    expect(follow(candidate(11n), headAt(chain.root(10n)))).toBeUndefined();
    expect(follow(candidate(11n), { ...chain.root(10n), frontier: frontierAt(9n) })).toBeUndefined();
  });

  test('is not followed when the frontier at hand is of another history', () => {
    const { peaks } = frontierAt(21n, other);
    expect(follow(candidate(22n), { ...chain.root(21n), frontier: { size: 21n, peaks } })).toBeUndefined();
  });
});

test('a header whose tree is not the chain is not followed', () => {
  expect(follow(bare(20n, twoFaced), head(19n, twoFaced))).toBeDefined();
  for (const tx of [21n, 22n, 40n])
    expect(follow(bare(tx, twoFaced), head(tx - 1n, twoFaced))).toBeUndefined();
});

test('a header whose tree is shorter, or has another root, is not followed', () => {
  const { tree, ...rest } = bare(11n);
  for (const changed of [
    { size: 9n, root: tree!.root },
    { size: 11n, root: tree!.root },
    { size: 10n, root: bare(10n).tree!.root },
  ])
    expect(follow({ ...rest, tree: changed }, head(10n))).toBeUndefined();
  expect(follow(rest, head(10n))).toBeUndefined();
});

test('a frontier that is not the one at the header is not followed', () => {
  const honest = shown(11n);
  const { peaks } = honest.frontier!;
  for (const frontier of [
    { size: 11n, peaks: peaks.slice(1) },
    { size: 11n, peaks: peaks.toReversed() },
    { size: 10n, peaks },
    frontierAt(10n),
  ])
    expect(follow({ ...honest, frontier }, head(10n))).toBeUndefined();
});

test('heads are the same by tx and hash', () => {
  expect(sameRoot(chain.root(5n), headAt({ ...chain.root(5n), frontier: frontierAt(5n) }))).toBe(true);
  expect(sameRoot(chain.root(5n), chain.root(6n))).toBe(false);
  expect(sameRoot(chain.root(25n), other.root(25n))).toBe(false);
});
