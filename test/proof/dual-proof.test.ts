// Dual proofs: every honest one accepted, every change to one rejected, and proofs over two histories rejected.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildDualProof, verifyDualProof } from '#dist/proof/dual-proof.js';
import type { DualProofEnds } from '#dist/proof/dual-proof.js';
import { buildDualProofV2, verifyDualProofV2 } from '#dist/proof/dual-proof-v2.js';
import { alh } from '#dist/proof/header.js';
import { HistoryTree } from '#dist/proof/tree/history-tree.js';
import { buildLinearProof, verifyLinearProof } from '#dist/proof/linear.js';
import { buildLinearAdvance, verifyLinearAdvance } from '#dist/proof/linear-advance.js';
import type { DualProof, TxHeader } from '#dist/proof/types.js';
import { checkFailedBy, digestNumber, makeChain } from './helpers.js';
import type { TestChain } from './helpers.js';
import { mutationsOf } from './mutations.js';

const SIZE = 130;
const plain = makeChain(SIZE);
/** Tree sizes that stand still for a while and then catch up. */
const lagging = makeChain(60, (id) => (id % 8 < 5 ? id - 1 : id - 1 - (id % 8) + 4));
/** A tree that is always two behind, as if appended late: sizes grow, no header has a complete tree. */
const behind = makeChain(40, (id) => Math.max(0, id - 3));

function endsOf(
  chain: TestChain,
  s: number,
  t: number,
  known: 'both' | 'source' | 'target' | 'none' = 'both',
) {
  return {
    sourceTx: BigInt(s),
    sourceAlh: known === 'both' || known === 'source' ? chain.alhs[s - 1]! : null,
    targetTx: BigInt(t),
    targetAlh: known === 'both' || known === 'target' ? chain.alhs[t - 1]! : null,
  } satisfies DualProofEnds;
}

function dualProof(chain: TestChain, s: number, t: number): DualProof {
  return buildDualProof(chain.headers[s - 1]!, chain.headers[t - 1]!, chain.tree, chain);
}

function dualProofV2(chain: TestChain, s: number, t: number) {
  return buildDualProofV2(chain.headers[s - 1]!, chain.headers[t - 1]!, chain.tree);
}

/** Whether the chain part of an honest proof leaves the tree's last leaf untied (docs/protocol.md §11.4). */
function leavesLeafUntied(chain: TestChain, s: number, t: number): boolean {
  const tb = Number(chain.headers[t - 1]!.blTxId);
  return tb > 0 && tb < t - 1 && s > tb;
}

describe('every honest proof', () => {
  test('dual proofs for 1 <= i <= j <= 130, whichever end is known', () => {
    for (let t = 1; t <= SIZE; t++) {
      for (let s = 1; s <= t; s++) {
        const proof = dualProof(plain, s, t);
        const known = (['both', 'source', 'target'] as const)[(s + t) % 3]!;
        const proven = verifyDualProof(proof, endsOf(plain, s, t, known));
        expect(proven.sourceAlh).toEqual(plain.alhs[s - 1]);
        expect(proven.targetAlh).toEqual(plain.alhs[t - 1]);
        if (s === t) verifyDualProof(proof, endsOf(plain, s, t, 'none'));
      }
    }
  });

  test('dual proofs V2 for 1 <= i <= j <= 130', () => {
    for (let t = 1; t <= SIZE; t++) {
      for (let s = 1; s <= t; s++) {
        const proven = verifyDualProofV2(
          dualProofV2(plain, s, t),
          endsOf(plain, s, t, s % 2 ? 'source' : 'target'),
        );
        expect(proven).toEqual({ sourceAlh: plain.alhs[s - 1], targetAlh: plain.alhs[t - 1] });
      }
    }
  });

  test.each([
    ['standing still', lagging],
    ['always behind', behind],
  ])(
    'under tree lag (%s): accepted, unless nothing ties the last leaf of the tree to the chain',
    (_name, chain) => {
      let untied = 0;
      let advances = 0;
      for (let t = 1; t <= chain.headers.length; t++) {
        for (let s = 1; s <= t; s++) {
          const proof = dualProof(chain, s, t);
          if (proof.linearAdvanceProof) advances++;
          for (const known of ['both', 'source', 'target', 'none'] as const) {
            if (known === 'none' && s !== t) continue;
            const sameTree = proof.sourceTxHeader.blTxId === proof.targetTxHeader.blTxId;
            const rejected = leavesLeafUntied(chain, s, t) && (!sameTree || known === 'none');
            if (rejected) untied++;
            const check = checkFailedBy(() => verifyDualProof(proof, endsOf(chain, s, t, known)));
            expect(check, `${s} to ${t}, known: ${known}`).toBe(
              rejected ? 'dual-proof.unbound-leaf' : undefined,
            );
          }
        }
      }
      expect(untied).toBeGreaterThan(0);
      expect(advances).toBeGreaterThan(0);
    },
  );

  test('V2 refuses headers whose tree lags', () => {
    const header = (id: number) => lagging.headers[id - 1]!;
    expect(() => buildDualProofV2(header(3), header(6), lagging.tree)).toThrow('dual-proof-v2.lag');
    const proof = {
      sourceTxHeader: header(6),
      targetTxHeader: header(6),
      inclusionProof: [],
      consistencyProof: [],
    };
    expect(checkFailedBy(() => verifyDualProofV2(proof, endsOf(lagging, 6, 6)))).toBe('dual-proof-v2.lag');
  });
});

