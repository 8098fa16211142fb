// The checks of a block of headers: chain and tree must tell the one history that the head is on.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plainKey, plainValue } from '#dist/proof/entry.js';
import { blockStart } from '#dist/verify/chain/block.js';
import { BLOCK_TXS } from '#dist/verify/verifier.js';
import type { Root, Verifier } from '#dist/verify/verifier.js';
import { type Change, chain, flipAt, fork, HEAD, LAST } from './support/scene.js';
import { TestChain, bytesOf, utf8, wireHeader } from './support/test-chain.js';
import { failedCheck, implementations, jobOf, provenBy } from './support/verifiers.js';

const SIZE = BigInt(BLOCK_TXS);
/** A whole block and the beginning of the next. */
const long = new TestChain().grow(BLOCK_TXS + 70);

/** Commits to half of the tree only: no proof under it reaches the newer half. */
const lagging = new TestChain();
for (let id = 1; id <= 40; id++) {
  const entry = { key: plainKey(utf8(`k${id}`)), value: plainValue(utf8('v')) };
  lagging.commit([entry], { treeSize: Math.floor((id - 1) / 2) });
}

interface Asked {
  readonly of?: TestChain;
  readonly first?: bigint;
  readonly last?: bigint;
  readonly head?: Root;
  readonly headers?: Change;
  readonly proof?: Change;
}

