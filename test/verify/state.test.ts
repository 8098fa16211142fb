// A server's word about its newest transaction: what it may contradict is refused, with evidence; nothing else is read into it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EMPTY_HASH } from '#dist/proof/hash.js';
import { verifyEvidence } from '#dist/audit.js';
import { packJob } from '#dist/verify/pack/packet.js';
import type { Context, Verifier } from '#dist/verify/verifier.js';
import { DATABASE, TestChain, bytesOf, signingKey, spki, wireSignature } from './support/test-chain.js';
import type { Wire } from './support/test-chain.js';
import { implementations, jobOf } from './support/verifiers.js';

const chain = new TestChain().grow(9);
const HEAD = chain.root(6n);
const EMPTY = { tx: 0n, alh: EMPTY_HASH };

function stateOf(root = chain.root(9n), more: Wire = {}): Wire {
  return { db: DATABASE, txId: `${root.tx}`, txHash: root.alh, ...more };
}

describe.each(implementations)('%s', (_, make) => {
  let verifier: Verifier;
  beforeAll(() => {
    verifier = make();
  });
  afterAll(() => verifier.close());

  function jobFor(answer: Wire, head: Context['head'] = HEAD, more: Partial<Context> = {}) {
    return jobOf({ kind: 'state' }, head, bytesOf('state', answer), more);
  }

  it.each([
    ['ahead of the head', chain.root(9n), HEAD],
    ['at the head', chain.root(6n), HEAD],
    ['under no head', chain.root(6n), null],
    ['of the empty database', EMPTY, EMPTY],
  ])('holds %s', async (_what, root, head) => {
    expect(await verifier.verify(jobFor(stateOf(root), head))).toEqual({
      ok: true,
      proven: { kind: 'state', claimed: root },
    });
  });

  it.each<[string, Wire, Context['head'], object]>([
    [
      'behind the head',
      stateOf(chain.root(5n)),
      HEAD,
      { check: 'trust.rollback', expected: '6', computed: '5' },
    ],
    ['emptied', stateOf(EMPTY), HEAD, { check: 'trust.rollback', expected: '6', computed: '0' }],
    [
      'another hash for the head',
      stateOf({ tx: 6n, alh: chain.root(5n).alh }),
      HEAD,
      { check: 'trust.fork' },
    ],
    [
      'another database',
      stateOf(undefined, { db: 'other' }),
      HEAD,
      { check: 'state.database', expected: DATABASE, computed: 'other' },
    ],
    ['no database', stateOf(undefined, { db: '' }), HEAD, { check: 'state.database', computed: '' }],
    ['an empty one with a hash', stateOf({ tx: 0n, alh: HEAD.alh }), null, { check: 'state.empty' }],
    ['a short hash', stateOf(undefined, { txHash: HEAD.alh.subarray(1) }), HEAD, { check: 'wire.digest' }],
    ['no hash', stateOf(undefined, { txHash: new Uint8Array(0) }), HEAD, { check: 'wire.digest' }],
  ])('refuses %s, and the evidence shows it again', async (_what, answer, head, refuted) => {
    const job = jobFor(answer, head);
    const verdict = await verifier.verify(job);
    expect(verdict).toMatchObject({ ok: false, refuted });
    if (verdict.ok) return;
    const evidence = { ...verdict.refuted, job: packJob(job) };
    expect(verifyEvidence(evidence)).toMatchObject({ outcome: 'reproduced', refuted });
    expect(verifyEvidence({ ...evidence, check: 'trust.head' })).toMatchObject({ outcome: 'not-reproduced' });
  });

  it('refuses bytes that are no state', async () => {
    const job = jobOf({ kind: 'state' }, HEAD, new Uint8Array([0x1a, 0x7f]));
    expect(await verifier.verify(job)).toMatchObject({ ok: false });
  });

  it('has the empty database signed when a key is configured: nothing else will prove it', async () => {
    const signature = wireSignature(signingKey, DATABASE, EMPTY);
    const keyed = (answer: Wire, root: Context['head'] = null) =>
      verifier.verify(jobFor(answer, root, { publicKey: spki }));
    expect(await keyed(stateOf(EMPTY, { signature }))).toMatchObject({ ok: true });
    expect(await keyed(stateOf(EMPTY))).toMatchObject({ ok: false, refuted: { check: 'signature.missing' } });
    const other = wireSignature(signingKey, DATABASE, HEAD);
    expect(await keyed(stateOf(EMPTY, { signature: other }))).toMatchObject({
      ok: false,
      refuted: { check: 'signature.invalid' },
    });
    // Another is proven by itself, with its signature.
    expect(await keyed(stateOf(), HEAD)).toMatchObject({ ok: true });
  });
});
