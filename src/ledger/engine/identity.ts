// Names that a server makes up: its own identity, session ids, tokens.
import { randomBytes } from 'node:crypto';

const ALPHABET = '0123456789abcdefghijklmnopqrstuv';

/** 12 random bytes as 20 characters of lower-case base32hex, as immudb names a server. */
export function newServerId(): string {
  const bytes = randomBytes(12);
  let out = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = held * 256 + byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      out += ALPHABET.charAt(Math.floor(held / 2 ** bits));
      held %= 2 ** bits;
    }
  }
  return out + ALPHABET.charAt(held * 2 ** (5 - bits));
}

/** 32 random bytes in base64url, padded: 44 characters. */
export function newSessionId(): string {
  return `${randomBytes(32).toString('base64url')}=`;
}

/** Has the shape of the server's tokens; it is known by being remembered, not by what is in it. */
export function newToken(): string {
  return `v2.public.${randomBytes(96).toString('base64url')}.${Buffer.from('immudb').toString('base64url')}`;
}
