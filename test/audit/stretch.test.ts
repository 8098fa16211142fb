// Stretches of whole transactions: what is honest holds, and whatever is changed is found and named.
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { ArgumentError } from '#dist/errors.js';
import { MAX_RAW_KEY, plainKey, plainValue, referenceValue, sortedSetKey } from '#dist/proof/entry.js';
import { verifyEntries } from '#dist/proof/tree/entries-tree.js';
import { ProofFailure } from '#dist/proof/failure.js';
import { EMPTY_HASH } from '#dist/proof/hash.js';
import { check } from '#dist/verify/check.js';
import { sameKey } from '#dist/verify/claims/unique-keys.js';
import { checkWholeEntries } from '#dist/verify/chain/whole-entries.js';
import { noCounts } from '#dist/verify/stretch-counts.js';
import { packJob, unpackJob } from '#dist/verify/pack/packet.js';
import { PooledVerifier } from '#dist/worker/pooled-verifier.js';
import type { Job, Question } from '#dist/verify/verifier.js';
import { readTxList } from '#dist/verify/wire/answers.js';
import { EntryColumns } from '#dist/verify/wire/entry-columns.js';
import { TestChain, bytesOf, signingKey, spki, utf8, type Wire } from '../verify/support/test-chain.js';

const pooled = new PooledVerifier({ threads: 1, inlineBelowJobs: 0 });
afterAll(() => pooled.close());

interface StretchOptions {
  readonly head?: bigint;
  readonly values?: boolean;
  readonly beside?: boolean;
  readonly after?: Uint8Array;
  readonly key?: boolean;
  readonly now?: bigint;
  readonly change?: (list: Wire, proof: Wire) => void;
}

function jobOf(chain: TestChain, first: bigint, last: bigint, options: StretchOptions = {}): Job {
  const { head = chain.size, values = false, beside = false, after, key = false, now = 0n, change } = options;
  const list = chain.wholeTxs(first, last, values);
  const proof = chain.verifiableTx(last, head, { entries: false, ...(key && { key: signingKey }) });
  change?.(list, proof);
  const question: Question = {
    kind: 'stretch',
    first,
    last,
    proof: bytesOf('tx', proof),
    ...(after && { after }),
    ...(values && { values }),
    ...(beside && { digests: bytesOf('segment', chain.wholeTxs(first, last)) }),
  };
  const context = { head: chain.root(head), database: 'testdb', now, ...(key && { publicKey: spki }) };
  return { question, context, answer: bytesOf('segment', list) };
}

/** Every kind of entry, in txs of one and of many. */
function mixed(): TestChain {
  const chain = new TestChain().grow(3);
  chain.commit(
    Array.from({ length: 9 }, (_, i) => ({ key: plainKey(utf8(`k${i}`)), value: plainValue(utf8(`v${i}`)) })),
  );
  chain.set(
    ['gone', ''],
    ['soon', 'v', { expiresAt: 4_102_444_800n }],
    ['hidden', 'v', { nonIndexable: true }],
  );
  chain.commit([{ key: plainKey(utf8('gone')), value: new Uint8Array(0), metadata: { deleted: true } }]);
  chain.commit([{ key: plainKey(utf8('ref')), value: referenceValue(0n, utf8('k1')) }]);
  chain.commit([{ key: sortedSetKey(utf8('set'), 1.5, utf8('k1'), 0n), value: new Uint8Array(0) }]);
  chain.commit([{ key: utf8('\u0002R.row'), value: utf8('row') }], { metadata: { extra: utf8('who') } });
  chain.commit([
    { key: utf8('\u0003R.document'), value: utf8('document') },
    { key: utf8('\u0003M.index'), value: new Uint8Array(0) },
    { key: plainKey(utf8('beside')), value: plainValue(utf8('v')) },
  ]);
  chain.commit([{ key: utf8('\u0007other'), value: utf8('?') }], { version: 0 });
  chain.commit([], { metadata: { truncatedTxId: 2n } });
  return chain.grow(20);
}

