// Answers cut off anywhere, with bits turned, or made up: the outcome is always a verdict, the same from both
// implementations, and never a yes to anything but what the honest answer says.
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { equalBytes, toHex } from '#dist/proof/bytes.js';
import { RequestEncoder } from '#dist/client/group/request-encoder.js';
import { entryLeaf, plainKey, plainValue } from '#dist/proof/entry.js';
import { InlineVerifier } from '#dist/worker/inline-verifier.js';
import { PooledVerifier } from '#dist/worker/pooled-verifier.js';
import type { Claim, ClaimOutcome, Job, Proven, Question, Root, Verdict } from '#dist/verify/verifier.js';
import { Frontier } from '#dist/proof/tree/frontier.js';
import { TestChain, bytesOf, signingKey, spki, utf8, wireHeader, type Wire } from './support/test-chain.js';
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

const written = new RequestEncoder();
written.entry(0x0a, { key: utf8('filler 18'), value: utf8('value 11') });

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
  ['tx with its leaves', { kind: 'tx', tx: N, leaves: true }, chain.root(HEAD), chain.verifiableTx(N, HEAD)],
  [
    'claims',
    { kind: 'claims', keys: [utf8('a'), utf8('ref'), utf8('none')] },
    chain.root(HEAD),
    { entries: [chain.entry('a', N), chain.entry('ref', REF)] },
  ],
  [
    'claim',
    { kind: 'claim', key: utf8('b'), tx: N, shown: bytesOf('entry', chain.entry('b', N)) },
    chain.root(HEAD),
    chain.verifiableTx(N, HEAD),
  ],
  [
    'written',
    { kind: 'written', request: written.finish() },
    chain.root(18n),
    wireHeader(chain.tx(19n).header),
  ],
  [
    'block',
    {
      kind: 'block',
      first: 1n,
      last: 5n,
      proof: bytesOf('tx', chain.verifiableTx(5n, HEAD, { entries: false })),
    },
    chain.root(HEAD),
    chain.txList(1n, 5n),
  ],
  [
    'leaves',
    { kind: 'leaves', txs: [N, N + 1n].map((id) => ({ tx: id, ...chain.tx(id).header })) },
    null,
    chain.txList(N, N + 1n, { entries: true }),
  ],
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

/**
 * Same verdicts from both; every one a refusal, a yes to what the honest answer says, or of no use to a liar. Returns
 * how many say the same as the honest answer.
 */
async function hold(honest: Verdict, jobs: readonly Job[]): Promise<number> {
  if (!honest.ok) throw new Error('the honest answer was refuted');
  const verdicts = await Promise.all(jobs.map((job) => inline.verify(job)));
  const again = await Promise.all(jobs.map((job) => pooled.verify(job)));
  expect(again).toEqual(verdicts);
  const accepted = verdicts.filter((verdict) => verdict.ok && !isRefusedLater(verdict.proven, honest.proven));
  for (const verdict of accepted)
    if (verdict.ok) expect(promised(verdict.proven)).toEqual(promised(honest.proven));
  return accepted.length;
}

/** What says nothing yet about the trusted history, and is caught where it is held against it. */
function isRefusedLater(proven: Proven, honest: Proven): boolean {
  // A run of headers says nothing about its own end: another one is caught where that end is proven.
  if (proven.kind === 'segment') return endOf(proven) !== endOf(honest);
  // The header of a write is that of the tx that the head reaches, or of none.
  if (proven.kind === 'written') return endOf(proven) !== endOf(honest);
  if (proven.kind !== 'claims' || honest.kind !== 'claims') return false;
  // Claims are held against the leaves of the proven tx: no other entry has the leaf of one that is there.
  for (const claim of proven.outcomes.flatMap(claimsOf)) {
    const { tx, key, value, metadata, isReference, leaf } = claim;
    const rawValue = isReference ? value : plainValue(value);
    expect(leaf).toEqual(entryLeaf(1, plainKey(key), metadata, rawValue));
    if (tx <= chain.size && isStored(claim)) expect(honest.outcomes.flatMap(claimsOf)).toContainEqual(claim);
  }
  return JSON.stringify(proven.outcomes.map(identity)) !== JSON.stringify(honest.outcomes.map(identity));
}

