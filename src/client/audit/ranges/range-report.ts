// What an audit of a range of transactions reports: plain JSON, the same bytes whoever writes it, so that it can be signed.
import { ArgumentError } from '../../../errors.js';
import { COUNT_NAMES, noCounts } from '../../../verify/stretch-counts.js';
import type { StretchCounts } from '../../../verify/verifier.js';
import type { AuditFinding } from '../findings.js';
import type { DatabaseReport } from '../report.js';
import { Fields, listOf } from './fields.js';

/** Ids are decimal text, hashes hex. */
export interface RangeReport {
  readonly kind: 'range';
  readonly version: 1;
  readonly server: string;
  readonly database: string;
  /** The root that everything was proven under. */
  readonly under: { readonly tx: string; readonly alh: string };
  /** A state key was configured, and that root, or one proven to extend it, was signed with it. */
  readonly signed: boolean;
  /** What was asked for, and up to where it was looked at. */
  readonly first: string;
  readonly last: string;
  readonly to: string;
  /** Alh of the transaction before `first`, as `first` names it, and of `to`. Null where a finding stands in its place. */
  readonly begin: string | null;
  readonly end: string | null;
  readonly withValues: boolean;
  /** As many findings are listed at most. */
  readonly maxFindings: number;
  /** What was found, and how much of it was checked; what was not is counted too. */
  readonly checked: StretchCounts;
  readonly txsWrong: number;
  /** Values that are gone, if a truncation up to `upTo` is proven in any of the ranges. */
  readonly valuesGone: { readonly values: number; readonly upTo: string };
  /** Values up to this transaction were given up: a header in the range says so. '0': none does. */
  readonly truncatedUpTo: string;
  readonly valuesRefused: DatabaseReport['valuesRefused'];
  readonly findings: readonly AuditFinding[];
  readonly findingsTotal: number;
  readonly bytes: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly durationMs: number;
}

/** A report with its signature: JSON-able. */
export interface SignedRangeReport {
  readonly report: RangeReport;
  /** The Ed25519 public key that it was signed with, 32 bytes in hex. */
  readonly key: string;
  /** In hex, over the {@link rangeReportBytes}. */
  readonly signature: string;
}

const LABEL = 'immu-ts audit range 1\n';

/** What is signed: a label, and the report as JSON with its names in order and no space. */
export function rangeReportBytes(report: RangeReport): Uint8Array {
  return new TextEncoder().encode(LABEL + canonicalJson(report));
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const names = Object.keys(value).sort();
    const fields = names.map(
      (name) => `${JSON.stringify(name)}:${canonicalJson((value as Record<string, unknown>)[name])}`,
    );
    return `{${fields.join(',')}}`;
  }
  if (typeof value === 'number' && !Number.isSafeInteger(value))
    throw new ArgumentError('report', 'report holds a number that is not whole');
  return JSON.stringify(value);
}

const MAX_FINDINGS = 100_000;
const MAX_REFUSALS = 100;

/** A copy with the fields we know, all of them there, and no other. @throws ArgumentError naming what no report has */
export function readSignedReport(name: string, value: unknown): SignedRangeReport {
  const fields = new Fields(name, value);
  const signed = {
    report: readReport(`${name}.report`, fields.at('report')),
    key: fields.hex('key', 32),
    signature: fields.hex('signature', 64),
  };
  fields.end();
  return signed;
}

function readReport(name: string, value: unknown): RangeReport {
  const fields = new Fields(name, value);
  if (fields.at('kind') !== 'range' || fields.at('version') !== 1)
    throw new ArgumentError(name, `${name} is no report of a range that this release reads`);
  const under = new Fields(`${name}.under`, fields.at('under'));
  const gone = new Fields(`${name}.valuesGone`, fields.at('valuesGone'));
  const report: RangeReport = {
    ...{ kind: 'range', version: 1 },
    ...{ server: fields.text('server'), database: fields.text('database') },
    under: { tx: under.id('tx'), alh: under.hex('alh', 32) },
    signed: fields.flag('signed'),
    ...{ first: fields.id('first'), last: fields.id('last'), to: fields.id('to') },
    ...{ begin: fields.hexOrNull('begin', 32), end: fields.hexOrNull('end', 32) },
    ...{ withValues: fields.flag('withValues'), maxFindings: fields.count('maxFindings') },
    checked: readCounts(`${name}.checked`, fields.at('checked')),
    txsWrong: fields.count('txsWrong'),
    valuesGone: { values: gone.count('values'), upTo: gone.id('upTo') },
    truncatedUpTo: fields.id('truncatedUpTo'),
    valuesRefused: listOf(`${name}.valuesRefused`, fields.at('valuesRefused'), MAX_REFUSALS, readRefusal),
    findings: listOf(`${name}.findings`, fields.at('findings'), MAX_FINDINGS, readFinding),
    ...{ findingsTotal: fields.count('findingsTotal'), bytes: fields.count('bytes') },
    ...{ startedAt: fields.time('startedAt'), durationMs: fields.count('durationMs') },
  };
  for (const each of [fields, under, gone]) each.end();
  return report;
}

function readCounts(name: string, value: unknown): StretchCounts {
  const fields = new Fields(name, value);
  const counts = noCounts();
  for (const each of COUNT_NAMES) counts[each] = fields.count(each);
  fields.end();
  return counts;
}

function readRefusal(fields: Fields): RangeReport['valuesRefused'][number] {
  return { tx: fields.id('tx'), toTx: fields.id('toTx'), reason: fields.text('reason') };
}

function readFinding(fields: Fields): AuditFinding {
  const tx = fields.has('tx') && { tx: fields.id('tx') };
  const toTx = fields.has('toTx') && { toTx: fields.id('toTx') };
  const expected = fields.has('expected') && { expected: fields.text('expected') };
  const computed = fields.has('computed') && { computed: fields.text('computed') };
  return {
    ...{ check: fields.text('check'), detail: fields.text('detail') },
    ...{ ...tx, ...toTx, ...expected, ...computed },
    recorded: fields.flag('recorded'),
  };
}
