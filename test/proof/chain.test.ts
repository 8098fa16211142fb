// Segments: walked from a known point, walked to a proven end, and held against a tree by frontier or by audit paths.
import { describe, expect, test } from 'vitest';
import { verifySegment, verifySegmentEnding, verifySegmentInTree } from '#dist/proof/chain.js';
import { Frontier } from '#dist/proof/tree/frontier.js';
import { EMPTY_HASH } from '#dist/proof/hash.js';
import { alh } from '#dist/proof/header.js';
import { HistoryTree } from '#dist/proof/tree/history-tree.js';
import type { TxHeader } from '#dist/proof/types.js';
import { checkFailedBy, digestNumber, makeChain } from './helpers.js';
import { mutationsOf } from './mutations.js';

const chain = makeChain(130);
const { headers, alhs, tree } = chain;

/** Frontier over 1..n, as it follows from the last inclusion proof of a dual proof with target n. */
function frontierAt(n: number): Frontier {
  if (n === 0) return Frontier.empty();
  return Frontier.at(headers[n - 1]!, n === 1 ? [] : tree.lastInclusion(BigInt(n - 1)));
}

function pointAt(n: number) {
  return { tx: BigInt(n), alh: n === 0 ? EMPTY_HASH : alhs[n - 1]! };
}

describe('the frontier of a proven header', () => {
  test('is right at every header', () => {
    for (let n = 1; n <= 130; n++) {
      expect(frontierAt(n).size).toBe(BigInt(n));
      expect(frontierAt(n).root()).toEqual(tree.root(BigInt(n)));
    }
  });

  test('is not made from other peaks, nor under tree lag', () => {
    for (const n of [1, 2, 3, 8, 9, 100]) {
      const given = { header: headers[n - 1]!, terms: n === 1 ? [] : tree.lastInclusion(BigInt(n - 1)) };
      for (const { what, value } of mutationsOf(given.terms, n)) {
        expect(
          checkFailedBy(() => Frontier.at(given.header, value)),
          `${n}${what}`,
        ).toBeDefined();
      }
    }
    const lagging = makeChain(9, (id) => Math.min(id - 1, 6));
    const check = checkFailedBy(() => Frontier.at(lagging.headers[8]!, lagging.tree.lastInclusion(6n)));
    expect(check).toBe('frontier.lag');
  });
});

