// Audits a range of transactions under a root, without what is before it: its report says what it begins and ends with, so that
// ranges can be joined.
import { ArgumentError } from '../../../errors.js';
import { toHex } from '../../../proof/bytes.js';
import { sha256 } from '../../../proof/hash.js';
import type { Root } from '../../../verify/verifier.js';
import { claimedState } from '../../calls/admin/server-info.js';
import { AuditAsker } from '../access.js';
import type { AuditAccess } from '../access.js';
import { DatabaseTally } from '../database-tally.js';
import { checkRangeOptions } from '../options.js';
import type { RangeAuditOptions } from '../options.js';
import { beginningAt } from '../resume-token.js';
import { StretchesAudit } from '../stretches-audit.js';
import { rangeReportBytes } from './range-report.js';
import type { RangeReport, SignedRangeReport } from './range-report.js';
import { reportSigner } from './report-key.js';

/** Name in the audit log. */
const OPERATION = 'audit.range';

/** @throws ArgumentError, VerificationError for the root, TransportError, StoreError; never for what a server says of its data */
export async function auditRange(
  access: AuditAccess,
  options: RangeAuditOptions,
): Promise<SignedRangeReport> {
  const { under, ...resolved } = checkRangeOptions(options);
  const signed = reportSigner(options.key);
  const { server, database, trust, trustLog } = access;
  const { first, last, values = false, onProgress } = options;
  const asker = new AuditAsker(access, OPERATION, resolved.call);
  const start = beginningAt({
    ...{ server, database, after: first - 1n, withValues: values },
    startedAt: Date.now(),
  });
  await assertUnder(access, asker, under);
  const head = trust.root;
  const state = { ...under, trusted: true, before: head, signed: access.signed };
  const tally = new DatabaseTally({ start, state, last, asker, maxFindings: resolved.maxFindings });
  const stretches = new StretchesAudit({
    ...{ access, asker, operation: OPERATION, state, head, resolved, tally, values },
    onStretch: () => {
      const { tx, lastTx, checked, findings, txsPerSecond } = tally.progress('');
      onProgress?.({ tx, lastTx, checked, findings, txsPerSecond });
      return Promise.resolve();
    },
  });
  await stretches.run();
  const report = reportOf(tally, { first, last, under, signed: state.signed }, resolved.maxFindings);
  const name = toHex(sha256(rangeReportBytes(report)));
  const done = `txs ${report.first} to ${report.to} under tx ${report.under.tx}, ${report.findingsTotal} findings`;
  await trustLog.note(head, OPERATION, `${done}; report SHA-256 ${name}`);
  return signed(report);
}

/** The root is on the trusted history, which is followed to it where it is newer than the head. */
async function assertUnder({ trust, rpc }: AuditAccess, asker: AuditAsker, under: Root): Promise<void> {
  const head = await trust.head(asker.call());
  if (under.tx > head.tx) {
    // A server that lags behind is no liar.
    const newest = await claimedState(rpc, asker.call().deadline.left);
    if (newest.tx < under.tx)
      throw new ArgumentError(
        'under',
        `under is beyond the server's newest transaction, ${String(newest.tx)}`,
      );
  }
  await trust.assertOnHistory(asker.call(), under);
}

interface Asked {
  readonly first: bigint;
  readonly last: bigint;
  readonly under: Root;
  readonly signed: boolean;
}

function reportOf(
  { point, before }: DatabaseTally,
  { first, last, under, signed }: Asked,
  maxFindings: number,
): RangeReport {
  const { server, database, withValues, counts, txsWrong, gone, tx, alh } = point;
  const { truncatedUpTo, valuesRefused, findings, findingsTotal, bytes, startedAt, durationMs } = point;
  return {
    ...{ kind: 'range', version: 1, server, database },
    under: { tx: under.tx.toString(), alh: toHex(under.alh) },
    signed,
    ...{ first: first.toString(), last: last.toString(), to: tx.toString() },
    ...{ begin: before && toHex(before), end: alh && toHex(alh) },
    ...{ withValues, maxFindings, checked: { ...counts }, txsWrong },
    valuesGone: { values: gone.values, upTo: gone.upTo.toString() },
    truncatedUpTo: truncatedUpTo.toString(),
    valuesRefused: [...valuesRefused],
    findings: [...findings],
    ...{ findingsTotal, bytes },
    ...{ startedAt: new Date(startedAt).toISOString(), durationMs: Math.round(durationMs) },
  };
}
