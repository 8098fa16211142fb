// Keys of notes, and their text form (C2SP's "vkey"): name, id and public key on one line.
import { concatBytes, toHex } from '../bytes.js';
import { ProofFailure } from '../failure.js';
import { sha256 } from '../hash.js';
import { fromBase64, toBase64 } from './base64.js';
import { MAX_NAME_BYTES, isKeyName } from './note.js';

/** Bytes of an Ed25519 public key. */
export const PUBLIC_KEY_SIZE = 32;
const MAX_TEXT_CHARS = 1024;

/** What a key signs: the text of a note as it stands (a log's), or that it was seen at a time (a witness's cosignature/v1). */
export type KeyUse = 'note' | 'cosignature';

const TYPES: Readonly<Record<KeyUse, number>> = { note: 0x01, cosignature: 0x04 };

/** An Ed25519 public key with its name. */
export interface NoteKey {
  readonly name: string;
  readonly use: KeyUse;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Eight hex digits. */
  readonly id: string;
}

/** @throws ProofFailure `note.key` for what is no name, or no key's size */
export function noteKey(name: string, use: KeyUse, publicKey: Uint8Array): NoteKey {
  const bytes = new TextEncoder().encode(name);
  if (!isKeyName(name)) throw wrong('a name is not empty, and holds no space, plus or control character');
  if (bytes.length > MAX_NAME_BYTES) throw wrong('its name is too long', MAX_NAME_BYTES, bytes.length);
  if (publicKey.length !== PUBLIC_KEY_SIZE)
    throw wrong('it is not of an Ed25519 key', PUBLIC_KEY_SIZE, publicKey.length);
  const hash = sha256(concatBytes(bytes, new Uint8Array([0x0a, TYPES[use]]), publicKey));
  return { name, use, publicKey, id: toHex(hash.subarray(0, 4)) };
}

/** The key as text. */
export function formatNoteKey({ name, use, publicKey, id }: NoteKey): string {
  return `${name}+${id}+${toBase64(concatBytes(new Uint8Array([TYPES[use]]), publicKey))}`;
}

/**
 * The key that a text names.
 *
 * @throws ProofFailure `note.key` unless it is one of an Ed25519 key whose id is its own
 */
export function parseNoteKey(text: string): NoteKey {
  if (text.length > MAX_TEXT_CHARS) throw wrong('it is too long: only keys for Ed25519 are supported');
  const [name = '', id = ''] = text.split('+', 2);
  const bytes = fromBase64(text.slice(name.length + id.length + 2));
  if (!bytes || bytes.length === 0) throw wrong('it is not name+id+base64');
  const use = (['note', 'cosignature'] as const).find((known) => TYPES[known] === bytes[0]);
  if (!use)
    throw wrong('its type is not Ed25519: neither that of a log nor of a witness', undefined, bytes[0]);
  const key = noteKey(name, use, bytes.slice(1));
  if (key.id !== id) throw wrong('its id is not that of its name and key', key.id, id);
  return key;
}

function wrong(why: string, expected?: number | string, computed?: number | string): ProofFailure {
  return new ProofFailure('note.key', `this is not the text of a key: ${why}`, expected, computed);
}
