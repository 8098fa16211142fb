// An audit's report as text, for people. What a server, or who made the log, had a say in is made visible: it forges no line.
import { visible } from '../../visible.js';
import type { AuditFinding } from './findings.js';
import type { AuditReport, DatabaseReport, RootCounts, RootsReport } from './report.js';

/** The report as lines of text: what was looked at, what of it holds, what does not, and what could not be checked. */
export function reportText(report: AuditReport): string {
  const lines = report.kind === 'database' ? databaseLines(report) : rootsLines(report);
  return `${[...lines, ...findingLines(report)].join('\n')}\n`;
}

function databaseLines(report: DatabaseReport): string[] {
  const { checked, from, to, withValues, valuesRefused, txsWrong } = report;
  const kinds = [
    `${count(checked.keyValue)} key-value`,
    `${count(checked.sortedSet)} sorted set`,
    `${count(checked.sql)} SQL`,
    `${count(checked.document)} document`,
    ...(checked.otherKind > 0 ? [`${count(checked.otherKind)} other`] : []),
  ];
  return [
    `Audit of database ${visible(report.database)}: ${verdict(report)}`,
    ...headLines(report),
    `Transactions   ${from} to ${to}: ${count(checked.txs)} checked${txsWrong > 0 ? `, ${count(txsWrong)} in parts that do not hold` : ''}`,
    `Tree roots     ${count(checked.treeRoots)} recomputed${checked.treeRootsNotChecked > 0 ? `, ${count(checked.treeRootsNotChecked)} not checkable (tree lag)` : ''}`,
    `Entries        ${count(checked.entries)} hashed: ${kinds.join(', ')}; ${count(checked.deleted)} deletions, ${count(checked.expiring)} expiring`,
    withValues
      ? `Values         ${count(checked.values)} hashed (${count(checked.valueBytes)} bytes), ${count(checked.valuesNotShown)} not shown by the server${notShown(report)}`
      : 'Values         not asked for: covered by the hashes in their entries',
    ...valuesRefused.map(
      ({ tx, toTx, reason }) => `               refused for txs ${tx} to ${toTx}: ${visible(reason)}`,
    ),
    `Effort         ${count(report.bytes)} bytes, ${seconds(report.durationMs)}, ${count(report.txsPerSecond)} txs/s, ${count(report.entriesPerSecond)} entries/s`,
  ];
}

/** What they are, which is what makes them a matter of course or not. */
function notShown({ checked, valuesTruncated, valuesMissing }: DatabaseReport): string {
  const kinds = [
    [checked.valuesExpired, 'expired'],
    [checked.valuesOfDocuments, 'of documents'],
    [valuesTruncated, 'truncated'],
    [valuesMissing, 'MISSING'],
  ] as const;
  const told = kinds.filter(([n]) => n > 0).map(([n, what]) => `${count(n)} ${what}`);
  return told.length === 0 ? '' : `: ${told.join(', ')}`;
}

function rootsLines(report: RootsReport): string[] {
  const { rows, earlierRows, proofs } = report;
  return [
    `Audit of the logged roots of database ${visible(report.database)}: ${verdict(report)}`,
    ...headLines(report),
    ...askedLines(report),
    `Logged roots   ${rootCounts(rows)}`,
    ...(earlierRows.checked > 0
      ? [`Earlier trust  ${rootCounts(earlierRows)} (before trust was forgotten)`]
      : []),
    `Effort         ${count(report.bytes)} bytes, ${count(proofs.blocks)} blocks, ${count(proofs.singles)} single proofs, ${seconds(report.durationMs)}, ${count(report.rowsPerSecond)} rows/s`,
  ];
}

/** Not all of them were asked for. */
function askedLines({ asked: { after, tx, time } }: RootsReport): string[] {
  const range = (name: string, { from = '', to = '' }: { from?: string; to?: string }) =>
    `${name} ${from}..${to}`;
  const limits = [
    ...(after === '0' ? [] : [`behind row ${after}`]),
    ...(tx ? [range('txs', tx)] : []),
    ...(time ? [range('times', time)] : []),
  ];
  return limits.length > 0 ? [`Asked for      only rows ${limits.join(', ')}`] : [];
}

function headLines({ server, state, startedAt }: AuditReport): string[] {
  const word = state.trusted ? 'trusted, proven to extend what was trusted before' : "the server's word only";
  return [
    `Server         ${visible(server)}`,
    `State          tx ${state.tx} ${state.alh}`,
    `               ${word}; ${state.signed ? 'signed with the configured key' : 'no state key configured'}`,
    `Begun          ${startedAt}`,
  ];
}

function rootCounts({ checked, proven, otherHash, notThere, serverBehind, notProven }: RootCounts): string {
  const wrong = [
    [otherHash, 'with another hash'],
    [notThere, 'not there'],
    [serverBehind, "beyond the server's newest"],
    [notProven, 'not proven'],
  ] as const;
  const told = wrong.filter(([n]) => n > 0).map(([n, what]) => `, ${count(n)} ${what}`);
  return `${count(checked)} looked at, ${count(proven)} proven${told.join('')}`;
}

function verdict({ ok, complete, findingsTotal }: AuditReport): string {
  if (ok) return 'everything holds';
  if (findingsTotal === 0) return 'not complete';
  return `${count(findingsTotal)} finding${findingsTotal === 1 ? '' : 's'}${complete ? '' : ', not complete'}`;
}

function findingLines({ findings, findingsTotal }: AuditReport): string[] {
  const lines = findings.flatMap((finding, i) => oneFinding(finding, i + 1));
  const more = findingsTotal - findings.length;
  return more > 0 ? [...lines, `and ${count(more)} more`] : lines;
}

function oneFinding(finding: AuditFinding, number: number): string[] {
  const { check, detail, tx, toTx, expected, computed, recorded } = finding;
  const where = tx === undefined ? '' : toTx === undefined ? `tx ${tx}: ` : `txs ${tx} to ${toTx}: `;
  const seq = 'seq' in finding && typeof finding.seq === 'string' ? ` (row ${finding.seq} of the log)` : '';
  return [
    `${number}. ${where}${visible(detail)}${seq}`,
    `   check ${visible(check)}${recorded ? '' : ', not recorded in the log'}`,
    ...(expected === undefined ? [] : [`   expected ${visible(expected)}`]),
    ...(computed === undefined ? [] : [`   computed ${visible(computed)}`]),
  ];
}

function count(value: number): string {
  return value.toLocaleString('en').replaceAll(',', ' ');
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`;
}
