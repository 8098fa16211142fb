// Every check by name, over both implementations: honest answers are accepted, and each thing that can be wrong with
// one fails the check that is meant for it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { equalBytes } from '#dist/proof/bytes.js';
import { plainKey, plainValue } from '#dist/proof/entry.js';
import { Frontier } from '#dist/proof/frontier.js';
import { sha256 } from '#dist/proof/hash.js';
import type { Context, FrontierPeaks, Question, Root, Verifier } from '#dist/worker/verifier.js';
import { TestChain, bytesOf, utf8, wireHeader, type Wire } from './support/test-chain.js';
import { NOW, contextAt, failedCheck, implementations, jobOf, provenBy } from './support/verifiers.js';

type Change = (answer: Wire) => unknown;

const chain = new TestChain().grow(3);
const ABC = chain.set(['a', '1'], ['b', '2', { nonIndexable: true }], ['c', '']);
const ALONE = chain.set(['alone', 'x']);
const REF = chain.setReference('ref', 'b');
const BOUND = chain.setReference('bound', 'b', ABC);
const EXPIRING = chain.set(['soon', 'v', { expiresAt: NOW + 1n }]);
const EXPIRED = chain.set(['gone', 'v', { expiresAt: NOW }]);
const MARKED = chain.set(['marked', 'v', { deleted: true }]);
const OLD = chain.commit([{ key: plainKey(utf8('old')), value: plainValue(utf8('v0')) }], { version: 0 });
const EXTRA = chain.commit([{ key: plainKey(utf8('who')), value: plainValue(utf8('v')) }], {
  metadata: { extra: utf8('me') },
});
const TRUNCATING = chain.commit([{ key: plainKey(utf8('cut')), value: plainValue(utf8('v')) }], {
  metadata: { truncatedTxId: 2n },
});
const DELETED_REF = chain.commit([
  { key: plainKey(utf8('dref')), value: chain.tx(REF).entries[0]!.value, metadata: { deleted: true } },
]);
chain.grow(26);
const HEAD = 25n;
const LAST = chain.size;

/** The same up to tx 10, then another history of the same length. */
const fork = new TestChain();
for (let id = 1n; id <= 10n; id++) fork.commit(chain.tx(id).entries);
while (fork.size < LAST) fork.set([`forked ${fork.size}`, 'lie']);

const flip = (bytes: Uint8Array): Uint8Array =>
  Uint8Array.from(bytes, (byte, i) => (i === 5 ? byte ^ 1 : byte));
const flipAt =
  (path: (answer: Wire) => Wire, name: string | number): Change =>
  (answer) => {
    const parent = path(answer);
    parent[name] = flip(parent[name]);
  };
