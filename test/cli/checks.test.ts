// Every check in plain words: none is missing, none says nothing, and the page in docs/ is made of them.
import { expect, test } from 'vitest';
import { ANSWER_CHECKS, REPORTED_CHECKS } from '#dist/verify/check-names.js';
import { PROOF_CHECKS } from '#dist/proof/check-names.js';
import { CHECK_NAMES, checkAnchor, checkText, checkWords } from '#dist/cli/checks/words.js';
import { answerWords, verifyEvidence } from '#dist/audit.js';
import { auditedStore, rowsIn } from './audited.js';
import { call } from './call.js';
import { checksPage, writtenPage } from './checks-page.js';

const NAMES = [...new Set([...ANSWER_CHECKS, ...REPORTED_CHECKS, ...PROOF_CHECKS])].sort();

test('every check that there is has its words, and no other', () => {
  expect(CHECK_NAMES).toEqual(NAMES);
  for (const name of NAMES) {
    const [compared = '', failure = ''] = checkWords(name) ?? [];
    expect([name, compared.length > 10, failure.length > 10]).toEqual([name, true, true]);
    expect(checkText(name)).not.toMatch(/\.\.$|undefined/);
  }
  for (const none of ['', 'get', 'toString', '__proto__']) expect(checkText(none)).toBeUndefined();
});

test('docs/checks.md is made of them (npm run checks), with an anchor for each', async () => {
  const page = writtenPage();
  expect(page).toBe(await checksPage());
  for (const name of NAMES) expect(page.split(`<a id="${name}"></a>`)).toHaveLength(2);
  expect(checkAnchor('get.key')).toBe('docs/checks.md#get.key');
});

test('evidence says in words what was compared, where more is said of it, and what the server returned', async () => {
  const { path } = await auditedStore();
  const { seq, evidence } = (await rowsIn(path)).find(({ outcome }) => outcome === 'failure')!;
  const { stdout } = await call(['evidence', 'show', seq.toString(), '--store', path]);
  expect(stdout).toContain(`in words     ${checkText(evidence!.check)}`);
  expect(stdout).toContain(`see          docs/checks.md#${evidence!.check}`);
  const verdict = verifyEvidence(evidence!);
  if (!('job' in verdict)) throw new Error('no job');
  const [returned] = answerWords(verdict.job);
  expect(returned).toMatch(/^"k3" = "[^"]*", of tx 3/);
  // What was returned is not what was written.
  expect(returned).not.toContain('"v3"');
  expect(stdout).toContain(`returned     ${returned}`);
  // An answer that cannot be read shows nothing, and fails nothing.
  expect(answerWords({ ...verdict.job, answer: Uint8Array.of(255, 255) })).toEqual([]);
});
