// A matrix of arguments no honest server sends: each refused, by a check where a server could cause it.
import { describe, expect, test } from 'vitest';
import { verifySegment, verifySegmentEnding, verifySegmentInTree } from '#dist/proof/chain.js';
import { buildDualProof, verifyDualProof } from '#dist/proof/dual-proof.js';
import { buildDualProofV2, verifyDualProofV2 } from '#dist/proof/dual-proof-v2.js';
import {
  entriesInclusion,
  entriesRoot,
  verifyEntries,
  verifyEntryInclusion,
} from '#dist/proof/tree/entries-tree.js';
import { digestOf } from '#dist/proof/entry.js';
import { ProofFailure } from '#dist/proof/failure.js';
import { Frontier } from '#dist/proof/tree/frontier.js';
import { assertId, assertTerms } from '#dist/proof/guard.js';
import { alhFrom } from '#dist/proof/header.js';
import { HistoryTree } from '#dist/proof/tree/history-tree.js';
import { buildLinearProof, verifyLinearProof } from '#dist/proof/linear.js';
import { buildLinearAdvance, verifyLinearAdvance } from '#dist/proof/linear-advance.js';
import {
  foldPeaks,
  leafHash,
  nodeHash,
  rootFromInclusion,
  verifyConsistency,
  verifyInclusion,
  verifyLastInclusion,
} from '#dist/proof/tree/merkle.js';
import { stateToSign } from '#dist/proof/signature.js';
import { checkFailedBy, digestNumber, makeChain } from './helpers.js';

const chain = makeChain(20);
const { headers, alhs, tree } = chain;
const root9 = tree.root(9n);
const leaf3 = tree.leaf(3n);

/** By kind of argument: what a decoder could hand over (a check must say no), and what only a caller could. */
const DIGESTS = [0, 1, 31, 33, 64].map((length) => new Uint8Array(length));
const IDS = [0n, -1n, -(2n ** 63n), 2n ** 63n, 2n ** 64n, 2n ** 200n];
const COUNTS = [-1, 1.5, NaN, Infinity, -Infinity, 2 ** 32, Number.MAX_VALUE];
const NO_DIGESTS = [
  undefined,
  null,
  'x'.repeat(32),
  Array(32).fill(1),
  {},
  7,
  7n,
  new ArrayBuffer(32),
  new Uint16Array(32),
];
const NO_IDS = [undefined, null, 3, NaN, '3', {}];
const NO_COUNTS = [undefined, null, '3', 3n, {}];
const NO_LISTS = [undefined, null, 'terms', 3, {}, digestNumber(1)];

type Call = (...args: never[]) => unknown;
type Kind = 'digest' | 'id' | 'size' | 'count' | 'list';

const hostile: Record<Kind, [readonly unknown[], readonly unknown[]]> = {
  digest: [DIGESTS, NO_DIGESTS],
  id: [IDS, NO_IDS],
  /** Like an id, but 0 means none. */
  size: [IDS.slice(1), NO_IDS],
  count: [COUNTS, NO_COUNTS],
  list: [
    [[new Uint8Array(31)], [...Array(70).keys()].map(digestNumber), Array(4).fill(new Uint8Array(0))],
    [...NO_LISTS, [undefined, undefined], [null], ['x'.repeat(32)], Array(3)],
  ],
};

const linear = buildLinearProof(3n, 9n, chain);
const advance = buildLinearAdvance(2n, 8n, 9n, tree, chain)!;
const digests = [1, 2, 3].map(digestNumber);
const txHeader = { ...headers[0]!, nentries: 3, eH: entriesRoot(digests) };
const entryPath = entriesInclusion(digests, 1);

