// Every check in plain words: what is compared, and what a failure means. docs/checks.md is made of these.
import type { AnswerCheck, ProofCheck, ReportedCheck } from '../../audit.js';
import { READS } from './answers.js';
import type { CheckWords } from './check-words.js';
import { PROOFS } from './proofs.js';
import { REPORTED } from './reported.js';
import { STORED } from './stored.js';
import { TRANSACTIONS } from './transactions.js';

type Check = AnswerCheck | ReportedCheck | ProofCheck;

const WORDS: Readonly<Record<Check, CheckWords>> = {
  ...PROOFS,
  ...STORED,
  ...READS,
  ...TRANSACTIONS,
  ...REPORTED,
};

/** Where they are written down. */
export const CHECKS_DOCUMENT = 'docs/checks.md';

/** In order of their names. */
export const CHECK_NAMES: readonly string[] = Object.keys(WORDS).sort();

/** Undefined for a name that this release does not know. */
export function checkWords(check: string): CheckWords | undefined {
  return Object.hasOwn(WORDS, check) ? WORDS[check as Check] : undefined;
}

/** As one paragraph. */
export function checkText(check: string): string | undefined {
  const words = checkWords(check);
  return words && `Compares ${words[0]}. When it fails: ${words[1]}.`;
}

/** Where that is: each check has an anchor of its name. */
export function checkAnchor(check: string): string {
  return `${CHECKS_DOCUMENT}#${check}`;
}
