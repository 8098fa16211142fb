// A section of a report, whatever comes of looking: what could not be looked at says so, and never that all is well.
import { errorLine, firstFailure } from '../error-line.js';
import { REFUTED, codeOf } from '../exit-code.js';
import type { Section } from './report.js';

export type Named = Pick<Section, 'name' | 'title' | 'commands'>;
export type Seen = Omit<Section, keyof Named>;

/** `signal`: whoever ends the whole report gets none. */
export async function look(named: Named, signal: AbortSignal, see: () => Promise<Seen>): Promise<Section> {
  try {
    return { ...named, ...(await see()) };
  } catch (error) {
    signal.throwIfAborted();
    const failure = firstFailure(error);
    const words = errorLine(failure);
    // Of an error that refutes, the row with its evidence is among the others.
    if (codeOf(failure, undefined) === REFUTED)
      return { ...named, ...seen('refuted', words), findings: [{ text: words }], findingsTotal: 1 };
    return couldNotLook(named, words);
  }
}

export function couldNotLook(named: Named, why: string): Section {
  return { ...named, ...seen('could-not-look', `could not look: ${why}`) };
}

export function seen(verdict: Section['verdict'], summary: string, counts: Section['counts'] = {}): Seen {
  return { verdict, summary, counts, findings: [], findingsTotal: 0 };
}
