// One row in full: its fields, its place in the chain, its evidence and what came of running its check again.
import type { AuditRow } from '../../../index.js';
import type { ChainPlace } from '../../audit/chain.js';
import type { Findings } from '../../evidence/findings.js';
import { fieldsOf } from '../../format/columns.js';
import { hex, isoTime, rowColumns } from '../../format/row-columns.js';
import { checkLink } from './checks.js';
import { html } from '../html.js';
import type { Html } from '../html.js';
import { TONES, badge, time } from './rows.js';

/** Said elsewhere on the page. */
const ELSEWHERE = [
  'seq',
  'verifiedAt',
  'outcome',
  'hash',
  'check',
  'expected',
  'computed',
  'headerTime',
  'detail',
];

export function rowView(place: ChainPlace, findings: Findings | null): Html {
  const { row } = place;
  const fields = Object.entries(fieldsOf(rowColumns({ jobs: false }), row)).filter(
    ([name, value]) => !ELSEWHERE.includes(name) && value !== undefined,
  );
  return html`<nav class="crumbs"><a href="/">Audit log</a> / row ${row.seq}</nav>
    <h1 class="title">Row ${row.seq} ${badge(row.outcome)} <small>${time(row.verifiedAt)} UTC</small></h1>
    ${row.detail !== undefined && html`<p class="detail ${TONES[row.outcome]}">${lines(row.detail)}</p>`}
    ${chain(place)} ${findings && evidencePanel(row, findings)}
    <section class="panel" aria-labelledby="fields-title">
      <h2 id="fields-title">Fields</h2>
      <dl>
        ${fields.map(([name, value]) => fact(name, value === null ? 'none' : String(value)))}
        ${row.headerTime !== 0n && fact('header time', isoTime(Number(row.headerTime) * 1000))}
      </dl>
    </section>`;
}

/** A note has lines. */
function lines(text: string): Html {
  return html`${text
    .replace(/\n$/, '')
    .split('\n')
    .map((line, i) => html`${i > 0 && html`<br />`}${line}`)}`;
}

function chain({ row, previous, previousHash, next, linked, nextLinked }: ChainPlace): Html {
  return html`<section class="panel" aria-labelledby="chain-title">
    <h2 id="chain-title">Chain</h2>
    <ol class="chain">
      <li>
        ${
          previous
            ? neighbour('Previous row', previous)
            : html`<span>Previous row</span> ${
                  previousHash
                    ? html`<code>${hex(previousHash)}</code>
                        <p>Archived.</p>`
                    : html`<p>None: this is the first row of its store.</p>`
                }`
        }
      </li>
      <li class="here">
        <span>This row</span> <b>${row.seq}</b> <code>${hex(row.hash)}</code> ${linkWords(linked)}
      </li>
      <li>
        ${
          next
            ? html`${neighbour('Next row', next)} ${linkWords(nextLinked)}`
            : html`<span>Next row</span>
                <p>None: this is the newest row.</p>`
        }
      </li>
    </ol>
  </section>`;
}

function neighbour(words: string, { seq, hash, outcome }: AuditRow): Html {
  return html`<span>${words}</span> <b><a href="/row/${seq}">${seq}</a></b> ${badge(outcome)}
    <code>${hex(hash)}</code>`;
}

function linkWords(linked: boolean | null): Html {
  if (linked === null) return html``;
  return linked
    ? html`<p class="ok">✓ its hash follows from the row before it</p>`
    : html`<p class="broken">✗ its hash does not follow from the row before it</p>`;
}

function evidencePanel({ seq }: AuditRow, { reproduced, summary, facts }: Findings): Html {
  return html`<section class="panel" aria-labelledby="evidence-title">
    <div class="bar">
      <h2 id="evidence-title">Evidence</h2>
      <a class="button quiet" href="/row/${seq}/evidence.json" download>Download the evidence file</a>
    </div>
    <p class="verdict ${reproduced ? 'bad' : 'note'}"><b>Check run again just now:</b> ${summary}</p>
    <dl>
      ${facts.map(([name, text]) => {
        if (name === 'see') return '';
        return name === 'check' ? factOf(name, checkLink(text)) : fact(name, text);
      })}
    </dl>
  </section>`;
}

function fact(name: string, text: string): Html {
  return factOf(name, html`${text}`);
}

function factOf(name: string, text: Html): Html {
  return html`<div>
    <dt>${name}</dt>
    <dd>${text}</dd>
  </div>`;
}
