// The checks of a run of headers, by name.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { equalBytes } from '#dist/proof/bytes.js';
import { sha256 } from '#dist/proof/hash.js';
import type { Context, FrontierPeaks, Question, Root, Verifier } from '#dist/verify/verifier.js';
import { type Change, chain, LAST, fork, flip, frontierAt } from './support/scene.js';
import { bytesOf, utf8, wireHeader, type Wire } from './support/test-chain.js';
import { failedCheck, implementations, jobOf, provenBy } from './support/verifiers.js';

describe.each(implementations)('%s', (_, make) => {
  let verifier: Verifier;
  beforeAll(() => {
    verifier = make();
  });
  afterAll(() => verifier.close());

  const verify = (question: Question, head: Root | null, answer: Wire, more: Partial<Context> = {}) =>
    verifier.verify(jobOf(question, head, bytesOf(question.kind, answer), more));

  describe('segment', () => {
    const FROM = 12n;
    const TO = 30n;
    const segment = (answer: Wire, more: { after?: Root; to?: bigint; frontier?: FrontierPeaks } = {}) =>
      verify({ kind: 'segment', after: chain.root(FROM), to: TO, ...more }, null, answer);
    const honest = () => chain.txList(FROM + 1n, TO);

    it('accepts all headers in order, from anywhere', async () => {
      const { headers, frontier } = provenBy(await segment(honest()), 'segment');
      expect(headers.map((each) => each.tx)).toEqual(
        Array.from({ length: 18 }, (_each, i) => FROM + 1n + BigInt(i)),
      );
      expect(headers.every((each) => equalBytes(each.alh, chain.root(each.tx).alh))).toBe(true);
      expect(headers.every((each) => equalBytes(each.prevAlh, chain.root(each.tx - 1n).alh))).toBe(true);
      expect(frontier).toBeUndefined();
      const all = provenBy(
        await segment(chain.txList(1n, LAST), { after: chain.root(0n), to: LAST }),
        'segment',
      );
      expect(all.headers).toHaveLength(Number(LAST));
    });

    it('holds them against the history tree, and grows the frontier', async () => {
      const proven = provenBy(await segment(honest(), { frontier: frontierAt(FROM) }), 'segment');
      expect(proven.frontier).toEqual(frontierAt(TO));
      const fromGenesis = { after: chain.root(0n), to: LAST, frontier: { size: 0n, peaks: [] } };
      expect(provenBy(await segment(chain.txList(1n, LAST), fromGenesis), 'segment').frontier).toEqual(
        frontierAt(LAST),
      );
      const other = { size: FROM, peaks: frontierAt(FROM).peaks.map(flip) };
      expect(failedCheck(await segment(honest(), { frontier: other }))).toBe('chain.tree-root');
    });

    it('ignores entries that came along', async () => {
      const answer = honest();
      answer.txs[3].entries = [{ key: utf8('junk') }];
      provenBy(await segment(answer), 'segment');
    });

    it.each<[string, Change, string]>([
      ['the last one missing', (a) => a.txs.pop(), 'segment.count'],
      ['the first one missing', (a) => a.txs.shift(), 'segment.count'],
      ['none', (a) => (a.txs = []), 'segment.count'],
      ['one more', (a) => a.txs.push({ header: wireHeader(chain.tx(TO + 1n).header) }), 'wire.bound'],
      ['a gap', (a) => (a.txs = chain.txList(FROM + 2n, TO + 1n).txs), 'chain.id'],
      ['a repeat', (a) => (a.txs[5] = a.txs[4]), 'chain.id'],
      ['another order', (a) => a.txs.reverse(), 'chain.id'],
      ['an altered header', (a) => (a.txs[4].header.ts = '3'), 'chain.prev-alh'],
      ['another history', (a) => (a.txs = fork.txList(FROM + 1n, TO).txs), 'chain.prev-alh'],
      [
        'another history from the middle',
        (a) => a.txs.splice(9, 9, ...fork.txList(FROM + 10n, TO).txs),
        'chain.prev-alh',
      ],
      ['a header that cannot be', (a) => (a.txs[4].header.nentries = 0), 'header.nentries'],
    ])('refutes %s', async (_name, change, check) => {
      const answer = honest();
      change(answer);
      expect(failedCheck(await segment(answer))).toBe(check);
    });

    it('refutes a run that does not follow the known header', async () => {
      expect(failedCheck(await segment(honest(), { after: { tx: FROM, alh: fork.root(FROM).alh } }))).toBe(
        'chain.prev-alh',
      );
    });

    it('refutes an altered last header only through the tree, or by what is proven of its end', async () => {
      const answer = honest();
      answer.txs.at(-1).header.blRoot = sha256(new Uint8Array(2));
      provenBy(await segment(answer), 'segment');
      expect(failedCheck(await segment(answer, { frontier: frontierAt(FROM) }))).toBe('chain.tree-root');
    });
  });
});
