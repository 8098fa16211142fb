// Checkpoints that witnesses have cosigned, looked at without any server.
import { ArgumentError } from '../../errors.js';
import { knownNames } from '../../known-names.js';
import { equalBytes } from '../../proof/bytes.js';
import { ProofFailure } from '../../proof/failure.js';
import { parseCheckpointText } from '../../proof/heads/checkpoint.js';
import type { TreeHead } from '../../proof/heads/checkpoint.js';
import { parseNote } from '../../proof/heads/note.js';
import { formatNoteKey, parseNoteKey } from '../../proof/heads/note-key.js';
import type { KeyUse, NoteKey } from '../../proof/heads/note-key.js';
import { cosignedBy, isLogSigned } from './cosignatures.js';

/** More than this many keys of a kind are a mistake. */
export const MAX_WITNESSES = 16;

/** Whose signatures count. Keys are in their text form (C2SP's vkey): `name+id+base64`. */
export interface NoteKeys {
  /** Of the log: named like its origin. Several: any of them. */
  readonly log: string | readonly string[];
  /** Of witnesses, up to 16. @default none */
  readonly witnesses?: readonly string[];
  /** How many of the witnesses must have cosigned. @default all of them */
  readonly quorum?: number;
}

/** A witness that has cosigned. */
export interface CosignedBy {
  readonly name: string;
  /** Its key, as it was given. */
  readonly key: string;
  /** Unix seconds, by its clock. */
  readonly time: bigint;
}

/** What a note proves. `finding`: why it proves nothing. */
export type CheckpointNoteVerdict =
  | { readonly ok: true; readonly checkpoint: TreeHead; readonly cosigned: readonly CosignedBy[] }
  | { readonly ok: false; readonly finding: string };

/**
 * Checks a cosigned checkpoint (C2SP signed note) offline: that the log has signed it, and that as many of the witnesses have
 * cosigned it as must. The log's key is named like the origin, so a key of one log does not speak for another.
 * Says nothing about any server: `client.verifyHead` holds a note against one.
 *
 * @throws ArgumentError when the keys are not what they should be; not for anything in the note
 * @example
 * const verdict = verifyCheckpointNote(note, { log: logKey, witnesses: [a, b, c], quorum: 2 });
 * if (verdict.ok) console.log(verdict.checkpoint.size, verdict.cosigned.map(({ name, time }) => `${name} ${time}`));
 */
export function verifyCheckpointNote(note: string | Uint8Array, keys: NoteKeys): CheckpointNoteVerdict {
  if (typeof note !== 'string' && !(note instanceof Uint8Array))
    throw new ArgumentError('note', 'note must be a string or a Uint8Array');
  const { log, witnesses, quorum } = checkedNoteKeys(keys);
  try {
    const { text, signatures } = parseNote(note);
    const checkpoint = parseCheckpointText(text);
    const own = log.filter(({ name }) => name === checkpoint.origin);
    if (own.length === 0)
      return { ok: false, finding: 'it is of another origin than the log whose key this is' };
    const isSigned = own.map((key) => isLogSigned(text, signatures, key)).includes(true);
    if (!isSigned) return { ok: false, finding: 'the log has not signed it' };
    const cosigned: CosignedBy[] = [];
    for (const key of witnesses) {
      const found = cosignedBy(text, signatures, key);
      if (found) cosigned.push({ name: key.name, key: formatNoteKey(key), time: found.time });
    }
    if (cosigned.length >= quorum) return { ok: true, checkpoint, cosigned };
    const finding = `${cosigned.length} of ${witnesses.length} witnesses have cosigned it, and ${quorum} must`;
    return { ok: false, finding };
  } catch (error) {
    if (error instanceof ProofFailure) return { ok: false, finding: error.message };
    throw error;
  }
}

interface CheckedNoteKeys {
  readonly log: readonly NoteKey[];
  readonly witnesses: readonly NoteKey[];
  readonly quorum: number;
}

/** @throws ArgumentError naming the part that is wrong */
export function checkedNoteKeys(keys: NoteKeys): CheckedNoteKeys {
  if (typeof keys !== 'object' || (keys as object | null) === null)
    throw new ArgumentError('keys', 'keys must be { log, witnesses, quorum }');
  knownNames('keys', keys, ['log', 'witnesses', 'quorum']);
  const { log: given, witnesses: others = [] } = keys;
  const log = keysOf('log', typeof given === 'string' ? [given] : given, 'note');
  if (log.length === 0) throw new ArgumentError('log', 'log must hold the key of the log');
  const witnesses = keysOf('witnesses', others, 'cosignature');
  return { log, witnesses, quorum: checkedQuorum(keys.quorum, witnesses.length) };
}

/** @throws ArgumentError */
export function checkedQuorum(quorum: number | undefined, witnesses: number): number {
  const least = Math.min(1, witnesses);
  if (quorum === undefined) return witnesses;
  if (!Number.isSafeInteger(quorum) || quorum < least || quorum > witnesses)
    throw new ArgumentError(
      'quorum',
      `quorum must be a whole number from ${least} to the ${witnesses} witnesses`,
    );
  return quorum;
}

function keysOf(field: string, texts: readonly string[], use: KeyUse): NoteKey[] {
  if (!Array.isArray(texts)) throw new ArgumentError(field, `${field} must be an array of keys`);
  if (texts.length > MAX_WITNESSES)
    throw new ArgumentError(field, `${field} must be at most ${MAX_WITNESSES} keys`);
  const keys = Array.from(texts as readonly unknown[], (text) => checkedNoteKey(field, text, use));
  return distinct(field, keys);
}

/** The key in its text form. @throws ArgumentError `field` */
export function checkedNoteKey(field: string, text: unknown, use: KeyUse): NoteKey {
  if (typeof text !== 'string')
    throw new ArgumentError(field, `${field} must be a key as text: name+id+base64`);
  try {
    const key = parseNoteKey(text);
    if (key.use === use) return key;
    const wanted = use === 'note' ? 'of a log (type 1)' : 'of a witness (cosignature/v1, type 4)';
    throw new ArgumentError(field, `${field} must be the key ${wanted}`);
  } catch (error) {
    if (error instanceof ProofFailure)
      throw new ArgumentError(field, `${field} is no such key: ${error.message}`);
    throw error;
  }
}

/** A cosignature does not name who made it: a key under two names would count twice. @throws ArgumentError */
export function distinct(field: string, keys: readonly NoteKey[]): NoteKey[] {
  keys.forEach(({ publicKey }, i) => {
    if (keys.slice(0, i).some((other) => equalBytes(other.publicKey, publicKey)))
      throw new ArgumentError(field, `${field} must not hold one key twice`);
  });
  return [...keys];
}