const chain = mixed();
const N = chain.size;

function refuted(job: Job): string {
  const verdict = check(job);
  if (verdict.ok) throw new Error('it holds');
  // As evidence it says the same.
  expect(check(unpackJob(packJob(job)))).toEqual(verdict);
  return verdict.refuted.check;
}

describe('what is honest', () => {
  test('holds, wherever it is cut, and is counted', async () => {
    for (let first = 1n; first <= N; first++) {
      for (const last of [first, first + 1n, first + 2n, N - 1n, N]) {
        if (last < first || last > N) continue;
        const verdict = check(jobOf(chain, first, last));
        expect(verdict, `${first} to ${last}`).toMatchObject({ ok: true, proven: { kind: 'stretch' } });
      }
    }
    const whole = jobOf(chain, 1n, N);
    const verdict = check(whole);
    expect(verdict).toEqual({
      ok: true,
      proven: {
        kind: 'stretch',
        prevAlh: EMPTY_HASH,
        alh: chain.root(N).alh,
        counts: {
          ...noCounts(),
          ...{ txs: Number(N), entries: 43, keyValue: 38, sortedSet: 1, sql: 1, document: 2, otherKind: 1 },
          ...{ deleted: 1, expiring: 1, treeRoots: Number(N) },
        },
        truncatedUpTo: 2n,
      },
    });
    expect(await pooled.verify(whole)).toEqual(verdict);
  });

  test('aligned stretches have every tree root recomputed; others too where the proof shows where they start', () => {
    for (const [first, last] of [
      [1n, 16n],
      [17n, 32n],
      [9n, 16n],
      [13n, 14n],
      [N, N],
      [17n, N],
    ] as const) {
      const verdict = check(jobOf(chain, first, last));
      expect(verdict).toMatchObject({
        ok: true,
        proven: { counts: { treeRoots: Number(last - first) + 1 } },
      });
    }
    expect(check(jobOf(chain, 6n, 20n))).toMatchObject({
      ok: true,
      proven: { counts: { treeRoots: 0, treeRootsNotChecked: 15 } },
    });
  });

  test('with values: each is hashed; where some are left out the digests stand in for them', async () => {
    expect(check(jobOf(chain, 1n, 8n, { values: true }))).toMatchObject({
      ok: true,
      proven: { counts: { entries: 18, values: 18, valuesNotShown: 0 } },
    });
    expect(check(jobOf(chain, 1n, 16n, { values: true }))).toEqual({
      ok: true,
      proven: { kind: 'short-stretch' },
    });
    const beside = jobOf(chain, 1n, 16n, { values: true, beside: true });
    const verdict = check(beside);
    expect(verdict).toMatchObject({
      ok: true,
      proven: { counts: { entries: 27, document: 2, values: 25, valuesNotShown: 2 } },
    });
    expect(await pooled.verify(beside)).toEqual(verdict);
    expect(await pooled.verify(jobOf(chain, 1n, 16n, { values: true }))).toEqual(
      check(jobOf(chain, 1n, 16n, { values: true })),
    );
  });

  test('with a state key: the head it is proven under must be signed', () => {
    expect(check(jobOf(chain, 1n, 16n, { key: true })).ok).toBe(true);
    const change = (_: Wire, proof: Wire) => delete proof.signature;
    expect(refuted(jobOf(chain, 1n, 16n, { key: true, change }))).toBe('signature.missing');
  });
});