describe('walking from a known point', () => {
  test('every segment of 40 txs, with and without frontier', () => {
    for (let after = 0; after <= 40; after++) {
      for (let to = after; to <= 40; to++) {
        const segment = headers.slice(after, to);
        expect(verifySegment(segment, pointAt(after))).toEqual(alhs.slice(after, to));
        const frontier = frontierAt(after);
        expect(verifySegment(segment, pointAt(after), frontier)).toEqual(alhs.slice(after, to));
        expect(frontier.size).toBe(BigInt(to));
        expect(frontier.root()).toEqual(tree.root(BigInt(to)));
        verifySegment(segment, pointAt(after), frontierAt(after), { roots: 'every' });
      }
    }
  });

  test('every change to a header before the last, or to the start, is rejected; the frontier stays as it was', () => {
    const given = { headers: headers.slice(20, 29), after: pointAt(20) };
    for (const { what, value } of mutationsOf(given, 5)) {
      const frontier = frontierAt(20);
      const check = checkFailedBy(() => verifySegment(value.headers, value.after, frontier));
      expect(frontier.size === 20n || check === undefined).toBe(true);
      // Of the last header only what ties it to the past is checked: its own hash is for its proof to decide.
      const last = /^\.headers\[8\]\.(ts|version|nentries|eH|metadata)/.test(what);
      const shorter = what === '.headers drop last' || what === '.headers empty';
      if (!last && !shorter) expect(check, what).toBeDefined();
      if (check === undefined) {
        const end = verifySegment(value.headers, value.after).at(-1);
        expect(end, what).not.toEqual(alhs[28]);
      }
    }
  });

  test('gaps, repeats and another range are rejected', () => {
    const at = (...ids: number[]) => ids.map((id) => headers[id - 1]!);
    for (const ids of [
      [11, 13],
      [11, 11],
      [12, 13],
      [10, 11],
      [12, 11],
    ]) {
      expect(checkFailedBy(() => verifySegment(at(...ids), pointAt(10)))).toBe('chain.id');
    }
    const frontier = frontierAt(9);
    expect(checkFailedBy(() => verifySegment(at(11), pointAt(10), frontier))).toBe('chain.frontier');
  });

  /** Headers 1..20 chained honestly, whose trees hold another leaf in place of tx 7. */
  function forgedTree(): { headers: TxHeader[]; alhs: Uint8Array[] } {
    const forged = new HistoryTree();
    const made: { headers: TxHeader[]; alhs: Uint8Array[] } = { headers: [], alhs: [] };
    for (const honest of headers.slice(0, 20)) {
      const blRoot = honest.blTxId === 0n ? honest.blRoot : forged.root(honest.blTxId);
      const header = { ...honest, prevAlh: made.alhs.at(-1) ?? EMPTY_HASH, blRoot };
      made.headers.push(header);
      made.alhs.push(alh(header));
      forged.append(honest.id === 7n ? digestNumber(7) : made.alhs.at(-1)!);
    }
    return made;
  }

  test('a chain whose trees hold another tx than the chain: good as a chain, rejected with a frontier', () => {
    const made = forgedTree();
    expect(verifySegment(made.headers, pointAt(0))).toEqual(made.alhs);
    const check = checkFailedBy(() => verifySegment(made.headers, pointAt(0), Frontier.empty()));
    expect(check).toBe('chain.tree-root');
    verifySegment(made.headers.slice(0, 7), pointAt(0), Frontier.empty(), { roots: 'every' });
    expect(checkFailedBy(() => verifySegment(made.headers.slice(0, 8), pointAt(0), Frontier.empty()))).toBe(
      'chain.tree-root',
    );
  });

  test('one header between with another root: found by comparing every root', () => {
    const odd: TxHeader[] = [];
    const hashes = [...alhs.slice(0, 4)];
    const honest = new HistoryTree();
    for (const hash of hashes) honest.append(hash);
    for (const header of headers.slice(4, 9)) {
      const blRoot = header.id === 6n ? digestNumber(6) : honest.root(header.blTxId);
      odd.push({ ...header, prevAlh: hashes.at(-1)!, blRoot });
      hashes.push(alh(odd.at(-1)!));
      honest.append(hashes.at(-1)!);
    }
    verifySegment(odd, pointAt(4), frontierAt(4));
    const every = checkFailedBy(() => verifySegment(odd, pointAt(4), frontierAt(4), { roots: 'every' }));
    expect(every).toBe('chain.tree-root');
  });

  test('a header with tree lag at the end cannot be held against the tree', () => {
    const lagging = makeChain(9, (id) => Math.min(id - 1, 6));
    verifySegment(lagging.headers, pointAt(0));
    expect(checkFailedBy(() => verifySegment(lagging.headers, pointAt(0), Frontier.empty()))).toBe(
      'chain.lag',
    );
    verifySegment(lagging.headers.slice(0, 7), pointAt(0), Frontier.empty());
  });
});

describe('walking to a proven end', () => {
  test('every segment of 40 txs', () => {
    for (let from = 1; from <= 40; from++) {
      for (let to = from; to <= 40; to++) {
        expect(verifySegmentEnding(headers.slice(from - 1, to), alhs[to - 1]!)).toEqual(
          alhs.slice(from - 1, to),
        );
      }
    }
  });

  test('every change to a header or to the end is rejected', () => {
    let count = 0;
    const given = { headers: headers.slice(20, 29), end: alhs[28]! };
    for (const { what, value } of mutationsOf(given, 9)) {
      // Fewer headers with the same end are a shorter segment, proven as well.
      if (what === '.headers drop first') continue;
      expect(
        checkFailedBy(() => verifySegmentEnding(value.headers, value.end)),
        what,
      ).toBeDefined();
      count++;
    }
    expect(count).toBeGreaterThan(200);
    expect(checkFailedBy(() => verifySegmentEnding([], alhs[28]!))).toBe('chain.empty');
  });
});

