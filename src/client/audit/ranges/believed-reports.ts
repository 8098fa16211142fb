// What whoever began an audit takes from its queue: reports of workers it accepts, about what was to be looked at, and no others.
import { ArgumentError } from '../../../errors.js';
import { toHex } from '../../../proof/bytes.js';
import type { SigningKey } from '../../../store/audit-log.js';
import type { AuditQueue, AuditTask, HandedIn, TxRange } from './queue.js';
import { readSignedReport } from './range-report.js';
import type { SignedRangeReport } from './range-report.js';
import { isSignedReport, publicKeyOf } from './report-key.js';

export interface BelievedReports {
  /** Lowest first. */
  readonly reports: readonly SignedRangeReport[];
  /** What was put back into the queue, and why. */
  readonly refused: readonly string[];
  /** Ranges of which there is no report. */
  readonly missing: number;
}

/** Of what was refused, so much is told. */
const MAX_REFUSED = 1000;

/**
 * Reports in a queue that are signed with one of `keys`, each about its own range, under the root and as it was asked for. Others are
 * refused: their ranges are to be done again. What they say together is for `joinReports`.
 *
 * @param task what was put into the queue; what stands there now is not asked
 * @throws ArgumentError; StoreError when the queue cannot be used
 * @returns undefined when the queue has other ranges than it was made with: it was changed
 *
 * @example
 * const { reports, missing } = (await believedReports(queue, ranges, task, [publicKeyPem])) ?? { missing: 1 };
 * if (missing === 0) console.log(reportText(joinReports(reports, { under, keys: [publicKeyPem] })));
 */
export async function believedReports(
  queue: AuditQueue,
  ranges: readonly TxRange[],
  task: AuditTask,
  keys: readonly SigningKey[],
): Promise<BelievedReports | undefined> {
  const accepted = new Set(keys.map((key, i) => publicKeyOf(`keys[${i}]`, key)));
  const reports: SignedRangeReport[] = [];
  const refused: string[] = [];
  let seen = 0;
  let missing = 0;
  for (let after = 0n; ;) {
    const page = await queue.handedIn(after);
    for (const each of page) {
      const range = ranges[seen++];
      if (range?.first !== each.first || range.last !== each.last) return undefined;
      if (each.report === undefined) {
        missing++;
        continue;
      }
      const found = believed(each, task, accepted);
      if (typeof found !== 'string') {
        reports.push(found);
        continue;
      }
      missing++;
      await queue.refuse(each, `its report was refused: ${found}`);
      const where = `txs ${String(each.first)} to ${String(each.last)}`;
      if (refused.length < MAX_REFUSED) refused.push(`${where}: ${found}`);
    }
    const last = page.at(-1);
    if (!last) return seen === ranges.length ? { reports, refused, missing } : undefined;
    after = last.first;
  }
}

/** The report, or why it is not believed. */
function believed(
  { first, last, report: handed }: HandedIn,
  { database, under, values, maxFindings }: AuditTask,
  accepted: ReadonlySet<string>,
): SignedRangeReport | string {
  const signed = read(handed);
  if (typeof signed === 'string') return signed;
  const { report, key } = signed;
  if (!accepted.has(key)) return `it is signed with a key that is not accepted, ${key}`;
  if (!isSignedReport(signed)) return 'it is not what was signed';
  const isOfRange = report.first === String(first) && report.last === String(last);
  if (!isOfRange || report.to !== report.last) return 'it is about other transactions';
  if (report.database !== database) return 'it is about another database';
  if (report.under.tx !== String(under.tx) || report.under.alh !== toHex(under.alh))
    return 'it is under another root';
  if (report.withValues !== values || report.maxFindings !== maxFindings)
    return 'it looked at something else than was asked for';
  return signed;
}

function read(handed: string | null | undefined): SignedRangeReport | string {
  if (typeof handed !== 'string') return 'it is too long';
  let value: unknown;
  try {
    value = JSON.parse(handed);
  } catch {
    return 'it is no JSON';
  }
  try {
    return readSignedReport('report', value);
  } catch (error) {
    if (error instanceof ArgumentError) return error.message;
    throw error;
  }
}
