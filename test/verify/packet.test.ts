// Packed jobs are kept as evidence: they must come back as they were, today and with later releases.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArgumentError } from '#dist/errors.js';
import { referenceValue } from '#dist/proof/entry.js';
import { packJob, packJobs, packedSize, unpackJob, unpackJobs } from '#dist/verify/pack/packet.js';
import { packOutcomes, unpackOutcomes, type Outcome } from '#dist/verify/pack/verdict-packet.js';
import type { Job, ProvenTarget, ProvenTx } from '#dist/verify/verifier.js';
import { utf8 } from './support/test-chain.js';

const id = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });
const bytes = fc.uint8Array({ maxLength: 50 });
const root = fc.record({ tx: id, alh: digest });
const frontier = fc.record({ size: id, peaks: fc.array(digest, { maxLength: 63 }) });
const metadata = fc.record(
  {
    deleted: fc.constant(true),
    expiresAt: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    nonIndexable: fc.constant(true),
  },
  { requiredKeys: [] },
);
const question = fc.oneof(
  fc.record(
    {
      kind: fc.constant('get' as const),
      key: bytes,
      atTx: id,
      atRevision: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      noReference: fc.constant(true),
    },
    { requiredKeys: ['kind', 'key'] },
  ),
  fc.record({
    kind: fc.constant('set' as const),
    entries: fc.array(fc.record({ key: bytes, value: bytes, metadata }, { requiredKeys: ['key', 'value'] }), {
      maxLength: 9,
    }),
  }),
  fc.record(
    { kind: fc.constant('tx' as const), tx: id, leaves: fc.constant(true) },
    { requiredKeys: ['kind', 'tx'] },
  ),
  fc.record(
    {
      kind: fc.constant('claims' as const),
      keys: fc.array(bytes, { maxLength: 9 }),
      single: fc.constant(true),
    },
    { requiredKeys: ['kind', 'keys'] },
  ),
  fc.record({ kind: fc.constant('claim' as const), key: bytes, tx: id, shown: bytes }),
  fc.record({ kind: fc.constant('written' as const), request: fc.uint8Array({ maxLength: 300 }) }),
  fc.record({
    kind: fc.constant('block' as const),
    first: id,
    last: id,
    proof: fc.uint8Array({ maxLength: 300 }),
  }),
  fc.record({
    kind: fc.constant('leaves' as const),
    txs: fc.array(fc.record({ tx: id, version: fc.nat(255), nentries: fc.nat(2 ** 31 - 1), eH: digest }), {
      maxLength: 9,
    }),
  }),
  fc.record(
    { kind: fc.constant('segment' as const), after: root, to: id, frontier },
    { requiredKeys: ['kind', 'after', 'to'] },
  ),
  fc.record(
    {
      kind: fc.constant('stretch' as const),
      first: id,
      last: id,
      proof: bytes,
      after: digest,
      values: fc.constant(true),
      digests: bytes,
    },
    { requiredKeys: ['kind', 'first', 'last', 'proof'] },
  ),
  fc.record({ kind: fc.constant('state' as const) }),
  fc.record({
    kind: fc.constant('tx' as const),
    tx: id,
    leaves: fc.constant(true),
    values: fc.uint8Array({ maxLength: 300 }),
  }),
  fc.record({ kind: fc.constant('exported' as const), tx: id, proof: bytes }),
);
const job = fc.record({
  question,
  context: fc.record(
    {
      head: fc.option(root),
      database: fc.string({ unit: 'grapheme', maxLength: 20 }),
      publicKey: fc.uint8Array({ minLength: 1, maxLength: 91 }),
      now: id,
    },
    { requiredKeys: ['head', 'database', 'now'] },
  ),
  answer: fc.uint8Array({ maxLength: 300 }),
}) as fc.Arbitrary<Job>;

