// Answers put together from what a live server sent (test/vectors/source.json), over both implementations.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EMPTY_HASH } from '#dist/proof/hash.js';
import type { Question, Root, Verifier } from '#dist/verify/verifier.js';
import { dualProofOf, hex, lagging, recorded, wire } from './support/recorded.js';
import { bytesOf, utf8, type Wire } from './support/test-chain.js';
import { failedCheck, implementations, jobOf, provenBy } from './support/verifiers.js';

const headers: Wire[] = recorded.txs.map((tx: Wire) => tx.header);
const proof = (source: number, target: number): Wire =>
  dualProofOf(
    recorded.dualProofs.find((each: Wire) => each.source === source && each.target === target),
    headers,
  );
const root = (tx: number): Root => ({ tx: BigInt(tx), alh: hex(recorded.txs[tx - 1].alh) });
const recordedTx = (n: number): Wire =>
  wire({ header: headers[n - 1], entries: recorded.txs[n - 1].entries });

describe.each(implementations)('%s', (_, make) => {
  let verifier: Verifier;
  beforeAll(() => {
    verifier = make();
  });
  afterAll(() => verifier.close());

  const verify = (question: Question, head: Root | null, answer: Wire) =>
    verifier.verify(jobOf(question, head, bytesOf(question.kind, answer)));

  it('accepts the recorded read', async () => {
    const { entry, inclusionProof } = recorded.verifiableGet;
    const answer = wire({ entry, inclusionProof });
    answer.entry.value = hex(entry.value);
    answer.inclusionProof.terms = inclusionProof.terms.map(hex);
    answer.verifiableTx = { tx: recordedTx(2), dualProof: proof(2, 3) };
    const question = { kind: 'get', key: utf8('k2') } as const;
    const proven = provenBy(await verify(question, root(3), answer), 'get');
    expect(proven.found).toEqual({
      kind: 'value',
      entry: {
        key: utf8('k2'),
        value: utf8('v2'),
        metadata: { expiresAt: 4102444800n },
        unprovenRevision: 1n,
      },
    });
    expect(failedCheck(await verify(question, root(4), answer))).toBe('dual-proof.target');
  });

  it('accepts the recorded write', async () => {
    const entries = [
      { key: utf8('k1'), value: utf8('v1') },
      { key: utf8('k2'), value: utf8('v2'), metadata: { expiresAt: 4102444800n } },
      { key: utf8('k3'), value: utf8(''), metadata: { nonIndexable: true } },
    ];
    const answer = { tx: recordedTx(2), dualProof: proof(1, 2) };
    expect(provenBy(await verify({ kind: 'set', entries }, root(1), answer), 'set').subject).toMatchObject(
      root(2),
    );
  });

  it('accepts every recorded dual proof, from either end', async () => {
    for (const { source, target } of recorded.dualProofs) {
      const dualProof = proof(source, target);
      for (const [n, head] of [
        [source, target],
        [target, source],
      ]) {
        const answer = { tx: wire({ header: headers[n - 1] }), dualProof };
        const proven = provenBy(await verify({ kind: 'tx', tx: BigInt(n) }, root(head), answer), 'tx');
        expect(proven.subject).toMatchObject(root(n));
        expect(proven.target).toMatchObject(root(target));
        expect(proven.target.frontier?.size).toBe(BigInt(target));
      }
    }
  });

  it('accepts the recorded chain as a segment, along the tree', async () => {
    const answer = { txs: headers.map((header) => ({ header: wire(header) })) };
    const genesis = { tx: 0n, alh: EMPTY_HASH };
    const question = { kind: 'segment', after: genesis, to: 16n, frontier: { size: 0n, peaks: [] } } as const;
    const proven = provenBy(await verify(question, null, answer), 'segment');
    expect(proven.headers.map((each) => Buffer.from(each.alh).toString('hex'))).toEqual(
      recorded.txs.map((tx: Wire) => tx.alh),
    );
    expect(proven.frontier).toMatchObject({ size: 16n });
  });

  it('accepts proofs under lag that come with what lag demands', async () => {
    const lagRoot = (tx: number): Root => ({ tx: BigInt(tx), alh: hex(lagging.headers[tx - 1].alh) });
    for (const each of lagging.proofs) {
      const { source, target } = each as { source: number; target: number };
      const answer = {
        tx: wire({ header: lagging.headers[source - 1] }),
        dualProof: dualProofOf(each, lagging.headers),
      };
      const question = { kind: 'tx', tx: BigInt(source) } as const;
      expect(provenBy(await verify(question, lagRoot(target), answer), 'tx').subject).toMatchObject(
        lagRoot(source),
      );
      if (!answer.dualProof.LinearAdvanceProof) continue;
      delete answer.dualProof.LinearAdvanceProof;
      expect(failedCheck(await verify(question, lagRoot(target), answer))).toBe('linear-advance.missing');
    }
  });
});
