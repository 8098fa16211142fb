// The core of every check: dual proofs, and the question for one header that rests on nothing else.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toHex } from '#dist/proof/bytes.js';
import { plainKey, plainValue } from '#dist/proof/entry.js';
import { sha256 } from '#dist/proof/hash.js';
import type { Context, Question, Root, Verifier } from '#dist/verify/verifier.js';
import {
  type Change,
  chain,
  ABC,
  ALONE,
  HEAD,
  LAST,
  fork,
  flipAt,
  dual,
  frontierAt,
} from './support/scene.js';
import { TestChain, bytesOf, signingKey, spki, utf8, wireHeader, type Wire } from './support/test-chain.js';
import { failedCheck, implementations, jobOf, provenBy } from './support/verifiers.js';

describe.each(implementations)('%s', (_, make) => {
  let verifier: Verifier;
  beforeAll(() => {
    verifier = make();
  });
  afterAll(() => verifier.close());

  const verify = (question: Question, head: Root | null, answer: Wire, more: Partial<Context> = {}) =>
    verifier.verify(jobOf(question, head, bytesOf(question.kind, answer), more));

  describe('the dual proof', () => {
    const N = ABC;
    const tables: readonly (readonly [string, bigint, bigint])[] = [
      ['subject older', N, HEAD],
      ['subject newer', LAST, HEAD],
    ];
    it.each(
      tables.flatMap(([direction, n, head]) =>
        (
          [
            [
              'the source header',
              flipAt((a) => dual(a).sourceTxHeader, 'eH'),
              n < head ? 'dual-proof.inclusion' : 'dual-proof.source-alh',
            ],
            [
              'the target header',
              flipAt((a) => dual(a).targetTxHeader, 'eH'),
              n < head ? 'dual-proof.target-alh' : 'dual-proof.linear.end',
            ],
            [
              'the target’s predecessor',
              flipAt((a) => dual(a).targetTxHeader, 'prevAlh'),
              n < head ? 'dual-proof.target-alh' : 'dual-proof.tree-leaf',
            ],
            ['the source id', (a: Wire) => (dual(a).sourceTxHeader.id = '9'), 'dual-proof.source'],
            ['the target id', (a: Wire) => (dual(a).targetTxHeader.id = '99'), 'dual-proof.target'],
            ['the inclusion proof', flipAt((a) => dual(a).inclusionProof, 0), 'dual-proof.inclusion'],
            ['the consistency proof', flipAt((a) => dual(a).consistencyProof, 1), /^dual-proof\.consistency/],
            ['the tree leaf', flipAt((a) => dual(a), 'targetBlTxAlh'), 'dual-proof.last-inclusion'],
            [
              'the last inclusion proof',
              flipAt((a) => dual(a).lastInclusionProof, 0),
              'dual-proof.last-inclusion',
            ],
            ['the linear proof', flipAt((a) => dual(a).linearProof.terms, 1), 'dual-proof.linear.end'],
            [
              'the start of the linear proof',
              flipAt((a) => dual(a).linearProof.terms, 0),
              'dual-proof.linear.start',
            ],
          ] as const
        ).map(
          ([name, change, check]) =>
            [name, direction, n, head, change as Change, check as string | RegExp] as const,
        ),
      ),
    )('refutes a change of %s (%s)', async (_name, _direction, n, head, change, check) => {
      const answer = chain.verifiableTx(n, head);
      change(answer);
      const failed = failedCheck(await verify({ kind: 'tx', tx: n }, chain.root(head), answer));
      if (typeof check === 'string') expect(failed).toBe(check);
      else expect(failed).toMatch(check);
    });

    it('refutes a proof on another history', async () => {
      const answer = fork.verifiableTx(4n, HEAD);
      expect(failedCheck(await verify({ kind: 'tx', tx: 4n }, chain.root(HEAD), answer))).toBe(
        'dual-proof.target-alh',
      );
      const newer = fork.verifiableTx(LAST, HEAD);
      expect(failedCheck(await verify({ kind: 'tx', tx: LAST }, chain.root(HEAD), newer))).toBe(
        'dual-proof.source-alh',
      );
    });

    describe('of another history', () => {
      const shown = async (n: bigint, change: Change = () => undefined, of = fork, more: Wire = {}) => {
        const { key, ...context } = more;
        const answer = of.verifiableTx(n, HEAD, { key });
        change(answer);
        const verdict = await verify({ kind: 'tx', tx: n }, chain.root(HEAD), answer, context);
        if (verdict.ok) throw new Error('it holds');
        return verdict.refuted;
      };
      const sides: readonly (readonly [string, bigint, string])[] = [
        ['older', 4n, 'dual-proof.target-alh'],
        ['newer', LAST, 'dual-proof.source-alh'],
        ['the head itself', HEAD, 'dual-proof.source-alh'],
      ];

      it.each(sides)('that holds by itself is a fork: both hashes are told (%s)', async (_name, n, check) => {
        expect(await shown(n)).toMatchObject({
          check,
          isFork: true,
          expected: toHex(chain.root(HEAD).alh),
          computed: toHex(fork.root(HEAD).alh),
        });
      });

      it.each(sides)('that does not hold by itself is none (%s)', async (_name, n) => {
        const broken: readonly Change[] = [
          flipAt((a) => dual(a).linearProof.terms, 0),
          flipAt((a) => dual(a), 'targetBlTxAlh'),
          (a) => (dual(a).sourceTxHeader.nentries = 0),
          (a) => (dual(a).targetTxHeader.nentries = 0),
          (a) => (dual(a).targetTxHeader.id = '1'),
        ];
        for (const change of broken) expect(await shown(n, change)).not.toHaveProperty('isFork');
      });

      it.each(sides)(
        'is none where the head is as it was and something else is wrong (%s)',
        async (_name, n) => {
          const change = flipAt((a) => dual(a).linearProof.terms, 0);
          expect(await shown(n, change, chain)).not.toHaveProperty('isFork');
        },
      );

      it.each(sides)('must be signed where a key is configured (%s)', async (_name, n, check) => {
        const publicKey = spki;
        const signed = await shown(n, undefined, fork, { key: signingKey, publicKey });
        expect(signed).toMatchObject({ check, isFork: true });
        const unsigned = await shown(n, undefined, fork, { publicKey });
        expect(unsigned.check).toBe(check);
        expect(unsigned).not.toHaveProperty('isFork');
      });
    });

    it('refutes a self-proof where one from the head was asked for, and the other way round', async () => {
      const self = chain.verifiableTx(LAST, 0n);
      expect(failedCheck(await verify({ kind: 'tx', tx: LAST }, chain.root(HEAD), self))).toBe(
        'dual-proof.source',
      );
      const fromHead = chain.verifiableTx(LAST, HEAD);
      expect(failedCheck(await verify({ kind: 'tx', tx: LAST }, null, fromHead))).toBe('dual-proof.source');
    });

    it('refutes two headers for one tx in a self-proof', async () => {
      const answer = chain.verifiableTx(LAST, 0n);
      dual(answer).sourceTxHeader = wireHeader(fork.tx(LAST).header);
      expect(failedCheck(await verify({ kind: 'tx', tx: LAST }, null, answer))).toBe('dual-proof.ends');
    });

    it('requires the linear-advance proof under lag, and accepts it', async () => {
      const lag = new TestChain();
      for (let id = 1; id <= 14; id++)
        lag.commit([{ key: plainKey(utf8(`k${id}`)), value: plainValue(utf8('v')) }], {
          treeSize: Math.floor((id - 1) / 2),
        });
      const question = { kind: 'tx', tx: 6n } as const;
      const proven = provenBy(await verify(question, lag.root(14n), lag.verifiableTx(6n, 14n)), 'tx');
      expect(proven.target.frontier).toBeUndefined();
      const without = lag.verifiableTx(6n, 14n);
      delete without.dualProof.LinearAdvanceProof;
      expect(failedCheck(await verify(question, lag.root(14n), without))).toBe('linear-advance.missing');
      const altered = lag.verifiableTx(6n, 14n);
      altered.dualProof.LinearAdvanceProof.linearProofTerms[0] = new Uint8Array(32);
      expect(failedCheck(await verify(question, lag.root(14n), altered))).toMatch(/^linear-advance\./);
    });
  });

  describe('tx', () => {
    const ask = (n: bigint, head: Root | null, answer: Wire) => verify({ kind: 'tx', tx: n }, head, answer);

    it('accepts headers without entries, on both sides of the head', async () => {
      for (const n of [1n, ABC, HEAD, HEAD + 1n, LAST]) {
        const proven = provenBy(
          await ask(n, chain.root(HEAD), chain.verifiableTx(n, HEAD, { entries: false })),
          'tx',
        );
        expect(proven.subject).toMatchObject(chain.root(n));
        expect(proven.target).toMatchObject(chain.root(n > HEAD ? n : HEAD));
      }
    });

    it('does not look at entries', async () => {
      const answer = chain.verifiableTx(ABC, HEAD);
      answer.tx.entries[0].hValue = new Uint8Array(3);
      provenBy(await ask(ABC, chain.root(HEAD), answer), 'tx');
    });

    it('refutes the header of another tx', async () => {
      expect(failedCheck(await ask(ABC, chain.root(HEAD), chain.verifiableTx(ALONE, HEAD)))).toBe('tx.id');
      const dressed = chain.verifiableTx(ALONE, HEAD);
      dressed.tx.header = wireHeader(chain.tx(ABC).header);
      expect(failedCheck(await ask(ABC, chain.root(HEAD), dressed))).toBe('dual-proof.source');
    });

    it('proves that history starts at genesis, under the known empty database', async () => {
      const empty = chain.root(0n);
      for (const n of [1n, 2n, LAST]) {
        const proven = provenBy(await ask(n, empty, chain.verifiableTx(n, 1n)), 'tx');
        expect(proven.target).toMatchObject({ ...chain.root(n), frontier: frontierAt(n) });
      }
      expect(failedCheck(await ask(LAST, empty, chain.verifiableTx(LAST, 0n)))).toBe('bind.genesis');
      expect(failedCheck(await ask(LAST, empty, chain.verifiableTx(LAST, 2n)))).toBe('bind.genesis');
      const noGenesis = chain.verifiableTx(LAST, 1n);
      noGenesis.dualProof.sourceTxHeader.prevAlh = new Uint8Array(32);
      expect(failedCheck(await ask(LAST, empty, noGenesis))).toBe('bind.genesis');
      const withTree = chain.verifiableTx(LAST, 1n);
      withTree.dualProof.sourceTxHeader.blRoot = sha256(new Uint8Array(1));
      expect(failedCheck(await ask(LAST, empty, withTree))).toBe('bind.genesis');
      const otherFirst = chain.verifiableTx(LAST, 1n);
      otherFirst.dualProof.sourceTxHeader.ts = '1';
      expect(failedCheck(await ask(LAST, empty, otherFirst))).toMatch(/^dual-proof\./);
    });
  });
});
