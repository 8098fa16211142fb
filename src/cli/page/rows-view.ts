// Rows of the log as a table; the live tail sends its rows in the same form.
import type { AuditOutcome, AuditRow } from '../../index.js';
import { hex, isoTime } from '../format/row-columns.js';
import { shortened } from '../../visible.js';
import { detailWords } from '../format/witnessed.js';
import { html } from './html.js';
import type { Html } from './html.js';

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
    <table id="rows">
      <thead>
        <tr>
          <th scope="col" class="number">Row</th>
          <th scope="col">Verified at (UTC)</th>
          <th scope="col">Outcome</th>
          <th scope="col">Database</th>
          <th scope="col" class="number">Tx</th>
          <th scope="col">Root (alh)</th>
          <th scope="col">Operation</th>
          <th scope="col" class="number">Calls</th>
          <th scope="col">What happened</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(rowLine)}
      </tbody>
    </table>
  </div>`;
}

export function rowLine(row: AuditRow): Html {
  const { seq, verifiedAt, outcome, database, tx, alh, operation, calls, evidence } = row;
  return html`<tr class="${TONES[outcome]}">
    <td class="number"><a href="/row/${seq}">${seq}</a></td>
    <td class="nowrap">${time(verifiedAt)}</td>
    <td>${badge(outcome)}</td>
    <td>${shortened(database, 40)}</td>
    <td class="number">${tx}</td>
    <td><code title="${hex(alh)}">${hex(alh).slice(0, 12)}…</code></td>
    <td>${shortened(operation, 40)}</td>
    <td class="number">${calls}</td>
    <td class="what">
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
