// Evidence that a client's log keeps: the check is run again from it alone, and only what fails in the same way counts.
import { describe, expect, it, onTestFinished, test } from 'vitest';
import { ArgumentError, ImmuClient, MemoryRootStore } from '#dist/index.js';
import { verifyEvidence } from '#dist/audit.js';
import type { Evidence, VerificationError } from '#dist/index.js';
import type { FailedCheck } from '#dist/audit.js';
import { EmbeddedLedger } from '#dist/testing.js';
import type { Lie } from '#dist/testing.js';
import { check } from '#dist/verify/check.js';
import { packJob, unpackJob } from '#dist/verify/pack/packet.js';

/** Evidence of what a client refused, told this lie; `trusting` = it has a trusted root already. */
async function evidenceOf(
  lie: Lie,
  options: { signing?: boolean; trusting?: boolean } = {},
): Promise<Evidence> {
  const { generateKeyPairSync } = await import('node:crypto');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signingKey = privateKey.export({ type: 'sec1', format: 'pem' }).toString();
  const ledger = await EmbeddedLedger.start(options.signing ? { signingKey } : {});
  onTestFinished(() => ledger.close());
  const client = new ImmuClient({
    address: ledger.address,
    store: new MemoryRootStore(),
    credentials: { user: 'immudb', password: 'immudb' },
    ...(ledger.publicKeyPem !== undefined && { serverPublicKey: ledger.publicKeyPem }),
  });
  onTestFinished(() => client.close());
  for (let i = 1; i <= 8; i++) await client.verifiedSet(`k${i}`, `v${i}`);
  ledger.lie(lie);
  const error: unknown = await client.verifiedGet('k3').catch((refusal: unknown) => refusal);
  expect(['VERIFICATION_FAILED', 'FORK_DETECTED']).toContain((error as VerificationError).code);
  for await (const { evidence } of client.audit.roots({ outcome: ['failure', 'fork'] }))
    if (evidence) return evidence;
  throw new Error('the refusal left no evidence');
}

test.for<[string, Lie, { signing?: boolean }]>([
  ['another value', { kind: 'swap-value' }, {}],
  ['a fork behind the head', { kind: 'fork', at: 2n }, {}],
  ['another leaf in the tree', { kind: 'substitute-leaf', leaf: 'tree' }, {}],
  ['a proof cut short', { kind: 'truncate-proof', proof: 'consistency' }, {}],
  ['another signature', { kind: 'wrong-signature', how: 'other-key' }, { signing: true }],
])('%s: fails again in the same way', async ([, lie, options]) => {
  const evidence = await evidenceOf(lie, options);
  const verdict = verifyEvidence(evidence);
  expect(verdict).toMatchObject({ outcome: 'reproduced', refuted: { check: evidence.check } });
  expect(unpackJob(evidence.job).question).toEqual({ kind: 'get', key: new TextEncoder().encode('k3') });
});

describe('evidence that is not what it says', () => {
  it('is not reproduced when the answer fails another check, or with other terms', async () => {
    const evidence = await evidenceOf({ kind: 'swap-value' });
    for (const change of [{ check: 'dual-proof.consistency' }, { expected: '00' }, { computed: '00' }]) {
      expect(verifyEvidence({ ...evidence, ...change })).toMatchObject({
        outcome: 'not-reproduced',
        refuted: { check: evidence.check },
      });
    }
  });

  it('is not reproduced when the answer holds', async () => {
    const { evidence } = await honest();
    for (const check of ['entries.root', 'trust.forks', 'toString', '__proto__']) {
      expect(verifyEvidence({ ...evidence, check })).toMatchObject({
        outcome: 'not-reproduced',
        refuted: null,
      });
    }
  });

  it('is unreadable when the job is none, whichever byte is missing', async () => {
    const { job, ...rest } = await evidenceOf({ kind: 'swap-value' });
    for (let length = 0; length < job.length; length += 7) {
      expect(verifyEvidence({ ...rest, job: job.subarray(0, length) })).toMatchObject({
        outcome: 'unreadable',
      });
    }
    expect(verifyEvidence({ ...rest, job: Uint8Array.of(9, ...job.subarray(1)) })).toMatchObject({
      outcome: 'unreadable',
      reason: expect.stringContaining('version 9') as string,
    });
  });

  it('never passes for the same failure with a byte changed, and never throws', async () => {
    const evidence = await evidenceOf({ kind: 'swap-value' });
    const outcomes = new Set<string>();
    for (let i = 0; i < evidence.job.length; i += 1) {
      const job = Uint8Array.from(evidence.job);
      job[i]! ^= 0x5a;
      outcomes.add(verifyEvidence({ ...evidence, job }).outcome);
    }
    // Bytes that the failed check does not depend on, such as the clock, leave it as it is.
    expect([...outcomes].sort()).toEqual(['not-reproduced', 'reproduced', 'unreadable']);
  });

  it.for([
    [null, 'evidence'],
    [{ job: new Uint8Array(3) }, 'evidence.check'],
    [{ check: 'a', job: 'YQ==' }, 'evidence.job'],
    [{ check: 'a', expected: 7, job: new Uint8Array(3) }, 'evidence.expected'],
  ])('that is no evidence at all is an argument error: %j', ([given, argument]) => {
    const run = () => verifyEvidence(given as unknown as FailedCheck);
    expect(run).toThrow(ArgumentError);
    expect(run).toThrow(argument);
  });
});

