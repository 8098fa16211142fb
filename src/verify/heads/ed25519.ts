// Ed25519 as notes have it: keys of 32 bytes, signatures of 64.
import { KeyObject, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { ArgumentError } from '../../errors.js';
import { fromBase64 } from '../../proof/heads/base64.js';
import { MAX_NAME_BYTES, isKeyName } from '../../proof/heads/note.js';
import { PUBLIC_KEY_SIZE, formatNoteKey, noteKey } from '../../proof/heads/note-key.js';
import type { NoteKey } from '../../proof/heads/note-key.js';

/** DER of an SPKI for Ed25519 (RFC 8410), up to the key itself. */
const SPKI_START = Buffer.from('302a300506032b6570032100', 'hex');
/** The same of a PKCS #8, up to the seed. */
const PKCS8_START = Buffer.from('302e020100300506032b657004220420', 'hex');
const SECRET_START = 'PRIVATE+KEY+';

/** False for what is no signature at all, too. */
export function isSignedBy(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const key = createPublicKey({ key: Buffer.concat([SPKI_START, publicKey]), format: 'der', type: 'spki' });
  return verify(null, message, key, signature);
}

/**
 * The public key of an origin as text (C2SP's vkey): what its witnesses, and those who verify its notes, are told.
 *
 * @param key its Ed25519 private key: as PEM, PKCS #8, or a KeyObject
 * @throws ArgumentError `key`, `origin`
 */
export function originKey(origin: string, key: KeyObject | string): string {
  if (typeof origin !== 'string' || !isKeyName(origin))
    throw new ArgumentError(
      'origin',
      'origin must not be empty, and hold no space, plus or control character',
    );
  return formatNoteKey(noteSigner('key', origin, key).key);
}

/** A key that signs notes. */
export interface NoteSigner {
  readonly key: NoteKey;
  sign(message: Uint8Array): Uint8Array;
}

/**
 * The key that signs for an origin, which {@link isKeyName}.
 *
 * @param secret an Ed25519 private key: a KeyObject, PEM, or the text form of Go's `sumdb/note` (`PRIVATE+KEY+name+id+…`)
 * @throws ArgumentError `field` for anything else, never with a word of the key; for a key of another name
 */
export function noteSigner(field: string, name: string, secret: KeyObject | string): NoteSigner {
  const bad = (what: string) => new ArgumentError(field, `${field} ${what}`);
  const given = privateKey(secret);
  if (given?.key.asymmetricKeyType !== 'ed25519' || given.key.type !== 'private')
    throw bad('must be an Ed25519 private key: a KeyObject, PEM, or PRIVATE+KEY+…');
  const spki = createPublicKey(given.key).export({ type: 'spki', format: 'der' });
  if (Buffer.byteLength(name) > MAX_NAME_BYTES)
    throw new ArgumentError('origin', `origin must be at most ${MAX_NAME_BYTES} bytes`);
  const key = noteKey(name, 'note', new Uint8Array(spki.subarray(-PUBLIC_KEY_SIZE)));
  if (given.name !== undefined && (given.name !== key.name || given.id !== key.id))
    throw bad(`is the key of another name than ${name}`);
  return { key, sign: (message) => new Uint8Array(sign(null, message, given.key)) };
}

function privateKey(secret: unknown): { key: KeyObject; name?: string; id?: string } | undefined {
  if (secret instanceof KeyObject) return { key: secret };
  if (typeof secret !== 'string') return undefined;
  try {
    if (!secret.startsWith(SECRET_START)) return { key: createPrivateKey(secret) };
    const text = secret.trim().slice(SECRET_START.length);
    const [name = '', id = ''] = text.split('+', 2);
    const bytes = fromBase64(text.slice(name.length + id.length + 2));
    if (bytes?.length !== 1 + PUBLIC_KEY_SIZE || bytes[0] !== 0x01) return undefined;
    const der = Buffer.concat([PKCS8_START, bytes.subarray(1)]);
    return { key: createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }), name, id };
  } catch {
    // Not with the cause: it may quote the key.
    return undefined;
  }
}
