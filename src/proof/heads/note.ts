// Signed notes as C2SP's signed-note has them: a text, a blank line, and lines with signatures of it. Form only: whose they are
// and whether they hold is for whoever has the keys.
import { concatBytes, fromHex, toHex } from '../bytes.js';
import { ProofFailure } from '../failure.js';
import { fromBase64, toBase64 } from './base64.js';

/** Notes come from anywhere. Sixteen signatures must fit, also of kinds that take kilobytes each. */
export const MAX_NOTE_BYTES = 256 * 1024;
const MAX_SIGNATURES = 64;
const KEY_ID_BYTES = 4;
const DASH = '\u2014 ';
/** Below U+0020, but for the end of a line. */
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;
const NO_NAME = /[\p{White_Space}+]/u;
/** Longest name of a key that this package makes or is configured with, in UTF-8. */
export const MAX_NAME_BYTES = 255;

export interface NoteSignature {
  /** Of the key, as it calls itself. */
  readonly name: string;
  /** Eight hex digits. Name and id together say which key it is. */
  readonly keyId: string;
  /** What the key's algorithm makes of it. */
  readonly signature: Uint8Array;
}

export interface Note {
  /** Ends with the end of a line. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/**
 * The parts of a note.
 *
 * @throws ProofFailure `note.form` unless it is one, to the last byte
 */
export function parseNote(note: string | Uint8Array): Note {
  const whole = decoded(note);
  if (CONTROL.test(whole)) throw malformed('it holds a control character');
  const end = whole.lastIndexOf('\n\n');
  if (end < 0) throw malformed('it has no blank line before its signatures');
  const signatures = parseSignatures(whole.slice(end + 2));
  return { text: whole.slice(0, end + 1), signatures };
}

/** Lines with signatures, as they end a note or as a witness answers with. @throws ProofFailure `note.form` */
export function parseSignatures(lines: string): NoteSignature[] {
  if (CONTROL.test(lines)) throw malformed('a signature holds a control character');
  if (!lines.endsWith('\n')) throw malformed('its last line does not end');
  const all = lines.slice(0, -1).split('\n', MAX_SIGNATURES + 1);
  if (all.length > MAX_SIGNATURES) throw malformed('it has too many signatures', MAX_SIGNATURES);
  return all.map((line) => {
    const space = line.indexOf(' ', DASH.length);
    const name = line.slice(DASH.length, space);
    const bytes = fromBase64(line.slice(space + 1));
    if (!line.startsWith(DASH) || space < 0 || !isKeyName(name)) throw malformed('a line is no signature');
    if (!bytes || bytes.length <= KEY_ID_BYTES) throw malformed('a signature is not base64 of enough bytes');
    return { name, keyId: toHex(bytes.subarray(0, KEY_ID_BYTES)), signature: bytes.slice(KEY_ID_BYTES) };
  });
}

/** The line that {@link parseSignatures} takes apart. */
export function signatureLine({ name, keyId, signature }: NoteSignature): string {
  return `${DASH}${name} ${toBase64(concatBytes(fromHex(keyId), signature))}\n`;
}

/** The whole note. Requires a text that ends with the end of a line, and a signature. */
export function noteOf({ text, signatures }: Note): string {
  return `${text}\n${signatures.map(signatureLine).join('')}`;
}

/** What may stand before a signature: something, without any space or plus. */
export function isKeyName(name: string): boolean {
  return name.length > 0 && name.isWellFormed() && !NO_NAME.test(name) && !CONTROL.test(name);
}

function decoded(note: string | Uint8Array): string {
  if (note.length > MAX_NOTE_BYTES) throw malformed('it is too long', MAX_NOTE_BYTES, note.length);
  if (typeof note === 'string') {
    if (!note.isWellFormed()) throw malformed('it has no UTF-8 form');
    return note;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(note);
  } catch {
    throw malformed('it is not UTF-8');
  }
}

function malformed(why: string, expected?: number, computed?: number): ProofFailure {
  return new ProofFailure('note.form', `this is not a signed note: ${why}`, expected, computed);
}