describe('tree lag', () => {
  const lag = new TestChain();
  for (let id = 1; id <= 40; id++) {
    lag.commit([{ key: plainKey(utf8(`k${id}`)), value: plainValue(utf8('v')) }], {
      treeSize: id <= 30 ? Math.max(0, id - 4) : id - 1,
    });
  }

  test('is checked as far as the tree lies in the stretch, and the rest is counted', () => {
    expect(check(jobOf(lag, 1n, 32n))).toMatchObject({ ok: true, proven: { counts: { treeRoots: 32 } } });
    // Headers 17 to 19 commit to trees that end before tx 16.
    expect(check(jobOf(lag, 17n, 32n))).toMatchObject({
      ok: true,
      proven: { counts: { treeRoots: 13, treeRootsNotChecked: 3 } },
    });
  });

  test('of the head itself: what no tree reaches is linked by the chain', () => {
    expect(check(jobOf(lag, 1n, 30n, { head: 30n }))).toMatchObject({
      ok: true,
      proven: { counts: { treeRoots: 30, treeRootsNotChecked: 0 } },
    });
    expect(check(jobOf(lag, 27n, 30n, { head: 30n }))).toMatchObject({
      ok: true,
      proven: { counts: { txs: 4, treeRoots: 1, treeRootsNotChecked: 3 } },
    });
  });

  test('of the head itself: a stretch that begins beyond its tree, or whose head has none', () => {
    const unchecked = (job: Job, treeRoots: number, treeRootsNotChecked: number) => {
      expect(check(job)).toMatchObject({ ok: true, proven: { counts: { treeRoots, treeRootsNotChecked } } });
    };
    unchecked(jobOf(lag, 28n, 30n, { head: 30n }), 0, 3);
    unchecked(jobOf(lag, 2n, 4n, { head: 4n }), 0, 3);
    unchecked(jobOf(lag, 1n, 4n, { head: 4n }), 4, 0);
    // Headers 3 and 4 commit to no tree, which is the root of none.
    unchecked(jobOf(lag, 3n, 4n), 2, 0);
  });

  test('does not hide a wrong root', () => {
    const forged = new TestChain().grow(20);
    forged.commit([{ key: plainKey(utf8('k')), value: plainValue(utf8('v')) }], {
      treeSize: 18,
      blRoot: sha(),
    });
    forged.grow(11);
    expect(refuted(jobOf(forged, 1n, 32n))).toBe('stretch.tree-root');
  });
});

function sha(): Uint8Array {
  return new Uint8Array(32).fill(7);
}