describe.each(implementations)('%s', (_, make) => {
  let verifier: Verifier;
  beforeAll(() => {
    verifier = make();
  });
  afterAll(() => verifier.close());

  const block = (asked: Asked = {}) => {
    const { of = chain, first = 1n, last = HEAD, head = of.root(HEAD) } = asked;
    const answer = of.txList(first, last);
    asked.headers?.(answer);
    const proof = of.verifiableTx(last, head.tx, { entries: false });
    asked.proof?.(proof);
    const question = { kind: 'block', first, last, proof: bytesOf('tx', proof) } as const;
    return verifier.verify(jobOf(question, head, bytesOf('block', answer)));
  };

  it('accepts all headers up to the head, to the one before, and to earlier ones', async () => {
    for (const last of [1n, 2n, 17n, HEAD - 2n, HEAD - 1n, HEAD]) {
      const { headers } = provenBy(await block({ last }), 'block');
      expect([headers.first, headers.count]).toEqual([1n, Number(last)]);
      for (let i = 0; i < headers.count; i++) {
        const { header, alh } = chain.tx(BigInt(i + 1));
        expect(headers.alhs.slice(32 * i, 32 * i + 32)).toEqual(alh);
        expect(headers.eHs.slice(32 * i, 32 * i + 32)).toEqual(header.eH);
        expect([headers.times[i], headers.versions[i], headers.entryCounts[i]]).toEqual([
          header.ts,
          header.version,
          header.nentries,
        ]);
      }
    }
  });

  it('accepts whole blocks, and the beginning of a later one', async () => {
    const head = long.root(long.size);
    const whole = provenBy(await block({ of: long, last: SIZE, head }), 'block').headers;
    expect([whole.first, whole.count]).toEqual([1n, BLOCK_TXS]);
    for (const last of [SIZE + 1n, SIZE + 40n, long.size - 1n, long.size]) {
      const next = provenBy(await block({ of: long, first: SIZE + 1n, last, head }), 'block').headers;
      expect([next.first, next.count]).toEqual([SIZE + 1n, Number(last - SIZE)]);
      expect(next.alhs.slice(-32)).toEqual(long.root(last).alh);
    }
    // The block ends in the head, and starts with it.
    for (const at of [SIZE, SIZE + 1n]) {
      const edge = { of: long, first: at === SIZE ? 1n : at, last: at, head: long.root(at) };
      expect(provenBy(await block(edge), 'block').headers.count).toBe(at === SIZE ? BLOCK_TXS : 1);
    }
  });

  it('cannot be had for headers that do not start where a block does', async () => {
    const head = long.root(long.size);
    expect(failedCheck(await block({ of: long, first: SIZE + 2n, last: SIZE + 40n, head }))).toBe(
      'segment.path-missing',
    );
  });

  it.each<[string, Change, string]>([
    ['the last is missing', (a) => a.txs.pop(), 'block.count'],
    ['the first is missing', (a) => a.txs.shift(), 'block.count'],
    ['one in the middle is missing', (a) => a.txs.splice(4, 1), 'block.count'],
    ['one is too many', (a) => a.txs.push({ header: wireHeader(chain.tx(HEAD + 1n).header) }), 'wire.bound'],
    ['they are of another range', (a) => (a.txs = chain.txList(2n, HEAD + 1n).txs), 'block.first'],
    ['there is a gap', (a) => a.txs.splice(4, 2, a.txs[5], a.txs[5]), 'chain.id'],
    ['two are exchanged', (a) => ([a.txs[4], a.txs[5]] = [a.txs[5], a.txs[4]]), 'chain.id'],
    ['they are in reverse order', (a) => a.txs.reverse(), 'block.first'],
    ['one is altered', (a) => (a.txs[4].header.ts = '3'), 'chain.prev-alh'],
    ['one has other entries', (a) => (a.txs[4].header.eH = a.txs[5].header.eH), 'chain.prev-alh'],
    ['the last is altered', (a) => (a.txs.at(-1).header.ts = '3'), 'chain.end'],
    ['they are of another chain', (a) => (a.txs = fork.txList(1n, HEAD).txs), 'chain.end'],
    [
      'they turn to another chain',
      (a) => a.txs.splice(12, 13, ...fork.txList(13n, HEAD).txs),
      'chain.prev-alh',
    ],
    ['one cannot be', (a) => (a.txs[4].header.nentries = 0), 'header.nentries'],
  ])('refutes headers when %s', async (_name, headers, check) => {
    expect(failedCheck(await block({ headers }))).toBe(check);
  });

  it.each<[string, Asked, string]>([
    [
      'of another tx',
      { proof: (a) => Object.assign(a, chain.verifiableTx(HEAD - 1n, HEAD, { entries: false })) },
      'dual-proof.source',
    ],
    [
      'of another chain',
      { proof: (a) => Object.assign(a, fork.verifiableTx(HEAD, HEAD, { entries: false })) },
      'dual-proof.source-alh',
    ],
    ['with an altered header', { proof: (a) => (a.tx.header.ts = '4') }, 'bind.header'],
    ['under another head', { head: fork.root(HEAD) }, 'dual-proof.source-alh'],
    [
      'with an altered path',
      { last: 9n, proof: flipAt((a) => a.dualProof.inclusionProof, 1) },
      'dual-proof.inclusion',
    ],
  ])('refutes a proof %s', async (_name, asked, check) => {
    const verdict = await block(asked);
    expect(verdict.ok).toBe(false);
    expect(failedCheck(verdict)).toBe(check);
  });

  it('refutes a tree that is not the chain', async () => {
    // The proof of its end is right, chain and end agree; the tree holds another hash for tx 5.
    const twoFaced = new TestChain({ treeLeaf: (id, alh) => (id === 5n ? fork.root(20n).alh : alh) }).grow(
      60,
    );
    for (const last of [20n, 39n, 40n])
      expect(failedCheck(await block({ of: twoFaced, last, head: twoFaced.root(40n) }))).toBe('segment.root');
    // Before the place where they part there is one history.
    provenBy(await block({ of: twoFaced, last: 4n, head: twoFaced.root(40n) }), 'block');
  });

  it('refutes a block that the proven tree does not reach', async () => {
    const head = lagging.root(40n);
    for (const [last, check] of [
      [20n, 'dual-proof.unbound-leaf'],
      [38n, 'dual-proof.unbound-leaf'],
      [39n, 'block.lag'],
      [40n, 'block.lag'],
    ] as const)
      expect(failedCheck(await block({ of: lagging, last, head }))).toBe(check);
    for (const last of [1n, 10n, 18n, 19n]) provenBy(await block({ of: lagging, last, head }), 'block');
  });

  it('refutes an empty answer, and an empty proof', async () => {
    expect(failedCheck(await block({ headers: (a) => (a.txs = []) }))).toBe('block.count');
    const question = { kind: 'block', first: 1n, last: HEAD, proof: new Uint8Array(0) } as const;
    const job = jobOf(question, chain.root(HEAD), bytesOf('block', chain.txList(1n, HEAD)));
    expect(failedCheck(await verifier.verify(job))).toBe('wire.missing');
  });

  it('is proven in parallel for any ends', async () => {
    const verdicts = await Promise.all(
      Array.from({ length: Number(LAST) }, (_each, i) =>
        block({ last: BigInt(i + 1), head: chain.root(LAST) }),
      ),
    );
    verdicts.forEach((verdict, i) => expect(provenBy(verdict, 'block').headers.count).toBe(i + 1));
  });
});

it('is of the txs that share a complete subtree', () => {
  for (const [tx, start] of [
    [1n, 1n],
    [2n, 1n],
    [SIZE, 1n],
    [SIZE + 1n, SIZE + 1n],
    [2n * SIZE, SIZE + 1n],
    [2n * SIZE + 1n, 2n * SIZE + 1n],
  ] as const)
    expect(blockStart(tx)).toBe(start);
});
