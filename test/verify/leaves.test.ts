// The checks of entries (as digests) of transactions whose headers are proven: TxScan, and the proof of one tx.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasLeaf, sortedLeaves } from '#dist/proof/entry-leaves.js';
import { entryDigest } from '#dist/proof/entry.js';
import { sha256 } from '#dist/proof/hash.js';
import { leafHash } from '#dist/proof/tree/merkle.js';
import type { TxFacts, Verifier } from '#dist/verify/verifier.js';
import { type Change, chain, ABC, ALONE, BOUND, HEAD, OLD, REF, fork } from './support/scene.js';
import { bytesOf, utf8, type Wire } from './support/test-chain.js';
import { failedCheck, implementations, jobOf, provenBy } from './support/verifiers.js';

function factsOf(tx: bigint): TxFacts {
  const { version, nentries, eH } = chain.tx(tx).header;
  return { tx, version, nentries, eH };
}

function factsFrom(first: bigint, last: bigint): TxFacts[] {
  return Array.from({ length: Number(last - first) + 1 }, (_, i) => factsOf(first + BigInt(i)));
}

function digestsOf(tx: bigint): Uint8Array[] {
  const { header, entries } = chain.tx(tx);
  return entries.map(({ key, value, metadata }) =>
    entryDigest(header.version, { key, hValue: sha256(value), ...(metadata && { metadata }) }),
  );
}

describe.each(implementations)('%s', (_, make) => {
  let verifier: Verifier;
  beforeAll(() => {
    verifier = make();
  });
  afterAll(() => verifier.close());

  const ask = (txs: readonly TxFacts[], answer: Wire) =>
    verifier.verify(jobOf({ kind: 'leaves', txs }, null, bytesOf('leaves', answer)));
  const honest = () => chain.txList(ABC, OLD, { entries: true });

  describe('leaves', () => {
    it('accepts all entries of each tx, and gives their leaves sorted', async () => {
      const { leaves } = provenBy(await ask(factsFrom(ABC, OLD), honest()), 'leaves');
      expect(leaves).toHaveLength(Number(OLD - ABC) + 1);
      leaves.forEach((sorted, i) => {
        const digests = digestsOf(ABC + BigInt(i));
        expect(sorted).toEqual(sortedLeaves(digests.map(leafHash)));
        for (const digest of digests) expect(hasLeaf(sorted, leafHash(digest))).toBe(true);
      });
    });

    it('looks at nothing but ids and entries: headers are proven already', async () => {
      const answer = honest();
      for (const tx of answer.txs) {
        tx.header.ts = '5';
        tx.header.eH = tx.header.prevAlh;
      }
      provenBy(await ask(factsFrom(ABC, OLD), answer), 'leaves');
    });

    it.each<[string, Change, string]>([
      ['a tx is missing', (a) => a.txs.pop(), 'leaves.count'],
      ['all are missing', (a) => (a.txs = []), 'leaves.count'],
      ['one is too many', (a) => a.txs.push(chain.txList(1n, 1n).txs[0]), 'wire.bound'],
      ['two are exchanged', (a) => a.txs.reverse(), 'leaves.tx'],
      ['one is repeated', (a) => (a.txs[1] = a.txs[0]), 'leaves.tx'],
      [
        'one is of another place',
        (a) => (a.txs[1] = chain.txList(HEAD, HEAD, { entries: true }).txs[0]),
        'leaves.tx',
      ],
      ['an entry is missing', (a) => a.txs[0].entries.pop(), 'entries.count'],
      ['entries are missing', (a) => (a.txs[0].entries = []), 'entries.count'],
      ['one entry is too many', (a) => a.txs[0].entries.push(a.txs[1].entries[0]), 'entries.count'],
      [
        'an entry is repeated in place of another',
        (a) => (a.txs[0].entries[2] = a.txs[0].entries[0]),
        'entries.duplicate',
      ],
      ['entries are in another order', (a) => a.txs[0].entries.reverse(), 'entries.root'],
      ['a key is another', (a) => (a.txs[0].entries[1].key = utf8('\0q')), 'entries.root'],
      [
        'a value is another',
        (a) => (a.txs[0].entries[1].hValue = a.txs[0].entries[0].hValue),
        'entries.root',
      ],
      ['metadata is missing', (a) => delete a.txs[0].entries[1].metadata, 'entries.root'],
      ['metadata is added', (a) => (a.txs[0].entries[0].metadata = { deleted: true }), 'entries.root'],
      [
        'metadata is added to version 0',
        (a) => (a.txs.at(-1).entries[0].metadata = { deleted: true }),
        'entry.metadata',
      ],
      ['a key is none', (a) => (a.txs[0].entries[1].key = utf8('')), 'entry.key'],
      ['a value is none', (a) => delete a.txs[0].entries[1].hValue, 'wire.digest'],
      [
        'entries are those of another history',
        (a) => (a.txs[0].entries = fork.txList(20n, 20n, { entries: true }).txs[0].entries),
        'entries.count',
      ],
    ])('refutes it when %s', async (_name, change, check) => {
      const answer = honest();
      change(answer);
      expect(failedCheck(await ask(factsFrom(ABC, OLD), answer))).toBe(check);
    });

    it('refutes entries of another tx of the same size', async () => {
      const answer = chain.txList(REF, REF, { entries: true });
      answer.txs[0].entries = chain.txList(BOUND, BOUND, { entries: true }).txs[0].entries;
      expect(failedCheck(await ask([factsOf(REF)], answer))).toBe('entries.root');
    });

    it('refutes what does not hash to the proven root, whatever root the answer shows', async () => {
      const answer = chain.txList(ALONE, ALONE, { entries: true });
      const facts = { ...factsOf(ALONE), eH: chain.tx(REF).header.eH };
      answer.txs[0].header.eH = facts.eH;
      expect(failedCheck(await ask([facts], answer))).toBe('entries.root');
      expect(failedCheck(await ask([{ ...factsOf(ALONE), version: 0 }], answer))).toBe('entries.root');
    });
  });

  describe('a tx with its leaves', () => {
    const tx = (n: bigint, change: Change = () => undefined, headTx = HEAD) => {
      const answer = chain.verifiableTx(n, headTx === 0n ? 1n : headTx);
      change(answer);
      const question = { kind: 'tx', tx: n, leaves: true } as const;
      return verifier.verify(jobOf(question, chain.root(headTx), bytesOf('tx', answer)));
    };

    it('accepts all entries, before, at and after the head, and since genesis', async () => {
      for (const [n, head] of [
        [ABC, HEAD],
        [OLD, HEAD],
        [HEAD, HEAD],
        [ABC, 2n],
        [ABC, 0n],
      ] as const) {
        const proven = provenBy(await tx(n, undefined, head), 'tx');
        expect(proven.subject).toMatchObject(chain.root(n));
        expect(proven.leaves).toEqual(sortedLeaves(digestsOf(n).map(leafHash)));
      }
    });

    it.each<[string, Change, string]>([
      ['are left out', (a) => (a.tx.entries = []), 'entries.count'],
      ['are too few', (a) => a.tx.entries.pop(), 'entries.count'],
      ['are too many', (a) => a.tx.entries.push(a.tx.entries[0]), 'entries.count'],
      ['are in another order', (a) => a.tx.entries.reverse(), 'entries.root'],
      ['have another value', (a) => (a.tx.entries[0].hValue = a.tx.entries[1].hValue), 'entries.root'],
    ])('refutes it when its entries %s', async (_name, change, check) => {
      expect(failedCheck(await tx(ABC, change))).toBe(check);
    });
  });
});
