// How results are shown: as one line for people, or as one line of JSON, and in both cases whether they are proven.
import type { Entry, VerifiedEntry, VerifiedWrite, Write } from '../../index.js';
import { visible } from '../../visible.js';
import type { Io } from '../command.js';
import { jsonText } from '../format/formats.js';
import { hex } from '../format/row-columns.js';

/** Most bytes that are shown of a value that is no text. */
const MAX_HEX_BYTES = 64;

/** One line: a result as it says itself in JSON, with `verified` before it. */
export function jsonLine(verified: boolean, result: object): string {
  const fields = JSON.parse(JSON.stringify(result)) as object;
  return `${jsonText({ verified, ...fields })}\n`;
}

/** Whether an entry is proven, and by what. */
export function proofWords(entry: VerifiedEntry | Entry): string {
  const tx = `tx ${entry.tx.toString()}`;
  if (!('root' in entry)) return `NOT VERIFIED, the server's word: ${tx}`;
  return `verified: ${tx}, proven under ${rootWords(entry.root)}`;
}

export function rootWords({ tx, alh }: { readonly tx: bigint; readonly alh: Uint8Array }): string {
  return `tx ${tx.toString()}, alh ${hex(alh)}`;
}

/** Says that something was written, on standard output. */
export async function showWrite({ out }: Io, json: boolean, write: VerifiedWrite | Write): Promise<void> {
  const isProven = 'root' in write;
  const tx = `tx ${write.tx.toString()}`;
  const words = isProven
    ? `${tx} is written and verified, proven under ${rootWords(write.root)}`
    : `${tx} is written by the server's word: NOT VERIFIED`;
  await out.write(json ? jsonLine(isProven, write) : `${words}\n`);
}

/** Bytes for a person: text line by line, harmless; what is no text as hex. */
export function shownBytes(bytes: Uint8Array): string {
  const text = textOf(bytes);
  if (text !== undefined) return text.split('\n').map(visible).join('\n');
  const more = bytes.length > MAX_HEX_BYTES ? `… (${bytes.length} bytes)` : '';
  return `0x${hex(bytes.subarray(0, MAX_HEX_BYTES))}${more}`;
}

/** The same on one line, for a cell of a table. */
export function cellOf(bytes: Uint8Array): string {
  const text = textOf(bytes.subarray(0, 4096));
  return text === undefined ? shownBytes(bytes) : text;
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
