// The frame of every view.
import { Html, html } from './html.js';

export interface Frame {
  readonly title: string;
  /** The store's path; '' for who is not let in yet. */
  readonly store: string;
  /** What is broken in the store; none of it where it was opened in earnest. */
  readonly damage?: readonly string[];
}

export function page({ title, store, damage = [] }: Frame, body: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · immu-ts audit</title>
        <link rel="stylesheet" href="/style.css" />
        <link rel="icon" href="/icon.svg" />
        <script src="/script.js" defer></script>
      </head>
      <body>
        <a class="skip" href="#main">To the content</a>
        <header class="top">
          <a class="brand" href="/"
            >${MARK}<span>immu-ts <b>audit</b></span></a
          >
          <span class="store" title="root store">${store}</span>
          ${store !== '' && html`<a class="button" href="/verify" rel="nofollow">Verify the chain</a>`}
        </header>
        <main id="main">${damage.length > 0 && broken(damage)} ${body}</main>
      </body>
    </html> `.text;
}

function broken(damage: readonly string[]): Html {
  return html`<section class="panel" role="alert">
    <h2>This store is damaged</h2>
    <p class="broken">It is open for looking only. What is shown here is not to be trusted.</p>
    <ul>
      ${damage.map((finding) => html`<li>${finding}</li>`)}
    </ul>
  </section>`;
}

/** A view that says one thing. */
export function message(title: string, text: string, more?: Html): Html {
  return html`<section class="panel">
    <h1>${title}</h1>
    <p>${text}</p>
    ${more}
  </section>`;
}

export const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">' +
  '<rect width="24" height="24" rx="6" fill="#2457d6"/>' +
  '<path d="M6.5 12.5l3.6 3.6 7.4-8" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"/></svg>';
const MARK = new Html(ICON);
