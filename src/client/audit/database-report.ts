// What an audit of a database has come to, as its report: by one audit, or by several that are joined.
import type { StretchCounts } from '../../verify/verifier.js';
import type { AuditedState, DatabaseReport } from './report.js';
import type { ResumePoint } from './resume-token.js';

export interface DatabaseTerms extends Omit<ResumePoint, 'tx' | 'alh'> {
  readonly state: AuditedState;
  /** Where it was to end, and where it did. */
  readonly last: bigint;
  readonly to: bigint;
  readonly resume: string;
}

export function databaseReport(terms: DatabaseTerms): DatabaseReport {
  const { server, database, state, last, from, to, counts, gone, findingsTotal, startedAt } = terms;
  const { findings, txsWrong, withValues, valuesRefused, bytes, durationMs, resume } = terms;
  // A truncation takes all that is before it, so what is gone behind it was taken by somebody else.
  const valuesTruncated = gone.upTo <= terms.truncatedUpTo ? gone.values : 0;
  const valuesMissing = plainNotShown(counts) - valuesTruncated;
  const complete = to >= last && state.trusted && valuesMissing === 0;
  return {
    kind: 'database',
    ...{ server, database, state },
    ok: complete && findingsTotal === 0,
    complete,
    startedAt: new Date(startedAt).toISOString(),
    durationMs: Math.round(durationMs),
    ...{ bytes, findings, findingsTotal },
    from: from.toString(),
    to: to.toString(),
    txsWrong,
    checked: { ...counts },
    ...{ withValues, valuesTruncated, valuesMissing, valuesRefused },
    txsPerSecond: Math.round(perSecond(counts.txs, durationMs)),
    entriesPerSecond: Math.round(perSecond(counts.entries, durationMs)),
    resume,
  };
}

/** Values that were asked for, and that a server shows unless there was a truncation. */
export function plainNotShown({ valuesNotShown, valuesExpired, valuesOfDocuments }: StretchCounts): number {
  return valuesNotShown - valuesExpired - valuesOfDocuments;
}

export function perSecond(count: number, durationMs: number): number {
  return durationMs > 0 ? (count * 1000) / durationMs : 0;
}
