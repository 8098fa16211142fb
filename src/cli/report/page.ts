// A report as one page: it stands alone, loads nothing, runs nothing, and holds the JSON that was signed with its signature.
import type { Cell } from '../format/columns.js';
import { jsonText } from '../format/formats.js';
import { Html, html } from '../page/html.js';
import { checkText } from '../checks/words.js';
import { VERDICT_WORDS } from './report.js';
import type { Report, Section, SectionVerdict } from './report.js';

const OPEN = {
  report: '<script type="application/json" id="report">',
  signature: '<script type="application/json" id="signature">',
} as const;
const CLOSE = '</script>';

const TONES: Readonly<Record<SectionVerdict, string>> = {
  holds: 'good',
  told: 'plain',
  found: 'note',
  'could-not-look': 'note',
  refuted: 'bad',
};

/** The bytes that are signed: no `<` in it, so that a page can hold it as it is. */
export function reportJson(report: Report): string {
  return `${jsonText(report, 2).replaceAll('<', '\\u003c')}\n`;
}

/** @param json of the report, as it was signed; @param signature '' while there is none */
export function reportPage(report: Report, json: string, signature: string): string {
  const { madeAt, madeBy, store, verdict, from, to, sections } = report;
  const checks = [
    ...new Set(sections.flatMap(({ findings }) => findings.flatMap(({ check }) => check ?? []))),
  ].sort();
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <title>Audit report of ${madeAt}</title>
        <style>
          ${new Html(STYLE)}
        </style>
      </head>
      <body>
        <main>
          <h1>Audit report <span class="badge ${TONES[verdict]}">${VERDICT_WORDS[verdict]}</span></h1>
          <p>
            Of <code>${store}</code>, made ${madeAt} by
            ${madeBy}${(from !== null || to !== null) && html`, of what was logged from ${from ?? 'the beginning'} to ${to ?? 'then'}`}.
          </p>
          <table>
            <thead>
              <tr>
                <th scope="col">Section</th>
                <th scope="col">Verdict</th>
                <th scope="col">In short</th>
              </tr>
            </thead>
            <tbody>
              ${sections.map(
                (section, i) =>
                  html`<tr>
                    <td><a href="#section-${i}">${section.title}</a></td>
                    <td>${badge(section.verdict)}</td>
                    <td>${section.summary}</td>
                  </tr>`,
              )}
            </tbody>
          </table>
          ${sections.map(sectionView)} ${checks.length > 0 && checksView(checks)}
          <section>
            <h2>This file</h2>
            <p>
              It holds the report as JSON and two signatures: of that JSON, and of this page. Whoever has the
              public key checks both, offline: <code>immu-ts report verify FILE --key PUBLIC.pem</code>. What
              they show is that the holder of the key made this report, not that the machine it was made on
              was in order.
            </p>
          </section>
        </main>
        ${new Html(OPEN.report + json + CLOSE)} ${new Html(OPEN.signature + signature + CLOSE)}
      </body>
    </html> `.text;
}

function badge(verdict: SectionVerdict): Html {
  return html`<span class="badge ${TONES[verdict]}">${VERDICT_WORDS[verdict]}</span>`;
}

function sectionView(section: Section, i: number): Html {
  const { title, verdict, summary, counts, findings, findingsTotal, commands } = section;
  const figures = Object.entries(counts);
  return html`<section id="section-${i}">
    <h2>${title} ${badge(verdict)}</h2>
    <p>${summary}</p>
    ${
      figures.length > 0 &&
      html`<dl>
        ${figures.map(
          ([name, value]) =>
            html`<div>
              <dt>${words(name)}</dt>
              <dd>${cell(value)}</dd>
            </div>`,
        )}
      </dl>`
    }
    ${
      findings.length > 0 &&
      html`<ol>
        ${findings.map(
          ({ text, seq, check }) =>
            html`<li>
              ${seq !== undefined && html`row ${seq}: `}${text}
              ${check !== undefined && html`<a href="#check-${check}"><code>${check}</code></a>`}
            </li>`,
        )}
      </ol>`
    }
    ${findingsTotal > findings.length && html`<p>and ${findingsTotal - findings.length} more</p>`}
    <p class="again">Look again: ${commands.map((command) => html`<code>${command}</code> `)}</p>
  </section>`;
}

function checksView(checks: readonly string[]): Html {
  return html`<section>
    <h2>What these checks are</h2>
    <dl class="checks">
      ${checks.map(
        (check) =>
          html`<div id="check-${check}">
            <dt><code>${check}</code></dt>
            <dd>${checkText(check) ?? 'not a check of this release'}</dd>
          </div>`,
      )}
    </dl>
  </section>`;
}

function words(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function cell(value: Cell): string {
  return value === null || value === undefined ? '-' : String(value);
}

export interface PageParts {
  readonly json: string;
  readonly signature: string;
  /** The page without its signature. */
  readonly page: string;
}

export function isPage(text: string): boolean {
  return text.startsWith('<!doctype html>');
}

/** Throws an error that says what the page lacks. */
export function partsOf(text: string, name: string): PageParts {
  const report = between(text, OPEN.report, name);
  const signature = between(text, OPEN.signature, name);
  const { start, end } = signature;
  return { json: report.text, signature: signature.text, page: text.slice(0, start) + text.slice(end) };
}

function between(text: string, open: string, name: string): { text: string; start: number; end: number } {
  const at = text.indexOf(open);
  // Nothing else in a page can look like it: what others have said is escaped.
  if (at < 0 || text.includes(open, at + 1)) throw new Error(`${name} is not the page of a report`);
  const start = at + open.length;
  const end = text.indexOf(CLOSE, start);
  if (end < 0) throw new Error(`${name} is not the page of a report: it is cut off`);
  return { text: text.slice(start, end), start, end };
}

const STYLE = `:root { color-scheme: light dark; --back: #fff; --text: #1b2230; --soft: #566075; --line: #dfe3ea; --link: #1f4fc4;
  --good: #146c3f; --good-back: #e2f5ea; --bad: #b3261e; --bad-back: #fdeceb; --note: #7a5300; --note-back: #fdf1d8; --plain-back: #eceff4; }
@media (prefers-color-scheme: dark) { :root { --back: #10141c; --text: #e6eaf2; --soft: #9aa6bb; --line: #2b3444; --link: #8fb2ff;
  --good: #62d394; --good-back: #12301f; --bad: #ff8a80; --bad-back: #3a1816; --note: #f0c36a; --note-back: #33270d; --plain-back: #252d3b; } }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, 'Segoe UI', Roboto, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem 1.2rem 3rem; } a { color: var(--link); }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 0; } section { border-top: 1px solid var(--line); padding: 1rem 0; }
code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .9em; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin-bottom: 1rem; } th, td { text-align: left; padding: .35rem .5rem; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: .4rem 1rem; } dt { color: var(--soft); font-size: .88em; } dd { margin: 0; overflow-wrap: anywhere; } .checks { grid-template-columns: 1fr; }
li { overflow-wrap: anywhere; margin-bottom: .3rem; } .again { color: var(--soft); font-size: .9em; } .again code { display: block; }
.badge { display: inline-block; padding: .05rem .55rem; border-radius: 99px; font-size: .8rem; font-weight: 600; white-space: nowrap; vertical-align: .1em; }
.badge.good { color: var(--good); background: var(--good-back); } .badge.bad { color: var(--bad); background: var(--bad-back); }
.badge.note { color: var(--note); background: var(--note-back); } .badge.plain { color: var(--soft); background: var(--plain-back); }
@media (max-width: 560px) { thead { display: none; } tr { display: block; padding: .4rem 0; border-bottom: 1px solid var(--line); } td { display: block; border: 0; padding: .1rem 0; } }
`;