describe('jobs', () => {
  it('come back as they were, and take exactly the size that was computed', () => {
    fc.assert(
      fc.property(job, (each) => {
        const packed = packJob(each);
        expect(packed.length).toBe(packedSize(each));
        expect(unpackJob(packed)).toEqual(each);
      }),
      { numRuns: 500 },
    );
  });

  it('travel together in order', () => {
    fc.assert(
      fc.property(fc.array(job, { maxLength: 8 }), (jobs) => {
        const sized = jobs.map((each) => ({ job: each, size: packedSize(each) }));
        expect(unpackJobs(packJobs(sized))).toEqual(jobs);
      }),
      { numRuns: 100 },
    );
  });

  it('are argument errors when cut off, prolonged or of another version', () => {
    fc.assert(
      fc.property(job, fc.nat(), (each, cut) => {
        const packed = packJob(each);
        expect(() => unpackJob(packed.subarray(0, cut % packed.length))).toThrow(ArgumentError);
        expect(() => unpackJob(new Uint8Array([...packed, 0]))).toThrow(ArgumentError);
        expect(() => unpackJob(new Uint8Array([2, ...packed.subarray(1)]))).toThrow(ArgumentError);
      }),
      { numRuns: 200 },
    );
  });

  it('stay readable: version 1, byte by byte', () => {
    const alh = 'ab'.repeat(32);
    const hex =
      '0103' + // version, flags: head and public key
      `0000000000000007${alh}` + // head
      '0000000000000009' + // now
      '0002' +
      '6462' + // database
      '00000003' +
      '010203' + // public key
      '0103' +
      '0000000000000005' +
      '00000001' +
      '6b' + // get: flags, atTx, key
      '00000002' +
      'beef'; // answer
    const expected: Job = {
      question: { kind: 'get', key: utf8('k'), atTx: 5n, noReference: true },
      context: {
        head: { tx: 7n, alh: new Uint8Array(32).fill(0xab) },
        database: 'db',
        publicKey: new Uint8Array([1, 2, 3]),
        now: 9n,
      },
      answer: new Uint8Array([0xbe, 0xef]),
    };
    expect(Buffer.from(packJob(expected)).toString('hex')).toBe(hex);
    expect(unpackJob(new Uint8Array(Buffer.from(hex, 'hex')))).toEqual(expected);
    const questions = {
      set: '0200000001' + '07' + '0000000000000004' + '00000001' + '6b' + '00000001' + '76',
      tx: '030000000000000006',
      segment: `040000000000000001${alh}000000000000000201` + `000000000000000101${alh}`,
    };
    const head = '0100' + '0000000000000009' + '0000';
    const read = (part: string) =>
      unpackJob(new Uint8Array(Buffer.from(`${head}${part}00000000`, 'hex'))).question;
    const entry = { key: utf8('k'), value: utf8('v'), metadata: { deleted: true, expiresAt: 4n } };
    expect(read(questions.set)).toEqual({ kind: 'set', entries: [entry] });
    expect(read(questions.tx)).toEqual({ kind: 'tx', tx: 6n });
    const filled = new Uint8Array(32).fill(0xab);
    expect(read(questions.segment)).toEqual({
      kind: 'segment',
      after: { tx: 1n, alh: filled },
      to: 2n,
      frontier: { size: 1n, peaks: [filled] },
    });
    expect(read(`050100000001000000016b`)).toEqual({
      kind: 'claims',
      keys: [utf8('k')],
      single: true,
    });
    expect(read('0500' + '00000002' + '000000016b' + '000000016c')).toEqual({
      kind: 'claims',
      keys: [utf8('k'), utf8('l')],
    });
    expect(read('06' + '0000000000000006' + '000000016b' + '00000002beef')).toEqual({
      kind: 'claim',
      tx: 6n,
      key: utf8('k'),
      shown: new Uint8Array([0xbe, 0xef]),
    });
    expect(read('07' + '00000002beef')).toEqual({ kind: 'written', request: new Uint8Array([0xbe, 0xef]) });
    expect(read('08' + '0000000000000001' + '0000000000000400' + '00000002beef')).toEqual({
      kind: 'block',
      first: 1n,
      last: 1024n,
      proof: new Uint8Array([0xbe, 0xef]),
    });
    expect(read('09' + '00000001' + '0000000000000006' + '01' + '00000003' + alh)).toEqual({
      kind: 'leaves',
      txs: [{ tx: 6n, version: 1, nentries: 3, eH: filled }],
    });
    expect(read('0a' + '0000000000000006')).toEqual({ kind: 'tx', tx: 6n, leaves: true });
    expect(() => read('0b')).toThrow(ArgumentError);
    expect(() => read('05')).toThrow(ArgumentError);
  });
});

