// Answers cut off anywhere, with bits turned, or made up: the outcome is always a verdict, the same from both
// implementations, and never a yes to anything but what the honest answer says.
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { toHex } from '#dist/proof/bytes.js';
import { plainKey, plainValue } from '#dist/proof/entry.js';
import { InlineVerifier } from '#dist/worker/inline-verifier.js';
import { PooledVerifier } from '#dist/worker/pooled-verifier.js';
import type { Job, Proven, Question, Root, Verdict } from '#dist/worker/verifier.js';
import { Frontier } from '#dist/proof/frontier.js';
import { TestChain, bytesOf, signingKey, spki, utf8, type Wire } from './support/test-chain.js';
import { jobOf, promised } from './support/verifiers.js';

const chain = new TestChain().grow(5);
const N = chain.set(['a', 'first'], ['b', 'second', { expiresAt: 4102444800n }], ['c', 'third']);
const REF = chain.setReference('ref', 'b');
chain.grow(14);
const HEAD = 19n;

const lag = new TestChain();
for (let id = 1; id <= 14; id++) {
  lag.commit([{ key: plainKey(utf8(`k${id}`)), value: plainValue(utf8('v')) }], {
    treeSize: Math.floor((id - 1) / 2),
  });
}
const at12 = Frontier.at(chain.tx(12n).header, chain.dualProof(12n, 12n).lastInclusionProof);

const cases: readonly (readonly [string, Question, Root | null, Wire])[] = [
  ['get', { kind: 'get', key: utf8('b') }, chain.root(HEAD), chain.verifiableEntry('b', N, HEAD)],
  [
    'get of a reference',
    { kind: 'get', key: utf8('ref') },
    chain.root(3n),
    chain.verifiableEntry('ref', REF, 3n),
  ],
  ['get at first contact', { kind: 'get', key: utf8('a') }, null, chain.verifiableEntry('a', N, 0n)],
  [
    'set',
    { kind: 'set', entries: [{ key: utf8('filler 18'), value: utf8('value 11') }] },
    chain.root(18n),
    chain.verifiableTx(19n, 18n),
  ],
  [
    'tx since genesis',
    { kind: 'tx', tx: HEAD },
    chain.root(0n),
    chain.verifiableTx(HEAD, 1n, { entries: false }),
  ],
  ['tx under lag', { kind: 'tx', tx: 6n }, lag.root(14n), lag.verifiableTx(6n, 14n)],
  [
    'segment',
    { kind: 'segment', after: chain.root(12n), to: 15n, frontier: { size: 12n, peaks: at12.peaks } },
    null,
    chain.txList(13n, 15n),
  ],
];

const inline = new InlineVerifier();
const pooled = new PooledVerifier({ threads: 1, inlineBelowJobs: 0 });
afterAll(() => pooled.close());

/** Same verdicts from both; every one a refusal, or a yes to what the honest answer says. Returns how many yes. */
async function hold(honest: Verdict, jobs: readonly Job[]): Promise<number> {
  if (!honest.ok) throw new Error('the honest answer was refuted');
  const verdicts = await Promise.all(jobs.map((job) => inline.verify(job)));
  const again = await Promise.all(jobs.map((job) => pooled.verify(job)));
  expect(again).toEqual(verdicts);
  const accepted = verdicts.filter((verdict) => verdict.ok);
  for (const { proven } of accepted) {
    // A run of headers says nothing about its own end: another one is caught where that end is proven.
    if (proven.kind === 'segment' && endOf(proven) !== endOf(honest.proven)) continue;
    expect(promised(proven)).toEqual(promised(honest.proven));
  }
  return accepted.length;
}

function endOf(proven: Proven): string {
  return proven.kind === 'segment' ? toHex(proven.headers.at(-1)!.alh) : '';
}

describe.each(cases)('%s', (_, question, head, answer) => {
  const bytes = bytesOf(question.kind, answer);
  const honest = jobOf(question, head, bytes);

  it('cut off at every byte', async () => {
    const jobs = Array.from(bytes, (_byte, length) => jobOf(question, head, bytes.slice(0, length)));
    await hold(await inline.verify(honest), jobs);
  });

  it('with one bit turned, at every byte', async () => {
    const jobs = Array.from(bytes, (_byte, at) => {
      const changed = bytes.slice();
      changed[at]! ^= 1 << ((at * 5 + 3) % 8);
      return jobOf(question, head, changed);
    });
    const accepted = await hold(await inline.verify(honest), jobs);
    // Most bytes matter; those that do not are the documented ones (revision, value lengths, absent parts of maps).
    expect(accepted).toBeLessThan(bytes.length / 8);
  });

  it('with bytes changed, moved, doubled or dropped at random', async () => {
    const verdict = await inline.verify(honest);
    const edit = fc.record({
      at: fc.nat(bytes.length - 1),
      drop: fc.integer({ min: 0, max: 40 }),
      from: fc.nat(bytes.length - 1),
      copy: fc.integer({ min: 0, max: 40 }),
      junk: fc.uint8Array({ maxLength: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(edit, { minLength: 1, maxLength: 3 }), { minLength: 20, maxLength: 20 }),
        async (many) => {
          const jobs = many.map((edits) => {
            let changed = Buffer.from(bytes);
            for (const { at, drop, from, copy, junk } of edits) {
              const moved = changed.subarray(from, from + copy);
              changed = Buffer.concat([changed.subarray(0, at), moved, junk, changed.subarray(at + drop)]);
            }
            return jobOf(question, head, new Uint8Array(changed));
          });
          await hold(verdict, jobs);
        },
      ),
      { numRuns: 15 },
    );
  });
});

it('made up from nothing', async () => {
  const tests = cases.map(async ([, question, head, answer]) => {
    const honest = await inline.verify(jobOf(question, head, bytesOf(question.kind, answer)));
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (junk) => {
        expect(await hold(honest, [jobOf(question, head, junk)])).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
  await Promise.all(tests);
});

it('with a bit turned in a signed answer', async () => {
  const bytes = bytesOf('tx', chain.verifiableTx(N, HEAD, { entries: false, key: signingKey }));
  const question = { kind: 'tx', tx: N } as const;
  const signed = { publicKey: spki };
  const jobs = Array.from({ length: bytes.length }, (_each, at) => {
    const changed = bytes.slice();
    changed[at]! ^= 1;
    return jobOf(question, chain.root(HEAD), changed, signed);
  });
  await hold(await inline.verify(jobOf(question, chain.root(HEAD), bytes, signed)), jobs);
});

it('an answer to one question is no answer to another', async () => {
  for (const [, question, head] of cases) {
    for (const [, other, , answer] of cases) {
      if (other.kind === question.kind) continue;
      const verdict = await inline.verify(jobOf(question, head, bytesOf(other.kind, answer)));
      // An unsigned write answer is also a right answer to the question for that tx.
      const sameMessage = question.kind === 'tx' && other.kind === 'set';
      if (!sameMessage) expect(verdict.ok).toBe(false);
    }
  }
});
