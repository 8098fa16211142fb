// The checks of a verified read, by name: honest answers are accepted, and each thing that can be wrong with one
// fails the check that is meant for it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entryLeaf, plainKey } from '#dist/proof/entry.js';
import { sortedLeaves } from '#dist/proof/entry-leaves.js';
import type { Context, Question, Root, Verifier } from '#dist/verify/verifier.js';
import {
  type Change,
  chain,
  ABC,
  ALONE,
  REF,
  BOUND,
  EXPIRING,
  EXPIRED,
  MARKED,
  OLD,
  EXTRA,
  DELETED_REF,
  HEAD,
  flipAt,
  tx,
  frontierAt,
} from './support/scene.js';
import { TestChain, bytesOf, utf8, wireHeader, type StoredEntry, type Wire } from './support/test-chain.js';
import { NOW, failedCheck, implementations, jobOf, provenBy } from './support/verifiers.js';

describe.each(implementations)('%s', (_, make) => {
  let verifier: Verifier;
  beforeAll(() => {
    verifier = make();
  });
  afterAll(() => verifier.close());

  const verify = (question: Question, head: Root | null, answer: Wire, more: Partial<Context> = {}) =>
    verifier.verify(jobOf(question, head, bytesOf(question.kind, answer), more));

  describe('get', () => {
    const get = (
      key: string,
      n: bigint,
      head = HEAD,
      change: Change = () => undefined,
      more: object = {},
    ) => {
      const answer = chain.verifiableEntry(key, n, head);
      change(answer);
      const root = head === 0n ? null : chain.root(head);
      return verify({ kind: 'get', key: utf8(key), ...more }, root, answer);
    };

    it.each([
      ['older than the head', 'b', ABC, '2', HEAD],
      ['empty value', 'c', ABC, '', HEAD],
      ['alone in its tx', 'alone', ALONE, 'x', HEAD],
      ['the head itself', 'filler 24', 25n, 'value 10', HEAD],
      ['right after the head', 'filler 25', 26n, 'value 11', HEAD],
      ['newer than the head', 'filler 36', 37n, 'value 22', HEAD],
      ['first contact', 'b', ABC, '2', 0n],
      ['not yet expired', 'soon', EXPIRING, 'v', HEAD],
      ['version 0', 'old', OLD, 'v0', HEAD],
      ['tx 1 under a head', 'filler 0', 1n, 'value 0', HEAD],
      ['tx 1 at first contact', 'filler 0', 1n, 'value 0', 0n],
    ])('accepts an honest answer: %s', async (_name, key, n, value, head) => {
      const proven = provenBy(await get(key, n, head), 'get');
      expect(proven.subject).toMatchObject({ tx: n, alh: chain.root(n).alh, eH: chain.tx(n).header.eH });
      const newer = n > head ? n : head;
      expect(proven.target).toMatchObject(chain.root(newer));
      expect(proven.target.frontier).toEqual(frontierAt(newer));
      expect(proven.found).toMatchObject({
        kind: 'value',
        entry: { key: utf8(key), value: utf8(value), unprovenRevision: 3n },
      });
    });

    it('accepts a known empty database as a start', async () => {
      const answer = chain.verifiableEntry('b', ABC, 0n);
      provenBy(await verify({ kind: 'get', key: utf8('b') }, chain.root(0n), answer), 'get');
    });

    it('returns proven metadata of entry and transaction', async () => {
      const b = provenBy(await get('b', ABC), 'get');
      expect(b.found).toMatchObject({ entry: { metadata: { nonIndexable: true } } });
      expect(provenBy(await get('who', EXTRA), 'get').subject.metadata).toEqual({ extra: utf8('me') });
    });

    it('accepts exactly the version asked for', async () => {
      provenBy(await get('b', ABC, HEAD, undefined, { atTx: ABC }), 'get');
      expect(failedCheck(await get('b', ABC, HEAD, undefined, { atTx: ALONE }))).toBe('get.at-tx');
    });

    it('accepts exactly the revision asked for, where it is asked for by its number', async () => {
      for (const atRevision of [3n, 0n, -1n])
        provenBy(await get('b', ABC, HEAD, undefined, { atRevision }), 'get');
      for (const atRevision of [1n, 2n, 4n])
        expect(failedCheck(await get('b', ABC, HEAD, undefined, { atRevision }))).toBe('get.at-revision');
      // A reference's own revision is what was asked for, not that of what it leads to.
      provenBy(await get('ref', REF, HEAD, undefined, { atRevision: 2n }), 'get');
      expect(failedCheck(await get('ref', REF, HEAD, undefined, { atRevision: 1n }))).toBe('get.at-revision');
    });

    it('returns the leaves of all entries, where there are others', async () => {
      const leavesOf = (n: bigint) =>
        chain.tx(n).entries.map(({ key, value, metadata }) => entryLeaf(1, key, metadata, value));
      expect(provenBy(await get('b', ABC), 'get').leaves).toEqual(sortedLeaves(leavesOf(ABC)));
      expect(provenBy(await get('alone', ALONE), 'get').leaves).toBeUndefined();
    });

    it('returns the proven metadata of a reference', async () => {
      const own = new TestChain().grow(2);
      own.set(['b', '2']);
      const [{ value }] = chain.tx(REF).entries as [StoredEntry];
      const n = own.commit([{ key: plainKey(utf8('ref')), value, metadata: { expiresAt: NOW + 1n } }]);
      const answer = own.verifiableEntry('ref', n, n);
      const proven = provenBy(await verify({ kind: 'get', key: utf8('ref') }, own.root(n), answer), 'get');
      expect(proven.found).toMatchObject({ kind: 'reference', metadata: { expiresAt: NOW + 1n } });
      expect(provenBy(await get('ref', REF), 'get').found).not.toHaveProperty('metadata');
    });

    it('proves references, and only what they say themselves', async () => {
      const unbound = provenBy(await get('ref', REF), 'get');
      expect(unbound.subject.tx).toBe(REF);
      expect(unbound.found).toEqual({
        kind: 'reference',
        key: utf8('b'),
        atTx: 0n,
        claimed: {
          key: utf8('b'),
          value: utf8('2'),
          metadata: { nonIndexable: true },
          unprovenRevision: 1n,
          tx: ABC,
        },
      });
      expect(provenBy(await get('bound', BOUND), 'get').found).toMatchObject({
        atTx: ABC,
        claimed: { tx: ABC },
      });
      expect(failedCheck(await get('ref', REF, HEAD, undefined, { noReference: true }))).toBe(
        'get.reference',
      );
    });

    it.each<[string, string, bigint, Change, string]>([
      ['another key', 'b', ABC, (a) => (a.entry.key = utf8('a')), 'get.key'],
      ['another value', 'b', ABC, (a) => (a.entry.value = utf8('3')), 'entries.inclusion'],
      ['no value', 'b', ABC, (a) => delete a.entry.value, 'entries.inclusion'],
      ['no metadata', 'b', ABC, (a) => delete a.entry.metadata, 'entries.inclusion'],
      ['other metadata', 'a', ABC, (a) => (a.entry.metadata = { nonIndexable: true }), 'entries.inclusion'],
      [
        'metadata in version 0',
        'old',
        OLD,
        (a) => (a.entry.metadata = { nonIndexable: true }),
        'entry.metadata',
      ],
      ['another tx', 'b', ABC, (a) => (a.entry.tx = `${ALONE}`), 'dual-proof.source'],
      ['no tx', 'b', ABC, (a) => delete a.entry.tx, 'dual-proof.source'],
      ['flagged deleted', 'b', ABC, (a) => (a.entry.metadata.deleted = true), 'get.deleted'],
      ['stored as deleted', 'marked', MARKED, () => undefined, 'get.deleted'],
      ['flagged expired', 'b', ABC, (a) => (a.entry.expired = true), 'get.expired'],
      ['expired just now', 'gone', EXPIRED, () => undefined, 'get.expired'],
      [
        'expires later than it does',
        'gone',
        EXPIRED,
        (a) => (a.entry.metadata.expiration.expiresAt = `${NOW + 9n}`),
        'entries.inclusion',
      ],
      [
        'a tx header of another tx',
        'b',
        ABC,
        (a) => (tx(a).header = wireHeader(chain.tx(ALONE).header)),
        'bind.header',
      ],
      ['a tx header with another time', 'b', ABC, (a) => (tx(a).header.ts = '1'), 'bind.header'],
      ['an entry left out', 'b', ABC, (a) => tx(a).entries.pop(), 'entries.count'],
      ['all entries left out', 'b', ABC, (a) => (tx(a).entries = []), 'entries.count'],
      ['an entry added', 'b', ABC, (a) => tx(a).entries.push(tx(a).entries[0]), 'entries.count'],
      ['entries swapped', 'b', ABC, (a) => tx(a).entries.reverse(), 'entries.root'],
      ['a key twice', 'b', ABC, (a) => (tx(a).entries[2].key = tx(a).entries[0].key), 'entries.duplicate'],
      ['another entry hash', 'b', ABC, flipAt((a) => tx(a).entries[0], 'hValue'), 'entries.root'],
      ['the path of another entry', 'b', ABC, (a) => (a.inclusionProof.leaf = 0), 'get.position'],
      ['a path without its position', 'b', ABC, (a) => delete a.inclusionProof.leaf, 'get.position'],
      ['a wider tree', 'b', ABC, (a) => (a.inclusionProof.width = 4), 'entries.width'],
      ['another path', 'b', ABC, flipAt((a) => a.inclusionProof.terms, 0), 'entries.inclusion'],
      ['a shorter path', 'b', ABC, (a) => a.inclusionProof.terms.pop(), 'entries.inclusion'],
      [
        'a longer path',
        'b',
        ABC,
        (a) => a.inclusionProof.terms.push(new Uint8Array(32)),
        'entries.inclusion',
      ],
      ['a reference to another key', 'ref', REF, (a) => (a.entry.key = utf8('a')), 'entries.inclusion'],
      [
        'the reference of another key',
        'ref',
        REF,
        (a) => (a.entry.referencedBy.key = utf8('bound')),
        'get.key',
      ],
      ['a reference dressed as its value', 'ref', REF, (a) => delete a.entry.referencedBy, 'get.key'],
      [
        'a value dressed as a reference',
        'b',
        ABC,
        (a) => (a.entry.referencedBy = { tx: `${ABC}`, key: utf8('b') }),
        'entries.inclusion',
      ],
      [
        'an unbound reference shown as bound',
        'ref',
        REF,
        (a) => (a.entry.referencedBy.atTx = `${ABC}`),
        'entries.inclusion',
      ],
      [
        'a bound reference shown as unbound',
        'bound',
        BOUND,
        (a) => delete a.entry.referencedBy.atTx,
        'entries.inclusion',
      ],
      [
        'a bound reference at another tx',
        'bound',
        BOUND,
        (a) => (a.entry.tx = `${ALONE}`),
        'get.reference-tx',
      ],
      ['a deleted reference', 'dref', DELETED_REF, () => undefined, 'get.deleted'],
      [
        'the reference’s metadata',
        'ref',
        REF,
        (a) => (a.entry.referencedBy.metadata = { nonIndexable: true }),
        'entries.inclusion',
      ],
    ])('refutes %s', async (_name, key, n, change, check) => {
      expect(failedCheck(await get(key, n, HEAD, change))).toBe(check);
    });

    it('refutes another key’s entry under the requested key’s name', async () => {
      const answer = chain.verifiableEntry('a', ABC, HEAD);
      answer.entry.key = utf8('b');
      expect(failedCheck(await verify({ kind: 'get', key: utf8('b') }, chain.root(HEAD), answer))).toBe(
        'get.position',
      );
      answer.entry.key = utf8('zzz');
      expect(failedCheck(await verify({ kind: 'get', key: utf8('zzz') }, chain.root(HEAD), answer))).toBe(
        'get.entry',
      );
    });

    it('says what was expected and what was computed', async () => {
      const verdict = await get('b', ABC, HEAD, (a) => (tx(a).entries[0].hValue = new Uint8Array(32)));
      expect(verdict.ok ? {} : verdict.refuted).toMatchObject({
        expected: Buffer.from(chain.tx(ABC).header.eH).toString('hex'),
        computed: expect.stringMatching(/^[0-9a-f]{64}$/),
      });
    });
  });
});
