// Rows of the log as a table; the live tail sends its rows in the same form.
import type { AuditOutcome, AuditRow } from '../../../index.js';
import { hex, isoTime } from '../../format/row-columns.js';
import { shortened } from '../../../visible.js';
import { detailWords } from '../../format/witnessed.js';
import { html } from '../html.js';
import type { Html } from '../html.js';

/** Colour of an outcome; the word itself is always there too. */
export const TONES: Readonly<Record<AuditOutcome, 'good' | 'plain' | 'note' | 'bad'>> = {
  root: 'good',
  'first-use': 'note',
  pinned: 'good',
  calls: 'plain',
  failure: 'bad',
  fork: 'bad',
  rollback: 'bad',
  'identity-change': 'bad',
  forget: 'note',
  identity: 'plain',
  archive: 'plain',
};

export function badge(outcome: AuditOutcome): Html {
  return html`<span class="badge ${TONES[outcome]}">${outcome}</span>`;
}

export function time(unixMs: number): Html {
  const iso = isoTime(unixMs);
  return html`<time datetime="${iso}">${iso.replace('T', ' ').replace('Z', '')}</time>`;
}

export function rowsTable(rows: readonly AuditRow[]): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Rows of the audit log">
    <table id="rows" class="cards" role="table">
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col" class="number">Row</th>
          <th role="columnheader" scope="col">Verified at (UTC)</th>
          <th role="columnheader" scope="col">Outcome</th>
          <th role="columnheader" scope="col">Database</th>
          <th role="columnheader" scope="col" class="number">Tx</th>
          <th role="columnheader" scope="col">Root (alh)</th>
          <th role="columnheader" scope="col">Operation</th>
          <th role="columnheader" scope="col" class="number">Calls</th>
          <th role="columnheader" scope="col">What happened</th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${rows.map(rowLine)}
      </tbody>
    </table>
  </div>`;
}

export function rowLine(row: AuditRow): Html {
  const { seq, verifiedAt, outcome, database, tx, alh, operation, calls, evidence } = row;
  return html`<tr class="${TONES[outcome]}" role="row">
    <td role="cell" data-label="Row" class="number"><a href="/row/${seq}">${seq}</a></td>
    <td role="cell" data-label="Verified" class="nowrap">${time(verifiedAt)}</td>
    <td role="cell" data-label="Outcome">${badge(outcome)}</td>
    <td role="cell" data-label="Database">${shortened(database, 40)}</td>
    <td role="cell" data-label="Tx" class="number">${tx}</td>
    <td role="cell" data-label="Root"><code title="${hex(alh)}">${hex(alh).slice(0, 12)}…</code></td>
    <td role="cell" data-label="Operation">${shortened(operation, 40)}</td>
    <td role="cell" data-label="Calls" class="number">${calls}</td>
    <td role="cell" data-label="What" class="what">
      ${evidence && html`<code>${shortened(evidence.check, 60)}</code> `}${shortened(detailWords(row) ?? whatOf(row), 160)}
    </td>
  </tr>`;
}

/** Words for rows that need none of the client's. */
function whatOf({ outcome, previousTx }: AuditRow): string {
  return outcome === 'root' && previousTx !== null ? `head moved from tx ${previousTx.toString()}` : '';
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** In its largest unit; a clock that was put back makes it none. */
export function ageWords(ms: number): string {
  for (const [unit, length] of UNITS)
    if (ms >= length) return `${Math.floor(ms / length).toString()} ${unit}`;
  return '0 s';
}
