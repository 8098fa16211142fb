// Where each database stands, as a card each: what speaks against the server first.
import type { AuditRow } from '../../../index.js';
import { shortened } from '../../../visible.js';
import { hex } from '../../format/row-columns.js';
import type { DatabaseHeads, Shown } from '../heads.js';
import { html } from '../html.js';
import type { Html } from '../html.js';
import { link } from '../query.js';
import { ageWords, badge } from './rows.js';
import type { Witnessed } from '../witnesses.js';

/** Heads of a database that are shown: origins are few. */
const MAX_ORIGINS = 4;

export function headsView(heads: readonly DatabaseHeads[], more: number, nowMs: number): Html {
  if (heads.length === 0) return html``;
  return html`<section aria-labelledby="heads-title" class="heads">
    <h2 id="heads-title">Heads</h2>
    <ul>
      ${heads.map((each) => card(each, nowMs))}
    </ul>
    ${more > 0 && html`<p class="soft">and ${more} more databases: filter for one of them to see its heads</p>`}
  </section>`;
}

function card(heads: DatabaseHeads, nowMs: number): Html {
  const { server, database, rows, alarm } = heads;
  return html`<li class="panel head ${alarm ? 'alarm' : ''}">
    <h3>
      <a href="${link('/', { database, server })}">${shortened(database, 60)}</a>
      <small title="${server}">server ${shortened(server, 24)} · ${rows} rows</small>
    </h3>
    ${alarm && alarmLine(alarm, nowMs)}
    <dl>${trusted(heads, nowMs)} ${followed(heads, nowMs)} ${witnessed(heads, nowMs)}</dl>
  </li>`;
}

const ALARM_WORDS: Readonly<Partial<Record<AuditRow['outcome'], string>>> = {
  fork: 'Two histories',
  rollback: 'Transactions are missing',
  'identity-change': 'Another server answers',
};

/** Of a witness it is that somebody else has seen another history, or a longer one. */
function alarmLine({ outcome, seq, verifiedAt, evidence, detail }: AuditRow, nowMs: number): Html {
  const witness = evidence?.check.startsWith('witness.') === true;
  const words = witness
    ? outcome === 'fork'
      ? 'A witness has seen another history'
      : 'A witness has seen transactions that the server withholds'
    : (ALARM_WORDS[outcome] ?? outcome);
  return html`<p class="verdict bad" role="alert">
    ${badge(outcome)} <b>${words}</b>, ${ageWords(nowMs - verifiedAt)} ago: ${shortened(detail ?? '', 240)}
    <a href="/row/${seq}">row ${seq}</a>
  </p>`;
}

function trusted({ trusted: row, head }: DatabaseHeads, nowMs: number): Html {
  if (!head) return fact('Trusted', html`<b>nothing</b>: trust was forgotten, or never was any`);
  return fact(
    'Trusted',
    html`<b>tx ${head.tx}</b>
      ${row && html`<span class="age">${ageWords(nowMs - row.verifiedAt)}</span> ago (<a href="/row/${row.seq}">row ${row.seq}</a>)`}
      <code title="${hex(head.alh)}">${hex(head.alh).slice(0, 12)}…</code>`,
  );
}

function followed({ followed: it, followRefused, head }: DatabaseHeads, nowMs: number): Html {
  const refused =
    followRefused &&
    html`<span class="bad"
      >and refused since: <a href="/row/${followRefused.seq}">row ${followRefused.seq}</a></span
    >`;
  if (!it) return fact('Followed', html`<span class="soft">not followed</span> ${refused}`);
  const { row, from, keys } = it;
  const behind = head && head.tx > row.tx ? head.tx - row.tx : 0n;
  return fact(
    'Followed',
    html`<b>tx ${row.tx}</b> <span class="age">${ageWords(nowMs - row.verifiedAt)}</span> ago (<a
        href="/row/${row.seq}"
        >row ${row.seq}</a
      >): everything ${from === 0n ? 'from the beginning on' : `since tx ${from.toString()}`} proven, ${keys}
      keys${behind > 0n && html`, <b>${behind}</b> trusted since`} ${refused}`,
  );
}

function witnessed({ witnessed: notes, shown, head }: DatabaseHeads, nowMs: number): Html {
  const origins = [...new Set([...notes, ...shown].map(({ origin }) => origin))];
  if (origins.length === 0) return fact('Witnessed', html`<span class="soft">no witness has seen it</span>`);
  return fact(
    'Witnessed',
    html`${origins.slice(0, MAX_ORIGINS).map((origin) =>
      ofOrigin(
        origin,
        notes.find((note) => note.origin === origin),
        shown.find((each) => each.origin === origin),
        head?.tx ?? 0n,
        nowMs,
      ),
    )}
    ${origins.length > MAX_ORIGINS && html`<p>and ${origins.length - MAX_ORIGINS} more origins below</p>`}`,
  );
}

function ofOrigin(
  origin: string,
  note: Witnessed | undefined,
  shown: Shown | undefined,
  trustedTx: bigint,
  nowMs: number,
): Html {
  // The tree ends before the head whose header commits to it.
  const since = note && trustedTx > note.size ? trustedTx - note.size : 0n;
  return html`<div class="origin">
    ${
      note
        ? html`<b>${note.size} transactions</b>
            <span class="age">${ageWords(nowMs - note.row.verifiedAt)}</span> ago (<a
              href="/row/${note.row.seq}"
              >row ${note.row.seq}</a
            >), as ${shortened(origin, 60)}${since > 0n && html`, <b>${since}</b> trusted since`}`
        : html`<b>no head is cosigned</b>, as ${shortened(origin, 60)}`
    }
    ${shown && roundOf(shown, nowMs)}
  </div>`;
}

/** The last time that witnesses were asked. */
function roundOf({ row, quorum, witnesses }: Shown, nowMs: number): Html {
  const cosigned = witnesses.filter(({ status }) => status === 'cosigned').length;
  const isEnough = cosigned >= quorum;
  return html`<p class="${isEnough ? 'ok' : 'broken'}">
      ${isEnough ? '✓' : '✗'} ${cosigned} of ${witnesses.length} cosigned, quorum
      ${quorum}${isEnough ? '' : ' not reached'}, ${ageWords(nowMs - row.verifiedAt)} ago (<a
        href="/row/${row.seq}"
        >row ${row.seq}</a
      >)
    </p>
    <ul class="witnesses">
      ${witnesses.map(
        ({ name, status, reason }) =>
          html`<li class="${toneOf(status, reason)}">
            ${shortened(name, 60)}: ${status}${reason !== undefined && ` (${shortened(reason, 40)})`}
          </li>`,
      )}
    </ul>`;
}

function toneOf(status: string, reason: string | undefined): string {
  if (status === 'cosigned') return 'good';
  return reason === 'fork' || reason === 'withheld' ? 'bad' : 'note';
}

function fact(name: string, value: Html): Html {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`;
}
