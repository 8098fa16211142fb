// The check of a page of a sorted set: its members in the order of the server's index, and what is claimed of their entries.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sortedSetKey } from '#dist/proof/entry.js';
import type { ZScanQuestion } from '#dist/verify/readings/z-scan.js';
import type { Verifier } from '#dist/verify/verifier.js';
import { ABC, ALONE, EXPIRED, HEAD, REF, chain } from './support/scene.js';
import { bytesOf, utf8 } from './support/test-chain.js';
import type { Wire } from './support/test-chain.js';
import { failedCheck, implementations, jobOf, provenBy } from './support/verifiers.js';

const SET = utf8('set');
const member = (score: number, key: string, tx: bigint, atTx = 0n): Wire => ({
  ...{ set: SET, key: utf8(key), entry: chain.entry(key, tx), score },
  ...(atTx > 0n && { atTx: `${atTx}` }),
});
const honest = (): Wire[] => [
  member(0, 'a', ABC),
  member(1, 'c', ABC),
  member(1, 'alone', ALONE),
  member(1, 'alone', ALONE, ALONE),
  member(2.5, 'b', ABC, ABC),
  member(-0, 'a', ABC),
  member(-1, 'a', ABC),
  member(-2, 'a', ABC),
];

describe.each(implementations)('%s', (_, make) => {
  let verifier: Verifier;
  beforeAll(() => {
    verifier = make();
  });
  afterAll(() => verifier.close());

  const verify = (entries: readonly Wire[], question: Partial<ZScanQuestion> = {}) =>
    verifier.verify(
      jobOf(
        { kind: 'z-scan', set: SET, desc: false, seek: utf8(''), inclusiveSeek: false, max: 10, ...question },
        chain.root(HEAD),
        bytesOf('z-scan', { entries: [...entries] }),
      ),
    );

  it('is one claim a member, of what its key holds', async () => {
    const { members } = provenBy(await verify(honest()), 'z-scan');
    expect(members.map(({ score, atTx }) => [score, atTx])).toEqual([
      [0, 0n],
      [1, 0n],
      [1, 0n],
      [1, ALONE],
      [2.5, ABC],
      [-0, 0n],
      [-1, 0n],
      [-2, 0n],
    ]);
    expect(members[4]?.claim).toMatchObject({
      kind: 'value',
      claim: { tx: ABC, key: utf8('b'), value: utf8('2') },
    });
    const back = provenBy(await verify(honest().toReversed(), { desc: true }), 'z-scan');
    expect(back.members).toEqual(members.toReversed());
    expect(provenBy(await verify([]), 'z-scan').members).toEqual([]);
  });

  it('takes what lies within its scores, and behind its start', async () => {
    provenBy(await verify(honest().slice(1, 5), { minScore: 1, maxScore: 2.5 }), 'z-scan');
    const seek = sortedSetKey(SET, 1, utf8('c'), 0n);
    provenBy(await verify(honest().slice(2), { seek }), 'z-scan');
    provenBy(await verify(honest().slice(1), { seek, inclusiveSeek: true }), 'z-scan');
    provenBy(
      await verify(honest().slice(0, 2).toReversed(), { seek, inclusiveSeek: true, desc: true }),
      'z-scan',
    );
    expect(failedCheck(await verify(honest().slice(1), { seek }))).toBe('z-scan.order');
    expect(failedCheck(await verify(honest().slice(1, 2), { seek, desc: true }))).toBe('z-scan.order');
  });

  it.each<[string, (entries: Wire[]) => unknown, string, Partial<ZScanQuestion>?]>([
    ['another order', (entries) => entries.reverse(), 'z-scan.order'],
    ['one twice', (entries) => entries.splice(1, 0, entries[0]), 'z-scan.order'],
    [
      'longer keys before shorter ones',
      (entries) => entries.splice(1, 2, entries[2], entries[1]),
      'z-scan.order',
    ],
    ['another set', (entries) => (entries[0].set = utf8('other')), 'z-scan.set'],
    [
      'a score too low',
      (entries) => entries.splice(0, 8, member(0, 'a', ABC)),
      'z-scan.score',
      { minScore: 1 },
    ],
    ['a score too high', () => undefined, 'z-scan.score', { maxScore: 2 }],
    ['a score that is none', (entries) => (entries[0].score = NaN), 'z-scan.score'],
    ['no entry', (entries) => delete entries[0].entry, 'wire.missing'],
    ['the entry of another key', (entries) => (entries[0].entry = chain.entry('c', ABC)), 'claim.key'],
    [
      'an entry behind a reference',
      (entries) => (entries[0].entry = chain.entry('ref', REF)),
      'z-scan.entry',
    ],
    ['another version than it is bound to', (entries) => (entries[3].entry.tx = '3'), 'z-scan.at-tx'],
    ['one that is not indexed', (entries) => delete entries[4].atTx, 'z-scan.non-indexable'],
    ['one that has expired', (entries) => entries.splice(0, 8, member(0, 'gone', EXPIRED)), 'claim.expired'],
    ['more than was asked for', () => undefined, 'wire.bound', { max: 7 }],
  ])('refutes %s', async (_what, lie, check, question) => {
    const entries = honest();
    lie(entries);
    expect(failedCheck(await verify(entries, question))).toBe(check);
  });
});
