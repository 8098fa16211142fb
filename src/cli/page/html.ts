// HTML as a value: whatever is put into a template is escaped, unless it is HTML itself. There is no other way to make it.
import { visible } from '../../visible.js';

export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = Html | string | number | bigint | null | undefined | false | readonly Part[];

/** Names and words in the log are written by clients and, in part, by servers: a hostile one must stay text. */
export function html(literals: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(
    literals.map((literal, i) => literal + (i < parts.length ? textOf(parts[i]) : '')).join(''),
  );
}

/** For text and for attributes in double quotes. */
export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

function textOf(part: Part): string {
  if (part instanceof Html) return part.text;
  if (part === null || part === undefined || part === false) return '';
  if (typeof part === 'object') return part.map(textOf).join('');
  return escaped(visible(String(part)));
}