describe('every single change', () => {
  const cases: [string, TestChain, (chain: TestChain) => [number, number][]][] = [
    [
      'plain',
      plain,
      () => [
        [1, 1],
        [1, 2],
        [2, 2],
        [2, 3],
        [1, 3],
        [5, 6],
        [8, 9],
        [7, 30],
        [33, 34],
        [64, 65],
        [64, 130],
        [129, 130],
        [130, 130],
        [100, 128],
      ],
    ],
    [
      'lagging',
      lagging,
      () => [
        [6, 7],
        [7, 20],
        [14, 40],
        [15, 16],
        [21, 60],
        [30, 31],
      ],
    ],
    [
      'behind',
      behind,
      () => [
        [1, 4],
        [9, 30],
        [3, 40],
      ],
    ],
  ];

  test.each(cases)('of a dual proof or of what is known is rejected (%s)', (_name, chain, pairs) => {
    let count = 0;
    for (const [s, t] of pairs(chain)) {
      for (const known of ['both', 'source', 'target', 'none'] as const) {
        if (known === 'none' && s !== t) continue;
        const given = { proof: dualProof(chain, s, t), ends: endsOf(chain, s, t, known) };
        if (checkFailedBy(() => verifyDualProof(given.proof, given.ends))) continue;
        for (const { what, value } of mutationsOf(given, s + t)) {
          // Asking for two unknown txs is refused before anything is looked at.
          if (known === 'none' && what.startsWith('.ends')) continue;
          const check = checkFailedBy(() => verifyDualProof(value.proof, value.ends));
          expect(check, `${s} to ${t}, known: ${known}, ${what}`).toBeDefined();
          count++;
        }
      }
    }
    expect(count).toBeGreaterThan(500);
  });

  test('at any place of any pair, any bit', () => {
    let count = 0;
    const input = fc.record({
      chain: fc.constantFrom(plain, lagging, behind),
      x: fc.integer({ min: 1, max: SIZE }),
      y: fc.integer({ min: 1, max: SIZE }),
      bit: fc.nat({ max: 255 }),
    });
    fc.assert(
      fc.property(input, ({ chain, x, y, bit }) => {
        const length = chain.headers.length;
        const [a, b] = [1 + (x % length), 1 + (y % length)];
        const [s, t] = [Math.min(a, b), Math.max(a, b)];
        const given = { proof: dualProof(chain, s, t), ends: endsOf(chain, s, t, 'source') };
        if (leavesLeafUntied(chain, s, t)) return;
        verifyDualProof(given.proof, given.ends);
        for (const { what, value } of mutationsOf(given, bit)) {
          const check = checkFailedBy(() => verifyDualProof(value.proof, value.ends));
          expect(check, `${s} to ${t}, ${what}`).toBeDefined();
          count++;
        }
      }),
      { numRuns: 60 },
    );
    expect(count).toBeGreaterThan(5_000);
  });

  test('of a dual proof V2 is rejected', () => {
    let count = 0;
    const position = fc.integer({ min: 1, max: SIZE });
    const known = fc.constantFrom('both', 'source', 'target');
    fc.assert(
      fc.property(position, position, known, fc.nat({ max: 255 }), (x, y, which, bit) => {
        const [s, t] = [Math.min(x, y), Math.max(x, y)];
        const given = { proof: dualProofV2(plain, s, t), ends: endsOf(plain, s, t, which) };
        for (const { what, value } of mutationsOf(given, bit)) {
          // Without a chain part nothing but the target's own hash ties its prevAlh, time and entries to the tree.
          if (which === 'source' && s < t && what.startsWith('.proof.targetTxHeader')) continue;
          const check = checkFailedBy(() => verifyDualProofV2(value.proof, value.ends));
          expect(check, `${s} to ${t}, known: ${which}, ${what}`).toBeDefined();
          count++;
        }
      }),
      { numRuns: 80 },
    );
    expect(count).toBeGreaterThan(5_000);
  });

  test('part of a proof for another pair is rejected in its place', () => {
    const parts = [
      'inclusionProof',
      'consistencyProof',
      'targetBlTxAlh',
      'lastInclusionProof',
      'linearProof',
    ] as const;
    const position = fc.integer({ min: 1, max: 60 });
    let count = 0;
    fc.assert(
      fc.property(position, position, position, position, (a, b, c, d) => {
        const [s, t] = [Math.min(a, b), Math.max(a, b)];
        const [s2, t2] = [Math.min(c, d), Math.max(c, d)];
        const [proof, other] = [dualProof(plain, s, t), dualProof(plain, s2, t2)];
        for (const part of parts) {
          const mixed = { ...proof, [part]: other[part] };
          const same = JSON.stringify(mixed[part], plainly) === JSON.stringify(proof[part], plainly);
          const check = checkFailedBy(() => verifyDualProof(mixed, endsOf(plain, s, t)));
          if (same) expect(check).toBeUndefined();
          else expect(check, `${part} of ${s2},${t2} in ${s},${t}`).toBeDefined();
          if (!same) count++;
        }
      }),
      { numRuns: 300 },
    );
    expect(count).toBeGreaterThan(500);
  });
});

