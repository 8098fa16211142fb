// The check of a page of a history, and of one version by its whole transaction.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entryLeaf, plainKey, plainValue } from '#dist/proof/entry.js';
import type { HistoryQuestion } from '#dist/verify/readings/history.js';
import { otherReading } from '#dist/verify/claims/version.js';
import type { Verifier } from '#dist/verify/verifier.js';
import { TestChain, bytesOf, utf8 } from './support/test-chain.js';
import type { Wire } from './support/test-chain.js';
import { NOW, failedCheck, implementations, jobOf, provenBy } from './support/verifiers.js';

const NOTHING = new Uint8Array(0);
const KEY = utf8('key');

const chain = new TestChain().grow(2);
const ONE = chain.set(['key', 'one'], ['other', 'x']);
const EXPIRED = chain.set(['key', 'soon', { expiresAt: NOW }]);
const GONE = chain.commit([{ key: plainKey(KEY), metadata: { deleted: true }, value: NOTHING }]);
const MARKED = [utf8('v'), NOTHING].map((value) =>
  chain.commit([{ key: plainKey(KEY), metadata: { deleted: true }, value: plainValue(value) }]),
);
const REF = chain.setReference('key', 'other', ONE);
const LAST = chain.set(['key', 'last', { expiresAt: NOW + 1n }]);
chain.grow(4);
const HEAD = chain.size;

const version = (tx: bigint, revision: number, more: Wire = {}): Wire => ({
  ...{ tx: `${tx}`, key: KEY, revision: `${revision}` },
  ...more,
});
/** As History shows it: raw values without their first byte, and none of what has expired. */
const honest = (): Wire[] => [
  version(ONE, 1, { value: utf8('one') }),
  version(EXPIRED, 2, { metadata: { expiration: { expiresAt: `${NOW}` } }, expired: true }),
  version(GONE, 3, { metadata: { deleted: true } }),
  version(REF, 4, { value: chain.tx(REF).entries[0]!.value.subarray(1) }),
  version(LAST, 5, { value: utf8('last'), metadata: { expiration: { expiresAt: `${NOW + 1n}` } } }),
];

