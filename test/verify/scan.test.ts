// The check of a page of a scan: keys of the range, in strict order, each a claim.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ArgumentError } from '#dist/index.js';
import type { Verifier } from '#dist/verify/verifier.js';
import type { ScanQuestion } from '#dist/verify/readings/scan.js';
import { ABC, ALONE, BOUND, EXPIRED, EXPIRING, HEAD, MARKED, REF, chain } from './support/scene.js';
import type { Change } from './support/scene.js';
import { bytesOf, utf8 } from './support/test-chain.js';
import type { Wire } from './support/test-chain.js';
import { failedCheck, implementations, jobOf, provenBy } from './support/verifiers.js';

const NONE = utf8('');
const ALL: ScanQuestion = {
  ...{ kind: 'scan', prefix: NONE, seekKey: NONE, endKey: NONE, max: 10 },
  ...{ inclusiveSeek: false, inclusiveEnd: false, desc: false },
};

/** In the order of keys. */
const honest = () => [
  chain.entry('a', ABC),
  chain.entry('alone', ALONE),
  chain.entry('bound', BOUND),
  chain.entry('c', ABC),
  chain.entry('soon', EXPIRING),
];

describe.each(implementations)('%s', (_, make) => {
  let verifier: Verifier;
  beforeAll(() => {
    verifier = make();
  });
  afterAll(() => verifier.close());

  const verify = (question: Partial<ScanQuestion>, entries: readonly Wire[]) =>
    verifier.verify(
      jobOf({ ...ALL, ...question }, chain.root(HEAD), bytesOf('scan', { entries: [...entries] })),
    );
  const keysIn = async (question: Partial<ScanQuestion>, entries: readonly Wire[]) =>
    provenBy(await verify(question, entries), 'scan').claims.map(({ claim }) =>
      Buffer.from(claim.key).toString(),
    );

  it('is one claim an entry, in the order of the answer, as a plain read has them', async () => {
    const entries = honest();
    const { claims } = provenBy(await verify({}, entries), 'scan');
    const keys = ['a', 'alone', 'bound', 'c', 'soon'].map(utf8);
    const read = jobOf({ kind: 'claims', keys }, chain.root(HEAD), bytesOf('claims', { entries }));
    expect(claims).toEqual(provenBy(await verifier.verify(read), 'claims').outcomes);
    expect(claims.map(({ kind }) => kind)).toEqual(['value', 'value', 'reference', 'value', 'value']);
    expect(await keysIn({}, [])).toEqual([]);
    expect(await keysIn({ desc: true }, entries.toReversed())).toHaveLength(5);
  });

  it('takes what lies within its bounds', async () => {
    const [, alone, bound] = honest() as [Wire, Wire, Wire];
    expect(await keysIn({ prefix: utf8('a') }, honest().slice(0, 2))).toEqual(['a', 'alone']);
    expect(await keysIn({ seekKey: utf8('a'), endKey: utf8('c') }, [alone, bound])).toHaveLength(2);
    const inclusive = { inclusiveSeek: true, inclusiveEnd: true };
    const range = { seekKey: utf8('alone'), endKey: utf8('bound'), ...inclusive };
    expect(await keysIn(range, [alone, bound])).toHaveLength(2);
    const back = { seekKey: utf8('bound'), endKey: utf8('alone'), ...inclusive, desc: true };
    expect(await keysIn(back, [bound, alone])).toHaveLength(2);
  });

  it.each<[string, Partial<ScanQuestion>, string]>([
    ['a prefix', { prefix: utf8('al') }, 'scan.prefix'],
    ['a longer prefix than keys', { prefix: utf8('aloneness') }, 'scan.prefix'],
    ['a start', { seekKey: utf8('b') }, 'scan.seek'],
    ['the start itself', { seekKey: utf8('a') }, 'scan.seek'],
    ['an end', { endKey: utf8('b') }, 'scan.end'],
    ['the end itself', { endKey: utf8('soon') }, 'scan.end'],
    ['an end, the last ones first', { desc: true, endKey: utf8('b') }, 'scan.end'],
    ['a start, the last ones first', { desc: true, seekKey: utf8('b') }, 'scan.seek'],
    ['the start itself, the last ones first', { desc: true, seekKey: utf8('soon') }, 'scan.seek'],
    ['the other order', { desc: true }, 'scan.order'],
    ['a number', { max: 4 }, 'wire.bound'],
  ])('refutes what is not within %s', async (_what, question, check) => {
    const entries = question.desc && check !== 'scan.order' ? honest().toReversed() : honest();
    expect(failedCheck(await verify(question, entries))).toBe(check);
  });

  it('holds a reference to its own key, not to the one that it leads to', async () => {
    const bound = chain.entry('bound', BOUND);
    expect(failedCheck(await verify({ prefix: utf8('b'), seekKey: utf8('bound') }, [bound]))).toBe(
      'scan.seek',
    );
    bound.referencedBy.key = utf8('a');
    expect(failedCheck(await verify({ prefix: utf8('b') }, [bound]))).toBe('scan.prefix');
  });

  it.each<[string, (entries: Wire[]) => unknown, string]>([
    ['two in the other order', (entries) => entries.splice(0, 2, entries[1], entries[0]), 'scan.order'],
    ['one twice', (entries) => entries.splice(1, 0, entries[0]), 'scan.order'],
    ['a key cut off', (entries) => (entries[1].key = utf8('')), 'scan.order'],
    ['a deletion', (entries) => entries.push(chain.entry('marked', MARKED)), 'scan.order'],
    [
      'one that is not indexed',
      (entries) => entries.splice(2, 0, chain.entry('b', ABC)),
      'scan.non-indexable',
    ],
    [
      'a reference to one that is not indexed',
      (entries) => entries.splice(4, 0, chain.entry('ref', REF)),
      'scan.non-indexable',
    ],
    [
      'one that has expired',
      (entries) => entries.splice(4, 0, chain.entry('gone', EXPIRED)),
      'claim.expired',
    ],
    ['one said to have expired', (entries) => (entries[0].expired = true), 'claim.expired'],
    ['one of no transaction', (entries) => delete entries[0].tx, 'claim.tx'],
    ['a reference to another version', (entries) => (entries[2].tx = '3'), 'claim.reference-tx'],
  ])('refutes %s', async (_what, lie, check) => {
    const entries = honest();
    lie(entries);
    expect(failedCheck(await verify({}, entries))).toBe(check);
  });

  it('refutes deletions, and what cannot be read', async () => {
    expect(failedCheck(await verify({}, [chain.entry('marked', MARKED)]))).toBe('claim.deleted');
    const bytes = bytesOf('scan', { entries: honest() });
    const cut = jobOf(ALL, chain.root(HEAD), bytes.slice(0, -1));
    expect(failedCheck(await verifier.verify(cut))).toBe('wire.truncated');
  });

  it('refuses what is no question', async () => {
    const bad: Change[] = [
      (question) => (question.max = 0),
      (question) => (question.max = 2 ** 31),
      (question) => (question.prefix = 'text'),
      (question) => delete question.seekKey,
      (question) => (question.endKey = null),
    ];
    for (const change of bad) {
      const question: Wire = { ...ALL };
      change(question);
      await expect(verifier.verify(jobOf(question, null, bytesOf('scan', {})))).rejects.toThrow(
        ArgumentError,
      );
    }
  });
});
