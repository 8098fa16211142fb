// Reports of ranges as one report: pure, without a server. Nothing is left out between them, nothing counted twice, each begins
// with the hash that the one before ends with, and the last ends at the root.
import { ArgumentError, VerificationError } from '../../../errors.js';
import { toHex } from '../../../proof/bytes.js';
import { EMPTY_HASH } from '../../../proof/hash.js';
import type { SigningKey } from '../../../store/audit-log.js';
import { addCounts, noCounts } from '../../../verify/stretch-counts.js';
import type { Root } from '../../../verify/verifier.js';
import { knownNames, optionsObject, text } from '../../input/option-checks.js';
import { toRoot } from '../../input/root-input.js';
import { databaseReport } from '../database-report.js';
import { MAX_REFUSALS } from '../database-tally.js';
import type { DatabaseReport } from '../report.js';
import { isSignedReport, publicKeyOf } from './report-key.js';
import { readSignedReport } from './range-report.js';
import type { RangeReport, SignedRangeReport } from './range-report.js';

export interface JoinOptions {
  /** The trusted root that every range was audited under: the last one ends there. */
  readonly under: Root;
  /** Whose reports are believed: Ed25519 keys, as KeyObjects or PEM. */
  readonly keys: readonly SigningKey[];
  /** Where the first range begins. @default 1n */
  readonly first?: bigint;
  /** What was audited, where that is known. @default what the first report says, and then all of them */
  readonly server?: string;
  readonly database?: string;
}

const NAMES = ['under', 'keys', 'first', 'server', 'database'];
const MAX_REPORTS = 100_000;

/**
 * Joins signed reports of ranges to the report of one audit of them all: the same but for times, bytes, and where stretches were
 * cut (which counts tree roots under tree lag, and narrows findings beyond `maxFindings`). Needs no server.
 *
 * What the report says of `state.trusted` rests on the caller: `under` is a root that is trusted here.
 *
 * @param reports in any order
 * @throws VerificationError VERIFICATION_FAILED where a report is not signed by one of the keys, is about something else, where
 * ranges leave a hole, overlap, do not meet, or do not end at the root: `evidence.check` says which (`reports.…`)
 * @throws ArgumentError
 *
 * @example
 * const report = joinReports(reports, { under, keys: [publicKeyPem] });
 * console.log(reportText(report));
 */
export function joinReports(reports: readonly SignedRangeReport[], options: JoinOptions): DatabaseReport {
  const asked = checkedOptions(options);
  if (!Array.isArray(reports) || reports.length === 0)
    throw new ArgumentError('reports', 'reports must be an array of one or more');
  if (reports.length > MAX_REPORTS)
    throw new ArgumentError('reports', `reports has more than ${MAX_REPORTS}`, 'LIMIT_EXCEEDED');
  const ranges = reports.map((signed, i) => believed(signed, `reports[${i}]`, asked));
  ranges.sort((a, b) => (BigInt(a.first) < BigInt(b.first) ? -1 : 1));
  assertWhole(ranges, asked);
  return joined(ranges, asked);
}

interface Asked {
  readonly under: Root;
  readonly keys: ReadonlySet<string>;
  readonly first: bigint;
  readonly server: string | undefined;
  readonly database: string | undefined;
}

function checkedOptions(options: JoinOptions): Asked {
  optionsObject('options', options);
  knownNames('options', options, NAMES);
  const { keys, first = 1n, server, database } = options;
  const under = toRoot('under', options.under);
  if (!Array.isArray(keys)) throw new ArgumentError('keys', 'keys must be an array');
  if (keys.length > MAX_REPORTS) throw new ArgumentError('keys', `keys has more than ${MAX_REPORTS}`);
  for (const [name, value] of Object.entries({ server, database }))
    if (value !== undefined) text(name, value);
  if (typeof first !== 'bigint' || first < 1n || first > under.tx)
    throw new ArgumentError('first', "first must be a bigint from 1 to the root's transaction");
  const known = new Set(keys.map((key: SigningKey, i) => publicKeyOf(`keys[${i}]`, key)));
  return { under, keys: known, first, server, database };
}

/** The report itself, when it is signed by one who is believed. */
function believed(given: unknown, name: string, { keys }: Asked): RangeReport {
  const signed = readSignedReport(name, given);
  const { report, key } = signed;
  if (!keys.has(key)) refuse(report, 'key', `${name} is signed with a key that is not among the keys`);
  if (!isSignedReport(signed)) refuse(report, 'signature', `${name} is not what was signed`);
  return report;
}

