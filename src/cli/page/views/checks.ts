// Every check in plain words, as docs/checks.md has them, with the same anchors.
import { CHECK_NAMES, checkText, checkWords } from '../../checks/words.js';
import { html } from '../html.js';
import type { Html } from '../html.js';

/** Where a check is explained; the name alone where this release does not know it. */
export function checkLink(check: string): Html {
  return checkWords(check)
    ? html`<a href="/checks#${check}"><code>${check}</code></a>`
    : html`<code>${check}</code>`;
}

export function checksView(): Html {
  return html`<nav class="crumbs"><a href="/">Audit log</a> / checks</nav>
    <h1>Checks</h1>
    <section class="panel" aria-label="Every check, by name">
      <dl class="checks">
        ${CHECK_NAMES.map(
          (name) =>
            html`<div id="${name}">
              <dt><code>${name}</code></dt>
              <dd>${checkText(name)}</dd>
            </div>`,
        )}
      </dl>
    </section>`;
}
