// What is broken in a store that is opened all the same, to be looked at.
import type { StoreDamage } from '../../audit-log.js';

/** Findings that are kept: a log that is broken throughout is not told row by row. */
const MAX_FINDINGS = 1000;

export class Damage {
  readonly #findings = new Map<string, StoreDamage>();

  get findings(): readonly StoreDamage[] {
    return [...this.#findings.values()];
  }

  /** @param seq row; null when it is no matter of one row */
  note(seq: bigint | null, finding: string): void {
    if (this.#findings.size >= MAX_FINDINGS) return;
    this.#findings.set(`${String(seq)} ${finding}`, { seq, finding });
  }

  /** What `read` gives; what goes wrong with it is a finding. */
  noteErrors<T>(what: string, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      this.note(null, `${what}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }
}