/** A job whose answer holds, and the hash that it proves for its target. */
async function honest(): Promise<{ evidence: FailedCheck; alh: string }> {
  const told = await evidenceOf({ kind: 'wrong-signature', how: 'flipped' }, { signing: true });
  const { question, context, answer } = unpackJob(told.job);
  const { head, database, now } = context;
  const job = packJob({ question, context: { head, database, now }, answer });
  return { evidence: { check: 'none', job }, alh: Buffer.from(head!.alh).toString('hex') };
}

describe('an answer that holds by itself, and contradicts what is trusted', () => {
  const other = 'ab'.repeat(32);

  it.for(['trust.fork', 'state.alh'])('%s: the hash that it proves is proven again', async (check) => {
    const { evidence, alh } = await honest();
    const forked = { ...evidence, check, expected: other, computed: alh };
    expect(verifyEvidence(forked)).toMatchObject({
      outcome: 'reproduced',
      refuted: { check, computed: alh },
    });
    expect(verifyEvidence({ ...forked, computed: 'cd'.repeat(32) })).toMatchObject({
      outcome: 'not-reproduced',
    });
    expect(verifyEvidence({ ...forked, expected: alh })).toMatchObject({
      outcome: 'not-reproduced',
      refuted: null,
    });
  });

  it('trust.fork: of the transaction that was asked for, too', async () => {
    const { evidence, alh } = await honest();
    const verdict = check(unpackJob(evidence.job));
    const { subject } = (verdict as { proven: { subject: { alh: Uint8Array } } }).proven;
    const computed = Buffer.from(subject.alh).toString('hex');
    expect(computed).not.toBe(alh);
    const forked = { ...evidence, check: 'trust.fork', expected: other, computed };
    expect(verifyEvidence(forked)).toMatchObject({ outcome: 'reproduced', refuted: { computed } });
    expect(verifyEvidence({ ...forked, expected: computed })).toMatchObject({ outcome: 'not-reproduced' });
  });

  it('trust.unproven-tx: there is no proof to run again, whether it holds by itself or was but shown', async () => {
    const { evidence } = await honest();
    const { context } = unpackJob(evidence.job);
    const shown = { kind: 'claim', key: new Uint8Array([1]), tx: 9n, shown: new Uint8Array(0) } as const;
    const claimed = packJob({ question: shown, context, answer: new Uint8Array(0) });
    for (const [check, job, outcome] of [
      ['trust.unproven-tx', evidence.job, 'no-answer'],
      ['trust.unproven-tx', claimed, 'no-answer'],
      ['claim.entry', claimed, 'no-answer'],
      ['claim.entry', evidence.job, 'not-reproduced'],
      ['claim.key', claimed, 'not-reproduced'],
    ] as const) {
      expect(verifyEvidence({ check, job })).toMatchObject({ outcome, job: { context } });
    }
  });

  it('trust.pinned: of the transaction that was asked for, not of the newest', async () => {
    const { evidence, alh } = await honest();
    const { job } = verifyEvidence(evidence) as { job: { question: object } };
    expect(job.question).toMatchObject({ kind: 'get' });
    expect(
      verifyEvidence({ ...evidence, check: 'trust.pinned', expected: other, computed: alh }),
    ).toMatchObject({
      outcome: 'not-reproduced',
      refuted: { check: 'trust.pinned' },
    });
  });
});