const dual = (answer: Wire): Wire => (answer.verifiableTx ?? answer).dualProof;
const tx = (answer: Wire): Wire => (answer.verifiableTx ?? answer).tx;

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

  describe('the dual proof', () => {
    const N = ABC;
    const tables: readonly (readonly [string, bigint, bigint])[] = [
      ['subject older', N, HEAD],
      ['subject newer', LAST, HEAD],
    ];
    it.each(
      tables.flatMap(([direction, n, head]) =>
        (
          [
            [
              'the source header',
              flipAt((a) => dual(a).sourceTxHeader, 'eH'),
              n < head ? 'dual-proof.inclusion' : 'dual-proof.source-alh',
            ],
            [
              'the target header',
              flipAt((a) => dual(a).targetTxHeader, 'eH'),
              n < head ? 'dual-proof.target-alh' : 'dual-proof.linear.end',
            ],
            [
              'the target’s predecessor',
              flipAt((a) => dual(a).targetTxHeader, 'prevAlh'),
              n < head ? 'dual-proof.target-alh' : 'dual-proof.tree-leaf',
            ],
            ['the source id', (a: Wire) => (dual(a).sourceTxHeader.id = '9'), 'dual-proof.source'],
            ['the target id', (a: Wire) => (dual(a).targetTxHeader.id = '99'), 'dual-proof.target'],
            ['the inclusion proof', flipAt((a) => dual(a).inclusionProof, 0), 'dual-proof.inclusion'],
            ['the consistency proof', flipAt((a) => dual(a).consistencyProof, 1), /^dual-proof\.consistency/],
            ['the tree leaf', flipAt((a) => dual(a), 'targetBlTxAlh'), 'dual-proof.last-inclusion'],
            [
              'the last inclusion proof',
              flipAt((a) => dual(a).lastInclusionProof, 0),
              'dual-proof.last-inclusion',
            ],
            ['the linear proof', flipAt((a) => dual(a).linearProof.terms, 1), 'dual-proof.linear.end'],
            [
              'the start of the linear proof',
              flipAt((a) => dual(a).linearProof.terms, 0),
              'dual-proof.linear.start',
            ],
          ] as const
        ).map(
          ([name, change, check]) =>
            [name, direction, n, head, change as Change, check as string | RegExp] as const,
        ),
      ),
    )('refutes a change of %s (%s)', async (_name, _direction, n, head, change, check) => {
      const answer = chain.verifiableTx(n, head);
      change(answer);
      const failed = failedCheck(await verify({ kind: 'tx', tx: n }, chain.root(head), answer));
      if (typeof check === 'string') expect(failed).toBe(check);
      else expect(failed).toMatch(check);
    });

    it('refutes a proof on another history', async () => {
      const answer = fork.verifiableTx(4n, HEAD);
      expect(failedCheck(await verify({ kind: 'tx', tx: 4n }, chain.root(HEAD), answer))).toBe(
        'dual-proof.target-alh',
      );
      const newer = fork.verifiableTx(LAST, HEAD);
      expect(failedCheck(await verify({ kind: 'tx', tx: LAST }, chain.root(HEAD), newer))).toBe(
        'dual-proof.source-alh',
      );
    });

    it('refutes a self-proof where one from the head was asked for, and the other way round', async () => {
      const self = chain.verifiableTx(LAST, 0n);
      expect(failedCheck(await verify({ kind: 'tx', tx: LAST }, chain.root(HEAD), self))).toBe(
        'dual-proof.source',
      );
      const fromHead = chain.verifiableTx(LAST, HEAD);
      expect(failedCheck(await verify({ kind: 'tx', tx: LAST }, null, fromHead))).toBe('dual-proof.source');
    });

    it('refutes two headers for one tx in a self-proof', async () => {
      const answer = chain.verifiableTx(LAST, 0n);
      dual(answer).sourceTxHeader = wireHeader(fork.tx(LAST).header);
      expect(failedCheck(await verify({ kind: 'tx', tx: LAST }, null, answer))).toBe('dual-proof.ends');
    });

    it('requires the linear-advance proof under lag, and accepts it', async () => {
      const lag = new TestChain();
      for (let id = 1; id <= 14; id++)
        lag.commit([{ key: plainKey(utf8(`k${id}`)), value: plainValue(utf8('v')) }], {
          treeSize: Math.floor((id - 1) / 2),
        });
      const question = { kind: 'tx', tx: 6n } as const;
      const proven = provenBy(await verify(question, lag.root(14n), lag.verifiableTx(6n, 14n)), 'tx');
      expect(proven.target.frontier).toBeUndefined();
      const without = lag.verifiableTx(6n, 14n);
      delete without.dualProof.LinearAdvanceProof;
      expect(failedCheck(await verify(question, lag.root(14n), without))).toBe('linear-advance.missing');
      const altered = lag.verifiableTx(6n, 14n);
      altered.dualProof.LinearAdvanceProof.linearProofTerms[0] = new Uint8Array(32);
      expect(failedCheck(await verify(question, lag.root(14n), altered))).toMatch(/^linear-advance\./);
    });
  });

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

  describe('tx', () => {
    const ask = (n: bigint, head: Root | null, answer: Wire) => verify({ kind: 'tx', tx: n }, head, answer);

    it('accepts headers without entries, on both sides of the head', async () => {
      for (const n of [1n, ABC, HEAD, HEAD + 1n, LAST]) {
        const proven = provenBy(
          await ask(n, chain.root(HEAD), chain.verifiableTx(n, HEAD, { entries: false })),
          'tx',
        );
        expect(proven.subject).toMatchObject(chain.root(n));
        expect(proven.target).toMatchObject(chain.root(n > HEAD ? n : HEAD));
      }
    });

    it('does not look at entries', async () => {
      const answer = chain.verifiableTx(ABC, HEAD);
      answer.tx.entries[0].hValue = new Uint8Array(3);
      provenBy(await ask(ABC, chain.root(HEAD), answer), 'tx');
    });

    it('refutes the header of another tx', async () => {
      expect(failedCheck(await ask(ABC, chain.root(HEAD), chain.verifiableTx(ALONE, HEAD)))).toBe('tx.id');
      const dressed = chain.verifiableTx(ALONE, HEAD);
      dressed.tx.header = wireHeader(chain.tx(ABC).header);
      expect(failedCheck(await ask(ABC, chain.root(HEAD), dressed))).toBe('dual-proof.source');
    });

    it('proves that history starts at genesis, under the known empty database', async () => {
      const empty = chain.root(0n);
      for (const n of [1n, 2n, LAST]) {
        const proven = provenBy(await ask(n, empty, chain.verifiableTx(n, 1n)), 'tx');
        expect(proven.target).toMatchObject({ ...chain.root(n), frontier: frontierAt(n) });
      }
      expect(failedCheck(await ask(LAST, empty, chain.verifiableTx(LAST, 0n)))).toBe('bind.genesis');
      expect(failedCheck(await ask(LAST, empty, chain.verifiableTx(LAST, 2n)))).toBe('bind.genesis');
      const noGenesis = chain.verifiableTx(LAST, 1n);
      noGenesis.dualProof.sourceTxHeader.prevAlh = new Uint8Array(32);
      expect(failedCheck(await ask(LAST, empty, noGenesis))).toBe('bind.genesis');
      const withTree = chain.verifiableTx(LAST, 1n);
      withTree.dualProof.sourceTxHeader.blRoot = sha256(new Uint8Array(1));
      expect(failedCheck(await ask(LAST, empty, withTree))).toBe('bind.genesis');
      const otherFirst = chain.verifiableTx(LAST, 1n);
      otherFirst.dualProof.sourceTxHeader.ts = '1';
      expect(failedCheck(await ask(LAST, empty, otherFirst))).toMatch(/^dual-proof\./);
    });
  });

  describe('segment', () => {
    const FROM = 12n;
    const TO = 30n;
    const segment = (answer: Wire, more: { after?: Root; to?: bigint; frontier?: FrontierPeaks } = {}) =>
      verify({ kind: 'segment', after: chain.root(FROM), to: TO, ...more }, null, answer);
    const honest = () => chain.txList(FROM + 1n, TO);

    it('accepts all headers in order, from anywhere', async () => {
      const { headers, frontier } = provenBy(await segment(honest()), 'segment');
      expect(headers.map((each) => each.tx)).toEqual(
        Array.from({ length: 18 }, (_each, i) => FROM + 1n + BigInt(i)),
      );
      expect(headers.every((each) => equalBytes(each.alh, chain.root(each.tx).alh))).toBe(true);
      expect(headers.every((each) => equalBytes(each.prevAlh, chain.root(each.tx - 1n).alh))).toBe(true);
      expect(frontier).toBeUndefined();
      const all = provenBy(
        await segment(chain.txList(1n, LAST), { after: chain.root(0n), to: LAST }),
        'segment',
      );
      expect(all.headers).toHaveLength(Number(LAST));
    });

    it('holds them against the history tree, and grows the frontier', async () => {
      const proven = provenBy(await segment(honest(), { frontier: frontierAt(FROM) }), 'segment');
      expect(proven.frontier).toEqual(frontierAt(TO));
      const fromGenesis = { after: chain.root(0n), to: LAST, frontier: { size: 0n, peaks: [] } };
      expect(provenBy(await segment(chain.txList(1n, LAST), fromGenesis), 'segment').frontier).toEqual(
        frontierAt(LAST),
      );
      const other = { size: FROM, peaks: frontierAt(FROM).peaks.map(flip) };
      expect(failedCheck(await segment(honest(), { frontier: other }))).toBe('chain.tree-root');
    });

    it('ignores entries that came along', async () => {
      const answer = honest();
      answer.txs[3].entries = [{ key: utf8('junk') }];
      provenBy(await segment(answer), 'segment');
    });

    it.each<[string, Change, string]>([
      ['the last one missing', (a) => a.txs.pop(), 'segment.count'],
      ['the first one missing', (a) => a.txs.shift(), 'segment.count'],
      ['none', (a) => (a.txs = []), 'segment.count'],
      ['one more', (a) => a.txs.push({ header: wireHeader(chain.tx(TO + 1n).header) }), 'wire.bound'],
      ['a gap', (a) => (a.txs = chain.txList(FROM + 2n, TO + 1n).txs), 'chain.id'],
      ['a repeat', (a) => (a.txs[5] = a.txs[4]), 'chain.id'],
      ['another order', (a) => a.txs.reverse(), 'chain.id'],
      ['an altered header', (a) => (a.txs[4].header.ts = '3'), 'chain.prev-alh'],
      ['another history', (a) => (a.txs = fork.txList(FROM + 1n, TO).txs), 'chain.prev-alh'],
      [
        'another history from the middle',
        (a) => a.txs.splice(9, 9, ...fork.txList(FROM + 10n, TO).txs),
        'chain.prev-alh',
      ],
      ['a header that cannot be', (a) => (a.txs[4].header.nentries = 0), 'header.nentries'],
    ])('refutes %s', async (_name, change, check) => {
      const answer = honest();
      change(answer);
      expect(failedCheck(await segment(answer))).toBe(check);
    });

    it('refutes a run that does not follow the known header', async () => {
      expect(failedCheck(await segment(honest(), { after: { tx: FROM, alh: fork.root(FROM).alh } }))).toBe(
        'chain.prev-alh',
      );
    });

    it('refutes an altered last header only through the tree, or by what is proven of its end', async () => {
      const answer = honest();
      answer.txs.at(-1).header.blRoot = sha256(new Uint8Array(2));
      provenBy(await segment(answer), 'segment');
      expect(failedCheck(await segment(answer, { frontier: frontierAt(FROM) }))).toBe('chain.tree-root');
    });
  });

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

/** By the proof code's own way of making one: from a header and the last inclusion proof that ends in it. */
function frontierAt(id: bigint): FrontierPeaks {
  const { size, peaks } = Frontier.at(chain.tx(id).header, chain.dualProof(id, id).lastInclusionProof);
  return { size, peaks };
}