const calls: [string, Call, unknown[], (Kind | null)[]][] = [
  ['leafHash', leafHash, [leaf3], ['digest']],
  ['nodeHash', nodeHash, [leaf3, leaf3], ['digest', 'digest']],
  ['alhFrom', alhFrom, [3n, leaf3, leaf3], ['id', 'digest', 'digest']],
  [
    'rootFromInclusion',
    rootFromInclusion,
    [tree.inclusion(3n, 9n), 2n, 9n, leaf3],
    ['list', 'size', 'id', 'digest'],
  ],
  [
    'verifyInclusion',
    verifyInclusion,
    [tree.inclusion(3n, 9n), 3n, 9n, leaf3, root9],
    ['list', 'id', 'id', 'digest', 'digest'],
  ],
  [
    'verifyLastInclusion',
    verifyLastInclusion,
    [tree.lastInclusion(9n), 9n, tree.leaf(9n), root9],
    ['list', 'id', 'digest', 'digest'],
  ],
  [
    'verifyConsistency',
    verifyConsistency,
    [tree.consistency(3n, 9n), 3n, 9n, tree.root(3n), root9],
    ['list', 'id', 'id', 'digest', 'digest'],
  ],
  [
    'verifyConsistency of equals',
    verifyConsistency,
    [tree.consistency(9n, 9n), 9n, 9n, root9, root9],
    ['list', 'id', 'id', 'digest', 'digest'],
  ],
  ['foldPeaks', (peak: Uint8Array) => foldPeaks([peak, leaf3]), [leaf3], ['digest']],
  ['digestOf', digestOf, [1, leaf3, undefined, leaf3], ['count', null, null, 'digest']],
  [
    'verifyLinearProof',
    verifyLinearProof,
    [linear, 3n, 9n, alhs[2], alhs[8]],
    [null, 'id', 'id', 'digest', 'digest'],
  ],
  [
    'verifyLinearProof terms',
    (terms: never, s: never, t: never) => {
      verifyLinearProof({ sourceTxId: s, targetTxId: t, terms }, 3n, 9n, alhs[2]!, alhs[8]!);
    },
    [linear.terms, 3n, 9n],
    ['list', 'id', 'id'],
  ],
  [
    'verifyLinearAdvance',
    verifyLinearAdvance,
    [advance, 2n, 8n, alhs[7], root9, 9n],
    [null, 'size', 'size', 'digest', 'digest', 'id'],
  ],
  [
    'verifyLinearAdvance terms',
    (terms: never, path: never) => {
      verifyLinearAdvance(
        { linearProofTerms: terms, inclusionProofs: [path, ...advance.inclusionProofs.slice(1)] },
        2n,
        8n,
        alhs[7]!,
        root9,
        9n,
      );
    },
    [advance.linearProofTerms, advance.inclusionProofs[0]],
    ['list', 'list'],
  ],
  [
    'verifyEntryInclusion',
    (leaf: never, width: never, terms: never, digest: never) => {
      verifyEntryInclusion({ leaf, width, terms }, digest, txHeader);
    },
    [1, 3, entryPath.terms, digests[1]],
    ['count', 'count', 'list', 'digest'],
  ],
  [
    'verifyEntryInclusion header',
    (nentries: never, eH: never) => {
      verifyEntryInclusion(entryPath, digests[1]!, { ...txHeader, nentries, eH });
    },
    [3, txHeader.eH],
    ['count', 'digest'],
  ],
  ['Frontier.at', (terms: never) => Frontier.at(headers[8]!, terms), [tree.lastInclusion(8n)], ['list']],
  [
    'Frontier.from',
    (size: never, peaks: never) => Frontier.from({ size, peaks }),
    [7n, tree.lastInclusion(8n)],
    ['size', 'list'],
  ],
  [
    'Frontier.append',
    (hash: never) => {
      Frontier.empty().append(hash);
    },
    [leaf3],
    ['digest'],
  ],
  [
    'HistoryTree.append',
    (hash: never) => {
      new HistoryTree().append(hash);
    },
    [leaf3],
    ['digest'],
  ],
  [
    'verifySegment',
    (tx: never, hash: never) => verifySegment(headers.slice(4, 9), { tx, alh: hash }),
    [4n, alhs[3]],
    ['size', 'digest'],
  ],
  ['verifySegmentEnding', verifySegmentEnding, [headers.slice(4, 9), alhs[8]], [null, 'digest']],
  [
    'verifySegmentInTree',
    (first: never, size: never, root: never, a: never, b: never) => {
      verifySegmentInTree(alhs.slice(2, 7), first, { size, root }, { first: a, last: b });
    },
    [3n, 9n, root9, tree.inclusion(3n, 9n), tree.inclusion(7n, 9n)],
    ['id', 'id', 'digest', null, null],
  ],
  [
    'verifySegmentInTree alh',
    (hash: never) => {
      verifySegmentInTree([hash], 3n, { size: 9n, root: root9 }, { last: tree.inclusion(3n, 9n) });
    },
    [alhs[2]],
    ['digest'],
  ],
  ['stateToSign', stateToSign, ['db', 3n, leaf3], [null, 'size', 'digest']],
  [
    'verifyDualProof ends',
    (s: never, hs: never, t: never, ht: never) =>
      verifyDualProof(buildDualProof(headers[2]!, headers[8]!, tree, chain), {
        sourceTx: s,
        sourceAlh: hs,
        targetTx: t,
        targetAlh: ht,
      }),
    [3n, alhs[2], 9n, alhs[8]],
    ['id', 'digest', 'id', 'digest'],
  ],
  [
    'verifyDualProof parts',
    (a: never, b: never, c: never, d: never) =>
      verifyDualProof(
        {
          ...buildDualProof(headers[2]!, headers[8]!, tree, chain),
          inclusionProof: a,
          consistencyProof: b,
          lastInclusionProof: c,
          targetBlTxAlh: d,
        },
        { sourceTx: 3n, sourceAlh: alhs[2]!, targetTx: 9n, targetAlh: null },
      ),
    [tree.inclusion(3n, 8n), tree.consistency(2n, 8n), tree.lastInclusion(8n), alhs[7]],
    ['list', 'list', 'list', 'digest'],
  ],
  [
    'verifyDualProof empty parts',
    (a: never, b: never, c: never, d: never) =>
      verifyDualProof(
        {
          ...buildDualProof(headers[0]!, headers[0]!, tree, chain),
          inclusionProof: a,
          consistencyProof: b,
          lastInclusionProof: c,
          targetBlTxAlh: d,
        },
        { sourceTx: 1n, sourceAlh: null, targetTx: 1n, targetAlh: null },
      ),
    [[], [], [], new Uint8Array(32)],
    ['list', 'list', 'list', 'digest'],
  ],
  [
    'verifyDualProofV2',
    (s: never, hs: never, t: never, ht: never, a: never, b: never) =>
      verifyDualProofV2(
        { ...buildDualProofV2(headers[2]!, headers[8]!, tree), inclusionProof: a, consistencyProof: b },
        { sourceTx: s, sourceAlh: hs, targetTx: t, targetAlh: ht },
      ),
    [3n, alhs[2], 9n, alhs[8], tree.inclusion(3n, 8n), tree.consistency(2n, 8n)],
    ['id', 'digest', 'id', 'digest', 'list', 'list'],
  ],
];

