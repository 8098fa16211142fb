// Rows of heads that witnesses have cosigned: their detail is the note.
import { ArgumentError } from '../../index.js';
import type { AuditRow } from '../../index.js';
import { readCheckpointNote, witnessesIn } from '../../audit.js';
import type { CheckpointNote } from '../../audit.js';

/** What their rows are logged as. */
export const WITNESSED = { operation: 'publishHead', outcome: 'calls' } as const;

/** The note in a row, as the client that logged it has verified it; undefined for any other row. */
export function noteIn({ operation, outcome, detail }: AuditRow): CheckpointNote | undefined {
  if (operation !== WITNESSED.operation || outcome !== WITNESSED.outcome || detail === undefined)
    return undefined;
  try {
    return readCheckpointNote(detail);
  } catch (error) {
    // Whatever else was written under this name is shown as it stands.
    if (error instanceof ArgumentError) return undefined;
    throw error;
  }
}

/** A row's detail in words of one line. */
export function detailWords(row: AuditRow): string | undefined {
  const shown = witnessesIn(row);
  // A line for each witness.
  if (shown) return row.detail?.replaceAll('\n', '; ');
  const note = noteIn(row);
  if (!note) return row.detail;
  const { checkpoint, signers } = note;
  const witnesses = signers.filter(({ time }) => time !== undefined).map(({ name }) => name);
  return `tree of ${checkpoint.size.toString()} transactions of ${checkpoint.origin}, cosigned by ${witnesses.join(', ')}`;
}