describe('what is changed', () => {
  const header = (list: Wire, i: number) => list.txs[i].header;
  const changes: Record<string, [(list: Wire, proof: Wire) => void, string]> = {
    'a header left out': [(list) => list.txs.splice(5, 1), 'stretch.count'],
    'a header left out and the next one shown': [
      (list) => list.txs.splice(5, 1, ...chain.wholeTxs(7n, 7n).txs),
      'chain.id',
    ],
    'starting one later': [(list) => list.txs.splice(0, 16, ...chain.wholeTxs(2n, 17n).txs), 'stretch.first'],
    'two headers exchanged': [(list) => list.txs.splice(5, 2, list.txs[6], list.txs[5]), 'chain.id'],
    'a time': [(list) => (header(list, 7).ts = '1'), 'chain.prev-alh'],
    'the last header': [(list) => (header(list, 15).ts = '1'), 'chain.end'],
    'an entries root': [(list) => (header(list, 7).eH = sha()), 'chain.prev-alh'],
    'a tree root': [(list) => (header(list, 7).blRoot = sha()), 'chain.prev-alh'],
    'an entry added': [(list) => list.txs[1].entries.push(list.txs[0].entries[0]), 'wire.bound'],
    'an entry left out': [(list) => list.txs[3].entries.pop(), 'entries.count'],
    'an entry exchanged for another': [(list) => (list.txs[3].entries[2].hValue = sha()), 'entries.root'],
    'entries in another order': [(list) => list.txs[3].entries.reverse(), 'entries.root'],
    'a key': [(list) => (list.txs[3].entries[2].key = utf8('\0x')), 'entries.root'],
    'no key': [(list) => (list.txs[3].entries[2].key = utf8('')), 'entry.key'],
    'an entry twice': [(list) => (list.txs[3].entries[2] = list.txs[3].entries[1]), 'entries.duplicate'],
    'an attribute': [(list) => (list.txs[3].entries[2].metadata = { deleted: true }), 'entries.root'],
    'an attribute taken away': [(list) => delete list.txs[4].entries[1].metadata, 'entries.root'],
    'an attribute in version 0': [
      (list) => (list.txs[10].entries[0].metadata = { deleted: true }),
      'entry.metadata',
    ],
    'a proof of another tx': [
      (_, proof) => Object.assign(proof, chain.verifiableTx(15n, N, { entries: false })),
      'dual-proof.source',
    ],
    'a proof that is turned': [
      (_, proof) => proof.dualProof.inclusionProof.reverse(),
      'dual-proof.inclusion',
    ],
  };

  test.each(Object.entries(changes))('%s', async (_, [change, name]) => {
    const job = jobOf(chain, 1n, 16n, { change });
    expect(refuted(job)).toBe(name);
    expect(await pooled.verify(job)).toEqual(check(job));
  });

  test('a tx that does not follow the one before it', () => {
    expect(check(jobOf(chain, 17n, 18n, { after: chain.root(16n).alh })).ok).toBe(true);
    expect(refuted(jobOf(chain, 17n, 18n, { after: chain.root(15n).alh }))).toBe('stretch.after');
  });

  test('a tree root in the middle, though the chain holds and every later header commits to it', () => {
    const forged = new TestChain().grow(9);
    forged.commit([{ key: plainKey(utf8('k')), value: plainValue(utf8('v')) }], { blRoot: sha() });
    forged.grow(30);
    expect(refuted(jobOf(forged, 1n, 16n))).toBe('stretch.tree-root');
    expect(refuted(jobOf(forged, 9n, 12n))).toBe('stretch.tree-root');
    expect(refuted(jobOf(forged, 10n, 10n))).toBe('dual-proof.consistency');
    expect(check(jobOf(forged, 11n, 12n)).ok).toBe(true);
  });

  test('values: another one, one of an entry that is not there; one not shown is counted', () => {
    const value = (change: (entry: Wire) => void): StretchOptions => ({
      values: true,
      change: (list) => {
        change(list.txs[3].entries[2]);
      },
    });
    expect(
      refuted(
        jobOf(
          chain,
          1n,
          8n,
          value((entry) => (entry.value = utf8('\0x'))),
        ),
      ),
    ).toBe('stretch.value');
    expect(
      check(
        jobOf(
          chain,
          1n,
          8n,
          value((entry) => delete entry.value),
        ),
      ),
    ).toMatchObject({
      ok: true,
      proven: { counts: { values: 17, valuesNotShown: 1 } },
    });
    const beside = (change: (list: Wire) => void) =>
      jobOf(chain, 1n, 16n, { values: true, beside: true, change });
    expect(refuted(beside((list) => (list.txs[3].entries[2].key = utf8('\0x'))))).toBe('stretch.value-entry');
    expect(refuted(beside((list) => (list.txs[3].entries[2].value = utf8('\0x'))))).toBe('stretch.value');
    expect(refuted(beside((list) => list.txs.splice(3, 2, list.txs[4], list.txs[3])))).toBe(
      'stretch.values.tx',
    );
    expect(refuted(beside((list) => list.txs.pop()))).toBe('stretch.values.count');
    expect(check(beside((list) => (list.txs[3].entries = [])))).toMatchObject({
      ok: true,
      proven: { counts: { valuesNotShown: 2 + 9 } },
    });
  });

  test('any bit of an answer: never more than the honest answer proves', () => {
    const honest = jobOf(chain, 1n, 16n);
    const proven = check(honest);
    fc.assert(
      fc.property(fc.nat(honest.answer.length * 8 - 1), (bit) => {
        const answer = new Uint8Array(honest.answer);
        answer[bit >> 3]! ^= 1 << (bit & 7);
        const verdict = check({ ...honest, answer });
        // A field that no hash covers (the length of a value) or that nobody reads may change.
        if (verdict.ok) expect(verdict).toEqual(proven);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('entries without objects', () => {
  const versions = fc.constantFrom(0, 1);
  const key = fc.uint8Array({ minLength: 0, maxLength: 3 }).map((bytes) => bytes.map((byte) => byte % 3));
  const entry = fc.record(
    {
      key: fc.oneof(key, fc.uint8Array({ minLength: 60, maxLength: 70 })),
      hValue: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      metadata: fc.constantFrom({ deleted: true }, { nonIndexable: true }, {}),
    },
    { requiredKeys: ['key', 'hValue'] },
  );

  test('say what verifyEntries says, whatever comes', () => {
    const columns = new EntryColumns();
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 6 }), versions, fc.nat(7), (entries, version, claimed) => {
        const shown = { ...chain.wholeTxs(1n, 1n).txs[0], entries };
        const bytes = bytesOf('segment', { txs: [shown] });
        const [tx] = readTxList(bytes, 1n);
        const header = { ...tx!.header, version, nentries: claimed };
        const outcome = (run: () => void) => {
          try {
            run();
            return 'holds';
          } catch (error) {
            if (!(error instanceof ProofFailure)) throw error;
            return error.check;
          }
        };
        const [again] = readTxList(bytes, 1n);
        Object.assign(again!.header, { nentries: Math.max(claimed, entries.length) });
        columns.read(again!);
        expect(outcome(() => checkWholeEntries(header, { bytes, entries: columns }, noCounts(), 0n))).toBe(
          outcome(() => verifyEntries(header, tx!.entryCount <= 9 ? withRoom(bytes) : [])),
        );
      }),
      { numRuns: 500 },
    );
    function withRoom(bytes: Uint8Array) {
      const [tx] = readTxList(bytes, 1n);
      Object.assign(tx!.header, { nentries: 9 });
      return tx!.entries();
    }
  });

  test('keys chosen to fall into the same place are still told apart, and found when they are equal', () => {
    // By the same hash as the check uses, cut to a table of 2048: every one of these collides with all others.
    const place = (bytes: Uint8Array) => {
      let hash = 0x811c9dc5;
      for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
      return (hash ^ (hash >>> 15)) & 2047;
    };
    const chosen: Uint8Array[] = [];
    for (let i = 0; chosen.length < 200; i++) {
      const candidate = plainKey(utf8(`key ${i}`));
      if (place(candidate) === 77) chosen.push(candidate);
    }
    const many = chosen.map((each) => ({ key: each, value: plainValue(utf8('v')) }));
    const large = new TestChain();
    large.commit(many);
    expect(check(jobOf(large, 1n, 1n))).toMatchObject({ ok: true, proven: { counts: { entries: 200 } } });
    large.commit([...many.slice(0, 199), many[17]!]);
    expect(refuted(jobOf(large, 2n, 2n))).toBe('entries.duplicate');
  });
});

describe('what is counted', () => {
  const LATER = 100n;
  const plain = (key: string, more: object = {}) => ({
    key: plainKey(utf8(key)),
    value: plainValue(utf8('v')),
    ...more,
  });
  const expiring = new TestChain();
  expiring.commit([
    plain('a', { metadata: { expiresAt: LATER } }),
    plain('b'),
    { ...plain('d', { metadata: { expiresAt: LATER } }), key: utf8('\u0003R.document') },
  ]);
  expiring.commit([plain('b')]);
  const countsOf = (job: Job) => {
    const verdict = check(job);
    if (!verdict.ok || verdict.proven.kind !== 'stretch') throw new Error('it does not hold');
    return verdict.proven.counts;
  };

  test('as expired: what is, by then, but documents', () => {
    for (const [now, expired] of [
      [LATER - 1n, 0],
      [LATER, 1],
    ] as const)
      expect(countsOf(jobOf(expiring, 1n, 2n, { now }))).toMatchObject({ expiring: 2, expired });
  });

  test('as not shown: documents, what has expired, and what an honest server would have shown', () => {
    const notShown = (now: bigint) =>
      countsOf(
        jobOf(expiring, 1n, 2n, {
          ...{ values: true, beside: true, now },
          change: (list) => (list.txs[0].entries = []),
        }),
      );
    const some = { values: 1, valuesNotShown: 3, valuesOfDocuments: 1 };
    expect(notShown(LATER - 1n)).toMatchObject({ ...some, valuesExpired: 0 });
    expect(notShown(LATER)).toMatchObject({ ...some, valuesExpired: 1 });
  });

  test('as not shown: a value that was shown of the same key in the tx before', () => {
    const change = (list: Wire) => (list.txs[1].entries = []);
    const twice = new TestChain();
    for (let i = 0; i < 2; i++) twice.commit([plain('b')]);
    expect(countsOf(jobOf(twice, 1n, 2n, { values: true, beside: true, change }))).toMatchObject({
      values: 1,
      valuesNotShown: 1,
    });
  });

  test('as given up: what truncations name that came before them, and nothing else', () => {
    const truncated = new TestChain().grow(3);
    for (const truncatedTxId of [4n, 9n]) truncated.commit([], { metadata: { truncatedTxId } });
    const upTo = () => {
      const verdict = check(jobOf(truncated, 1n, truncated.size));
      return verdict.ok && verdict.proven.kind === 'stretch' ? verdict.proven.truncatedUpTo : undefined;
    };
    expect(upTo()).toBe(0n);
    for (const truncatedTxId of [3n, 2n]) truncated.commit([], { metadata: { truncatedTxId } });
    expect(upTo()).toBe(3n);
  });
});

describe('keys where they lie', () => {
  test('are hashed whatever their length, up to the longest there is', () => {
    const long = new TestChain();
    const lengths = [63, 64, 65, 66, 1999, 2000, 2011, 2012, 2013, 5000, MAX_RAW_KEY];
    for (const length of lengths)
      long.commit([{ key: new Uint8Array(length).map((_, i) => i % 251), value: plainValue(utf8('v')) }]);
    expect(check(jobOf(long, 1n, long.size))).toMatchObject({ ok: true });
    const change = (list: Wire) => (list.txs[10].entries[0].key = new Uint8Array(MAX_RAW_KEY + 1));
    expect(refuted(jobOf(long, 1n, long.size, { change }))).toBe('entry.key');
  });

  test('are the same byte for byte, whatever is before and behind them', () => {
    const bytes = Uint8Array.of(1, 2, 9, 1, 2, 8, 1, 3, 2);
    expect(sameKey(bytes, 0, 2, 3, 5)).toBe(true);
    for (const [start, end] of [
      [6, 8],
      [3, 6],
      [3, 4],
      [4, 6],
    ] as const)
      expect(sameKey(bytes, 0, 2, start, end)).toBe(false);
  });

  test('by the thousand are told apart, in any order of large and small transactions', () => {
    const many = Array.from({ length: 3000 }, (_, i) => ({
      key: plainKey(utf8(`key ${i}`)),
      value: plainValue(utf8('v')),
    }));
    const large = new TestChain();
    large.commit(many);
    large.commit(many.slice(0, 2));
    large.commit([...many, many[2999]!]);
    large.commit([many[0]!, many[0]!]);
    expect(check(jobOf(large, 1n, 2n))).toMatchObject({ ok: true, proven: { counts: { entries: 3002 } } });
    for (const tx of [3n, 4n]) expect(refuted(jobOf(large, tx, tx))).toBe('entries.duplicate');
    expect(check(jobOf(large, 2n, 2n)).ok).toBe(true);
  });
});

describe('jobs that make no sense', () => {
  const good = jobOf(chain, 1n, 4n);
  const bad: Record<string, Partial<Extract<Question, { kind: 'stretch' }>>> = {
    'question.first': { first: 0n },
    'question.last': { last: 4096n },
    'context.head': { last: N + 1n },
    'question.after': { after: new Uint8Array(3) },
    'question.digests': { digests: new Uint8Array(3) },
  };
  test.each(Object.entries(bad))('%s', async (argument, change) => {
    const question = { ...good.question, ...change } as Question;
    await expect(pooled.verify({ ...good, question })).rejects.toMatchObject({ argument });
    await expect(pooled.verify({ ...good, question })).rejects.toBeInstanceOf(ArgumentError);
  });
});
