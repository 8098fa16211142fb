// What has to be proven before a key that had a value reads as null.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Verifier } from '#dist/verify/verifier.js';
import { TestChain, bytesOf, utf8, type Wire } from './support/test-chain.js';
import { NOW, failedCheck, implementations, jobOf, provenBy } from './support/verifiers.js';

const chain = new TestChain();
const SET = chain.set(['k', '1'], ['other', '2']);
const TARGET = chain.set(['target', 'v']);
const REFERENCE = chain.setReference('ref', 'target');
const BOUND = chain.setReference('bound', 'target', TARGET);
const DELETED = chain.set(['k', '', { deleted: true }], ['another', '3']);
const EXPIRED = chain.set(['e', 'v', { expiresAt: NOW }]);
const EXPIRING = chain.set(['f', 'v', { expiresAt: NOW + 1n }]);
chain.grow(3);
const HEAD = chain.size;

const entryOf = (key: string, tx: bigint, more: Wire = {}): Wire => ({
  tx: `${tx}`,
  key: utf8(key),
  ...more,
});
const shown = (...entries: Wire[]) => bytesOf('claims', { entries });
/** As History shows a reference: its raw value without the first byte. */
const rawReference = (tx: bigint, key: string): Wire => ({
  value: new Uint8Array([...new Uint8Array(new BigUint64Array([tx]).buffer).reverse(), 0, ...utf8(key)]),
});

describe.each(implementations)('%s', (_, make) => {
  let verifier: Verifier;
  beforeAll(() => {
    verifier = make();
  });
  afterAll(() => verifier.close());

  const gone = (key: string, tx: bigint, floor: bigint, history?: Uint8Array, answerTx = tx) =>
    verifier.verify(
      jobOf(
        { kind: 'gone', key: utf8(key), tx, floor, ...(history && { shown: history }) },
        chain.root(HEAD),
        bytesOf('gone', chain.verifiableTx(answerTx, HEAD)),
      ),
    );

  describe('gone', () => {
    it('is a key that was deleted, or whose entry has expired', async () => {
      const deleted = provenBy(await gone('k', DELETED, SET, shown(entryOf('k', DELETED))), 'gone');
      expect(deleted).toMatchObject({ how: 'deleted', subject: { tx: DELETED }, target: { tx: HEAD } });
      const expired = provenBy(await gone('e', EXPIRED, EXPIRED, shown(entryOf('e', EXPIRED))), 'gone');
      expect(expired).toMatchObject({ how: 'expired', expiresAt: NOW });
      expect(provenBy(await gone('e', EXPIRED, 0n), 'gone').how).toBe('expired');
    });

    it('may be shown among newer entries: the key was written anew since', async () => {
      const history = shown(entryOf('k', HEAD), entryOf('k', DELETED), entryOf('k', SET));
      expect(provenBy(await gone('k', DELETED, SET, history), 'gone').how).toBe('deleted');
    });

    it('is what a reference leads to: it is proven that it is one, and to what', async () => {
      for (const [key, tx, atTx] of [
        ['ref', REFERENCE, 0n],
        ['bound', BOUND, TARGET],
      ] as const) {
        // prettier-ignore
        const history = shown(entryOf(key, tx, rawReference(atTx, 'target')));
        const { how, reference } = provenBy(await gone(key, tx, tx, history), 'gone');
        expect({ how, reference }).toEqual({ how: 'reference', reference: { key: utf8('target'), atTx } });
      }
    });

    it.each([
      ['a value', 'k', SET, {}],
      ['one that has not expired yet', 'f', EXPIRING, { expired: true }],
      ['one that is said to be deleted', 'k', SET, { metadata: { deleted: true } }],
      ['a value in the words of a reference', 'target', TARGET, rawReference(0n, 'k')],
      ['a reference to another key', 'ref', REFERENCE, rawReference(0n, 'k')],
      ['a reference to no key', 'ref', REFERENCE, rawReference(0n, '')],
      ['a reference bound otherwise', 'ref', REFERENCE, rawReference(5n, 'target')],
      [
        'a reference bound before the beginning of time',
        'ref',
        REFERENCE,
        rawReference(2n ** 64n - 1n, 'target'),
      ],
    ] as const)('is not %s', async (_, key, tx, more) => {
      expect(failedCheck(await gone(key, tx, tx, shown(entryOf(key, tx, more))))).toBe('gone.alive');
    });

    it('is proven from genesis on, under the known empty database', async () => {
      const under = (since: bigint) =>
        verifier.verify(
          jobOf(
            { kind: 'gone', key: utf8('k'), tx: DELETED, floor: SET, shown: shown(entryOf('k', DELETED)) },
            chain.root(0n),
            bytesOf('gone', chain.verifiableTx(DELETED, since)),
          ),
        );
      expect(provenBy(await under(1n), 'gone').how).toBe('deleted');
      expect(failedCheck(await under(0n))).toBe('bind.genesis');
    });

    it('is not said by what is older, of another key, of another tx, or not there', async () => {
      expect(failedCheck(await gone('k', DELETED, DELETED + 1n, shown(entryOf('k', DELETED))))).toBe(
        'gone.stale',
      );
      expect(failedCheck(await gone('k', DELETED, SET, shown(entryOf('other', DELETED))))).toBe('gone.key');
      for (const history of [new Uint8Array(0), shown(), shown(entryOf('k', SET))])
        expect(failedCheck(await gone('k', DELETED, SET, history))).toBe('gone.history');
      expect(failedCheck(await gone('never', DELETED, 0n, shown(entryOf('never', DELETED))))).toBe(
        'gone.entry',
      );
      expect(failedCheck(await gone('k', DELETED, SET, new Uint8Array([0xff])))).toMatch(/^wire\./);
      const many = shown(...Array.from({ length: 17 }, () => entryOf('k', DELETED)));
      expect(failedCheck(await gone('k', DELETED, SET, many))).toBe('wire.bound');
    });

    it('is not said by the proof of another transaction, or of a part of one', async () => {
      const history = shown(entryOf('k', DELETED));
      expect(failedCheck(await gone('k', DELETED, SET, history, SET))).not.toBe('');
      const part = chain.verifiableTx(DELETED, HEAD, { entries: false });
      const question = { kind: 'gone', key: utf8('k'), tx: DELETED, floor: SET, shown: history } as const;
      const verdict = await verifier.verify(jobOf(question, chain.root(HEAD), bytesOf('gone', part)));
      expect(failedCheck(verdict)).toBe('entries.count');
    });
  });
});
