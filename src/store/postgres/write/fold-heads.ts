// What a batch needs of the heads, and what it makes of them, when every row of it finds what it expects: the server then writes the
// rows at once, instead of deciding on each. Where that is not so the server goes row by row.
import type { StoredRoot } from '../../audit-types.js';
import { isHeadMove } from '../../log/audit-query.js';
import { sameRoot } from '../../log/audit-entry.js';
import { MODE } from '../sql/columns.js';
import type { HandedRow } from './handed-row.js';
import type { Kind } from './names.js';

export interface FoldedHeads {
  /** By ledger: the head that it must have, null for none. */
  readonly needed: ReadonlyMap<number, StoredRoot | null>;
  /** By ledger: the head that it has afterwards. */
  readonly moved: ReadonlyMap<number, StoredRoot>;
  /** False: some row does not find what it expects, whatever the heads are, or forgets one. */
  readonly isWhole: boolean;
}

const NOT_WHOLE: FoldedHeads = { needed: new Map(), moved: new Map(), isWhole: false };

export function foldHeads(rows: readonly HandedRow[], kinds: readonly Kind[]): FoldedHeads {
  const needed = new Map<number, StoredRoot | null>();
  const moved = new Map<number, StoredRoot>();
  for (const [i, { mode, expected, entry }] of rows.entries()) {
    const ledger = kinds[i]?.ledger;
    if (ledger === undefined || entry.outcome === 'forget') return NOT_WHOLE;
    if (mode !== MODE.plain) {
      const wanted = mode === MODE.advance ? expected : entry;
      const head = moved.get(ledger) ?? needed.get(ledger);
      if (head === undefined) needed.set(ledger, wanted);
      else if (!sameRoot(head, wanted)) return NOT_WHOLE;
    }
    if (isHeadMove(entry.outcome)) moved.set(ledger, entry);
  }
  return { needed, moved, isWhole: true };
}