function assertWhole(ranges: readonly RangeReport[], asked: Asked): void {
  const { under, first } = asked;
  const one = ranges[0] as RangeReport;
  const { server = one.server, database = one.database } = asked;
  let next = first;
  let before: RangeReport | undefined;
  for (const range of ranges) {
    const where = `txs ${range.first} to ${range.last}`;
    if (range.server !== server || range.database !== database)
      refuse(range, 'subject', `${where}: of another server or database`, server, range.server);
    if (range.under.tx !== under.tx.toString() || range.under.alh !== toHex(under.alh))
      refuse(range, 'root', `${where}: under another root`, toHex(under.alh), range.under.alh);
    if (range.withValues !== one.withValues || range.maxFindings !== one.maxFindings)
      refuse(range, 'terms', `${where}: asked for otherwise than the others`);
    const from = BigInt(range.first);
    if (from > next) refuse(range, 'hole', `nothing reports txs ${String(next)} to ${String(from - 1n)}`);
    if (from < next) refuse(range, 'overlap', `${where}: reported twice`);
    assertItself(range, where);
    assertMeets(range, before, from);
    before = range;
    next = BigInt(range.last) + 1n;
  }
  const last = before as RangeReport;
  if (next !== under.tx + 1n)
    refuse(
      last,
      next > under.tx ? 'root' : 'hole',
      `ranges end at tx ${last.last}, the root is tx ${String(under.tx)}`,
    );
  if (last.end !== null && last.end !== toHex(under.alh))
    refuse(last, 'alh', 'the last range does not end at the root', toHex(under.alh), last.end);
}

/** What it says fits together. */
function assertItself(range: RangeReport, where: string): void {
  const { first, last, to, checked, txsWrong, findings, findingsTotal, maxFindings, begin, end } = range;
  if (BigInt(first) < 1n || BigInt(last) < BigInt(first) || to !== last)
    refuse(range, 'hole', `${where}: looked at up to tx ${to} only`, last, to);
  const txs = BigInt(last) - BigInt(first) + 1n;
  const told = BigInt(checked.txs) + BigInt(txsWrong);
  if (told !== txs) refuse(range, 'count', `${where}: tells of another number`, String(txs), String(told));
  if (findings.length !== Math.min(findingsTotal, maxFindings))
    refuse(range, 'count', `${where}: lists another number of findings than it has`);
  if ((begin === null || end === null || txsWrong > 0) && findingsTotal === 0)
    refuse(
      range,
      'alh',
      `${where}: does not say what it begins and ends with, and has no finding in its place`,
    );
}

function assertMeets(range: RangeReport, before: RangeReport | undefined, from: bigint): void {
  const expected = before ? before.end : from === 1n ? toHex(EMPTY_HASH) : null;
  // Where one of them is a finding there is nothing to compare, for one audit of both neither.
  if (expected === null || range.begin === null || range.begin === expected) return;
  refuse(range, 'alh', `tx ${range.first} does not follow the one before it`, expected, range.begin);
}

function joined(ranges: readonly RangeReport[], { under, first }: Asked): DatabaseReport {
  const { server, database, withValues, maxFindings } = ranges[0] as RangeReport;
  const counts = noCounts();
  for (const { checked } of ranges) addCounts(counts, checked);
  const sum = (of: (range: RangeReport) => number) => ranges.reduce((all, range) => all + of(range), 0);
  const highest = (of: (range: RangeReport) => string) =>
    ranges.reduce((most, range) => (BigInt(of(range)) > most ? BigInt(of(range)) : most), 0n);
  const begun = ranges.map(({ startedAt }) => Date.parse(startedAt));
  const startedAt = begun.reduce((a, b) => Math.min(a, b));
  const ended = ranges.reduce(
    (most, { durationMs }, i) => Math.max(most, (begun[i] as number) + durationMs),
    0,
  );
  return databaseReport({
    ...{ server, database, withValues, counts, startedAt },
    state: {
      ...{ tx: under.tx.toString(), alh: toHex(under.alh), trusted: true },
      signed: ranges.every(({ signed }) => signed),
    },
    ...{ from: first, to: under.tx, last: under.tx },
    txsWrong: sum((range) => range.txsWrong),
    valuesRefused: ranges.flatMap((range) => range.valuesRefused).slice(0, MAX_REFUSALS),
    gone: {
      values: sum((range) => range.valuesGone.values),
      upTo: highest((range) => range.valuesGone.upTo),
    },
    truncatedUpTo: highest((range) => range.truncatedUpTo),
    findings: ranges.flatMap((range) => range.findings).slice(0, maxFindings),
    findingsTotal: sum((range) => range.findingsTotal),
    bytes: sum((range) => range.bytes),
    durationMs: ended - startedAt,
    resume: '',
  });
}

function refuse(
  { server, database, first }: RangeReport,
  what: string,
  detail: string,
  expected?: string,
  computed?: string,
): never {
  throw new VerificationError('VERIFICATION_FAILED', `reports of ranges: ${detail}`, {
    ...{ server, database, tx: BigInt(first), check: `reports.${what}` },
    ...(expected !== undefined && { expected }),
    ...(computed !== undefined && { computed }),
  });
}
