// Bytes that have to be UTF-8.

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws Error */
export function utf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new Error('it is no UTF-8', { cause });
  }
}

/** Of text whose bytes were taken for Latin-1. @throws Error */
export function utf8OfLatin1(text: string): string {
  return /^[\x00-\x7f]*$/.test(text) ? text : utf8(Buffer.from(text, 'latin1'));
}