describe('held against a tree by audit paths', () => {
  const LARGEST = 33;

  function treeOf(size: number) {
    return { size: BigInt(size), root: tree.root(BigInt(size)) };
  }

  function pathsOf(first: number, last: number, size: number) {
    const n = BigInt(size);
    return { first: tree.inclusion(BigInt(first), n), last: tree.inclusion(BigInt(last), n) };
  }

  test('every range of every tree up to 33 leaves, by the paths of both ends', () => {
    for (let size = 1; size <= LARGEST; size++) {
      for (let a = 1; a <= size; a++) {
        for (let b = a; b <= size; b++) {
          verifySegmentInTree(alhs.slice(a - 1, b), BigInt(a), treeOf(size), pathsOf(a, b, size));
        }
      }
    }
  });

  test('one path is enough exactly where it supplies what is beside the segment', () => {
    let enough = 0;
    let missing = 0;
    for (let size = 1; size <= LARGEST; size++) {
      for (let a = 1; a <= size; a++) {
        for (let b = a; b <= size; b++) {
          const { last } = pathsOf(a, b, size);
          const check = checkFailedBy(() => {
            verifySegmentInTree(alhs.slice(a - 1, b), BigInt(a), treeOf(size), { last });
          });
          // Smallest power of two block, aligned, that holds both ends: the segment must start at its left edge.
          let block = 1;
          while (Math.floor((a - 1) / block) !== Math.floor((b - 1) / block)) block *= 2;
          const startsIt = (a - 1) % block === 0;
          expect(check, `${a}..${b} of ${size}`).toBe(startsIt ? undefined : 'segment.path-missing');
          if (startsIt) enough++;
          else missing++;
        }
      }
      verifySegmentInTree(alhs.slice(0, size), 1n, treeOf(size), {});
    }
    expect(Math.min(enough, missing)).toBeGreaterThan(500);
    const alone = checkFailedBy(() => {
      verifySegmentInTree(alhs.slice(0, 4), 1n, treeOf(5), {});
    });
    expect(alone).toBe('segment.path-missing');
  });

  test('the path of the first leaf alone is enough where nothing right of the segment is missing', () => {
    const seen = new Set<string | undefined>();
    for (let size = 1; size <= LARGEST; size++) {
      for (let a = 1; a <= size; a++) {
        for (let b = a; b <= size; b++) {
          const { first } = pathsOf(a, b, size);
          const check = checkFailedBy(() => {
            verifySegmentInTree(alhs.slice(a - 1, b), BigInt(a), treeOf(size), { first });
          });
          let block = 1;
          while (Math.floor((a - 1) / block) !== Math.floor((b - 1) / block)) block *= 2;
          const endsIt = b % block === 0 || b === size;
          expect(check, `${a}..${b} of ${size}`).toBe(endsIt ? undefined : 'segment.path-missing');
          seen.add(check);
        }
      }
    }
    expect(seen.size).toBe(2);
  });

  test('no alhs, and alhs beyond the tree, are refused as such', () => {
    for (const paths of [{}, pathsOf(1, 1, 9)]) {
      const none = checkFailedBy(() => {
        verifySegmentInTree([], 1n, treeOf(9), paths);
      });
      expect(none).toBe('segment.empty');
    }
    const beyond = checkFailedBy(() => {
      verifySegmentInTree(alhs.slice(0, 9), 1n, { ...treeOf(9), size: 8n }, {});
    });
    expect(beyond).toBe('segment.last');
  });

  test('every change to an alh, the start, the root or a path is rejected', () => {
    let count = 0;
    for (const [a, b, size] of [
      [1, 8, 20],
      [3, 11, 21],
      [17, 20, 20],
      [5, 5, 9],
      [9, 30, 33],
      [1, 1, 1],
      [64, 66, 130],
    ] as const) {
      const given = {
        alhs: alhs.slice(a - 1, b),
        first: BigInt(a),
        root: tree.root(BigInt(size)),
        paths: pathsOf(a, b, size),
      };
      for (const { what, value } of mutationsOf(given, a + b)) {
        const check = checkFailedBy(() => {
          verifySegmentInTree(value.alhs, value.first, { size: BigInt(size), root: value.root }, value.paths);
        });
        expect(check, `${a}..${b} of ${size} ${what}`).toBeDefined();
        count++;
      }
    }
    expect(count).toBeGreaterThan(500);
  });

  test('a chain that differs from the tree in one tx is rejected wherever that tx is', () => {
    for (let lie = 65; lie <= 128; lie++) {
      const segment = alhs.slice(64, 128).with(lie - 65, digestNumber(lie));
      const check = checkFailedBy(() => {
        verifySegmentInTree(segment, 65n, treeOf(130), { last: tree.inclusion(128n, 130n) });
      });
      expect(check).toBe(lie === 128 ? 'segment.path' : 'segment.root');
    }
  });
});
