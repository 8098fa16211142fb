// How outcomes stand in the tables of every store.
import type { AuditOutcome } from '../audit-types.js';

/** How outcomes stand in a table. A number is never given twice. */
export const OUTCOME_CODES: Readonly<Record<AuditOutcome, number>> = {
  root: 1,
  'first-use': 2,
  pinned: 3,
  forget: 4,
  calls: 5,
  failure: 6,
  fork: 7,
  rollback: 8,
  'identity-change': 9,
  identity: 10,
  archive: 11,
};

const OUTCOME_OF = new Map(
  Object.entries(OUTCOME_CODES).map(([outcome, code]) => [code, outcome as AuditOutcome]),
);

/** Undefined for a number that no outcome has. */
export function outcomeOf(code: number): AuditOutcome | undefined {
  return OUTCOME_OF.get(code);
}
