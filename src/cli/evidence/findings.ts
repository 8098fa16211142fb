// What evidence says and what came of running its check again, line by line: for the terminal and for the page.
import { createHash } from 'node:crypto';
import { answerWords, questionWords, verifyEvidence } from '../../audit.js';
import type { EvidenceVerdict, Job } from '../../audit.js';
import type { AuditRow, OmittedBytes } from '../../index.js';
import { checkAnchor, checkText } from '../checks/words.js';
import { hex, isoTime } from '../format/row-columns.js';
import { attributionWords, logAttribution, serverAttribution } from './attribution.js';
import type { Attribution, Tie } from './attribution.js';
import { rowIntegrity } from './evidence-file.js';
import type { EvidenceFile, Integrity } from './evidence-file.js';

export interface Findings {
  /** Everything that can be checked holds together, and the check fails today as it did then. Says nothing of who made it. */
  readonly reproduced: boolean;
  /** Something in it is not what was logged, or the check does not fail as it says; false too where that cannot be told. */
  readonly refuted: boolean;
  readonly attribution: Attribution;
  readonly summary: string;
  /** Facts in order, by name. */
  readonly facts: readonly (readonly [name: string, text: string])[];
}

/** @param ties what is known of the row from elsewhere; @param publicKey SPKI DER of the server's state key */
export function findingsOf(file: EvidenceFile, ties: readonly Tie[], publicKey?: Uint8Array): Findings {
  const verdict = verifyEvidence(file.row.evidence);
  const integrity = rowIntegrity(file);
  const job = 'job' in verdict ? verdict.job : undefined;
  const foreign = job !== undefined && job.context.database !== file.row.database;
  const { check } = file.row.evidence;
  const inWords = checkText(check);
  const facts: [string, string][] = [
    ['check', check],
    ...(inWords === undefined
      ? []
      : ([
          ['in words', inWords],
          ['see', checkAnchor(check)],
        ] as [string, string][])),
    ['expected', file.row.evidence.expected ?? '-'],
    ['computed', file.row.evidence.computed ?? '-'],
  ];
  for (const fact of job ? jobFacts(job) : []) facts.push(fact);
  const { omitted } = file.row.evidence;
  if (omitted) facts.push(['kept', omittedWords(omitted)]);
  const isOfRows = verdict.outcome === 'no-answer' && file.row.evidence.job.length === 0;
  for (const fact of isOfRows ? rowFacts(file) : []) facts.push(fact);
  facts.push(['row hash', INTEGRITY_WORDS[integrity]], ['re-run', verdictWords(verdict)]);
  if (foreign) facts.push(['database', 'the question was put to another database than the row names']);
  const wrong = disbelief(integrity, foreign);
  const isShown = isOfRows ? twoHashes(file) : verdict.outcome === 'reproduced';
  const outcome = isOfRows ? (isShown ? 'two-hashes' : 'no-row') : verdict.outcome;
  const attribution = serverAttribution([file], publicKey) ?? logAttribution(file, integrity, ties);
  facts.push(['against', attributionWords(attribution)]);
  const isOther = isOfRows
    ? file.contradicted !== undefined && rowIntegrity(file.contradicted) !== 'unknown' && !isShown
    : verdict.outcome === 'not-reproduced';
  const refuted = integrity === 'changed' || foreign || isOther;
  return {
    reproduced: isShown && wrong === null,
    refuted,
    summary: wrong ?? SUMMARIES[outcome],
    attribution,
    facts,
  };
}

/** Two rows of one log, both intact, say that a transaction has two hashes. */
function twoHashes({ row, contradicted }: EvidenceFile): boolean {
  if (!contradicted || rowIntegrity(contradicted) !== 'intact') return false;
  const { row: other } = contradicted;
  const { expected, computed } = row.evidence;
  return (
    other.server === row.server &&
    other.database === row.database &&
    other.tx === row.tx &&
    hex(other.alh) === expected &&
    hex(row.alh) === computed &&
    expected !== computed
  );
}

/** Who saw which hash. */
function rowFacts({ row, contradicted }: EvidenceFile): [string, string][] {
  const words = ({ seq, tx, alh, operation, clientId, verifiedAt }: AuditRow) =>
    `tx ${tx.toString()}, alh ${hex(alh)}: ${operation} of client ${clientId}, ${isoTime(verifiedAt)}, row ${seq.toString()}`;
  return [
    ['here', words(row)],
    ['there', contradicted ? words(contradicted.row) : 'the row is not at hand: it has been archived'],
    ['other row', contradicted ? INTEGRITY_WORDS[rowIntegrity(contradicted)] : '-'],
  ];
}

/** Why the file cannot be taken for what was logged; null = it can. */
function disbelief(integrity: Integrity, foreign: boolean): string | null {
  if (integrity === 'changed') return 'not what was logged: something was changed since';
  if (integrity === 'unknown') return 'not verified: whether it is what was logged cannot be told';
  return foreign ? 'not what was logged: the evidence is from another database' : null;
}

const SUMMARIES = {
  'two-hashes': 'confirmed: two rows of the log have two hashes for one transaction',
  'no-row': 'not confirmed: the row with the other hash is not at hand, or not what was logged',
  'no-answer': 'cannot be run again: the server did not answer with the proof that it was asked for',
  reproduced: 'reproduced: these bytes fail this check today as they did then',
  'not-reproduced': 'not reproduced: the answer does not fail this check in this way',
  'not-kept': 'cannot be run again: the log has the SHA-256 of the answer, and did not keep the answer',
  unreadable: 'unreadable: the check cannot be run again',
} as const;

const INTEGRITY_WORDS = {
  intact: 'intact: it covers all that is here',
  changed: 'CHANGED: the row or its evidence is not what was logged',
  unknown: 'cannot be computed: the hash that it follows is not at hand',
} as const;

function omittedWords({ part, reason, sha256: hash, length }: OmittedBytes): string {
  const why = reason === 'size' ? 'too long to be kept' : 'much had been kept already';
  return `not the ${part === 'answer' ? 'answer' : 'job'}, ${why}: ${length} bytes, SHA-256 ${hex(hash)}`;
}

function jobFacts(job: Job): [string, string][] {
  const { question, context, answer } = job;
  const { head, publicKey, now } = context;
  return [
    ['asked', questionWords(question)],
    ['of database', context.database],
    ['trusted root', head ? `tx ${head.tx.toString()}, alh ${hex(head.alh)}` : 'none: first contact'],
    ['state key', publicKey ? `required, SHA-256 ${sha256(publicKey)}` : 'none configured'],
    ['clock', isoTime(Number(now) * 1000)],
    ['answer', `${answer.length} bytes, SHA-256 ${sha256(answer)}`],
    ...answerWords(job).map((words): [string, string] => ['returned', words]),
  ];
}

function verdictWords(verdict: EvidenceVerdict): string {
  switch (verdict.outcome) {
    case 'reproduced':
      return `fails in the same way: ${verdict.refuted.detail}`;
    case 'not-reproduced':
      return verdict.refuted
        ? `fails in another way: ${verdict.refuted.check}: ${verdict.refuted.detail}`
        : 'holds: the answer proves what it claims';
    case 'no-answer':
    case 'not-kept':
    case 'unreadable':
      return verdict.reason;
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
