// What an answer showed, in words for people who look at evidence: the server's word, read as far as it can be read.
import { ProofFailure } from '../proof/failure.js';
import type { Job } from './verifier.js';
import { readEntries, readShownEntry, readVerifiableEntry } from './wire/answers.js';
import type { Entry } from './wire/entries.js';
import { bytesWords } from './words.js';

/** Entries of an answer that are named. */
const MAX_ENTRIES = 3;
/** Of a page of a scan or a history. */
const MAX_READ = 10_000;

/**
 * The entries that a refused answer showed, a line each: key, value, transaction, and what the server said of them. Nothing of it is
 * proven. Empty where the answer is not about entries of keys, or cannot be read.
 *
 * @example
 * const verdict = verifyEvidence(evidence);
 * if ('job' in verdict) console.log(answerWords(verdict.job)); // → [ '"balance" = "1000000", of tx 3' ]
 */
export function answerWords({ question, answer }: Pick<Job, 'question' | 'answer'>): readonly string[] {
  try {
    const entries = entriesIn(question, answer);
    const words = entries.slice(0, MAX_ENTRIES).map(entryWords);
    const more = entries.length - words.length;
    return more > 0 ? [...words, `and ${more} more`] : words;
  } catch (error) {
    // That it cannot be read may be why it was refused.
    if (error instanceof ProofFailure) return [];
    throw error;
  }
}

function entriesIn(question: Job['question'], answer: Uint8Array): readonly Entry[] {
  switch (question.kind) {
    case 'get':
      return [readVerifiableEntry(answer).entry];
    case 'claim':
      return question.as === 'raw' ? [] : [readShownEntry(question.shown).entry];
    case 'claims':
      return readEntries(answer, MAX_READ, question.single === true).map(({ entry }) => entry);
    case 'scan':
    case 'history':
      return readEntries(answer, MAX_READ, false).map(({ entry }) => entry);
    default:
      return [];
  }
}

function entryWords({ tx, key, value, referencedBy, metadata, expired, revision }: Entry): string {
  const marks = [
    ...(metadata?.deleted === true ? ['a deletion'] : []),
    ...(metadata?.expiresAt === undefined ? [] : [`valid until ${timeWords(metadata.expiresAt)}`]),
    ...(expired ? ['said to have expired'] : []),
    ...(referencedBy ? [`through the reference ${bytesWords(referencedBy.key)}`] : []),
    ...(revision > 0n ? [`revision ${revision.toString()}`] : []),
  ];
  return `${bytesWords(key)} = ${bytesWords(value)}, of tx ${tx.toString()}${marks.map((mark) => `, ${mark}`).join('')}`;
}

/** Any 64-bit number may stand for a time. */
function timeWords(unixSeconds: bigint): string {
  const date = new Date(Number(unixSeconds) * 1000);
  return Number.isNaN(date.getTime()) ? `${unixSeconds.toString()} s` : date.toISOString();
}
