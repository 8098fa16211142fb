// The one sink for text of unknown origin: what a server, a client or a file has named must not be able to move a cursor,
// change colours, forge a line, or turn the direction of one.

const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The text with every character that is not seen, or that does something, written as `\u{…}`. */
export function visible(text: string): string {
  return text.replaceAll(UNSEEN, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

/** At most `max` characters, the last of which then says that there is more. Linear in `max`, however long the text is. */
export function shortened(text: string, max: number): string {
  // A character has at most two code units: what is behind these cannot be shown.
  const chars = Array.from(text.slice(0, 2 * max + 2));
  return chars.length <= max ? text : `${chars.slice(0, max - 1).join('')}…`;
}

/** Words of a server as they may be told: bounded, and harmless on a terminal, in a report, in a log. */
export function serverWords(text: string, max = 500): string {
  return visible(shortened(text, max));
}