function endOf(proven: Proven): string {
  if (proven.kind === 'written') return toHex(proven.subject.alh);
  return proven.kind === 'segment' ? toHex(proven.headers.at(-1)!.alh) : '';
}

/** Without revisions, which are the server's word. */
function claimsOf(outcome: ClaimOutcome): Claim[] {
  if (outcome.kind !== 'value' && outcome.kind !== 'reference') return [];
  const claims = outcome.kind === 'value' ? [outcome.claim] : [outcome.claim, outcome.target];
  return claims.map((claim) => ({ ...claim, unprovenRevision: 0n }));
}

function identity(outcome: ClaimOutcome): string[] {
  return [outcome.kind, ...claimsOf(outcome).map(({ tx, leaf }) => `${tx} ${toHex(leaf)}`)];
}

/** Whether the claim would be proven: its tx has such a leaf. */
function isStored({ tx, leaf }: Claim): boolean {
  return chain
    .tx(tx)
    .entries.some(({ key, value, metadata }) => equalBytes(entryLeaf(1, key, metadata, value), leaf));
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
    // Most bytes matter; those that do not are the documented ones (revision, value lengths, absent parts of maps), and
    // beside entries the headers, that are proven already.
    expect(accepted).toBeLessThan(bytes.length / (question.kind === 'leaves' ? 2 : 8));
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

/** A refusal, or nothing but refusals of single keys. */
function saysNothing(verdict: Verdict): boolean {
  if (!verdict.ok) return true;
  return verdict.proven.kind === 'claims' && verdict.proven.outcomes.every(({ kind }) => kind === 'refuted');
}

it('an answer to one question is no answer to another', async () => {
  for (const [name, question, head, own] of cases) {
    for (const [otherName, other, , answer] of cases) {
      if (other.kind === question.kind) continue;
      const bytes = bytesOf(other.kind, answer);
      const verdict = await inline.verify(jobOf(question, head, bytes));
      // An unsigned write answer is also a right answer to the question for that tx, and two cases ask for one tx.
      const sameMessage = question.kind === 'tx' && other.kind === 'set';
      // Claims are what an entry says, wherever it came from.
      const sameEntry = question.kind === 'claims' && other.kind === 'get';
      const sameAnswer = equalBytes(bytesOf(question.kind, own), bytes);
      if (!sameMessage && !sameEntry && !sameAnswer)
        expect(saysNothing(verdict), `${otherName} for ${name}`).toBe(true);
    }
  }
});

it('with a bit turned in the proof that a block rests on', async () => {
  const proof = bytesOf('tx', chain.verifiableTx(5n, HEAD, { entries: false }));
  const answer = bytesOf('block', chain.txList(1n, 5n));
  const jobWith = (bytes: Uint8Array) =>
    jobOf({ kind: 'block', first: 1n, last: 5n, proof: bytes }, chain.root(HEAD), answer);
  const jobs = Array.from({ length: proof.length }, (_each, at) => {
    const changed = proof.slice();
    changed[at]! ^= 1 << (at % 8);
    return jobWith(changed);
  });
  const accepted = await hold(await inline.verify(jobWith(proof)), jobs);
  expect(accepted).toBeLessThan(proof.length / 8);
});

it('with a bit turned in what a claim shows', async () => {
  const shown = bytesOf('entry', chain.entry('b', N));
  const answer = bytesOf('claim', chain.verifiableTx(N, HEAD));
  const jobWith = (bytes: Uint8Array) =>
    jobOf({ kind: 'claim', key: utf8('b'), tx: N, shown: bytes }, chain.root(HEAD), answer);
  const jobs = Array.from({ length: shown.length }, (_each, at) => {
    const changed = shown.slice();
    changed[at]! ^= 1 << (at % 8);
    return jobWith(changed);
  });
  // All but the tag and the number of the revision.
  expect(await hold(await inline.verify(jobWith(shown)), jobs)).toBeLessThanOrEqual(2);
});
