// What a checkpoint note says, without anybody's key: for showing it. Whose signatures they are is verifyCheckpointNote's.
import { ArgumentError } from '../../errors.js';
import { parseCheckpointText, parseTimedSignature } from '../../proof/heads/checkpoint.js';
import type { TreeHead } from '../../proof/heads/checkpoint.js';
import { ProofFailure } from '../../proof/failure.js';
import { parseNote } from '../../proof/heads/note.js';
import type { NoteSignature } from '../../proof/heads/note.js';

/** A key that a note says it is signed by. */
export interface NamedSigner {
  readonly name: string;
  /** Eight hex digits. */
  readonly keyId: string;
  /** Unix seconds, by the clock of a witness; undefined for what is no cosignature by Ed25519, such as the log's own. */
  readonly time?: bigint;
}

export interface CheckpointNote {
  readonly checkpoint: TreeHead;
  readonly signers: readonly NamedSigner[];
}

/**
 * Reads a checkpoint note. Nothing of it is verified: {@link verifyCheckpointNote} does that.
 *
 * @throws ArgumentError `note` when it is not one
 */
export function readCheckpointNote(note: string | Uint8Array): CheckpointNote {
  if (typeof note !== 'string' && !(note instanceof Uint8Array))
    throw new ArgumentError('note', 'note must be a string or a Uint8Array');
  try {
    const { text, signatures } = parseNote(note);
    return { checkpoint: parseCheckpointText(text), signers: signatures.map(signerOf) };
  } catch (error) {
    if (error instanceof ProofFailure) throw new ArgumentError('note', error.message);
    throw error;
  }
}

function signerOf({ name, keyId, signature }: NoteSignature): NamedSigner {
  try {
    return { name, keyId, time: parseTimedSignature(signature).time };
  } catch (error) {
    if (error instanceof ProofFailure) return { name, keyId };
    throw error;
  }
}
