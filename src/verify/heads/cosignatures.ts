// Whose signatures a checkpoint has: that of its log, and those of witnesses, each with the time that it says.
import { cosignedBytes, parseTimedSignature } from '../../proof/heads/checkpoint.js';
import { ProofFailure } from '../../proof/failure.js';
import type { NoteSignature } from '../../proof/heads/note.js';
import type { NoteKey } from '../../proof/heads/note-key.js';
import { isSignedBy } from './ed25519.js';

/** Signatures by other keys are passed over. @throws ProofFailure `note.form` where one by this key does not hold */
export function isLogSigned(text: string, signatures: readonly NoteSignature[], key: NoteKey): boolean {
  const own = byKey(signatures, key);
  const message = new TextEncoder().encode(text);
  for (const { signature } of own) {
    if (!isSignedBy(key.publicKey, message, signature))
      throw new ProofFailure('note.form', `the signature of ${key.name} is not over this text`);
  }
  return own.length > 0;
}

/** A cosignature that holds. */
export interface Cosigned {
  /** Unix seconds, by the witness's clock: it had seen no larger tree of this log then. */
  readonly time: bigint;
  readonly line: NoteSignature;
}

/** The newest cosignature of a witness; undefined when there is none. @throws ProofFailure `note.cosignature` where one does not hold */
export function cosignedBy(
  text: string,
  signatures: readonly NoteSignature[],
  key: NoteKey,
): Cosigned | undefined {
  let newest: Cosigned | undefined;
  for (const line of byKey(signatures, key)) {
    const { time, signature } = parseTimedSignature(line.signature);
    if (!isSignedBy(key.publicKey, cosignedBytes(text, time), signature))
      throw new ProofFailure(
        'note.cosignature',
        `the cosignature of ${key.name} is not over this checkpoint`,
      );
    if (!newest || time > newest.time) newest = { time, line };
  }
  return newest;
}

function byKey(signatures: readonly NoteSignature[], { name, id }: NoteKey): readonly NoteSignature[] {
  return signatures.filter((line) => line.name === name && line.keyId === id);
}
