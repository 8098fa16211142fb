// The checks of a verified stream: what comes before the value proves where the entry is and what its value has to be, and the hash
// of what came is held against that.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plainKey, plainValue, entryLeaf } from '#dist/proof/entry.js';
import { sortedLeaves } from '#dist/proof/entry-leaves.js';
import { sha256 } from '#dist/proof/hash.js';
import type { Verifier } from '#dist/verify/verifier.js';
import { uploadedRequest } from '#dist/verify/writings/uploaded.js';
import {
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
  chain,
  flip,
  flipAt,
  tx,
  type Change,
} from './support/scene.js';
import { TestChain, bytesOf, utf8, wireHeader, type Wire } from './support/test-chain.js';
import { NOW, failedCheck, implementations, jobOf, provenBy } from './support/verifiers.js';

const hashOf = (value: string) => sha256(plainValue(utf8(value)));

/** As it stands before the value in a stream. */
function withoutValue({ entry: { tx: at, key, referencedBy }, ...rest }: Wire): Wire {
  return { entry: { tx: at, key, ...(referencedBy && { referencedBy }) }, ...rest };
}

describe.each(implementations)('%s', (_, make) => {
  let verifier: Verifier;
  beforeAll(() => {
    verifier = make();
  });
  afterAll(() => verifier.close());

  const streamed = (key: string, n: bigint, change: Change = () => undefined, more: object = {}) => {
    const answer = withoutValue(chain.verifiableEntry(key, n, HEAD));
    change(answer);
    const question = { kind: 'streamed', key: utf8(key), ...more } as const;
    return verifier.verify(jobOf(question, chain.root(HEAD), bytesOf('streamed', answer)));
  };

  describe('streamed', () => {
    it.each([
      ['with metadata', 'b', ABC, '2', { metadata: { nonIndexable: true } }],
      ['empty', 'c', ABC, '', {}],
      ['alone in its tx', 'alone', ALONE, 'x', {}],
      ['not yet expired', 'soon', EXPIRING, 'v', { metadata: { expiresAt: NOW + 1n } }],
      ['version 0', 'old', OLD, 'v0', {}],
      ['newer than the head', 'filler 36', 37n, 'value 22', {}],
    ])('proves the hash of a value before it comes: %s', async (_name, key, n, value, metadata) => {
      const proven = provenBy(await streamed(key, n), 'streamed');
      expect(proven.subject).toMatchObject(chain.root(n));
      expect(proven.target).toMatchObject(chain.root(n > HEAD ? n : HEAD));
      expect(proven.found).toEqual({ kind: 'value', valueHash: hashOf(value), ...metadata });
      provenBy(await streamed(key, n, undefined, { valueHash: hashOf(value) }), 'streamed');
    });

    it('returns the leaves of all entries, where there are others', async () => {
      const leaves = chain
        .tx(ABC)
        .entries.map(({ key, value, metadata }) => entryLeaf(1, key, metadata, value));
      expect(provenBy(await streamed('b', ABC), 'streamed').leaves).toEqual(sortedLeaves(leaves));
      expect(provenBy(await streamed('alone', ALONE), 'streamed').leaves).toBeUndefined();
    });

    it('refutes any other value', async () => {
      for (const valueHash of [hashOf('3'), hashOf(''), sha256(utf8('2')), flip(hashOf('2'))])
        expect(failedCheck(await streamed('b', ABC, undefined, { valueHash }))).toBe('streamed.value');
      const verdict = await streamed('b', ABC, undefined, { valueHash: hashOf('3') });
      expect(verdict.ok ? {} : verdict.refuted).toMatchObject({
        expected: Buffer.from(hashOf('2')).toString('hex'),
        computed: Buffer.from(hashOf('3')).toString('hex'),
      });
    });

    it('proves references, and only what they say themselves', async () => {
      const unbound = provenBy(await streamed('ref', REF), 'streamed');
      expect(unbound.subject.tx).toBe(REF);
      expect(unbound.found).toEqual({ kind: 'reference', key: utf8('b'), atTx: 0n, claimedTx: ABC });
      expect(provenBy(await streamed('bound', BOUND), 'streamed').found).toMatchObject({
        atTx: ABC,
        claimedTx: ABC,
      });
    });

    it('does not read what the entry says beside its key and tx', async () => {
      const change: Change = ({ entry }) =>
        Object.assign(entry, { value: utf8('lie'), metadata: { deleted: true }, revision: '9' });
      provenBy(await streamed('b', ABC, change), 'streamed');
    });

    it.each<[string, string, bigint, Change, string, object?]>([
      ['another key', 'b', ABC, (a) => (a.entry.key = utf8('a')), 'get.key'],
      ['another tx', 'b', ABC, (a) => (a.entry.tx = `${ALONE}`), 'dual-proof.source'],
      ['another tx than asked', 'b', ABC, () => undefined, 'get.at-tx', { atTx: ALONE }],
      ['no tx', 'b', ABC, (a) => delete a.entry.tx, 'dual-proof.source'],
      ['stored as deleted', 'marked', MARKED, () => undefined, 'get.deleted'],
      ['flagged expired', 'b', ABC, (a) => (a.entry.expired = true), 'get.expired'],
      ['expired just now', 'gone', EXPIRED, () => undefined, 'get.expired'],
      ['a deleted reference', 'dref', DELETED_REF, () => undefined, 'get.deleted'],
      [
        'a header of another tx',
        'b',
        ABC,
        (a) => (tx(a).header = wireHeader(chain.tx(ALONE).header)),
        'bind.header',
      ],
      ['an entry left out', 'b', ABC, (a) => tx(a).entries.pop(), 'entries.count'],
      ['entries swapped', 'b', ABC, (a) => tx(a).entries.reverse(), 'entries.root'],
      ['other metadata', 'b', ABC, (a) => delete tx(a).entries[1].metadata, 'entries.root'],
      ['another entry hash', 'b', ABC, flipAt((a) => tx(a).entries[1], 'hValue'), 'entries.root'],
      ['the path of another entry', 'b', ABC, (a) => (a.inclusionProof.leaf = 0), 'get.position'],
      ['another path', 'b', ABC, flipAt((a) => a.inclusionProof.terms, 0), 'entries.inclusion'],
      ['a reference to another key', 'ref', REF, (a) => (a.entry.key = utf8('a')), 'entries.inclusion'],
      ['a reference dressed as its value', 'ref', REF, (a) => delete a.entry.referencedBy, 'get.key'],
      [
        'a value dressed as a reference',
        'b',
        ABC,
        (a) => (a.entry.referencedBy = { tx: `${ABC}`, key: utf8('b') }),
        'entries.inclusion',
      ],
      [
        'a reference where none was asked for',
        'ref',
        REF,
        () => undefined,
        'get.reference',
        { noReference: true },
      ],
      [
        'a bound reference at another tx',
        'bound',
        BOUND,
        (a) => (a.entry.tx = `${ALONE}`),
        'get.reference-tx',
      ],
      ['no entry', 'b', ABC, (a) => delete a.entry, 'wire.missing'],
      ['no transaction', 'b', ABC, (a) => delete a.verifiableTx, 'wire.missing'],
      ['no path', 'b', ABC, (a) => delete a.inclusionProof, 'wire.missing'],
    ])('refutes %s', async (_name, key, n, change, check, more) => {
      expect(failedCheck(await streamed(key, n, change, more))).toBe(check);
    });

    it('refutes another key’s entry under the requested key’s name', async () => {
      const change: Change = (a) => (a.entry.key = utf8('zzz'));
      expect(failedCheck(await streamed('a', ABC, change, { key: utf8('zzz') }))).toBe('get.entry');
    });
  });

  describe('uploaded', () => {
    const sent = (key: string, value: string) => ({
      rawKey: plainKey(utf8(key)),
      size: BigInt(value.length),
      hValue: hashOf(value),
    });
    const XY = [sent('x', '1'), sent('y', '2')];

    /** What becomes of a stream of these entries that was answered with a tx of those. */
    const answered = (
      request: Uint8Array,
      entries: readonly (readonly [string, string, object?])[],
      head?: bigint,
    ) => {
      const own = new TestChain().grow(4);
      const n = own.set(...entries);
      const question = { kind: 'uploaded', request } as const;
      const answer = bytesOf('uploaded', wireHeader(own.tx(n).header));
      return { own, n, verdict: verifier.verify(jobOf(question, own.root(head ?? n - 1n), answer)) };
    };

    it('accepts exactly what was sent', async () => {
      const { own, n, verdict } = answered(uploadedRequest(XY), [
        ['x', '1'],
        ['y', '2'],
      ]);
      expect(provenBy(await verdict, 'uploaded').subject).toMatchObject(own.root(n));
    });

    it.each<[string, (readonly [string, string, object?])[], string]>([
      [
        'another key',
        [
          ['x', '1'],
          ['z', '2'],
        ],
        'written.entries',
      ],
      [
        'another value',
        [
          ['x', '1'],
          ['y', '3'],
        ],
        'written.entries',
      ],
      [
        'a value cut short',
        [
          ['x', '1'],
          ['y', ''],
        ],
        'written.entries',
      ],
      [
        'another order',
        [
          ['y', '2'],
          ['x', '1'],
        ],
        'written.entries',
      ],
      [
        'metadata',
        [
          ['x', '1'],
          ['y', '2', { nonIndexable: true }],
        ],
        'written.entries',
      ],
      ['one fewer', [['x', '1']], 'written.count'],
      [
        'one more',
        [
          ['x', '1'],
          ['y', '2'],
          ['z', '3'],
        ],
        'written.count',
      ],
    ])('refutes %s', async (_what, entries, check) => {
      expect(failedCheck(await answered(uploadedRequest(XY), entries).verdict)).toBe(check);
    });

    it('refutes an older transaction with the same', async () => {
      const { verdict } = answered(uploadedRequest([sent('x', '1')]), [['x', '1']], 5n);
      expect(failedCheck(await verdict)).toBe('written.tx');
    });

    it('refutes a list that cannot be read', async () => {
      const { verdict } = answered(uploadedRequest(XY).subarray(0, -1), [['x', '1']]);
      expect(failedCheck(await verdict)).toBe('wire.request');
    });
  });
});