function plainly(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

describe('two histories', () => {
  /** A chain like `plain` up to tx `fork`, and another one after it. */
  function forkAt(fork: number): TestChain {
    const headers = plain.headers.slice(0, fork);
    const alhs = plain.alhs.slice(0, fork);
    const tree = new HistoryTree();
    for (const hash of alhs) tree.append(hash);
    for (let id = fork + 1; id <= 40; id++) {
      const blRoot = tree.root(BigInt(id - 1));
      const header: TxHeader = { ...plain.headers[id - 1]!, prevAlh: alhs.at(-1)!, ts: 1n, blRoot };
      headers.push(header);
      alhs.push(alh(header));
      tree.append(alhs.at(-1)!);
    }
    return {
      headers,
      alhs,
      tree,
      headerOf: (tx) => headers[Number(tx) - 1]!,
      alhOf: (tx) => alhs[Number(tx) - 1]!,
    };
  }

  test('a fork is proven from what both sides share, and from nothing after it', () => {
    const fork = forkAt(20);
    for (const t of [21, 22, 31, 40]) {
      for (const s of [1, 16, 19, 20]) verifyDualProof(dualProof(fork, s, t), endsOf(fork, s, t));
      for (const s of [21, 22, 31, 40].filter((id) => id <= t)) {
        const trusted = { ...endsOf(plain, s, t, 'source') };
        const honestFork = dualProof(fork, s, t);
        expect(checkFailedBy(() => verifyDualProof(honestFork, trusted))).toBe('dual-proof.source-alh');
        // With the trusted header put in front of the other branch, the rest does not fit.
        const grafted = { ...honestFork, sourceTxHeader: plain.headers[s - 1]! };
        expect(
          checkFailedBy(() => verifyDualProof(grafted, trusted)),
          `${s} to ${t}`,
        ).toBeDefined();
        const target = { ...endsOf(plain, s, t, 'target') };
        expect(checkFailedBy(() => verifyDualProof(honestFork, target))).toBe('dual-proof.target-alh');
      }
    }
  });

  test('a tree that holds another tx than the chain is rejected', () => {
    // The last header commits to a tree in which tx 30 is another one; the chain is the honest one.
    const lie = alh({ ...plain.headers[29]!, ts: 0n });
    const tree = new HistoryTree();
    for (const [i, hash] of plain.alhs.slice(0, 30).entries()) tree.append(i === 29 ? lie : hash);
    const target: TxHeader = { ...plain.headers[30]!, blRoot: tree.root(30n) };
    const alhOf = (tx: bigint) => (tx === 31n ? alh(target) : plain.alhOf(tx));
    const chain = { headerOf: (tx: bigint) => (tx === 31n ? target : plain.headerOf(tx)), alhOf };
    for (const s of [1, 15, 29, 30, 31]) {
      const from = s === 31 ? target : plain.headers[s - 1]!;
      const honestly = buildDualProof(from, target, tree, chain);
      const ends = { sourceTx: BigInt(s), sourceAlh: alhOf(BigInt(s)), targetTx: 31n, targetAlh: null };
      expect(checkFailedBy(() => verifyDualProof(honestly, ends))).toBe('dual-proof.last-inclusion');
      const cunningly = { ...honestly, targetBlTxAlh: lie };
      expect(
        checkFailedBy(() => verifyDualProof(cunningly, ends)),
        `from ${s}`,
      ).toBe('dual-proof.tree-leaf');
    }
  });

  test('under lag, a leaf that the chain does not pass is not believed', () => {
    // tx 12 commits to a tree of 10 leaves whose last one is invented; tx 11 has no tree of that size.
    const tree = new HistoryTree();
    const invented = alh({ ...plain.headers[9]!, ts: 0n });
    for (const [i, hash] of plain.alhs.slice(0, 10).entries()) tree.append(i === 9 ? invented : hash);
    const source: TxHeader = { ...plain.headers[10]!, blTxId: 9n, blRoot: tree.root(9n) };
    const target: TxHeader = {
      ...plain.headers[11]!,
      prevAlh: alh(source),
      blTxId: 10n,
      blRoot: tree.root(10n),
    };
    const byId = new Map([
      [11n, source],
      [12n, target],
    ]);
    const chain = {
      headerOf: (tx: bigint) => byId.get(tx) ?? plain.headerOf(tx),
      alhOf: (tx: bigint) => (tx === 10n ? invented : byId.has(tx) ? alh(byId.get(tx)!) : plain.alhOf(tx)),
    };
    const proof = buildDualProof(source, target, tree, chain);
    const ends = { sourceTx: 11n, sourceAlh: alh(source), targetTx: 12n, targetAlh: null };
    expect(checkFailedBy(() => verifyDualProof(proof, ends))).toBe('dual-proof.unbound-leaf');
  });

  test('under lag, a leaf at the place of the source is the source', () => {
    // tx 12 commits to a tree of 10 leaves whose last one is invented; the chain from tx 10 to tx 12 is honest.
    const invented = alh({ ...plain.headers[9]!, ts: 0n });
    const tree = new HistoryTree();
    for (const [i, hash] of plain.alhs.slice(0, 10).entries()) tree.append(i === 9 ? invented : hash);
    const target: TxHeader = { ...plain.headers[11]!, blTxId: 10n, blRoot: tree.root(10n) };
    const chain = {
      headerOf: (tx: bigint) => (tx === 12n ? target : plain.headerOf(tx)),
      alhOf: (tx: bigint) => (tx === 12n ? alh(target) : plain.alhOf(tx)),
    };
    const built = buildDualProof(plain.headers[9]!, target, tree, chain);
    const ends = { sourceTx: 10n, sourceAlh: plain.alhs[9]!, targetTx: 12n, targetAlh: null };
    expect(checkFailedBy(() => verifyDualProof(built, ends))).toBe('dual-proof.last-inclusion');
    const cunningly = { ...built, targetBlTxAlh: invented };
    expect(checkFailedBy(() => verifyDualProof(cunningly, ends))).toBe('dual-proof.tree-leaf');
  });

  test('V2: a target right after the source follows it by the chain too', () => {
    for (const s of [1, 2, 7, 8]) {
      const proof = dualProofV2(plain, s, s + 1);
      const other = { ...proof, targetTxHeader: { ...proof.targetTxHeader, prevAlh: digestNumber(s) } };
      const check = checkFailedBy(() => verifyDualProofV2(other, endsOf(plain, s, s + 1, 'source')));
      expect(check).toBe('dual-proof-v2.tree-leaf');
    }
  });

  test('two unknown txs cannot be proven to each other', () => {
    expect(() => verifyDualProof(dualProof(plain, 3, 9), endsOf(plain, 3, 9, 'none'))).toThrow(TypeError);
    expect(() => verifyDualProofV2(dualProofV2(plain, 3, 9), endsOf(plain, 3, 9, 'none'))).toThrow(TypeError);
  });

  test('a target before the source is rejected as such', () => {
    const reversed = endsOf(plain, 9, 3, 'source');
    const [sourceTxHeader, targetTxHeader] = [plain.headers[8]!, plain.headers[2]!];
    const proof = { ...dualProof(plain, 3, 9), sourceTxHeader, targetTxHeader };
    expect(checkFailedBy(() => verifyDualProof(proof, reversed))).toBe('dual-proof.order');
    const proofV2 = { ...dualProofV2(plain, 3, 9), sourceTxHeader, targetTxHeader };
    expect(checkFailedBy(() => verifyDualProofV2(proofV2, reversed))).toBe('dual-proof-v2.order');
  });

  test("a source's tree that is larger than the target's is rejected", () => {
    // Tx 10 commits to seven leaves, tx 9 to eight.
    const target: TxHeader = { ...plain.headers[9]!, blTxId: 7n, blRoot: plain.tree.root(7n) };
    const source = plain.headers[8]!;
    const proof = {
      ...dualProof(plain, 9, 10),
      targetTxHeader: target,
      targetBlTxAlh: plain.alhs[6]!,
      lastInclusionProof: plain.tree.lastInclusion(7n),
    };
    for (const consistencyProof of [[], plain.tree.consistency(7n, 8n), plain.tree.consistency(8n, 8n)]) {
      const given = { ...proof, consistencyProof };
      const ends = { sourceTx: source.id, sourceAlh: alh(source), targetTx: 10n, targetAlh: null };
      expect(checkFailedBy(() => verifyDualProof(given, ends))).toBe('dual-proof.consistency');
    }
  });

  test('one tx with two headers is rejected', () => {
    const proof = { ...dualProof(plain, 9, 9), sourceTxHeader: { ...plain.headers[8]!, ts: 5n } };
    expect(checkFailedBy(() => verifyDualProof(proof, endsOf(plain, 9, 9, 'none')))).toBe('dual-proof.ends');
    const proofV2 = { ...dualProofV2(plain, 9, 9), sourceTxHeader: { ...plain.headers[8]!, ts: 5n } };
    expect(checkFailedBy(() => verifyDualProofV2(proofV2, endsOf(plain, 9, 9, 'none')))).toBe(
      'dual-proof-v2.ends',
    );
  });
});

describe('parts on their own', () => {
  test('linear proofs: every pair up to 40 accepted, every change rejected', () => {
    for (let t = 1; t <= 40; t++) {
      for (let s = 1; s <= t; s++) {
        const given = {
          proof: buildLinearProof(BigInt(s), BigInt(t), plain),
          from: plain.alhs[s - 1]!,
          to: plain.alhs[t - 1]!,
        };
        verifyLinearProof(given.proof, BigInt(s), BigInt(t), given.from, given.to);
        if (t % 13 !== 0) continue;
        for (const { what, value } of mutationsOf(given, s)) {
          const run = () => {
            verifyLinearProof(value.proof, BigInt(s), BigInt(t), value.from, value.to);
          };
          expect(checkFailedBy(run), what).toBeDefined();
        }
      }
    }
  });

  test('a linear proof to an older tx is rejected, whatever it holds', () => {
    for (const terms of [[], [plain.alhs[4]!], [plain.alhs[4]!, plain.alhs[3]!]]) {
      const proof = { sourceTxId: 5n, targetTxId: 4n, terms };
      const run = () => {
        verifyLinearProof(proof, 5n, 4n, plain.alhs[4]!, plain.alhs[3]!);
      };
      expect(checkFailedBy(run)).toBe('linear-proof.order');
    }
  });

  test('linear advance: every range up to 20 accepted, every change rejected, nothing where nothing is needed', () => {
    const size = 25n;
    const root = plain.tree.root(size);
    for (let end = 1; end <= 20; end++) {
      for (let start = 0; start <= end; start++) {
        const proof = buildLinearAdvance(BigInt(start), BigInt(end), size, plain.tree, plain);
        expect(proof === undefined).toBe(end <= start + 1);
        const verify = (given: typeof proof) => () => {
          verifyLinearAdvance(given, BigInt(start), BigInt(end), plain.alhs[end - 1]!, root, size);
        };
        verify(proof)();
        if (!proof) {
          for (const inclusionProofs of [[], [[root]]]) {
            const spare = { linearProofTerms: [root], inclusionProofs };
            expect(checkFailedBy(verify(spare))).toBe('linear-advance.terms');
          }
          continue;
        }
        expect(checkFailedBy(verify(undefined))).toBe('linear-advance.missing');
        if (end % 6 !== 0) continue;
        for (const { what, value } of mutationsOf(proof, start))
          expect(checkFailedBy(verify(value)), what).toBeDefined();
      }
    }
  });

  test('nothing is advanced from a later tx to an older one', () => {
    const run = () => {
      verifyLinearAdvance(undefined, 5n, 4n, plain.alhs[3]!, plain.tree.root(9n), 9n);
    };
    expect(checkFailedBy(run)).toBe('linear-advance.range');
  });

  test('builders refuse a source after the target', () => {
    expect(() => dualProof(plain, 5, 4)).toThrow(RangeError);
    expect(() => dualProofV2(plain, 5, 4)).toThrow(RangeError);
    expect(() => buildLinearProof(5n, 4n, plain)).toThrow(RangeError);
  });
});
