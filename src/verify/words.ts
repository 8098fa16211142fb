// Words for people who look at evidence.
import { toHex } from '../proof/bytes.js';

/** Bytes of keys and values that are shown. */
const MAX_SHOWN_BYTES = 256;

/** As text where it is text, in hex otherwise. */
export function bytesWords(bytes: Uint8Array): string {
  const shown = bytes.subarray(0, MAX_SHOWN_BYTES);
  const rest = bytes.length > shown.length ? `… (${bytes.length} bytes)` : '';
  const text = Buffer.from(shown).toString('utf8');
  return Buffer.from(text).equals(shown) ? `${JSON.stringify(text)}${rest}` : `0x${toHex(shown)}${rest}`;
}
