// What every verifier keeps to, whatever it is asked.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Verifier } from '#dist/verify/verifier.js';
import { chain, ABC, HEAD, LAST, frontierAt } from '../verify/support/scene.js';
import { bytesOf, utf8, type Wire } from '../verify/support/test-chain.js';
import { contextAt, failedCheck, implementations, jobOf, provenBy } from '../verify/support/verifiers.js';

describe.each(implementations)('%s', (_, make) => {
  let verifier: Verifier;
  beforeAll(() => {
    verifier = make();
  });
  afterAll(() => verifier.close());

  it('keeps the neighbours in a batch apart', async () => {
    const jobs = Array.from({ length: 60 }, (_each, i) => {
      const answer = chain.verifiableEntry('b', ABC, HEAD);
      if (i % 3 === 1) answer.entry.value = utf8(`lie ${i}`);
      const bytes = bytesOf('get', answer);
      return jobOf(
        { kind: 'get', key: utf8('b') },
        chain.root(HEAD),
        i % 3 === 2 ? bytes.subarray(0, i) : bytes,
      );
    });
    const verdicts = await Promise.all(jobs.map((job) => verifier.verify(job)));
    verdicts.forEach((verdict, i) => {
      if (i % 3 === 0) expect(provenBy(verdict, 'get').found).toMatchObject({ entry: { value: utf8('2') } });
      else expect(failedCheck(verdict)).toMatch(i % 3 === 1 ? /^entries\.inclusion$/ : /^wire\./);
    });
  });

  it('refuses questions that make no sense, as arguments', async () => {
    const answer = bytesOf('get', chain.verifiableEntry('b', ABC, HEAD));
    const key = utf8('b');
    const head = chain.root(HEAD);
    const reject = async (question: Wire, context: Wire, argument: string, bytes: Wire = answer) => {
      const promise = verifier.verify({ question, context, answer: bytes });
      await expect(promise).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', argument });
    };
    await reject({ kind: 'get', key: new Uint8Array(0) }, contextAt(head), 'question.key');
    await reject({ kind: 'get', key, atTx: 0n }, contextAt(head), 'question.atTx');
    await reject({ kind: 'get', key }, contextAt({ tx: 3n, alh: new Uint8Array(31) }), 'context.head.alh');
    await reject({ kind: 'get', key }, contextAt({ tx: -1n, alh: head.alh }), 'context.head.tx');
    await reject({ kind: 'get', key }, contextAt({ tx: 0n, alh: head.alh }), 'context.head.alh');
    await reject({ kind: 'get', key }, { ...contextAt(head), now: 5 }, 'context.now');
    await reject({ kind: 'get', key }, { ...contextAt(head), database: 7 }, 'context.database');
    await reject({ kind: 'get', key }, contextAt(head, { publicKey: new Uint8Array(9) }), 'publicKey');
    await reject({ kind: 'get', key }, contextAt(head), 'answer', 'bytes');
    await reject({ kind: 'set', entries: [] }, contextAt(head), 'question.entries');
    await reject(
      { kind: 'set', entries: [{ key, value: 'v' }] },
      contextAt(head),
      'question.entries[0].value',
    );
    await reject(
      { kind: 'set', entries: [{ key, value: key, metadata: { expiresAt: 2n ** 63n } }] },
      contextAt(head),
      'question.entries[0].metadata.expiresAt',
    );
    await reject({ kind: 'tx', tx: 2n ** 63n }, contextAt(head), 'question.tx');
    await reject({ kind: 'segment', after: head, to: HEAD }, contextAt(head), 'question.to');
    await reject(
      { kind: 'segment', after: head, to: LAST, frontier: { size: HEAD, peaks: [] } },
      contextAt(head),
      'question.frontier',
    );
    await reject(
      { kind: 'segment', after: head, to: LAST, frontier: frontierAt(LAST) },
      contextAt(head),
      'question.frontier',
    );
    await reject({ kind: 'claims', keys: [] }, contextAt(head), 'question.keys');
    await reject({ kind: 'claims', keys: [key, key], single: true }, contextAt(head), 'question.keys');
    await reject({ kind: 'claims', keys: [key, utf8('')] }, contextAt(head), 'question.keys[1]');
    await reject({ kind: 'claim', key, tx: 0n, shown: key }, contextAt(head), 'question.tx');
    await reject({ kind: 'claim', key: utf8(''), tx: 1n, shown: key }, contextAt(head), 'question.key');
    await reject({ kind: 'claim', key, tx: 1n, shown: 'entry' }, contextAt(head), 'question.shown');
    await reject({ kind: 'written', request: 'request' }, contextAt(head), 'question.request');
    await reject({ kind: 'block', first: 0n, last: 1n, proof: key }, contextAt(head), 'question.first');
    await reject({ kind: 'block', first: 2n, last: 1n, proof: key }, contextAt(head), 'question.last');
    await reject({ kind: 'block', first: 1n, last: 1025n, proof: key }, contextAt(head), 'question.last');
    await reject({ kind: 'block', first: 1n, last: 2n, proof: [] }, contextAt(head), 'question.proof');
    await reject({ kind: 'leaves', txs: [] }, contextAt(head), 'question.txs');
    const facts = { tx: 1n, version: 1, nentries: 1, eH: head.alh };
    await reject({ kind: 'leaves', txs: [facts, { ...facts, tx: 0n }] }, contextAt(head), 'question.txs');
    await reject({ kind: 'leaves', txs: [{ ...facts, eH: key }] }, contextAt(head), 'question.txs');
    await reject({ kind: 'guess' }, contextAt(head), 'question');
  });

  it('is closed once and for all', async () => {
    const own = make();
    await own.close();
    await own.close();
    const job = jobOf(
      { kind: 'tx', tx: ABC },
      chain.root(HEAD),
      bytesOf('tx', chain.verifiableTx(ABC, HEAD)),
    );
    await expect(own.verify(job)).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
