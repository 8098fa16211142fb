// Re-running the check that failed, offline, from what the audit log kept of it.
//
// Evidence holds the question, the root that was trusted, and the answer. Whoever has it can see for themselves that these
// bytes do not prove what they claim. That a server sent them in answer to that question is the word of whoever wrote the log,
// and can be made up of honest answers: with a byte changed, beside another question, under another root. A signature in the
// answer changes nothing of that. What binds a server is two valid signatures of its key over one transaction of one database,
// with different hashes: nobody else can make those.
import { ArgumentError, ImmuError } from '../errors.js';
import { toHex } from '../proof/bytes.js';
import { check } from './check.js';
import type { AnswerCheck, ReportedCheck } from './check-names.js';
import { assertJob } from './job.js';
import { kindOf } from './kinds.js';
import { knownBeside, shownOutsideIndex } from './known-beside.js';
import { unpackJob } from './pack/packet.js';
import { rootWithSignature, signedRoot, twoHashesIn } from './signed-roots.js';
import type { Signed, TwoHashes } from './signed-roots.js';
import type { Job, Proven, Question, Refuted, Root, Verdict } from './verifier.js';

/** What is re-run: the `evidence` of a row of the audit log. */
export interface FailedCheck {
  /** Name of the check that failed. */
  readonly check: string;
  /** Hex for digests, decimal for numbers. */
  readonly expected?: string;
  readonly computed?: string;
  /** The packed job: question, trusted root and raw answer. */
  readonly job: Uint8Array;
  /** Bytes that were not kept: of the answer, or of the whole job. */
  readonly omitted?: {
    readonly part: 'answer' | 'job';
    readonly reason: 'size' | 'budget';
    readonly sha256: Uint8Array;
    readonly length: number;
  };
}

/**
 * What came of it. `reproduced`: the same check fails today, with the same terms. `not-reproduced`: the answer holds
 * (`refuted` is null), or something else is wrong with it. `no-answer`: there is no answer to run a check on. Either a store
 * added it itself when it met a root that contradicts its log: the two rows of the log are what there is. Or the server
 * named a transaction and did not prove it: what it did show is in the question, or in an answer that holds by itself.
 * `not-kept`: the log did not keep the answer, for its size or for how much it had kept already; it has its SHA-256.
 * `unreadable`: these bytes are no job that this release knows.
 *
 * None of them says who made these bytes: see {@link signedContradiction}, and the log's hashes.
 */
export type EvidenceVerdict =
  | { readonly outcome: 'reproduced'; readonly refuted: Refuted; readonly job: Job }
  | { readonly outcome: 'not-reproduced'; readonly refuted: Refuted | null; readonly job: Job }
  | { readonly outcome: 'no-answer'; readonly reason: string; readonly job?: Job }
  | { readonly outcome: 'not-kept'; readonly reason: string; readonly job?: Job }
  | { readonly outcome: 'unreadable'; readonly reason: string };

/**
 * Checks that an answer could pass by itself and was refused all the same: it proves another hash for a transaction
 * than the history that was trusted. Which of its transactions that is.
 */
const CONTRADICTIONS: Readonly<Record<string, 'subject' | 'target' | 'head'>> = {
  'trust.fork': 'target',
  'trust.head': 'head',
  'state.alh': 'target',
  'trust.pinned': 'subject',
  'trust.given': 'subject',
} satisfies { readonly [Name in AnswerCheck | ReportedCheck]?: 'subject' | 'target' | 'head' };

/** What a store calls the contradiction that it meets in its own log (store/log/own-rows.ts). */
const WITHOUT_ANSWER: ReportedCheck = 'log.fork';

/**
 * Runs the check of a refused answer again, as it was run then: same question, same trusted root, same clock. Needs
 * neither the server nor the store.
 *
 * Where the answer holds by itself and contradicted what was proven before (`trust.fork`, `state.alh`) or what the caller
 * gave (`trust.pinned`, `trust.given`), it is reproduced that the answer proves the hash in `computed`; that `expected` was
 * trusted or given is the log's word. With `trust.head` the answer extends the root with the hash in `computed`.
 *
 * @throws ArgumentError when `evidence` is no evidence at all
 *
 * @example
 * for await (const { seq, evidence } of store.audit.roots({ outcome: 'failure' })) {
 *   if (evidence) console.log(seq, verifyEvidence(evidence).outcome);
 * }
 */
export function verifyEvidence(evidence: FailedCheck): EvidenceVerdict {
  assertEvidence(evidence);
  if (evidence.check === WITHOUT_ANSWER && evidence.job.length === 0) {
    return {
      outcome: 'no-answer',
      reason: 'two rows of the log have two hashes; no answer is kept with them',
    };
  }
  const reason = evidence.omitted && notKept(evidence.omitted);
  if (reason !== undefined && evidence.job.length === 0) return { outcome: 'not-kept', reason };
  const job = jobOf(evidence);
  if (typeof job === 'string') return { outcome: 'unreadable', reason: job };
  if (reason !== undefined) return { outcome: 'not-kept', reason, job };
  const verdict = check(job);
  const refuted =
    shownOutsideIndex(evidence, job) ??
    (verdict.ok ? refutedWithin(evidence, verdict.proven, job) : verdict.refuted);
  if (refuted && sameFailure(refuted, evidence)) return { outcome: 'reproduced', refuted, job };
  if (wasNotProven(evidence, job, verdict)) {
    return { outcome: 'no-answer', reason: 'the server named a transaction, and gave no proof of it', job };
  }
  return { outcome: 'not-reproduced', refuted, job };
}

/** What was asked, in words, for people who look at evidence. */
export function questionWords(question: Question): string {
  return kindOf(question).words(question);
}

