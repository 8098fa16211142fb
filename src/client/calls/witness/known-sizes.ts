// The size of the tree that each witness is known to have seen: from this process, or from the log of an earlier one. A guess:
// others may publish under the same origin, and the witness says so.
import { ProofFailure } from '../../../proof/failure.js';
import { parseCheckpointText } from '../../../proof/heads/checkpoint.js';
import { parseNote } from '../../../proof/heads/note.js';
import type { NoteKey } from '../../../proof/heads/note-key.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';

/** Rows that are looked at: where witnesses take turns, each is in one of them. */
const MAX_ROWS = 16;

const sizes = new WeakMap<DatabaseTrust, Map<string, bigint>>();

function nameOf(origin: string, { name, id }: NoteKey): string {
  return JSON.stringify([origin, name, id]);
}

/** Notes that a witness has cosigned a tree. */
export function noteSize(trust: DatabaseTrust, origin: string, key: NoteKey, size: bigint): void {
  const known = sizes.get(trust) ?? new Map<string, bigint>();
  known.set(nameOf(origin, key), size);
  sizes.set(trust, known);
}

/** In the order of the keys; undefined where nothing is known. */
export async function knownSizes(
  trust: DatabaseTrust,
  operation: string,
  origin: string,
  keys: readonly NoteKey[],
): Promise<(bigint | undefined)[]> {
  if (!sizes.has(trust)) {
    const found = new Map<string, bigint>();
    for (const note of await trust.kept(operation, MAX_ROWS)) {
      for (const [name, size] of sizesIn(note)) if (!found.has(name)) found.set(name, size);
    }
    // What was noted meanwhile is newer.
    for (const [name, size] of sizes.get(trust) ?? []) found.set(name, size);
    sizes.set(trust, found);
  }
  return keys.map((key) => sizes.get(trust)?.get(nameOf(origin, key)));
}

/** What a logged note says of each of its cosigners. It was verified before it was logged. */
function sizesIn(note: string): [string, bigint][] {
  try {
    const { text, signatures } = parseNote(note);
    const { origin, size } = parseCheckpointText(text);
    return signatures.map(({ name, keyId }) => [JSON.stringify([origin, name, keyId]), size]);
  } catch (error) {
    if (error instanceof ProofFailure) return [];
    throw error;
  }
}
