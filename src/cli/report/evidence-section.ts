// What a report says of what was refused: every check is run again, offline, from what the log kept.
import type { AuditRow } from '../../index.js';
import { findingsOf } from '../evidence/findings.js';
import type { Findings } from '../evidence/findings.js';
import { evidenceOf } from '../evidence/source.js';
import { hex, isoTime } from '../format/row-columns.js';
import { PROBLEMS } from '../query-options.js';
import { shortened } from '../../visible.js';
import { listed } from './log-sections.js';
import type { Looked } from './log-sections.js';
import { look, seen } from './look.js';
import { commandLine } from './report.js';
import type { ReportFinding, Section } from './report.js';

const MAX_TEXT = 1200;

export function evidenceSection({ log, filter, where, signal }: Looked, max: number): Promise<Section> {
  const named = {
    ...{ name: 'evidence', title: 'Was anything refused?' },
    commands: [
      commandLine(['audit', 'list', '--outcome', 'problems', ...where]),
      commandLine(['evidence', 'verify', 'SEQ', ...where]),
    ],
  };
  return look(named, signal, async () => {
    const counts = { rows: 0, reproduced: 0, changed: 0, notRunAgain: 0, withoutEvidence: 0 };
    const findings: ReportFinding[] = [];
    let more = false;
    for await (const row of log.audit.roots({
      ...{ ...filter, outcome: PROBLEMS },
      ...{ order: 'desc', limit: max + 1 },
    })) {
      signal.throwIfAborted();
      if (counts.rows === max) {
        more = true;
        break;
      }
      counts.rows += 1;
      const said = row.evidence
        ? findingsOf(await evidenceOf(log, row.seq), [{ kind: 'log', path: log.path }])
        : undefined;
      if (!said) counts.withoutEvidence += 1;
      else if (said.reproduced) counts.reproduced += 1;
      else if (said.refuted) counts.changed += 1;
      else counts.notRunAgain += 1;
      findings.push(findingOf(row, said));
    }
    if (counts.rows === 0) return seen('holds', 'the log has no refused answer', counts);
    const rest = more ? `; could not look behind the newest ${max} of them` : '';
    return { ...seen('refuted', `${rowsWords(counts.rows)}${rest}`, counts), ...listed(findings) };
  });
}

function findingOf(row: AuditRow, said: Findings | undefined): ReportFinding {
  const { seq, outcome, database, operation, verifiedAt, detail = '', evidence, hash } = row;
  const came = said ? said.summary : 'no evidence';
  const shown = said?.facts.filter(([name]) => name === 'asked' || name === 'returned') ?? [];
  const words = shown.map(([name, value]) => `${name} ${value}; `).join('');
  const text = `${isoTime(verifiedAt)} ${outcome} of ${database}, ${operation}: ${detail}; ${words}${came}; row hash ${hex(hash)}`;
  return {
    ...{ text: shortened(text, MAX_TEXT), seq: seq.toString() },
    ...(evidence && { check: evidence.check }),
  };
}

function rowsWords(rows: number): string {
  return rows === 1
    ? 'one row says that something was refused'
    : `${rows} rows say that something was refused`;
}
