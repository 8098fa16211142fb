// An error as one line on a terminal: what it says may be a server's words, a file's, or of any length.
import { ImmuError } from '../errors.js';
import { shortened, visible } from '../visible.js';

/** Longest message that is shown. */
const MAX_CHARS = 2000;

/** The first thing that went wrong: what failed while cleaning up after it only wraps it. */
export function firstFailure(error: unknown): unknown {
  return error instanceof Error && 'suppressed' in error ? firstFailure(error.suppressed) : error;
}

/** One line. Linear in what is shown, however long the message is. */
export function errorLine(error: unknown): string {
  const code = error instanceof ImmuError ? `${error.code}: ` : '';
  const message = shortened(error instanceof Error ? error.message : String(error), MAX_CHARS);
  const lines = message.split('\n').map((line) => line.trim());
  return `${code}${visible(lines.join(' '))}`;
}