describe('outcomes', () => {
  const fill = (n: number) => new Uint8Array(32).fill(n);
  const context = { head: null, database: 'db', now: 1n };
  const tx = (n: number): ProvenTx => ({
    tx: BigInt(n),
    alh: fill(n),
    prevAlh: fill(n - 1),
    ts: -5n,
    version: 1,
    nentries: 2 ** 31 - 1,
    eH: fill(100 + n),
    ...(n % 2 === 0 && { metadata: { truncatedTxId: 3n, extra: utf8('who') } }),
  });
  const target: ProvenTarget = { ...tx(9), frontier: { size: 9n, peaks: [fill(1), fill(2)] } };
  const signed: ProvenTarget = { ...tx(8), signature: utf8('signature') };
  const get: Job = { question: { kind: 'get', key: utf8('k') }, context, answer: new Uint8Array(0) };
  const set: Job = { ...get, question: { kind: 'set', entries: [] } };
  const ask: Job = { ...get, question: { kind: 'tx', tx: 5n } };
  const segment: Job = { ...get, question: { kind: 'segment', after: { tx: 3n, alh: fill(3) }, to: 6n } };
  const entry = { key: utf8('k'), value: utf8('value'), metadata: { expiresAt: 7n }, unprovenRevision: 4n };
  const yes = (proven: object) => ({ kind: 'verdict', verdict: { ok: true, proven } }) as Outcome;

  const all: readonly (readonly [Job, Outcome])[] = [
    [get, yes({ kind: 'get', subject: tx(5), target, found: { kind: 'value', entry } })],
    [get, { kind: 'defect', message: 'it broke' }],
    [get, { kind: 'verdict', verdict: { ok: false, refuted: { check: 'a.b', detail: 'ü' } } }],
    [
      ask,
      {
        kind: 'verdict',
        verdict: { ok: false, refuted: { check: 'a', detail: 'b', expected: '', computed: 'ff' } },
      },
    ],
    // The target of two items before: sent once.
    [ask, yes({ kind: 'tx', subject: tx(4), target })],
    [set, yes({ kind: 'set', subject: tx(8), target: signed })],
    [set, yes({ kind: 'set', subject: tx(8), target: signed })],
    [
      segment,
      yes({ kind: 'segment', headers: [tx(4), tx(5), tx(6)], frontier: { size: 6n, peaks: [fill(6)] } }),
    ],
    [segment, yes({ kind: 'segment', headers: [tx(4), tx(5), tx(6)] })],
    [set, yes({ kind: 'set', subject: tx(9), target: tx(9) })],
    [
      get,
      yes({
        kind: 'get',
        subject: tx(9),
        target: tx(9),
        found: {
          kind: 'reference',
          key: utf8('to'),
          atTx: 5n,
          metadata: { nonIndexable: true },
          claimed: { ...entry, key: utf8('to'), tx: 5n },
        },
      }),
    ],
    [
      get,
      yes({
        kind: 'get',
        subject: tx(5),
        target: tx(9),
        found: { kind: 'value', entry: { ...entry, value: new Uint8Array(9000) } },
      }),
    ],
  ];
  // What is kept of an entry views what was shown of it.
  const shown = utf8('..key=value..to');
  const claim = {
    tx: 5n,
    leaf: fill(7),
    key: utf8('k'),
    value: shown.subarray(6, 11),
    isReference: false,
    metadata: { nonIndexable: true },
    unprovenRevision: 4n,
  };
  const bare = {
    tx: 1n,
    leaf: fill(8),
    key: utf8('l'),
    value: shown.subarray(3, 3),
    isReference: false,
    unprovenRevision: 0n,
  };
  const claims: Job = {
    ...get,
    question: { kind: 'claims', keys: ['k', 'l', 'm', 'n', 'o'].map(utf8) },
  };
  const written: Job = { ...get, question: { kind: 'written', request: utf8('request') } };
  const block: Job = { ...get, question: { kind: 'block', first: 1n, last: 3n, proof: utf8('proof') } };
  const facts = { tx: 5n, version: 1, nentries: 2, eH: fill(1) };
  const leavesOf: Job = { ...get, question: { kind: 'leaves', txs: [facts, { ...facts, tx: 6n }] } };
  const one: Job = { ...get, question: { kind: 'claim', key: utf8('k'), tx: 5n, shown } };
  const exported: Job = { ...get, question: { kind: 'exported', tx: 4n, proof: utf8('proof') } };
  const state: Job = { ...get, question: { kind: 'state' } };
  const grouped: readonly (readonly [Job, Outcome])[] = [
    [state, yes({ kind: 'state', claimed: { tx: 9n, alh: fill(9) } })],
    [exported, yes({ kind: 'exported', subject: tx(4), target })],
    [ask, yes({ kind: 'tx', subject: tx(4), target, leaves: new Uint8Array(64).fill(3) })],
    [
      claims,
      yes({
        kind: 'claims',
        outcomes: [
          { kind: 'value', claim, shown },
          { kind: 'value', claim: bare, shown },
          { kind: 'missing' },
          { kind: 'refuted', refuted: { check: 'claim.key', detail: 'ü', computed: '6b' }, shown },
          {
            kind: 'reference',
            claim: { ...claim, key: utf8('o'), value: referenceValue(5n, utf8('to')), isReference: true },
            atTx: 5n,
            target: { ...claim, key: shown.subarray(13) },
            shown,
          },
        ],
      }),
    ],
    // Between two with the same target.
    [written, yes({ kind: 'written', subject: tx(4), tree: { size: 3n, root: fill(6) } })],
    [
      block,
      yes({
        kind: 'block',
        headers: {
          first: 1n,
          count: 3,
          alhs: new Uint8Array(96).map((_each, i) => i),
          eHs: new Uint8Array(96).map((_each, i) => 200 - i),
          times: new BigInt64Array([1n, -(2n ** 63n), 2n ** 63n - 1n]),
          versions: new Uint8Array([0, 1, 1]),
          entryCounts: new Uint32Array([1, 1024, 2 ** 31 - 1]),
        },
      }),
    ],
    [leavesOf, yes({ kind: 'leaves', leaves: [new Uint8Array(64).fill(1), new Uint8Array(64).fill(2)] })],
    [one, yes({ kind: 'claim', subject: tx(4), target })],
    [
      get,
      yes({
        kind: 'get',
        subject: tx(5),
        target,
        found: { kind: 'value', entry },
        leaves: new Uint8Array(96),
      }),
    ],
  ];
  const packed = (items: readonly (readonly [Job, Outcome])[]) =>
    packOutcomes(
      items.map(([, outcome]) => outcome),
      items.map(([each]) => each),
    );
  const jobs = all.map(([each]) => ({ job: each }));
  const outcomes = all.map(([, outcome]) => outcome);

  it('come back as they were, in order', () => {
    expect(unpackOutcomes(packed(all), jobs)).toEqual(outcomes);
    for (const [each, outcome] of all)
      expect(unpackOutcomes(packOutcomes([outcome], [each]), [{ job: each }])).toEqual([outcome]);
    expect(unpackOutcomes(packOutcomes([], []), [])).toEqual([]);
  });

  it('of grouped calls come back as they were', () => {
    const of = grouped.map(([each]) => ({ job: each }));
    const buffer = packed(grouped);
    expect(unpackOutcomes(buffer, of)).toEqual(grouped.map(([, outcome]) => outcome));
    for (const [each, outcome] of grouped)
      expect(unpackOutcomes(packOutcomes([outcome], [each]), [{ job: each }])).toEqual([outcome]);
    expect(() => unpackOutcomes(buffer, of.toReversed())).toThrow(RangeError);
    expect(() => unpackOutcomes(buffer.slice(0, -1), of)).toThrow(RangeError);
  });

  it('cannot be packed when they do not view what they show', () => {
    const elsewhere = { ...claim, value: utf8('value') };
    const outcome = yes({ kind: 'claims', outcomes: [{ kind: 'value', claim: elsewhere, shown }] });
    expect(() => packOutcomes([outcome], [claims])).toThrow(RangeError);
  });

  it('are refused when they are not for these jobs', () => {
    const buffer = packed(all);
    expect(() => unpackOutcomes(buffer, jobs.slice(1))).toThrow(RangeError);
    expect(() => unpackOutcomes(buffer, jobs.slice(0, -1))).toThrow(RangeError);
    expect(() => unpackOutcomes(buffer, [...jobs, { job: get }])).toThrow(RangeError);
    expect(() => unpackOutcomes(new ArrayBuffer(3), [{ job: ask }])).toThrow(RangeError);
  });
});
