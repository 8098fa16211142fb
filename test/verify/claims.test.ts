// What plain answers claim: bound to the keys that were asked for, and hashed to the leaves that headers must have.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entryLeaf, plainKey, plainValue, referenceValue } from '#dist/proof/entry.js';
import type { ClaimOutcome, Verifier } from '#dist/verify/verifier.js';
import {
  type Change,
  chain,
  ABC,
  ALONE,
  BOUND,
  DELETED_REF,
  EXPIRED,
  EXPIRING,
  HEAD,
  MARKED,
  OLD,
  REF,
} from './support/scene.js';
import { bytesOf, utf8, type Wire } from './support/test-chain.js';
import { NOW, failedCheck, implementations, jobOf, provenBy } from './support/verifiers.js';

/** Check that an outcome failed, or its kind. */
const told = (outcome: ClaimOutcome | undefined) =>
  outcome?.kind === 'refuted' ? outcome.refuted.check : outcome?.kind;

describe.each(implementations)('%s', (_, make) => {
  let verifier: Verifier;
  beforeAll(() => {
    verifier = make();
  });
  afterAll(() => verifier.close());

  const verify = (keys: readonly string[], answer: Wire) =>
    verifier.verify(
      jobOf({ kind: 'claims', keys: keys.map(utf8) }, chain.root(HEAD), bytesOf('claims', answer)),
    );
  const outcomesOf = async (keys: readonly string[], entries: readonly Wire[]) =>
    provenBy(await verify(keys, { entries }), 'claims').outcomes;
  const single = (key: string, entry: Wire) =>
    verifier.verify(
      jobOf({ kind: 'claims', keys: [utf8(key)], single: true }, chain.root(HEAD), bytesOf('entry', entry)),
    );

  describe('claims', () => {
    it('are one per key, in the order of the keys, with the leaf that proves each', async () => {
      const entries = [chain.entry('b', ABC), chain.entry('alone', ALONE), chain.entry('c', ABC)];
      const [b, none, alone, c] = await outcomesOf(['b', 'none', 'alone', 'c'], entries);
      expect(b).toEqual({
        kind: 'value',
        shown: bytesOf('entry', entries[0]),
        claim: {
          tx: ABC,
          leaf: entryLeaf(1, plainKey(utf8('b')), { nonIndexable: true }, plainValue(utf8('2'))),
          key: utf8('b'),
          value: utf8('2'),
          isReference: false,
          metadata: { nonIndexable: true },
          unprovenRevision: 3n,
        },
      });
      expect(none).toEqual({ kind: 'missing' });
      expect(alone).toMatchObject({ kind: 'value', claim: { tx: ALONE, value: utf8('x') } });
      expect(c).toMatchObject({
        claim: { value: utf8(''), leaf: entryLeaf(1, plainKey(utf8('c')), undefined, plainValue(utf8(''))) },
      });
    });

    it('are told apart in whatever order the entries come', async () => {
      const keys = ['a', 'b', 'c', 'alone'];
      const entries = keys.map((key) => chain.entry(key, key === 'alone' ? ALONE : ABC));
      const outcomes = await outcomesOf(keys, entries);
      for (const order of [entries.toReversed(), [entries[2], entries[0], entries[3], entries[1]]])
        expect(await outcomesOf(keys, order)).toEqual(outcomes);
    });

    it('are of one key, when one was asked for', async () => {
      const { outcomes } = provenBy(await single('a', chain.entry('a', ABC)), 'claims');
      expect(outcomes).toMatchObject([{ kind: 'value', claim: { value: utf8('1') } }]);
      const other = provenBy(await single('a', chain.entry('b', ABC)), 'claims');
      expect(other.outcomes.map(told)).toEqual(['claims.key']);
    });

    it('are two for a reference: the reference itself, and what it leads to', async () => {
      for (const [key, tx, atTx] of [
        ['ref', REF, 0n],
        ['bound', BOUND, ABC],
      ] as const) {
        const [outcome] = await outcomesOf([key], [chain.entry(key, tx)]);
        const raw = referenceValue(atTx, utf8('b'));
        expect(outcome).toMatchObject({
          kind: 'reference',
          atTx,
          claim: { tx, key: utf8(key), value: raw, isReference: true },
          target: { tx: ABC, key: utf8('b'), value: utf8('2'), metadata: { nonIndexable: true } },
        });
        if (outcome?.kind !== 'reference') throw new Error('no reference');
        expect(outcome.claim.leaf).toEqual(entryLeaf(1, plainKey(utf8(key)), undefined, raw));
      }
    });

    it('of an old transaction have a leaf all the same: which one counts is for its header to say', async () => {
      const [outcome] = await outcomesOf(['old'], [chain.entry('old', OLD)]);
      expect(outcome).toMatchObject({ kind: 'value', claim: { tx: OLD, value: utf8('v0') } });
    });

    it('hold until their time, and not at it', async () => {
      const [soon, gone] = await outcomesOf(
        ['soon', 'gone'],
        [chain.entry('soon', EXPIRING), chain.entry('gone', EXPIRED)],
      );
      expect(soon).toMatchObject({ claim: { metadata: { expiresAt: NOW + 1n } } });
      expect(told(gone)).toBe('claim.expired');
    });

    it.each<[string, Change, string]>([
      ['an entry said to have expired', (entry) => (entry.expired = true), 'claim.expired'],
      [
        'an entry whose time has come',
        (entry) => (entry.metadata = { expiration: { expiresAt: `${NOW}` } }),
        'claim.expired',
      ],
      [
        'an entry without a time, said to expire at 0',
        (entry) => (entry.metadata = { expiration: {} }),
        'claim.expired',
      ],
      ['a deletion', (entry) => (entry.metadata = { deleted: true }), 'claim.deleted'],
      ['an entry of no transaction', (entry) => delete entry.tx, 'claim.tx'],
    ])('are refuted alone: %s', async (_name, change, check) => {
      const broken = chain.entry('a', ABC);
      change(broken);
      const outcomes = await outcomesOf(
        ['c', 'a', 'none', 'alone'],
        [chain.entry('c', ABC), broken, chain.entry('alone', ALONE)],
      );
      expect(outcomes.map(told)).toEqual(['value', check, 'missing', 'value']);
      expect(outcomes[1]).toMatchObject({ shown: bytesOf('entry', broken) });
    });

    it.each<[string, string, bigint, Change, string]>([
      [
        'another version than it is bound to',
        'bound',
        BOUND,
        (entry) => (entry.tx = `${ABC + 1n}`),
        'claim.reference-tx',
      ],
      [
        'bound by the answer alone',
        'ref',
        REF,
        (entry) => (entry.referencedBy.atTx = '3'),
        'claim.reference-tx',
      ],
      ['of no transaction', 'ref', REF, (entry) => delete entry.referencedBy.tx, 'claim.tx'],
      ['to an entry of no transaction', 'ref', REF, (entry) => delete entry.tx, 'claim.tx'],
      ['to a deletion', 'ref', REF, (entry) => (entry.metadata.deleted = true), 'claim.deleted'],
      ['to an entry that expired', 'ref', REF, (entry) => (entry.expired = true), 'claim.expired'],
      [
        'that is deleted',
        'ref',
        REF,
        (entry) => (entry.referencedBy.metadata = { deleted: true }),
        'claim.deleted',
      ],
      [
        'that expired',
        'ref',
        REF,
        (entry) => (entry.referencedBy.metadata = { expiration: { expiresAt: '5' } }),
        'claim.expired',
      ],
    ])('are refuted for a reference %s', async (_name, key, tx, change, check) => {
      const entry = chain.entry(key, tx);
      change(entry);
      expect((await outcomesOf([key], [entry])).map(told)).toEqual([check]);
    });

    it('of a deleted reference, and of a marked entry, are refuted', async () => {
      const entries = [chain.entry('dref', DELETED_REF), chain.entry('marked', MARKED)];
      expect((await outcomesOf(['dref', 'marked'], entries)).map(told)).toEqual([
        'claim.deleted',
        'claim.deleted',
      ]);
    });

    it('are refuted when a key is answered twice, whichever came first', async () => {
      const other = { ...chain.entry('a', ABC), value: utf8('other') };
      const entries = [chain.entry('a', ABC), other, chain.entry('c', ABC)];
      expect((await outcomesOf(['a', 'b', 'c'], entries)).map(told)).toEqual([
        'claims.twice',
        // One of the two may stand in its place.
        'claims.key',
        'value',
      ]);
      entries.reverse();
      expect((await outcomesOf(['a', 'b', 'c'], entries)).map(told)).toEqual([
        'claims.twice',
        // One of the two may stand in its place.
        'claims.key',
        'value',
      ]);
    });

    it('that nobody asked for make what is missing refuted, and nothing else', async () => {
      const stray = chain.entry('b', ABC);
      const outcomes = await outcomesOf(['a', 'none'], [chain.entry('a', ABC), stray]);
      expect(outcomes.map(told)).toEqual(['value', 'claims.key']);
      expect(outcomes[1]).toMatchObject({ shown: bytesOf('entry', stray) });
      // A reference is an entry of the key that it is asked for by, not of the one that it leads to.
      expect((await outcomesOf(['b'], [chain.entry('ref', REF)])).map(told)).toEqual(['claims.key']);
      const unresolved = chain.entry('ref', REF);
      delete unresolved.referencedBy;
      expect((await outcomesOf(['ref'], [unresolved])).map(told)).toEqual(['claims.key']);
    });

    it('are refuted all together when the answer cannot be read, or has more entries than keys', async () => {
      const entries = [chain.entry('a', ABC), chain.entry('b', ABC)];
      expect(failedCheck(await verify(['a'], { entries }))).toBe('wire.bound');
      const bytes = bytesOf('claims', { entries });
      const cut = jobOf({ kind: 'claims', keys: [utf8('a'), utf8('b')] }, null, bytes.slice(0, -1));
      expect(failedCheck(await verifier.verify(cut))).toBe('wire.truncated');
    });

    it('are missing in an empty answer, and one entry in the answer about one key', async () => {
      expect((await outcomesOf(['a', 'b'], [])).map(told)).toEqual(['missing', 'missing']);
      expect(provenBy(await single('a', {}), 'claims').outcomes.map(told)).toEqual(['claims.key']);
    });
  });

  describe('claim', () => {
    const claim = (key: string, tx: bigint, shown: Wire, change: Change = () => undefined, headTx = HEAD) => {
      const answer = chain.verifiableTx(tx, headTx === 0n ? 1n : headTx);
      change(answer);
      const question = { kind: 'claim', key: utf8(key), tx, shown: bytesOf('entry', shown) } as const;
      return verifier.verify(jobOf(question, chain.root(headTx), bytesOf('claim', answer)));
    };

    it('holds when its transaction has the entry', async () => {
      for (const [key, tx] of [
        ['a', ABC],
        ['b', ABC],
        ['c', ABC],
        ['alone', ALONE],
        ['old', OLD],
        ['soon', EXPIRING],
      ] as const) {
        const { subject, target } = provenBy(await claim(key, tx, chain.entry(key, tx)), 'claim');
        expect(subject).toMatchObject(chain.root(tx));
        expect(target).toMatchObject(chain.root(HEAD));
      }
    });

    it('holds for either part of a reference', async () => {
      provenBy(await claim('ref', REF, chain.entry('ref', REF)), 'claim');
      provenBy(await claim('ref', ABC, chain.entry('ref', REF)), 'claim');
      expect(failedCheck(await claim('ref', ALONE, chain.entry('ref', REF)))).toBe('claim.tx');
    });

    it('holds since genesis', async () => {
      provenBy(await claim('a', ABC, chain.entry('a', ABC), undefined, 0n), 'claim');
    });

    it.each<[string, Change, string]>([
      ['another value', (entry) => (entry.value = utf8('2')), 'claim.entry'],
      ['metadata it does not have', (entry) => (entry.metadata = { nonIndexable: true }), 'claim.entry'],
      ['another transaction', (entry) => (entry.tx = `${ALONE}`), 'claim.tx'],
      ['another key', (entry) => (entry.key = utf8('b')), 'claim.key'],
      ['a deletion', (entry) => (entry.metadata = { deleted: true }), 'claim.deleted'],
      ['expiry', (entry) => (entry.expired = true), 'claim.expired'],
    ])('is refuted when it shows %s', async (_name, change, check) => {
      const entry = chain.entry('a', ABC);
      change(entry);
      expect(failedCheck(await claim('a', ABC, entry))).toBe(check);
    });

    it('is refuted when what lies behind the reference is another value', async () => {
      const entry = chain.entry('ref', REF);
      entry.value = utf8('9');
      // The reference itself holds.
      provenBy(await claim('ref', REF, entry), 'claim');
      expect(failedCheck(await claim('ref', ABC, entry))).toBe('claim.entry');
    });

    it('is refuted with metadata in a transaction that has none', async () => {
      const entry = chain.entry('old', OLD);
      entry.metadata = { nonIndexable: true };
      expect(failedCheck(await claim('old', OLD, entry))).toBe('entry.metadata');
    });

    it('is refuted when the transaction comes without entries, with others, or under another header', async () => {
      const shown = chain.entry('a', ABC);
      expect(failedCheck(await claim('a', ABC, shown, (answer) => answer.tx.entries.pop()))).toBe(
        'entries.count',
      );
      const swapped: Change = (answer) => (answer.tx.entries[0].hValue = answer.tx.entries[1].hValue);
      expect(failedCheck(await claim('a', ABC, shown, swapped))).toBe('entries.root');
      expect(failedCheck(await claim('a', ABC, shown, (answer) => (answer.tx.header.ts = '5')))).toBe(
        'bind.header',
      );
      const proof = bytesOf('claim', chain.verifiableTx(ABC, HEAD));
      const question = { kind: 'claim', key: utf8('a'), tx: ABC, shown: utf8('junk') } as const;
      expect(failedCheck(await verifier.verify(jobOf(question, chain.root(HEAD), proof)))).toMatch(/^wire\./);
    });
  });
});
