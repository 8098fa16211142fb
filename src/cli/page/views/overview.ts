// The first view: figures, timeline, filter and a page of rows.
import type { AuditRow } from '../../../index.js';
import { hex } from '../../format/row-columns.js';
import { OUTCOMES } from '../../../store/log/audit-query.js';
import type { QueryWords } from '../../query-options.js';
import type { DatabaseHeads } from '../heads.js';
import { headsView } from './heads.js';
import { html } from '../html.js';
import type { Html } from '../html.js';
import { link } from '../query.js';
import type { Filter } from '../query.js';
import { rowsTable, time } from './rows.js';
import { failureCount, timelineView } from '../timeline.js';
import type { Timeline } from '../timeline.js';
import { witnessedView } from '../witnesses.js';
import type { Witnessed } from '../witnesses.js';

export interface Overview {
  readonly filter: Filter;
  readonly timeline: Timeline;
  /** Newest trusted root of what is filtered for. */
  readonly latest: AuditRow | null;
  /** Where each database stands, and how many are not shown. */
  readonly heads: readonly DatabaseHeads[];
  readonly moreHeads: number;
  /** Heads that witnesses have cosigned. */
  readonly witnessed: readonly Witnessed[];
  /** Newest first. */
  readonly rows: readonly AuditRow[];
  /** Rows there are behind and before this page. */
  readonly older: boolean;
  readonly newer: boolean;
  /** Names to choose from: every database and server of the log, operations of the newest rows. */
  readonly known: Readonly<Record<'databases' | 'servers' | 'operations', readonly string[]>>;
  /** Newest row of the log, where the live tail goes on. */
  readonly newestSeq: bigint;
  /** When it was looked at. */
  readonly now: number;
}

export function overviewView(overview: Overview): Html {
  const { filter, timeline, rows, heads, moreHeads, witnessed, now } = overview;
  return html`<h1 class="hidden">Audit log</h1>
    ${figures(overview)} ${headsView(heads, moreHeads, now)} ${filterForm(filter.words, overview.known)}
    ${timelineView(timeline, filter)} ${witnessedView(witnessed, now)}
    <section class="panel" aria-labelledby="rows-title">
      <div class="bar">
        <h2 id="rows-title">Rows</h2>
        ${liveButton(overview)} ${exportLinks(filter.words)}
      </div>
      ${rowsTable(rows)} ${rows.length === 0 ? html`<p class="empty">No row matches.</p>` : ''}
      ${pager(overview)}
    </section>`;
}

function figures({ timeline, latest }: Overview): Html {
  const { total } = timeline;
  const failures = total ? failureCount(total.failures) : 0;
  return html`<section class="figures" aria-label="Figures of the rows asked for">
    ${figure('rows', 'Rows', total?.rows ?? 0)} ${figure('calls', 'Verified calls', total?.calls ?? 0)}
    ${figure('roots', 'Roots', total?.roots ?? 0)}
    <div class="figure ${failures > 0 ? 'bad' : 'good'}" data-failures>
      <span>Failures</span><b data-figure="failures">${grouped(failures)}</b>
    </div>
    <div class="figure wide">
      <span>Newest trusted root</span>
      ${
        latest
          ? html`<b><a href="/row/${latest.seq}">tx ${latest.tx}</a></b>
              <small>${latest.database} · ${time(latest.verifiedAt)}</small> <code>${hex(latest.alh)}</code>`
          : html`<b>none</b>`
      }
    </div>
  </section>`;
}

function figure(name: string, label: string, value: number): Html {
  return html`<div class="figure"><span>${label}</span><b data-figure="${name}">${grouped(value)}</b></div>`;
}

export function filterForm(words: QueryWords, known: Overview['known'], mistake?: string): Html {
  return html`<section class="panel" aria-labelledby="filter-title">
    <h2 id="filter-title">Filter</h2>
    ${mistake !== undefined && html`<p class="mistake" role="alert">${mistake}</p>`}
    <form method="get" action="/" class="filter">
      ${field('database', 'Database', words.database, 'any', 'databases')}
      ${field('operation', 'Operation', words.operation, 'any', 'operations')}
      <label
        >Outcome
        <select name="outcome">
          <option value="">any</option>
          ${['problems', ...OUTCOMES, 'all'].map(
            (outcome) =>
              html`<option value="${outcome}" ${outcome === words.outcome && 'selected'}>${outcome}</option>`,
          )}
        </select></label
      >
      ${field('from', 'From', words.from, '24h, 2026-01-31 …')} ${field('to', 'To', words.to, 'now')}
      ${field('tx', 'Transactions', words.tx, '7, 7..9, 7..')}
      ${field('server', 'Server', words.server, 'any', 'servers')}
      <div class="actions">
        <button type="submit">Show</button>
        <a class="button quiet" href="/">Reset</a>
      </div>
    </form>
    <p class="presets">
      ${['1h', '24h', '7d', '30d'].map(
        (span) => html`<a href="${link('/', { ...words, from: span, to: undefined })}">last ${span}</a> `,
      )}
      <a href="${link('/', { ...words, outcome: 'problems' })}">problems only</a>
    </p>
    <form method="get" action="/key" class="key" role="search" aria-label="Refusals about a key">
      <label
        >Key <input name="key" required placeholder="text, or 0x…" autocomplete="off" spellcheck="false"
      /></label>
      <button type="submit" class="quiet">Refusals about it</button>
    </form>
    ${datalist('databases', known.databases)} ${datalist('servers', known.servers)}
    ${datalist('operations', known.operations)}
  </section>`;
}

function field(name: string, label: string, value: string | undefined, hint: string, list?: string): Html {
  return html`<label
    >${label}
    <input
      name="${name}"
      value="${value ?? ''}"
      placeholder="${hint}"
      autocomplete="off"
      spellcheck="false"
      ${list !== undefined && html`list="${list}"`}
  /></label>`;
}

function datalist(id: string, values: readonly string[]): Html {
  return html`<datalist id="${id}">
    ${values.map((value) => html`<option value="${value}"></option>`)}
  </datalist>`;
}

/** Shown by the script, which it needs. Only where the newest rows are. */
function liveButton({ filter, newer, newestSeq }: Overview): Html {
  if (newer) return html``;
  const events = link('/events', { ...filter.words, after: newestSeq.toString() });
  return html`<button id="live" type="button" hidden aria-pressed="false" data-events="${events}">
      Live
    </button>
    <span id="live-state" role="status"></span>`;
}

function exportLinks(words: QueryWords): Html {
  return html`<nav class="exports" aria-label="Export of all rows that match">
    Export
    ${['csv', 'ndjson', 'json'].map(
      (format) => html`<a href="${link(`/export.${format}`, words)}" download>${format.toUpperCase()}</a> `,
    )}
  </nav>`;
}

function pager({ filter, rows, older, newer }: Overview): Html {
  const first = rows[0]?.seq.toString();
  const last = rows.at(-1)?.seq.toString();
  return html`<nav class="pager" aria-label="Pages">
    ${newer && html`<a class="button quiet" href="${link('/', filter.words)}">Newest</a>`}
    ${newer && html`<a class="button quiet" rel="prev" href="${link('/', { ...filter.words, newerThan: first })}">← Newer</a>`}
    ${older && html`<a class="button quiet" rel="next" href="${link('/', { ...filter.words, olderThan: last })}">Older →</a>`}
  </nav>`;
}

export function grouped(count: number): string {
  return count.toLocaleString('en-US').replaceAll(',', ' ');
}
