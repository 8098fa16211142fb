// The checks of a verified write, by name.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plainKey, plainValue } from '#dist/proof/entry.js';
import { sha256 } from '#dist/proof/hash.js';
import type { Context, Question, Root, Verifier } from '#dist/verify/verifier.js';
import { type Change, chain, ABC, EXTRA, TRUNCATING, LAST, tx, frontierAt } from './support/scene.js';
import { bytesOf, utf8, type Wire } from './support/test-chain.js';
import { failedCheck, implementations, jobOf, provenBy } from './support/verifiers.js';

describe.each(implementations)('%s', (_, make) => {
  let verifier: Verifier;
  beforeAll(() => {
    verifier = make();
  });
  afterAll(() => verifier.close());

  const verify = (question: Question, head: Root | null, answer: Wire, more: Partial<Context> = {}) =>
    verifier.verify(jobOf(question, head, bytesOf(question.kind, answer), more));

  describe('set', () => {
    const N = ABC;
    const before = N - 1n;
    const sent = [
      { key: utf8('a'), value: utf8('1') },
      { key: utf8('b'), value: utf8('2'), metadata: { nonIndexable: true } },
      { key: utf8('c'), value: utf8('') },
    ];
    const set = (entries: Wire[] = sent, change: Change = () => undefined, n = N, head = before) => {
      const answer = chain.verifiableTx(n, head);
      change(answer);
      return verify({ kind: 'set', entries }, chain.root(head), answer);
    };

    it('accepts what was sent, in a tx newer than the head', async () => {
      const proven = provenBy(await set(), 'set');
      expect(proven.subject).toMatchObject(chain.root(N));
      expect(proven.target).toMatchObject({ ...chain.root(N), frontier: frontierAt(N) });
      const far = provenBy(
        await set([{ key: utf8('filler 36'), value: utf8('value 22') }], undefined, 37n, 5n),
        'set',
      );
      expect(far.target.tx).toBe(37n);
    });

    it('accepts the first write ever, and a write at first contact', async () => {
      const entries = [{ key: utf8('filler 0'), value: utf8('value 0') }];
      const first = chain.verifiableTx(1n, 0n);
      for (const head of [null, chain.root(0n)]) {
        expect(provenBy(await verify({ kind: 'set', entries }, head, first), 'set').subject.tx).toBe(1n);
      }
    });

    it('accepts that the server noted who wrote, and no other attribute', async () => {
      provenBy(await set([{ key: utf8('who'), value: utf8('v') }], undefined, EXTRA, EXTRA - 1n), 'set');
      expect(
        failedCheck(
          await set([{ key: utf8('cut'), value: utf8('v') }], undefined, TRUNCATING, TRUNCATING - 1n),
        ),
      ).toBe('set.truncation');
    });

    it.each<[string, Wire[], Change, string]>([
      ['another key', [{ ...sent[0], key: utf8('x') }, sent[1], sent[2]], () => undefined, 'set.key'],
      ['another value', [sent[0], sent[1], { ...sent[2], value: utf8('x') }], () => undefined, 'set.value'],
      [
        'no metadata',
        [sent[0], { ...sent[1], metadata: undefined }, sent[2]],
        () => undefined,
        'set.metadata',
      ],
      [
        'metadata nobody sent',
        [{ ...sent[0], metadata: { expiresAt: 5n } }, sent[1], sent[2]],
        () => undefined,
        'set.metadata',
      ],
      ['another order', [sent[1], sent[0], sent[2]], () => undefined, 'set.key'],
      ['fewer entries', sent.slice(0, 2), () => undefined, 'set.count'],
      ['more entries', [...sent, { key: utf8('d'), value: utf8('') }], () => undefined, 'set.count'],
      ['entries left out of the answer', sent, (a) => (tx(a).entries = []), 'entries.count'],
      [
        'the requested entries under another root',
        [{ ...sent[0], key: utf8('x') }, sent[1], sent[2]],
        (a) => (tx(a).entries[0].key = plainKey(utf8('x'))),
        'entries.root',
      ],
      [
        'the requested value under another root',
        [{ ...sent[0], value: utf8('x') }, sent[1], sent[2]],
        (a) => (tx(a).entries[0].hValue = sha256(plainValue(utf8('x')))),
        'entries.root',
      ],
      ['another header', sent, (a) => (tx(a).header.ts = '7'), 'bind.header'],
      ['no tx id', sent, (a) => delete tx(a).header.id, 'set.tx'],
    ])('refutes %s', async (_name, entries, change, check) => {
      expect(failedCheck(await set(entries, change))).toBe(check);
    });

    it('refutes an older transaction that holds the same', async () => {
      for (const head of [N, N + 1n, LAST])
        expect(failedCheck(await set(sent, undefined, N, head))).toBe('set.tx');
    });
  });
});
