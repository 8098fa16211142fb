// What a report says of the log itself: whether it is what was logged, where it is not continuous, what it is about.
import { verifyKeptHeaders } from '../../audit.js';
import type { AuditGap, RootsFilter } from '../../index.js';
import { FAILURES } from '../../store/log/audit-query.js';
import { gapWords } from '../audit/gaps.js';
import { hex, isoTime } from '../format/row-columns.js';
import { headsOf } from '../page/heads.js';
import type { DatabaseHeads } from '../page/heads.js';
import { witnessedOf } from '../page/witnesses.js';
import { damageWords } from '../store-option.js';
import type { OpenLog } from '../store-option.js';
import { commandLine } from './report.js';
import type { ReportFinding, Section } from './report.js';
import { look, seen } from './look.js';

/** Findings of a section that are listed. */
export const MAX_LISTED = 200;
const MAX_GAPS = 1000;

export interface Looked {
  readonly log: OpenLog;
  /** The time that was asked for. */
  readonly filter: RootsFilter;
  /** `--store FILE` and the like, for commands that look again. */
  readonly where: readonly string[];
  readonly signal: AbortSignal;
}

export function logSection({ log, where, signal }: Looked): Promise<Section> {
  const named = {
    ...{ name: 'log', title: 'Is the log what was logged?' },
    commands: [commandLine(['audit', 'verify', ...where])],
  };
  return look(named, signal, async () => {
    const damage = ((await log.damage?.()) ?? []).map(damageWords);
    const verdict = await log.audit.verify();
    const kept = await verifyKeptHeaders(log);
    const findings: ReportFinding[] = damage.map((text) => ({ text }));
    if (!verdict.ok) findings.push({ text: verdict.finding, seq: verdict.seq.toString() });
    if (!kept.ok)
      findings.push({
        text: `kept headers tx ${kept.first.toString()} to ${kept.last.toString()} of ${kept.database}: ${kept.finding}`,
      });
    if (findings.length > 0) {
      const summary = verdict.ok
        ? 'the store is damaged'
        : `the chain is broken at row ${verdict.seq.toString()}`;
      return { ...seen('refuted', summary), ...listed(findings) };
    }
    if (!verdict.ok || !kept.ok) throw new Error('unreachable');
    return seen('holds', `${verdict.rows.toString()} rows follow from one another`, {
      rows: verdict.rows.toString(),
      lastHash: hex(verdict.lastHash),
      archivedRows: verdict.startsAfter.seq.toString(),
      keptCheckpoints: verdict.checkpoints,
      keptHeaderBlocks: kept.blocks,
    });
  });
}

export function gapsSection(
  { log, filter, where, signal }: Looked,
  silenceMinutes: number | undefined,
): Promise<Section> {
  const silence = silenceMinutes === undefined ? [] : ['--silence', String(silenceMinutes)];
  const named = {
    ...{ name: 'gaps', title: 'Is the log continuous?' },
    commands: [commandLine(['audit', 'gaps', ...silence, ...where])],
  };
  return look(named, signal, async () => {
    const all = await log.audit.gaps({
      limit: MAX_GAPS,
      ...(silenceMinutes !== undefined && { silenceMs: silenceMinutes * 60_000 }),
    });
    const gaps: AuditGap[] = [];
    for (const gap of all) if (await isWithin(log, gap.seq, filter)) gaps.push(gap);
    const kinds = ['forgotten', 'break', 'clock', 'silence'] as const;
    const counts = Object.fromEntries(
      kinds.map((kind) => [kind, gaps.filter((gap) => gap.kind === kind).length]),
    );
    const findings = gaps.map((gap) => ({
      text: `${gap.database}: ${gap.kind}: ${gapWords(gap)}`,
      seq: gap.seq.toString(),
    }));
    if (gaps.length > 0) return { ...seen('found', placesWords(gaps.length), counts), ...listed(findings) };
    if (all.length === MAX_GAPS)
      return seen('could-not-look', `could not look behind the first ${MAX_GAPS} places`, counts);
    return seen('holds', 'no place where it is not continuous', counts);
  });
}

/** Whether a row is of the time that was asked for. */
async function isWithin({ audit }: OpenLog, seq: bigint, { timeRange }: RootsFilter): Promise<boolean> {
  if (!timeRange) return true;
  const row = await audit.row(seq);
  // One that is not at hand cannot be told to be of another time.
  if (!row) return true;
  return row.verifiedAt >= (timeRange.from ?? -Infinity) && row.verifiedAt <= (timeRange.to ?? Infinity);
}

export function databasesSection({ log, filter, where, signal }: Looked): Promise<Section> {
  const named = {
    ...{ name: 'databases', title: 'What is the log about?' },
    commands: [
      commandLine(['audit', 'list', '--databases', ...where]),
      commandLine(['audit', 'stats', ...where]),
    ],
  };
  return look(named, signal, async () => {
    const { audit } = log;
    const [total] = await audit.stats({ ...filter, bucket: 'all' });
    const { heads, more } = await headsOf(audit, {}, await witnessedOf(audit, {}));
    const failures = FAILURES.reduce((sum, name) => sum + (total?.failures[name] ?? 0), 0);
    const counts = {
      ...{ databases: heads.length + more, rows: total?.rows ?? 0, verifiedCalls: total?.calls ?? 0 },
      ...{ roots: total?.roots ?? 0, failures },
    };
    const lines = heads.flatMap(headLines).map((text) => ({ text }));
    const summary = `${counts.databases} databases, ${counts.rows} rows, ${counts.verifiedCalls} verified calls`;
    return { ...seen('told', summary, counts), ...listed(lines), findingsTotal: lines.length + more };
  });
}

function headLines({ server, database, head, trusted, followed, shown, witnessed }: DatabaseHeads): string[] {
  const at = (row: { verifiedAt: number } | null) => (row ? `, ${isoTime(row.verifiedAt)}` : '');
  const lines = [
    head ? `trusted head tx ${head.tx.toString()} ${hex(head.alh)}${at(trusted)}` : 'nothing is trusted',
    followed
      ? `followed to tx ${followed.row.tx.toString()} from tx ${followed.from.toString()}${at(followed.row)}`
      : 'not followed',
    ...witnessed.map(
      ({ origin, size, row, witnesses }) =>
        `witnessed as ${origin}: ${size.toString()} transactions${at(row)}, by ${witnesses
          .filter((witness) => witness.size === size)
          .map(({ name }) => name)
          .join(', ')}`,
    ),
    ...shown.map(({ origin, quorum, witnesses, row }) => {
      const cosigned = witnesses.filter(({ status }) => status === 'cosigned').length;
      return `last shown to witnesses as ${origin}: ${cosigned} of ${witnesses.length} cosigned, quorum ${quorum}${cosigned < quorum ? ' NOT REACHED' : ''}${at(row)}`;
    }),
  ];
  return lines.map((line) => `${database} (server ${server}): ${line}`);
}

export function listed(findings: readonly ReportFinding[]): Pick<Section, 'findings' | 'findingsTotal'> {
  return { findings: findings.slice(0, MAX_LISTED), findingsTotal: findings.length };
}

function placesWords(count: number): string {
  return count === 1 ? 'one place is to be looked into' : `${count} places are to be looked into`;
}
