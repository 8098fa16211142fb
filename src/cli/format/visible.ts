// Text of unknown origin on a terminal: what a server or a client has named must not be able to move the cursor, change
// colours, or turn the direction of the line.

const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The text with every character that is not seen, or that does something, written as `\u{…}`. */
export function visible(text: string): string {
  return text.replaceAll(UNSEEN, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

/** At most `max` characters, the last of which then says that there is more. */
export function shortened(text: string, max: number): string {
  const chars = Array.from(text);
  return chars.length <= max ? text : `${chars.slice(0, max - 1).join('')}…`;
}