/** The job, or why it is none. */
function jobOf(evidence: FailedCheck): Job | string {
  try {
    const job = unpackJob(evidence.job);
    assertJob(job);
    return job;
  } catch (error) {
    if (error instanceof ImmuError) return error.message;
    throw error;
  }
}

function notKept({ part, reason, sha256, length }: NonNullable<FailedCheck['omitted']>): string {
  const what = part === 'answer' ? 'the answer' : 'question and answer, packed as a job';
  const why = reason === 'size' ? 'too long' : 'much was kept already';
  return `not kept, ${why}: ${what} of ${length} bytes, SHA-256 ${toHex(sha256)}`;
}

/**
 * Whether pieces of evidence, and roots with their signatures from a log, show that one key signed two hashes for one
 * transaction of one database: only its holder can have done that. Undefined: they do not.
 *
 * `publicKey`: SPKI DER of the server's state key. That it is the server's is for the caller to know; without it the key that
 * evidence names is taken, which anyone can have made. A database that was made anew under its old name has other hashes too.
 *
 * @throws ArgumentError when one of them is neither evidence nor a signed root, or the key is none
 *
 * @example
 * const both = signedContradiction([first.evidence, second.evidence], publicKey);
 * if (both) console.log('tx', both.tx, 'was signed twice:', both.alhs);
 */
export function signedContradiction(
  shown: readonly (FailedCheck | Signed)[],
  publicKey?: Uint8Array,
): TwoHashes | undefined {
  const jobs: Job[] = [];
  const signed: Signed[] = [];
  for (const each of shown) {
    if ('signature' in each) {
      signed.push(each);
      continue;
    }
    assertEvidence(each);
    const job = jobOf(each);
    if (typeof job === 'string') continue;
    jobs.push(job);
    const root = rootWithSignature(job);
    if (root) signed.push(root);
  }
  const named = publicKey ? [publicKey] : jobs.flatMap(({ context }) => context.publicKey ?? []);
  return twoHashesIn(named.flatMap((key) => signed.flatMap((root) => signedRoot(root, key) ?? [])));
}

/** A proof was asked for and did not come: what the server said before that may hold by itself. */
function wasNotProven({ check: name }: FailedCheck, { answer }: Job, { ok }: Verdict): boolean {
  const isEmpty = answer.length === 0;
  if (name === 'trust.unproven-tx') return ok || isEmpty;
  if (name === 'get.reference-target') return ok;
  return (name === 'claim.entry' || name === 'get.stale') && isEmpty;
}

/** Of an answer to several questions a part may fail alone; of one that holds, what it says may contradict the history. */
function refutedWithin(evidence: FailedCheck, proven: Proven, job: Job): Refuted | null {
  const parts = kindOf(job.question).refusedParts?.(proven);
  if (!parts) return knownBeside(evidence, proven) ?? contradiction(evidence, proven, job);
  return parts.find((refuted) => sameFailure(refuted, evidence)) ?? null;
}

function contradiction({ check, expected, computed }: FailedCheck, proven: Proven, job: Job): Refuted | null {
  const part = Object.hasOwn(CONTRADICTIONS, check) ? CONTRADICTIONS[check] : undefined;
  const root = part && rootInQuestion(part, computed, proven, job);
  if (!root || expected === undefined) return null;
  const shown = toHex(root.alh);
  return shown === expected ? null : otherHash(root.tx, check, expected, shown);
}

/** The end of a proof that is in question: the newer one, unless it is the older whose hash it was. Of many: the one with the hash. */
function rootInQuestion(
  part: 'subject' | 'target' | 'head',
  computed: string | undefined,
  proven: Proven,
  { question, context: { head } }: Job,
): Root | undefined {
  const kind = kindOf(question);
  if (kind.rootWith) return computed === undefined ? undefined : kind.rootWith(proven, computed);
  if (!('subject' in proven)) return undefined;
  if (part === 'head' && head) return head;
  const { subject } = proven;
  return part === 'target' && 'target' in proven && toHex(subject.alh) !== computed ? proven.target : subject;
}

function otherHash(tx: bigint, check: string, expected: string, computed: string): Refuted {
  const detail = `the answer proves another hash for tx ${tx.toString()} than the trusted history has`;
  return { check, detail, expected, computed };
}

function sameFailure(refuted: Refuted, { check, expected, computed }: FailedCheck): boolean {
  return refuted.check === check && refuted.expected === expected && refuted.computed === computed;
}

function assertEvidence(evidence: FailedCheck): void {
  const given: unknown = evidence;
  if (typeof given !== 'object' || given === null) bad('evidence', 'must be an object');
  const { check, expected, computed, job } = evidence as { [K in keyof FailedCheck]?: unknown };
  if (typeof check !== 'string') bad('evidence.check', 'must be a string');
  for (const [name, term] of Object.entries({ expected, computed })) {
    if (term !== undefined && typeof term !== 'string') bad(`evidence.${name}`, 'must be a string');
  }
  if (!(job instanceof Uint8Array)) bad('evidence.job', 'must be a Uint8Array');
  if (evidence.omitted !== undefined) assertOmitted(evidence.omitted);
}

function assertOmitted(omitted: unknown): void {
  if (typeof omitted !== 'object' || omitted === null) bad('evidence.omitted', 'must be an object');
  const { sha256 } = omitted as { sha256?: unknown };
  if (!(sha256 instanceof Uint8Array)) bad('evidence.omitted.sha256', 'must be a Uint8Array');
}

function bad(argument: string, what: string): never {
  throw new ArgumentError(argument, `${argument} ${what}`);
}