/** `null` for a known hash means unknown: no hostile argument there. */
const MEANS_SOMETHING: Record<string, readonly unknown[]> = {
  'verifyDualProof ends': [null],
  verifyDualProofV2: [null],
};

describe.each(calls)('%s', (name, call, good, kinds) => {
  test('takes the honest arguments', () => {
    call(...(good as never[]));
  });

  test('refuses every hostile one, by a check', () => {
    let count = 0;
    for (const [i, kind] of kinds.entries()) {
      if (!kind) continue;
      for (const value of hostile[kind][0]) {
        const check = checkFailedBy(() => call(...(good.with(i, value) as never[])));
        expect(check, `argument ${i}: ${String(value)}`).toMatch(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/);
        count++;
      }
    }
    expect(count).toBeGreaterThan(0);
  });

  test('refuses what is not of the type at all', () => {
    for (const [i, kind] of kinds.entries()) {
      if (!kind) continue;
      for (const value of hostile[kind][1]) {
        if (MEANS_SOMETHING[name]?.includes(value)) continue;
        expect(() => call(...(good.with(i, value) as never[])), `argument ${i}: ${String(value)}`).toThrow(
          Error,
        );
      }
    }
  });
});

describe('sizes claimed by a server allocate nothing', () => {
  test('ids near 2^63 with short lists are refused at once', () => {
    const huge = 2n ** 63n - 1n;
    const proof = { sourceTxId: 1n, targetTxId: huge, terms: [alhs[0]!] };
    const run = () => {
      verifyLinearProof(proof, 1n, huge, alhs[0]!, alhs[0]!);
    };
    expect(checkFailedBy(run)).toBe('linear-proof.terms');
    const lap = { linearProofTerms: [alhs[0]!], inclusionProofs: [] };
    const advanceTo = () => {
      verifyLinearAdvance(lap, 0n, huge, alhs[0]!, root9, huge);
    };
    expect(checkFailedBy(advanceTo)).toBe('linear-advance.terms');
    const million = { linearProofTerms: Array(5).fill(alhs[0]), inclusionProofs: [] };
    const mismatched = () => {
      verifyLinearAdvance(million, 0n, 1_000_000n, alhs[0]!, root9, huge);
    };
    expect(checkFailedBy(mismatched)).toBe('linear-advance.terms');
    expect(checkFailedBy(() => verifyEntries({ ...txHeader, nentries: 0xffff_ffff }, []))).toBe(
      'entries.count',
    );
  });

  test('failures carry what was expected and computed', () => {
    let failure: unknown;
    try {
      verifyInclusion(tree.inclusion(3n, 9n), 3n, 9n, leaf3, tree.root(8n));
    } catch (error) {
      failure = error;
    }
    expect(failure).toBeInstanceOf(ProofFailure);
    expect(failure).toMatchObject({ check: 'merkle.inclusion', expected: tree.root(8n), computed: root9 });
  });

  test.each<[unknown, unknown]>([
    [0n, 0n],
    [2n ** 63n, 2n ** 63n],
    [3, 3],
    ['3', 'string'],
    [undefined, 'undefined'],
  ])('a failure shows the number that was no id, or what came instead: %s', (value, computed) => {
    const run = () => {
      assertId(value, 'header.id');
    };
    expect(run).toThrow(expect.objectContaining({ check: 'header.id', expected: '1..2^63-1', computed }));
  });

  test.each(NO_LISTS)('what is no list of digests at all fails the check that wants one: %s', (value) => {
    for (const length of [0, 32]) {
      const run = () => {
        assertTerms(value, length, 'linear-proof.terms');
      };
      expect(checkFailedBy(run)).toBe('linear-proof.terms');
    }
  });
});

describe('a tree asked for more than it has', () => {
  test.each([
    ['root', () => tree.root(21n)],
    ['leaf', () => tree.leaf(21n)],
    ['leaf 0', () => tree.leaf(0n)],
    ['inclusion beyond the size', () => tree.inclusion(1n, 21n)],
    ['inclusion of a later leaf', () => tree.inclusion(5n, 4n)],
    ['inclusion of leaf 0', () => tree.inclusion(0n, 4n)],
    ['consistency of a later tree', () => tree.consistency(5n, 4n)],
    ['consistency of nothing', () => tree.consistency(0n, 4n)],
    ['entry beyond the last', () => entriesInclusion(digests, 3)],
    ['entry of nothing', () => entriesInclusion([], 0)],
  ])('%s', (_name, run) => {
    expect(run).toThrow(Error);
  });
});
