// The two implementations that one suite runs over, and what verdicts are compared by.
import { InlineVerifier } from '#dist/worker/inline-verifier.js';
import { PooledVerifier } from '#dist/worker/pooled-verifier.js';
import type { ClaimOutcome, Job, Proven, Question, Verdict, Verifier } from '#dist/verify/verifier.js';
import { DATABASE } from './test-chain.js';
import type { Context, Root } from '#dist/verify/verifier.js';

export const implementations: readonly (readonly [name: string, make: () => Verifier])[] = [
  ['inline', () => new InlineVerifier()],
  // Nothing inline: every job takes the way over a thread.
  ['pooled', () => new PooledVerifier({ threads: 2, inlineBelowJobs: 0 })],
];

export const NOW = 1_800_000_000n;

export function contextAt(head: Root | null, more: Partial<Context> = {}): Context {
  return { head, database: DATABASE, now: NOW, ...more };
}

export function jobOf(
  question: Question,
  head: Root | null,
  answer: Uint8Array,
  more: Partial<Context> = {},
): Job {
  return { question, context: contextAt(head, more), answer };
}

/** Name of the failed check; throws when the verdict is a yes. */
export function failedCheck(verdict: Verdict): string {
  if (verdict.ok) throw new Error('accepted');
  return verdict.refuted.check;
}

export function provenBy<Kind extends Proven['kind']>(
  verdict: Verdict,
  kind: Kind,
): Extract<Proven, { kind: Kind }> {
  if (!verdict.ok) throw new Error(`refuted: ${verdict.refuted.check}: ${verdict.refuted.detail}`);
  if (verdict.proven.kind !== kind) throw new Error(`proved a ${verdict.proven.kind}`);
  return verdict.proven as Extract<Proven, { kind: Kind }>;
}

/**
 * What a verdict promises: without the fields that are documented as the server's word (the revision, the value
 * behind a reference) and, where no key is configured, the signature.
 */
export function promised(proven: Proven): unknown {
  if (proven.kind === 'claims') return proven.outcomes.map(promisedOf);
  if (!('target' in proven)) return proven;
  const target = without(proven.target, 'signature');
  if (proven.kind !== 'get') return { ...proven, target };
  const { found } = proven;
  const kept =
    found.kind === 'reference'
      ? without(found, 'claimed')
      : { kind: found.kind, entry: without(found.entry, 'unprovenRevision') };
  return { ...proven, target, found: kept };
}

/** Of a claim: what its leaf says. */
function promisedOf(outcome: ClaimOutcome): unknown {
  if (outcome.kind === 'missing' || outcome.kind === 'refuted') return outcome.kind;
  const claim = without(outcome.claim, 'unprovenRevision');
  if (outcome.kind === 'value') return claim;
  return { claim, atTx: outcome.atTx, target: without(outcome.target, 'unprovenRevision') };
}

function without<T extends object>(value: T, field: keyof T & string): object {
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== field));
}