describe.each(implementations)('%s', (_, make) => {
  let verifier: Verifier;
  beforeAll(() => {
    verifier = make();
  });
  afterAll(() => verifier.close());

  const verify = (entries: readonly Wire[], question: Partial<HistoryQuestion> = {}) =>
    verifier.verify(
      jobOf(
        { kind: 'history', key: KEY, desc: false, past: 0n, max: 10, ...question },
        chain.root(HEAD),
        bytesOf('history', { entries: [...entries] }),
      ),
    );
  const proven = async (...args: Parameters<typeof verify>) => provenBy(await verify(...args), 'history');

  it('is one claim a version; of what has expired there is no value to make one of', async () => {
    const { versions, repeated } = await proven(honest());
    expect(repeated).toBe(0);
    expect(versions.map(({ kind }) => kind)).toEqual(['value', 'expired', 'deleted', 'value', 'value']);
    expect(versions[0]).toMatchObject({
      claim: { tx: ONE, leaf: entryLeaf(1, plainKey(KEY), undefined, plainValue(utf8('one'))) },
    });
    expect(versions[1]).toEqual({
      ...{ kind: 'expired', tx: EXPIRED, metadata: { expiresAt: NOW }, unprovenRevision: 2n },
      shown: bytesOf('entry', honest()[1]),
    });
    expect(versions[2]).toMatchObject({
      claim: { tx: GONE, leaf: entryLeaf(1, plainKey(KEY), { deleted: true }, NOTHING), value: NOTHING },
    });
    const [, , , shown] = versions;
    if (shown?.kind !== 'value') throw new Error('no value');
    const other = otherReading(shown);
    expect(other?.reference).toEqual({ key: utf8('other'), atTx: ONE });
    expect(other?.claim.leaf).toEqual(
      entryLeaf(1, plainKey(KEY), undefined, chain.tx(REF).entries[0]!.value),
    );
  });

  it('is a deletion too where a value was set with its mark: with that value, or with an empty one', async () => {
    const [full, empty] = MARKED.map((tx, i) =>
      version(tx, 4 + i, { metadata: { deleted: true }, ...(i === 0 && { value: utf8('v') }) }),
    );
    const { versions } = await proven([full!, empty!]);
    expect(versions.map(({ kind }) => kind)).toEqual(['deleted', 'deleted']);
    const leaves = versions.map((each) => (each.kind === 'expired' ? undefined : each.claim.leaf));
    expect(leaves[0]).toEqual(entryLeaf(1, plainKey(KEY), { deleted: true }, plainValue(utf8('v'))));
    const [, second] = versions;
    if (second?.kind !== 'deleted') throw new Error('no deletion');
    const other = otherReading(second);
    expect(other?.claim.leaf).toEqual(entryLeaf(1, plainKey(KEY), { deleted: true }, plainValue(NOTHING)));
    expect(other?.reference).toBeUndefined();
  });

  it('goes on behind the page before; with the newest first what that had shown is passed over', async () => {
    expect((await proven(honest().slice(2), { past: EXPIRED })).versions).toHaveLength(3);
    expect(failedCheck(await verify(honest(), { past: ONE }))).toBe('history.order');
    const back = honest().toReversed();
    expect((await proven(back, { desc: true })).versions).toHaveLength(5);
    const { versions, repeated } = await proven(back, { desc: true, past: REF });
    expect([versions.length, repeated]).toEqual([3, 2]);
    expect((await proven([], { past: 3n })).versions).toEqual([]);
  });

  it.each<[string, (entries: Wire[]) => unknown, string]>([
    ['another order', (entries) => entries.reverse(), 'history.order'],
    ['one twice', (entries) => entries.splice(1, 0, entries[0]), 'history.order'],
    ['another key', (entries) => (entries[2].key = utf8('other')), 'history.key'],
    ['no key', (entries) => delete entries[0].key, 'history.key'],
    ['no transaction', (entries) => delete entries[0].tx, 'claim.tx'],
    ['one through a reference', (entries) => (entries[0].referencedBy = { key: KEY }), 'history.reference'],
    [
      'one that is not indexed',
      (entries) => (entries[0].metadata = { nonIndexable: true }),
      'history.non-indexable',
    ],
    ['an expired one with its value', (entries) => (entries[1].value = utf8('soon')), 'history.expired'],
    ['one that expired without a time', (entries) => (entries[0].expired = true), 'history.expired'],
    ['one that expired before its time', (entries) => (entries[4].expired = true), 'history.expired'],
    ['a deletion that expired', (entries) => (entries[2].expired = true), 'history.expired'],
  ])('refutes %s', async (_what, lie, check) => {
    const entries = honest();
    lie(entries);
    expect(failedCheck(await verify(entries))).toBe(check);
  });

  it('refutes more than was asked for, and what cannot be read', async () => {
    expect(failedCheck(await verify(honest(), { max: 4 }))).toBe('wire.bound');
  });

  describe('a version in its transaction', () => {
    const claim = (tx: bigint, shown: Wire, as?: 'version') =>
      verifier.verify(
        jobOf(
          { kind: 'claim', key: KEY, tx, shown: bytesOf('entry', shown), ...(as && { as }) },
          chain.root(HEAD),
          bytesOf('claim', chain.verifiableTx(tx, HEAD)),
        ),
      );

    it('holds as value, as deletion, and as reference', async () => {
      const [one, , gone, ref, last] = honest();
      for (const [tx, shown] of [
        [ONE, one],
        [GONE, gone],
        [REF, ref],
        [LAST, last],
      ] as const)
        expect(provenBy(await claim(tx, shown, 'version'), 'claim').subject).toMatchObject(chain.root(tx));
      // It is no value of its key.
      expect(failedCheck(await claim(GONE, gone))).toBe('claim.deleted');
    });

    it.each<[string, bigint, (entries: Wire[]) => Wire, string]>([
      ['another value', ONE, ([one]) => ({ ...one, value: utf8('two') }), 'claim.entry'],
      ['a time that it does not have', LAST, (all) => ({ ...all[4], metadata: {} }), 'claim.entry'],
      [
        'a deletion that is none',
        ONE,
        ([one]) => ({ ...one, value: NOTHING, metadata: { deleted: true } }),
        'claim.entry',
      ],
      ['a deletion as a value', GONE, (all) => ({ ...all[2], metadata: {} }), 'claim.entry'],
      ['another transaction', ONE, (all) => all[2], 'claim.tx'],
      ['what has expired', EXPIRED, (all) => all[1], 'history.expired'],
    ])('is refuted when it shows %s', async (_what, tx, change, check) => {
      expect(failedCheck(await claim(tx, change(honest()), 'version'))).toBe(check);
    });
  });
});
